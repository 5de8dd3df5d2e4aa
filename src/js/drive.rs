//! How time goes on for scripts: in slices, so that the page draws and hears between two, and for thousands
//! of calls at once as for one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::{Control, Host};
use crate::api::request::{RequestId, Response};
use crate::recording::Session;
use crate::sim::Instant;

/// How long one slice of work takes on the wall.
const SLICE: Duration = Duration::from_millis(8);
/// So many events are handled between two looks at the clock.
const EVENTS_A_LOOK: usize = 16;
/// So many calls have their turn between two looks at the clock.
const CALLS_A_LOOK: u64 = 16;
/// So many calls may try to have their turn in one task of the browser.
const TURNS: usize = 64;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// So many questions behind the oldest are looked at, too, if that one's answer is late.
const BEHIND: usize = 64;

#[wasm_bindgen(inline_js = "
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.shift()();
export function breathe() {
  return new Promise((done) => { waiting.push(done); channel.port2.postMessage(0); });
}")]
extern "C" {
    /// Lets the page draw and hear the person. A timer would wait for four milliseconds each time.
    #[wasm_bindgen(catch)]
    pub(super) async fn breathe() -> Result<(), JsValue>;
}

/// The calls that wait: a script may make thousands at once. A task of the browser for each would cost more than
/// what most of them do, so they wait together.
#[derive(Debug, Default)]
pub struct Crowd {
    /// When the first call of this task of the browser began.
    began: Cell<Duration>,
    /// The number of the next call, and of the one whose turn it is. Time stands still between the two, so
    /// that where calls come in does not depend on how fast the machine is.
    next: Cell<u64>,
    turn: Cell<u64>,
    /// Those that wait for their turn, by number.
    waiting: RefCell<VecDeque<(u64, Waker)>>,
    /// Those that wait for an answer, oldest first.
    questions: RefCell<VecDeque<Question>>,
    is_driven: Cell<bool>,
}

#[derive(Debug)]
struct Question {
    id: RequestId,
    /// The session that was asked.
    of: Rc<()>,
    until: Instant,
    waker: Waker,
}

impl Question {
    fn is_over(&self, session: &Session) -> bool {
        let is_gone = !Rc::ptr_eq(&self.of, session.which());
        is_gone || session.cluster().answer(self.id).is_some() || session.now() >= self.until
    }
}

impl Crowd {
    fn is_waiting(&self) -> bool {
        self.turn < self.next
    }

    /// Puts a call back among those that wait.
    fn wait(&self, number: u64, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        let place = waiting.partition_point(|(other, _)| *other < number);
        waiting.insert(place, (number, waker.clone()));
    }

    /// Wakes those whose questions are over; true while there are others.
    fn asks(&self, session: &Session, behind: usize) -> bool {
        let mut questions = self.questions.borrow_mut();
        let mut place = 0;
        while let Some(question) = questions.get(place) {
            if question.is_over(session) {
                questions.remove(place).into_iter().for_each(|question| question.waker.wake());
            } else if place < behind {
                place += 1;
            } else {
                return true;
            }
        }
        !questions.is_empty()
    }
}

impl Host {
    /// Waits, if this task of the browser has worked enough, for one to come. Calls stay in their order.
    pub(super) async fn turn(&self) {
        let crowd = &self.crowd;
        let number = crowd.next.get();
        crowd.next.set(number + 1);
        poll_fn(|context| self.poll_turn(number, context)).await;
    }

    fn poll_turn(&self, number: u64, context: &Context<'_>) -> Poll<()> {
        let crowd = &self.crowd;
        let has_worked = || (self.clock)().saturating_sub(crowd.began.get());
        // To look at the clock takes longer than much else here.
        let is_late = || number.is_multiple_of(CALLS_A_LOOK) && has_worked() >= SLICE;
        if number == crowd.turn.get() && !is_late() {
            crowd.turn.set(number + 1);
            return Poll::Ready(());
        }
        if crowd.waiting.borrow().is_empty() {
            let host = self.clone();
            spawn_local(async move { host.give_turns().await });
        }
        crowd.wait(number, context.waker());
        Poll::Pending
    }

