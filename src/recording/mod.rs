//! A recording: the set-up and the timed inputs of a cluster, never its states; and time travel.
//!
//! Any moment is the nearest checkpoint before it plus the inputs played again. Acting in the past
//! drops the future that was.

mod checkpoints;
pub mod import;

use std::rc::Rc;
use std::time::Duration;

use crate::api::request::RequestId;
use crate::cluster::{Cluster, HttpCall, Setup};
use crate::scheduler::{Configuration, Decision};
use crate::sim::Instant;

use checkpoints::Checkpoints;

/// One input: what you did, when, and after how many events, so that a replay puts it in at the very
/// same place.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub at: Instant,
    pub after: u64,
    pub act: Act,
}

impl Input {
    fn put_in(&self, cluster: &mut Cluster) {
        if cluster.now() < self.at {
            cluster.skip_to(self.at);
        }
        match &self.act {
            Act::Call(call) => {
                cluster.submit(&call.unpacked());
            }
            Act::ConfigureScheduler(to) => cluster.configure_scheduler(to),
        }
    }
}

/// What you can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// You send a request, which is kept packed.
    Call(HttpCall),
    /// You start the scheduler again, with another configuration.
    ConfigureScheduler(Rc<Configuration>),
}

/// All that a replay needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub setup: Setup,
    /// In the order in which they came.
    pub inputs: Vec<Input>,
}

/// A cluster with its recording: it can go to any moment that it has been at.
#[derive(Clone, Debug)]
pub struct Session {
    recording: Recording,
    cluster: Cluster,
    /// How many of the inputs the cluster has had.
    played: usize,
    /// The furthest moment reached, and the end of what can be scrubbed.
    horizon: Instant,
    checkpoints: Checkpoints,
    which: Rc<()>,
}

impl Session {
    /// A session at the beginning of a cluster.
    pub fn new(setup: Setup) -> Self {
        Self::open(Recording { setup, inputs: Vec::new() })
    }

    /// A session at the beginning of a recording; [`Session::seek`] plays it.
    pub fn open(recording: Recording) -> Self {
        let cluster = Cluster::new(&recording.setup);
        let horizon = recording.inputs.last().map_or(Instant::ZERO, |input| input.at);
        let checkpoints = Checkpoints::new(&cluster);
        Self { recording, cluster, played: 0, horizon, checkpoints, which: Rc::default() }
    }

    /// The cluster at this moment.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Which session this is. Another one may take its place, and has requests of the same numbers.
    pub fn which(&self) -> &Rc<()> {
        &self.which
    }

    /// The recording so far.
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The moment it is at.
    pub fn now(&self) -> Instant {
        self.cluster.now()
    }

    /// The furthest moment reached.
    pub fn horizon(&self) -> Instant {
        self.horizon
    }

    /// Whether there is a future already, which acting now would drop.
    pub fn in_the_past(&self) -> bool {
        self.played < self.recording.inputs.len() || self.now() < self.horizon
    }

    /// When something happens next.
    pub fn next_at(&self) -> Option<Instant> {
        let input = due(&self.cluster, &self.recording.inputs, self.played);
        let input = input.map(|input| input.at);
        let event = self.cluster.next_at();
        input.into_iter().chain(event).min()
    }

    /// Sends a request of yours now; a future that was there is dropped.
    pub fn submit(&mut self, call: HttpCall) -> RequestId {
        let id = self.cluster.submit(&call);
        self.record(Act::Call(call.packed()));
        id
    }

    /// Starts the scheduler again with another configuration; a future that was there is dropped.
    pub fn configure_scheduler(&mut self, configuration: Rc<Configuration>) {
        self.cluster.configure_scheduler(&configuration);
        self.record(Act::ConfigureScheduler(configuration));
    }

    fn record(&mut self, act: Act) {
        let (at, after) = (self.now(), self.cluster.steps());
        self.recording.inputs.truncate(self.played);
        self.checkpoints.forget_after(after);
        self.horizon = at;
        self.recording.inputs.push(Input { at, after, act });
        self.played += 1;
    }

    /// Plays the next event or recorded input; `false` if nothing is left.
    pub fn step(&mut self) -> bool {
        if let Some(input) = due(&self.cluster, &self.recording.inputs, self.played) {
            input.put_in(&mut self.cluster);
            self.played += 1;
            self.horizon = self.horizon.max(self.cluster.now());
            return true;
        }
        let stepped = self.cluster.step();
        self.horizon = self.horizon.max(self.cluster.now());
        self.checkpoints.offer(&self.cluster, self.played);
        stepped
    }

    /// Plays everything up to `until`, and is then at that moment.
    pub fn run_until(&mut self, until: Instant) {
        while self.next_at().is_some_and(|at| at <= until) {
            self.step();
        }
        self.rest_until(until);
    }

    /// Plays everything of the next `span`.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now() + span);
    }

    /// Lets time pass without an event, up to `until` at most.
    pub fn rest_until(&mut self, until: Instant) {
        let limit = self.next_at().map_or(until, |next| next.min(until));
        self.cluster.skip_to(limit);
        self.horizon = self.horizon.max(self.cluster.now());
    }

    /// Goes to a moment, back or forth. Cost: a checkpoint's clone and the events from there on.
    pub fn seek(&mut self, to: Instant) {
        if to < self.now() {
            let (cluster, played) = self.checkpoints.before(to);
            self.cluster = cluster;
            self.played = played;
        }
        self.run_until(to);
    }

    /// Goes back to just before the message that was sent last.
    pub fn step_back(&mut self) {
        let now = self.now();
        let trace = self.cluster.trace();
        let before = (trace.first()..trace.end())
            .rev()
            .filter_map(|id| trace.get(id))
            .map(|message| message.sent)
            .find(|sent| *sent < now);
        self.seek(before.unwrap_or(Instant::ZERO));
    }

    /// A decision with all nodes that were looked at, where it tells of some: the cluster is played again from
    /// before. None if it is not of this past. Cost: as of [`Session::seek`].
    pub fn in_full(&self, decision: &Decision) -> Option<Rc<Decision>> {
        let before = decision.at.as_micros().checked_sub(1)?;
        let (mut cluster, mut played) = self.checkpoints.before(Instant::from_micros(before));
        cluster.tell_of_all_nodes();
        loop {
            if let Some(input) = due(&cluster, &self.recording.inputs, played) {
                if input.at > decision.at {
                    break;
                }
                input.put_in(&mut cluster);
                played += 1;
            } else if cluster.next_at().is_some_and(|next| next <= decision.at) {
                cluster.step();
            } else {
                break;
            }
        }
        let (namespace, name) = &decision.pod;
        let mut decisions = cluster.scheduler().decisions(namespace, name).iter();
        decisions.find(|one| one.is_of_attempt(decision)).map(Rc::clone)
    }
}

/// The input that is next, if its time has come.
fn due<'a>(cluster: &Cluster, inputs: &'a [Input], played: usize) -> Option<&'a Input> {
    inputs.get(played).filter(|input| input.after <= cluster.steps())
}
