//! What one sees of pulls: of those that fail again and again, and of two at the same time.
//!
//! A retry comes up to half as late again as it might, so many Pods are looked at: the earliest of
//! their retries comes hardly later than it may.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Duration;

use podflow::testing::cluster::{Body, HttpCall};
use podflow::testing::runtime::CriRequest;
use podflow::testing::sim::Instant;
use serde_json::{Value, json};

use super::asking::{Asked, Growth, PODS, go_duration, longest_span, ratio, seconds};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("imagePull.backOff.initial", || Ok(seconds(Failing::shared()?.waits()?.first))),
    ("imagePull.backOff.max", || Ok(seconds(Failing::shared()?.waits()?.most))),
    ("imagePull.backOff.factor", || Ok(json!(Failing::shared()?.waits()?.factor))),
    ("imagePull.backOff.resetAfter", forgotten_after),
    ("podSyncError.backOff", || Ok(seconds(Failing::shared()?.retry()?))),
    ("kubelet.syncFrequency", || Ok(seconds(Failing::shared()?.resync()?))),
    ("kubelet.serializeImagePulls", one_after_the_other),
];

/// When the kubelet asked its runtime what, by image.
#[derive(Clone, Default)]
struct Calls {
    looked: BTreeMap<String, Vec<Instant>>,
    pulled: BTreeMap<String, Vec<Instant>>,
    /// How much of the trace was read.
    read: u64,
}

impl Calls {
    /// Runs the cluster and takes in what is asked meanwhile; the trace does not keep it for ever.
    fn follow(&mut self, server: &mut Asked, span: Duration) {
        let until = server.0.now() + span;
        while server.0.now() < until {
            server.0.run_until(until.min(server.0.now() + Duration::from_mins(1)));
            for message in server.0.trace().from(self.read) {
                let Body::CriRequest { request, .. } = &message.body else { continue };
                if let CriRequest::ImageStatus { image } = request {
                    self.looked.entry(image.clone()).or_default().push(message.sent);
                } else if let CriRequest::PullImage { image } = request {
                    self.pulled.entry(image.clone()).or_default().push(message.sent);
                }
            }
            self.read = server.0.trace().end();
        }
    }
}

/// What happens to many Pods whose images no registry has.
#[derive(Clone)]
struct Failing {
    calls: Calls,
}

impl Failing {
    fn shared() -> Result<Self, String> {
        thread_local! {
            static SEEN: OnceCell<Result<Failing, String>> = const { OnceCell::new() };
        }
        SEEN.with(|seen| seen.get_or_init(Self::see).clone())
    }

    /// One of the Pods has an image that is not to be pulled at all.
    fn see() -> Result<Self, String> {
        let mut server = Asked::with_quick_node();
        let never = json!({"name": "c", "image": "never", "imagePullPolicy": "Never"});
        let never = json!({"metadata": {"name": "never"}, "spec": {"containers": [never]}});
        server.post(PODS, never)?.made()?;
        for number in 0..100 {
            server.pod(&format!("p{number}"), &format!("missing-{number}"), &[])?;
        }
        let mut calls = Calls::default();
        calls.follow(&mut server, Duration::from_mins(30));
        Ok(Self { calls })
    }

    /// How long the pulls of an image wait for each other.
    fn waits(&self) -> Result<Growth, String> {
        let gaps: Vec<Vec<Duration>> = self.calls.pulled.values().map(|at| gaps(at)).collect();
        let known = gaps.iter().map(Vec::len).min().unwrap_or(0);
        let earliest = |nth: usize| gaps.iter().map(|gaps| gaps[nth]).min().unwrap_or_default();
        let earliest: Vec<Duration> = (0..known).map(earliest).collect();
        let [first, second, .., before, last] = earliest[..] else {
            return Err(format!("too few pulls: {earliest:?}"));
        };
        let growth = Growth {
            first: whole(first),
            factor: ratio(second, first),
            most: whole(before.min(last)),
        };
        // By chance all of some retries may come a little late.
        let hardly_later =
            |(wait, seen): (Duration, &Duration)| (wait..wait + wait / 10).contains(seen);
        if growth.waits().zip(&earliest).all(hardly_later) {
            Ok(growth)
        } else {
            Err(format!("no growth up to a longest: {earliest:?}"))
        }
    }

    /// How long the kubelet waits after something went wrong that has no back-off of its own.
    fn retry(&self) -> Result<Duration, String> {
        let looked = self.calls.looked.get("never:latest").ok_or("nobody looks for the image")?;
        // At first its sandbox is news.
        let again = gaps(looked).into_iter().skip(1);
        again.min().map(whole).ok_or_else(|| "it is looked for once".to_owned())
    }