    async fn give_turns(&self) {
        // Without the channel there is no page.
        while breathe().await.is_ok() {
            self.crowd.began.set((self.clock)());
            let mut waiting = self.crowd.waiting.borrow_mut();
            let some = waiting.len().min(TURNS);
            for (_, waker) in waiting.drain(..some) {
                waker.wake();
            }
            if waiting.is_empty() {
                return;
            }
        }
    }

    /// Runs until `until`, in slices.
    pub(super) async fn run_until(&self, until: Instant) -> Result<(), JsValue> {
        self.run_while(until, |_| true).await
    }

    /// Runs until `until`, or until `goes_on` says no.
    pub(super) async fn run_while(
        &self,
        until: Instant,
        mut goes_on: impl FnMut(&Session) -> bool,
    ) -> Result<(), JsValue> {
        loop {
            // First of all, too: a script may call a thousand times at once.
            breathe().await?;
            if !self.crowd.is_waiting() && self.slice(until, &mut goes_on) {
                return Ok(());
            }
        }
    }

    /// One slice of work; true if all is done.
    fn slice(&self, until: Instant, goes_on: &mut dyn FnMut(&Session) -> bool) -> bool {
        let done = self.work(until, goes_on);
        (self.control)(Control::Refresh);
        done
    }

    fn work(&self, until: Instant, goes_on: &mut dyn FnMut(&Session) -> bool) -> bool {
        let mut session = self.session.borrow_mut();
        let began = (self.clock)();
        loop {
            for _ in 0..EVENTS_A_LOOK {
                if !goes_on(&session) {
                    return true;
                }
                if session.next_at().is_none_or(|at| at > until) {
                    session.rest_until(until);
                    return true;
                }
                session.step();
            }
            if (self.clock)().saturating_sub(began) >= SLICE {
                return false;
            }
        }
    }

    /// The answer to a request; runs the cluster until it is there.
    pub(super) async fn answer(&self, id: RequestId) -> Result<Rc<Response>, JsValue> {
        let of = Rc::clone(self.session.borrow().which());
        let mut is_asked = false;
        poll_fn(|context| {
            if is_asked {
                return Poll::Ready(());
            }
            is_asked = true;
            self.ask(id, context);
            Poll::Pending
        })
        .await;
        let session = self.session.borrow();
        if !Rc::ptr_eq(&of, session.which()) {
            return Err(JsError::new("another cluster has taken this one's place").into());
        }
        let answer = session.cluster().answer(id).map(Rc::clone);
        answer.ok_or_else(|| JsError::new("the API server did not answer within a minute").into())
    }

    fn ask(&self, id: RequestId, context: &Context<'_>) {
        let session = self.session.borrow();
        let (of, until) = (Rc::clone(session.which()), session.now() + PATIENCE);
        let question = Question { id, of, until, waker: context.waker().clone() };
        self.crowd.questions.borrow_mut().push_back(question);
        if !self.crowd.is_driven.replace(true) {
            let host = self.clone();
            spawn_local(async move { host.drive().await });
        }
    }

    /// Runs until nobody waits for an answer.
    async fn drive(&self) {
        let crowd = &self.crowd;
        while breathe().await.is_ok() {
            if crowd.is_waiting() {
                continue;
            }
            let until = self.session.borrow().now() + PATIENCE;
            self.slice(until, &mut |session| crowd.asks(session, 0));
            if !crowd.asks(&self.session.borrow(), BEHIND) {
                break;
            }
        }
        crowd.is_driven.set(false);
    }
}

/// Finds out when nothing more happens: components may think for a while without a message.
pub(super) struct Idle {
    /// The messages before this one have been looked at.
    seen: u64,
    /// When something other than a heartbeat was last sent.
    busy: Instant,
}

impl Idle {
    /// So long must nothing have happened.
    const PATIENCE: Duration = Duration::from_secs(2);

    pub(super) fn after(session: &Session) -> Self {
        Self { seen: session.cluster().trace().end(), busy: session.now() }
    }

    pub(super) fn is(&mut self, session: &Session) -> bool {
        let cluster = session.cluster();
        for message in cluster.trace().from(self.seen) {
            if !message.body.is_heartbeat() {
                self.busy = message.sent;
            }
        }
        self.seen = cluster.trace().end();
        session.now() >= self.busy + Self::PATIENCE
            && cluster.pending().all(|message| message.body.is_heartbeat())
            && cluster.is_settled()
    }
}
