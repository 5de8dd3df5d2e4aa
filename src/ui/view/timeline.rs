//! The space-time diagram: time goes to the right, a lane is a component, a message is a line from
//! where and when it was sent to where and when it arrives.

use std::fmt::Write as _;
use std::time::Duration;

use super::super::px::Px;
use crate::cluster::{Address, BodyKind, Message};
use crate::sim::{Instant, Trace, sort};

/// How wide the diagram is in its own units; the page stretches it.
pub const WIDTH: f64 = 1_000.0;
/// How high a lane is.
pub const LANE: f64 = 22.0;
/// As many nodes have a lane of their own.
const MOST_NODES: usize = 12;
/// As many messages are drawn, the newest.
const MOST_LINES: usize = 4_000;
/// As near must a pointer be to a line.
const NEAR: f64 = 8.0;

/// The stretch of time that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: Instant,
    pub end: Instant,
}

/// A component's line through time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    You,
    ApiServer,
    Etcd,
    Scheduler,
    /// A kubelet with its runtime.
    Node(u32),
}

/// A message as drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub id: u64,
    pub kind: BodyKind,
    pub from: (f64, f64),
    pub to: (f64, f64),
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    pub window: Window,
    pub lanes: Vec<Lane>,
    pub lines: Vec<Line>,
    /// How many nodes said nothing in this stretch, or found no lane.
    pub quiet: usize,
}

impl Window {
    /// The stretch of `span` that `now` stands near the end of, within what there is.
    pub fn around(now: Instant, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
        let before = micros / 10 * 8;
        let start = Instant::from_micros(now.as_micros().saturating_sub(before));
        Self { start, end: start + Duration::from_micros(micros) }
    }

    /// Where a moment stands, in units of the diagram.
    pub fn x(self, at: Instant) -> f64 {
        let whole = self.end.since(self.start).as_secs_f64();
        if at < self.start {
            return -self.start.since(at).as_secs_f64() / whole * WIDTH;
        }
        at.since(self.start).as_secs_f64() / whole * WIDTH
    }

    /// The moment at a share of the width, from 0 to 1.
    pub fn at(self, share: f64) -> Instant {
        self.start + self.end.since(self.start).mul_f64(share.clamp(0.0, 1.0))
    }
}

impl Lane {
    fn of(address: Address) -> Self {
        match address {
            Address::You => Self::You,
            Address::ApiServer => Self::ApiServer,
            Address::Etcd => Self::Etcd,
            Address::Scheduler => Self::Scheduler,
            Address::Kubelet(node) | Address::Runtime(node) => Self::Node(node),
        }
    }
}

/// Draws the messages of `window`; heartbeats only if `heartbeats`.
pub fn diagram(trace: &Trace<Message>, nodes: usize, window: Window, heartbeats: bool) -> Diagram {
    let mut shown: Vec<&Message> = Vec::new();
    for id in (trace.first()..trace.end()).rev() {
        let Some(message) = trace.get(id) else { continue };
        // Messages are in the order of their sending, so none further back can reach in here.
        if message.sent + Duration::from_secs(5) < window.start || shown.len() >= MOST_LINES {
            break;
        }
        let inside = message.arrives >= window.start && message.sent <= window.end;
        if inside && (heartbeats || !is_heartbeat(message, trace)) {
            shown.push(message);
        }
    }
    let mut lanes = vec![Lane::You, Lane::ApiServer, Lane::Etcd, Lane::Scheduler];
    let ends = shown.iter().flat_map(|message| [message.from, message.to]).map(Lane::of);
    let talking = sort::set(ends.filter(|lane| matches!(lane, Lane::Node(_))));
    lanes.extend(talking.into_iter().take(MOST_NODES));
    let quiet = nodes.saturating_sub(lanes.len() - 4);
    let y = |address: Address| {
        let lane = lanes.iter().position(|lane| *lane == Lane::of(address))?;
        let lane = u32::try_from(lane).map(f64::from).ok()?;
        // The runtime stands a little below its kubelet.
        let below = if matches!(address, Address::Runtime(_)) { 7.0 } else { 0.0 };
        Some(lane * LANE + LANE / 2.0 + below)
    };
    let seen = shown.iter().rev().filter_map(|message| {
        Some(Line {
            id: message.id,
            kind: message.body.kind(),
            from: (window.x(message.sent), y(message.from)?),
            to: (window.x(message.arrives), y(message.to)?),
        })
    });
    let strokes = seen.collect();
    Diagram { window, lanes, lines: strokes, quiet }
}

