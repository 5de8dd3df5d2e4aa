//! How time goes: so many events a frame, and in the story gear only as fast as one can follow.

use std::time::Duration;

use super::narration::{Weight, weight};
use super::state::Gear;
use crate::cluster::Cluster;
use crate::recording::Session;
use crate::sim::Instant;

/// How long a told message stays to be seen, on the wall.
const TOLD: Duration = Duration::from_millis(700);
/// How far ahead to look for something to tell before time rests.
const PATIENCE: Duration = Duration::from_secs(320);
/// The most events of one step; a cluster of thousands of nodes is never silent for longer.
const STEP_EVENTS: u32 = 50_000;

/// What is between two frames.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    idle: Idle,
    /// How many inputs there were, and how far time had come, when it last went on.
    known: (usize, Instant),
}

/// What to do while nothing that is told is on its way.
#[derive(Clone, Debug, Default)]
enum Idle {
    #[default]
    No,
    /// A copy runs ahead to find the next thing to tell, so that time need not pass if there is none.
    Scouting { ahead: Box<Cluster>, until: Instant },
    /// It was found there.
    SkippingTo(Instant),
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Moving,
    /// Nothing is to be told for a long time.
    Rested,
}

impl Pace {
    /// Lets `wall` pass in `gear`; stops early once `spent` says so, and goes on from there next time.
    pub fn advance(
        &mut self,
        session: &mut Session,
        gear: Gear,
        wall: Duration,
        spent: impl Fn() -> bool,
    ) -> Progress {
        // What was found ahead holds no more once somebody else has moved time or sent something.
        if self.known != known(session) {
            self.idle = Idle::No;
        }
        let progress = match gear {
            Gear::Tenths(tenths) => {
                self.idle = Idle::No;
                run(session, session.now() + wall * tenths / 10, spent);
                Progress::Moving
            }
            Gear::Story => self.tell(session, wall, spent),
        };
        self.known = known(session);
        progress
    }

    fn tell(
        &mut self,
        session: &mut Session,
        wall: Duration,
        spent: impl Fn() -> bool,
    ) -> Progress {
        if let Some(flight) = shortest_told(session.cluster()) {
            self.idle = Idle::No;
            let span = flight.as_micros() * wall.as_micros() / TOLD.as_micros();
            let span = Duration::from_micros(u64::try_from(span).unwrap_or(u64::MAX).max(1));
            run(session, session.now() + span, spent);
            return Progress::Moving;
        }
        if matches!(self.idle, Idle::No) {
            let now = session.now();
            let inputs = session.recording().inputs.iter().map(|input| input.at);
            let until = inputs.filter(|at| *at > now).fold(now + PATIENCE, Instant::min);
            self.idle = Idle::Scouting { ahead: Box::new(session.cluster().clone()), until };
        }
        match &mut self.idle {
            Idle::No => {}
            Idle::Scouting { ahead, until } => {
                while !spent() {
                    let next = ahead.next_at().filter(|at| at <= until);
                    // Between two events a message may leave and arrive, and nobody would see it.
                    if let Some(sent) = next_told(ahead) {
                        self.idle = Idle::SkippingTo(sent.max(ahead.now()));
                        break;
                    }
                    if next.is_none() {
                        let begins =
                            session.recording().inputs.iter().any(|input| input.at == *until);
                        let until = *until;
                        self.idle = if begins { Idle::SkippingTo(until) } else { Idle::No };
                        return if begins { Progress::Moving } else { Progress::Rested };
                    }
                    ahead.step();
                }
            }
            Idle::SkippingTo(moment) => {
                let moment = *moment;
                run(session, moment, spent);
                if session.now() >= moment {
                    self.idle = Idle::No;
                }
            }
        }
        Progress::Moving
    }
}

fn known(session: &Session) -> (usize, Instant) {
    (session.recording().inputs.len(), session.now())
}

/// Plays events up to `until`, or until `spent`.
pub fn run(session: &mut Session, until: Instant, spent: impl Fn() -> bool) {
    while session.next_at().is_some_and(|at| at <= until) {
        session.step();
        if spent() {
            return;
        }
    }
    session.rest_until(until);
}

/// On to the middle of the flight of the next message that is told, so that it can be seen.
pub fn step(session: &mut Session) {
    let mut seen = session.cluster().trace().end();
    for _ in 0..STEP_EVENTS {
        if !session.step() {
            return;
        }
        let trace = session.cluster().trace();
        let told = trace.from(seen).find(|message| weight(message, trace) == Weight::Told);
        if let Some(message) = told {
            let middle = message.sent + message.arrives.since(message.sent) / 2;
            session.run_until(middle);
            return;
        }
        seen = trace.end();
    }
}

