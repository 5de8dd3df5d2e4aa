//! What a container writes, handed on as it comes.

use std::rc::Rc;

use super::exec::{ending, output};
use super::logs::{cut, text_of};
use super::{Kubelet, Out};
use crate::api::exec::{Channel, ExecOptions};
use crate::api::logs::LogQuery;
use crate::api::request::{Answer, Change, RequestId, WatchEvent};
use crate::api::status::StatusError;
use crate::runtime::{CallId, CriError, CriRequest, CriResponse, LogLine};
use crate::sim::Ctx;

/// Who hears what a container writes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listener {
    /// The number under which the API server has asked.
    pub id: RequestId,
    /// Whether the answer has begun.
    pub is_open: bool,
    pub hears: Hears,
}

/// What is heard.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hears {
    /// A log, of which so many bytes may still be told.
    Log { query: Rc<LogQuery>, left: usize },
    /// What a command writes, or what comes out of ports.
    Command(Rc<ExecOptions>),
}

impl Listener {
    fn open(&mut self, ctx: &mut Ctx<'_, Kubelet>) {
        if !self.is_open {
            self.is_open = true;
            let code = match self.hears {
                Hears::Log { .. } => 200,
                Hears::Command(_) => 101,
            };
            Kubelet::reply(ctx, self.id, Ok(Answer::Streaming { code }));
        }
    }

    /// Tells one more piece.
    pub fn tell(&self, ctx: &mut Ctx<'_, Kubelet>, change: Change) {
        ctx.send(Out::Told(WatchEvent { watch: self.id, change }));
    }
}

impl Kubelet {
    /// The runtime goes on with a call.
    pub(super) fn wrote(&mut self, ctx: &mut Ctx<'_, Self>, call: CallId, lines: &[LogLine]) {
        let epoch = self.shared.epoch;
        let Some(listener) = self.shared.listener(call) else { return };
        listener.open(ctx);
        match &mut listener.hears {
            Hears::Command(options) => {
                for change in output(lines, options) {
                    listener.tell(ctx, change);
                }
            }
            Hears::Log { query, left } => {
                let mut text = text_of(lines, query.timestamps, epoch);
                let is_full = text.len() >= *left;
                cut(&mut text, *left);
                *left -= text.len();
                if !text.is_empty() {
                    listener.tell(ctx, Change::Output { channel: None, text: text.into() });
                }
                if is_full {
                    listener.tell(ctx, Change::Ended);
                    let id = listener.id;
                    self.shared.cancel(ctx, id);
                }
            }
        }
    }

    /// Nothing more will be written.
    pub(super) fn written(
        ctx: &mut Ctx<'_, Self>,
        mut listener: Listener,
        result: Result<CriResponse, CriError>,
    ) {
        match (&listener.hears, result) {
            (Hears::Log { .. }, Err(error)) if !listener.is_open => {
                Self::reply(ctx, listener.id, Err(StatusError::internal(error)));
                return;
            }
            (Hears::Log { .. }, _) => {}
            (Hears::Command(_), result) => {
                listener.open(ctx);
                listener.tell(ctx, ending(result));
            }
        }
        listener.tell(ctx, Change::Ended);
    }

    /// Who hears a command, or forwards ports, sends something.
    pub(super) fn typed(&mut self, ctx: &mut Ctx<'_, Self>, event: WatchEvent) {
        let Some((call, hears)) = self.shared.call_of(event.watch) else { return };
        let request = match (hears, event.change) {
            (Hears::Command(options), Change::Output { channel, text }) if options.stdin => {
                CriRequest::TypeIn { text, ends: channel == Some(Channel::Close) }
            }
            (Hears::Command(_), Change::Forwarded(forwarded)) => CriRequest::Forward(forwarded),
            _ => return,
        };
        ctx.send(Out::Cri { call, request });
    }

    /// Nobody hears the answer to what was asked as `id` any more.
    pub(super) fn hung_up(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        self.shared.cancel(ctx, id);
    }
}