    /// How long the kubelet does not look at a Pod whose pull waits for longer. Its first look comes
    /// soon after a failure.
    fn resync(&self) -> Result<Duration, String> {
        let mut quiet = Vec::new();
        for (image, pulled) in &self.calls.pulled {
            for pair in pulled.windows(2) {
                let between = |at: &&Instant| pair[0] < **at && **at < pair[1];
                let looked = self.calls.looked.get(image).into_iter().flatten();
                let looked: Vec<Instant> = looked.filter(between).copied().collect();
                // The last look before the next pull comes when the wait is over.
                let inner = looked.split_last().map(|(_, inner)| gaps(inner)).unwrap_or_default();
                quiet.extend(inner);
            }
        }
        quiet.into_iter().min().map(whole).ok_or_else(|| "no wait is so long".to_owned())
    }
}

fn gaps(moments: &[Instant]) -> Vec<Duration> {
    moments.windows(2).map(|pair| pair[1].since(pair[0])).collect()
}

/// Down to the whole second.
fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

/// Whose failures lie further apart than this begins anew.
fn forgotten_after() -> Seen {
    longest_span(who_remembers).map(seconds)
}

/// Whether a Pod whose second pull failed so long ago still knows of that when the third one fails: then
/// the fourth has longer to wait than the second had. Meanwhile it wanted another image.
fn who_remembers(ago: &[Duration]) -> Result<Vec<bool>, String> {
    let (mut server, mut calls) = (Asked::with_quick_node(), Calls::default());
    let (image, other) =
        (|number| format!("missing-{number}:1"), |number| format!("missing-{number}:2"));
    let wants = |server: &mut Asked, number: usize, image: String| {
        let change = json!({"spec": {"containers": [{"name": "c", "image": image}]}});
        server.0.submit(&HttpCall::strategic_patch(&format!("{PODS}/p{number}"), change));
    };
    for number in 0..ago.len() {
        server.pod(&format!("p{number}"), &image(number), &[])?;
    }
    calls.follow(&mut server, Duration::from_secs(20));
    let (mut before, mut again) = (Vec::new(), Vec::new());
    for (number, ago) in ago.iter().enumerate() {
        wants(&mut server, number, other(number));
        let pulled = calls.pulled.get(&image(number)).map(Vec::as_slice);
        let Some([first, second]) = pulled else { return Err(format!("not twice: {pulled:?}")) };
        before.push(second.since(*first));
        again.push((*second + *ago, number));
    }
    again.sort();
    for (at, number) in again {
        let span = at.since(server.0.now());
        calls.follow(&mut server, span);
        wants(&mut server, number, image(number));
    }
    calls.follow(&mut server, Duration::from_mins(2));
    let waited = before.iter().enumerate().map(|(number, before)| {
        let pulled = calls.pulled.get(&image(number)).map(Vec::as_slice);
        let Some([_, _, third, fourth, ..]) = pulled else {
            return Err(format!("not again: {pulled:?}"));
        };
        Ok(fourth.since(*third) > *before * 2)
    });
    waited.collect()
}

/// Of two pulls that are wanted at once, the second waits for the first.
fn one_after_the_other() -> Seen {
    let mut server = Asked::with_nodes(1);
    for name in ["a", "b"] {
        server.pod(name, &format!("example.com/app-{name}"), &[])?;
    }
    server.0.run_for(Duration::from_secs(30));
    let events = server.get("/api/v1/events")?;
    let pulled = events["items"].as_array().into_iter().flatten();
    let pulled = pulled.filter(|event| event["reason"] == "Pulled");
    let mut times = pulled.map(|event| times(&event["message"])).collect::<Result<Vec<_>, _>>()?;
    times.sort_by_key(|(_, waited)| *waited);
    match times[..] {
        [(first, _), (_, waited)] => Ok(json!(waited > first)),
        ref other => Err(format!("not two pulls: {other:?}")),
    }
}

/// How long a pull took, and how long it took with the time that it waited before.
fn times(message: &Value) -> Result<(Duration, Duration), String> {
    let text = message.as_str().unwrap_or_default();
    let wrong = || format!("no times in {text:?}");
    let rest = text.split(" in ").nth(1).ok_or_else(wrong)?;
    let (took, rest) = rest.split_once(" (").ok_or_else(wrong)?;
    let (waited, _) = rest.split_once(" including waiting").ok_or_else(wrong)?;
    Ok((go_duration(took)?, go_duration(waited)?))
}