/// Back to the middle of the flight of the last message that was told before.
pub fn step_back(session: &mut Session) {
    let now = session.now();
    let trace = session.cluster().trace();
    let before =
        (trace.first()..trace.end()).rev().filter_map(|id| trace.get(id)).find_map(|message| {
            let middle = message.sent + message.arrives.since(message.sent) / 2;
            (middle < now && weight(message, trace) == Weight::Told).then_some(middle)
        });
    if let Some(before) = before {
        session.seek(before);
    }
}

/// When the next message that is told sets out, or has.
fn next_told(cluster: &Cluster) -> Option<Instant> {
    let told = cluster.pending().filter(|message| {
        weight(message, cluster.trace()) == Weight::Told && message.arrives > cluster.now()
    });
    told.map(|message| message.sent).min()
}

/// How long the shortest flight takes of those that are told.
fn shortest_told(cluster: &Cluster) -> Option<Duration> {
    let told = cluster.in_flight().filter(|message| {
        weight(message, cluster.trace()) == Weight::Told && message.arrives > cluster.now()
    });
    told.map(|message| message.arrives.since(message.sent)).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::Kind;
    use crate::cluster::{HttpCall, Setup};

    const FRAME: Duration = Duration::from_millis(16);

    fn session() -> Session {
        let mut session = Session::new(Setup::new(1, 3));
        session.run_until(Instant::ZERO + Duration::from_secs(5));
        session
    }

    fn create(session: &mut Session) {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        });
        session.submit(HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(pod)));
    }

    #[test]
    fn a_story_rests_where_it_is_when_nothing_comes() {
        let mut session = session();
        let before = session.now();
        let mut pace = Pace::default();
        let frames = (0..10_000)
            .take_while(|_| {
                let progress = pace.advance(&mut session, Gear::Story, FRAME, || false);
                progress == Progress::Moving
            })
            .count();
        assert!(frames < 10_000);
        assert_eq!(session.now(), before);
    }

    #[test]
    fn what_is_sent_while_a_story_looks_ahead_is_told() {
        let mut session = session();
        let mut pace = Pace::default();
        // It looks ahead, but has not come to an end.
        pace.advance(&mut session, Gear::Story, FRAME, || true);
        create(&mut session);
        for _ in 0..1_000 {
            let progress = pace.advance(&mut session, Gear::Story, FRAME, || false);
            assert_eq!(progress, Progress::Moving);
            if session.cluster().object(Kind::Pod, "default", "web").is_some() {
                return;
            }
        }
        panic!("the Pod was never created");
    }

    #[test]
    fn a_question_is_told_with_its_answer() {
        let mut session = session();
        create(&mut session);
        session.run_until(Instant::ZERO + Duration::from_secs(25));
        let id = session.submit(HttpCall::get("/api/v1/namespaces/default/pods/web"));
        let mut pace = Pace::default();
        for _ in 0..1_000 {
            let progress = pace.advance(&mut session, Gear::Story, FRAME, || false);
            if session.cluster().answer(id).is_some() {
                return;
            }
            assert_eq!(progress, Progress::Moving);
        }
        panic!("no answer");
    }

    #[test]
    fn a_told_message_stays_to_be_seen() {
        let mut session = session();
        create(&mut session);
        let mut pace = Pace::default();
        let first = session.cluster().trace().end();
        let mut frames = 0;
        let landed = |session: &Session| {
            let message = session.cluster().trace().get(first);
            message.is_some_and(|message| message.arrives <= session.now())
        };
        while !landed(&session) && frames < 1_000 {
            pace.advance(&mut session, Gear::Story, FRAME, || false);
            frames += 1;
        }
        assert!(FRAME * frames >= Duration::from_millis(600), "{frames} frames");
        assert!(frames < 1_000);
    }

    #[test]
    fn a_step_shows_one_message_and_a_step_back_the_one_before() {
        let mut session = session();
        create(&mut session);
        step(&mut session);
        let first = session.now();
        step(&mut session);
        assert!(session.now() > first);
        step_back(&mut session);
        assert_eq!(session.now(), first);
    }

    #[test]
    fn real_time_goes_at_its_rate() {
        let mut session = session();
        let before = session.now();
        Pace::default().advance(&mut session, Gear::Tenths(600), FRAME, || false);
        assert_eq!(session.now().since(before), FRAME * 60);
    }
}
