//! Images: whether to pull, one pull at a time, and what is said about it.
//!
//! Mirrors: `pkg/kubelet/images/image_manager.go`; pulls are serialised, the default.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::client::Backoff;
use crate::runtime::ImageReference;
use crate::sim::{Instant, SortedMap};

/// The name with the tag `latest` where it has none.
pub(super) fn with_tag(image: &str) -> String {
    match ImageReference::parse(image) {
        Ok(reference) if reference.tag.is_none() && reference.digest.is_none() => {
            format!("{image}:latest")
        }
        Ok(_) | Err(_) => image.to_owned(),
    }
}

/// Who wants an image: a pod's uid and the image as the pod names it.
pub(super) type Wish = (Rc<str>, Rc<str>);

/// The queue of pulls, and the back-off of those that failed.
#[derive(Clone, Debug)]
pub(super) struct Puller {
    queue: VecDeque<Wish>,
    busy: Option<(Wish, Instant)>,
    backoff: Backoff<Wish>,
    errors: SortedMap<Wish, Rc<str>>,
}

impl Default for Puller {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            busy: None,
            backoff: Backoff::new(Duration::from_secs(10), Duration::from_mins(5)),
            errors: SortedMap::new(),
        }
    }
}

impl Puller {
    /// Queues a pull.
    pub fn wish(&mut self, wish: Wish) {
        self.queue.push_back(wish);
    }

    /// The image to pull next, if none is being pulled.
    pub fn next(&mut self, now: Instant) -> Option<Wish> {
        if self.busy.is_some() {
            return None;
        }
        let wish = self.queue.pop_front()?;
        self.busy = Some((wish.clone(), now));
        Some(wish)
    }

    /// The pull is over: whose it was, and how long it took.
    pub fn done(&mut self, now: Instant) -> Option<(Wish, Duration)> {
        self.busy.take().map(|(wish, since)| (wish, now.since(since)))
    }

    /// The pod is gone.
    pub fn forget(&mut self, uid: &Rc<str>) {
        self.queue.retain(|(wisher, _)| wisher != uid);
        let gone: Vec<Wish> =
            self.errors.keys().filter(|(wisher, _)| wisher == uid).cloned().collect();
        for wish in gone {
            self.errors.remove(&wish);
            self.backoff.reset(&wish);
        }
    }

    /// The pod does not want anything pulled any more.
    pub fn cancel(&mut self, uid: &Rc<str>) {
        self.queue.retain(|(wisher, _)| wisher != uid);
    }

    /// A pull failed, with what is said of it.
    pub fn failed(&mut self, wish: Wish, error: &str, now: Instant) {
        self.backoff.failed(&wish, now);
        self.errors.insert(wish, format!("ErrImagePull: {error}").into());
    }

    /// How long the image still has to wait, and the message that says so.
    pub fn backing_off(&self, wish: &Wish, now: Instant) -> Option<(Duration, String)> {
        let rest = self.backoff.remaining(wish, now);
        if rest.is_zero() {
            return None;
        }
        let mut message = format!("Back-off pulling image {:?}", &*wish.1);
        if let Some(error) = self.errors.get(wish) {
            message = format!("{message}: {error}");
        }
        Some((rest, message))
    }
}