/// The store's answers name nothing; they are as important as what they answer.
fn is_heartbeat(message: &Message, trace: &Trace<Message>) -> bool {
    let cause = || message.cause.and_then(|cause| trace.get(cause));
    message.body.is_heartbeat()
        || (message.from == Address::Etcd && cause().is_some_and(|cause| cause.body.is_heartbeat()))
}

impl Diagram {
    /// How high it is.
    pub fn height(&self) -> f64 {
        u32::try_from(self.lanes.len()).map_or(0.0, f64::from) * LANE
    }

    /// The path of all lines of `kind`.
    pub fn path(&self, kind: BodyKind) -> String {
        let mut path = String::new();
        for line in self.lines.iter().filter(|line| line.kind == kind) {
            let ((x1, y1), (x2, y2)) = (line.from, line.to);
            // Writing to a string cannot fail.
            write!(path, "M{} {}L{} {}", Px(x1), Px(y1), Px(x2), Px(y2)).unwrap_or_default();
        }
        path
    }

    /// The message nearest to a point, if one is near. `stretch` is how many pixels a unit is wide.
    pub fn nearest(&self, x: f64, y: f64, stretch: f64) -> Option<u64> {
        let distances = self.lines.iter().map(|line| {
            let scaled = |(x, y): (f64, f64)| (x * stretch, y);
            (line.id, distance((x * stretch, y), scaled(line.from), scaled(line.to)))
        });
        let near = distances.filter(|(_, distance)| *distance <= NEAR);
        near.min_by(|one, two| one.1.total_cmp(&two.1)).map(|(id, _)| id)
    }
}

/// From a point to the part of a line between two others.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let long = dx * dx + dy * dy;
    let along = if long == 0.0 {
        0.0
    } else {
        (((point.0 - from.0) * dx + (point.1 - from.1) * dy) / long).clamp(0.0, 1.0)
    };
    (point.0 - from.0 - along * dx).hypot(point.1 - from.1 - along * dy)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::api::Kind;
    use crate::api::request::{Params, Payload, Request, RequestId, Target, Verb};
    use crate::cluster::Body;

    fn message(id: u64, from: Address, kind: Kind, verb: Verb) -> Rc<Message> {
        let target = Target::named(kind, "default", "a");
        let (params, payload) = (Params::default(), Payload::None);
        let request = Request { id: RequestId(id), verb, target, params, payload, caller: None };
        let sent = Instant::from_micros(id * 1_000_000);
        let arrives = sent + Duration::from_millis(500);
        let body = Body::Request(Rc::new(request));
        Rc::new(Message { id, cause: None, from, to: Address::ApiServer, sent, arrives, body })
    }

    fn sample(heartbeats: bool) -> Diagram {
        let mut trace = Trace::new(100);
        trace.push(message(0, Address::You, Kind::Pod, Verb::Create));
        trace.push(message(1, Address::Kubelet(1), Kind::Lease, Verb::Update));
        trace.push(message(2, Address::Kubelet(2), Kind::Pod, Verb::Patch));
        let window = Window { start: Instant::ZERO, end: Instant::from_micros(4_000_000) };
        diagram(&trace, 3, window, heartbeats)
    }

    #[test]
    fn heartbeats_are_folded_away_with_the_nodes_that_only_beat() {
        assert_eq!(sample(false).lanes.last(), Some(&Lane::Node(2)));
        assert_eq!((sample(false).lanes.len(), sample(false).quiet), (5, 2));
        assert_eq!((sample(true).lanes.len(), sample(true).quiet), (6, 1));
    }

    #[test]
    fn a_line_is_found_by_pointing_at_it() {
        let diagram = sample(false);
        let first = diagram.lines.first().copied();
        assert_eq!(first.map(|line| (line.from, line.to)), Some(((0.0, 11.0), (125.0, 33.0))));
        assert_eq!(diagram.nearest(60.0, 22.0, 1.0), Some(0));
        assert_eq!(diagram.nearest(300.0, 22.0, 1.0), None);
        assert_eq!(diagram.path(BodyKind::Write).matches('M').count(), 2);
    }

    #[test]
    fn now_stands_near_the_end_of_the_window() {
        let window = Window::around(Instant::from_micros(10_000_000), Duration::from_secs(2));
        assert!((window.x(Instant::from_micros(10_000_000)) - 800.0).abs() < 0.01);
        assert_eq!(window.at(0.8), Instant::from_micros(10_000_000));
        assert_eq!(Window::around(Instant::ZERO, Duration::from_secs(2)).start, Instant::ZERO);
    }
}
