//! The one running session, shared by the parts of the page.

use std::cell::RefCell;
use std::rc::Rc;

use yew::{Callback, Properties};

use super::i18n::Words;
use super::state::{Action, Selection};
use crate::api::request::RequestId;
use crate::cluster::{Cluster, HttpCall};
use crate::recording::Session;
use crate::sim::Instant;

/// A handle on the running session. All handles are the same session, so they compare as equal;
/// [`Seen`] tells whether there is something new to draw.
#[derive(Clone)]
pub struct Engine(Rc<RefCell<Session>>);

impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Engine {
    /// A handle on `session`.
    pub fn new(session: Session) -> Self {
        Self(Rc::new(RefCell::new(session)))
    }

    /// A handle on the session itself, for who shares it with the page.
    pub fn share(&self) -> Rc<RefCell<Session>> {
        Rc::clone(&self.0)
    }

    /// Looks at the cluster as it is now. `look` must not reach for the engine again.
    pub fn look<T>(&self, look: impl FnOnce(&Cluster) -> T) -> T {
        look(self.0.borrow().cluster())
    }

    /// Looks at the whole session.
    pub fn session<T>(&self, look: impl FnOnce(&Session) -> T) -> T {
        look(&self.0.borrow())
    }

    /// Works on the session; what is shown follows with the next action.
    pub fn change<T>(&self, work: impl FnOnce(&mut Session) -> T) -> T {
        work(&mut self.0.borrow_mut())
    }

    /// Sends a request of yours now. Follow it with [`Action::Play`], so that it can be seen.
    pub fn submit(&self, call: HttpCall) -> RequestId {
        self.change(|session| session.submit(call))
    }

    /// What there is to see now.
    pub fn seen(&self) -> Seen {
        self.session(|session| {
            let cluster = session.cluster();
            Seen {
                now: session.now(),
                horizon: session.horizon(),
                revision: cluster.revision(),
                messages: cluster.trace().end(),
            }
        })
    }
}

/// What tells one sight of the session from another: equal ones look the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub now: Instant,
    pub horizon: Instant,
    pub revision: u64,
    pub messages: u64,
}

/// What every panel gets.
#[derive(Clone, PartialEq, Properties)]
pub struct PanelProps {
    pub engine: Engine,
    pub seen: Seen,
    pub selection: Option<Selection>,
    pub playing: bool,
    /// Look, but do not touch.
    pub readonly: bool,
    pub words: Words,
    pub on_action: Callback<Action>,
}
