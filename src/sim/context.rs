//! What a component is, and what it is lent for one event.

use std::time::Duration;

use super::{Instant, Rng};

/// A part of the cluster that hears and sends messages. `Out` names all it can say, so that what a
/// component may talk to is in its type.
pub trait Component: Sized {
    /// What it hears.
    type In;
    /// What it says; the wiring knows to whom.
    type Out;
    /// What it can be reminded of.
    type Timer;

    /// Takes one event in; what follows from it goes out through `ctx`.
    fn handle(&mut self, ctx: &mut Ctx<'_, Self>, event: Event<Self>);
}

/// Something a component hears of.
#[derive(Clone, Debug)]
pub enum Event<C: Component> {
    /// The first event of all.
    Started,
    Message(C::In),
    /// A timer it set is due. Timers are never cancelled: a late one may find a state that moved on.
    Timer(C::Timer),
}

/// What a component asks of the world.
#[derive(Clone, Debug)]
pub enum Effect<O, T> {
    /// Send `body` once the component has worked for `after`.
    Send {
        after: Duration,
        body: O,
    },
    Timer {
        after: Duration,
        timer: T,
    },
}

/// What a component is lent for one event; it owns no clock, no chance and no connection. Answers
/// come back later, as events.
pub struct Ctx<'a, C: Component> {
    pub now: Instant,
    pub rng: &'a mut Rng,
    pub outbox: &'a mut Vec<Effect<C::Out, C::Timer>>,
}

impl<C: Component> Ctx<'_, C> {
    /// Sends `body` at once.
    pub fn send(&mut self, body: impl Into<C::Out>) {
        self.send_after(Duration::ZERO, body);
    }

    /// Sends `body` after `after` of work.
    pub fn send_after(&mut self, after: Duration, body: impl Into<C::Out>) {
        self.outbox.push(Effect::Send { after, body: body.into() });
    }

    /// Asks to be reminded of `timer` after `after`.
    pub fn set_timer(&mut self, after: Duration, timer: C::Timer) {
        self.outbox.push(Effect::Timer { after, timer });
    }
}
