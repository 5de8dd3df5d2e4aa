//! etcd as a component: what its calls cost in time.

use std::time::Duration;

use super::etcd::Etcd;
use super::{EtcdCall, EtcdOut};
use crate::api::Object;
use crate::sim::{Component, Ctx, Event, Instant};

/// A read comes from memory; a write waits for the disk.
const READ: Duration = Duration::from_micros(150);
const WRITE: Duration = Duration::from_micros(900);
const WRITE_JITTER: Duration = Duration::from_micros(500);

/// The etcd member that the API server talks to.
#[derive(Clone, Debug, Default)]
pub struct EtcdServer {
    etcd: Etcd<Object>,
    /// Answers leave in the order of the calls.
    busy_until: Instant,
    timer: Option<Instant>,
}

impl EtcdServer {
    /// The store's revision.
    pub fn revision(&self) -> u64 {
        self.etcd.store().revision().get()
    }

    fn keep_timer(&mut self, ctx: &mut Ctx<'_, Self>) {
        let Some(next) = self.etcd.next_timer() else { return };
        if self.timer.is_none_or(|set| next < set) {
            self.timer = Some(next);
            ctx.set_timer(next.since(ctx.now), ());
        }
    }
}

impl Component for EtcdServer {
    type In = EtcdCall;
    type Out = EtcdOut;
    type Timer = ();

    fn handle(&mut self, ctx: &mut Ctx<'_, Self>, event: Event<Self>) {
        match event {
            Event::Started => {}
            Event::Message(call) => {
                let cost =
                    if call.is_write() { WRITE + ctx.rng.span_below(WRITE_JITTER) } else { READ };
                self.busy_until = self.busy_until.max(ctx.now + cost);
                let after = self.busy_until.since(ctx.now);
                for out in self.etcd.handle(ctx.now, call) {
                    ctx.send_after(after, out);
                }
            }
            Event::Timer(()) => {
                self.timer = None;
                for out in self.etcd.on_timer(ctx.now) {
                    ctx.send(out);
                }
            }
        }
        self.keep_timer(ctx);
    }
}
