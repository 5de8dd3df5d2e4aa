//! What one sees of an API server within an hour or two: how long things last, and what it does again
//! and again.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use podflow::testing::cluster::HttpCall;
use podflow::testing::sim::Instant;
use serde_json::{Value, json};

use super::asking::{Asked, MAPS, rounded, seconds};
use super::{Probe, Seen};

pub const PROBES: &[Probe] = &[
    ("apiserver.minRequestTimeout", shortest_watch),
    ("apiserver.bookmarkFrequency", || period(&Hour::shared()?.bookmarks)),
    ("apiserver.compactInterval", || period(&Hour::shared()?.compactions)),
    ("apiserver.eventTTL", life_of_events),
];

const TICK: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// What was seen.
#[derive(Clone, Default)]
struct Hour {
    /// How long each watch lasted that did not say for how long.
    watches: Vec<Duration>,
    bookmarks: Vec<Instant>,
    /// When lists that had begun could no longer be gone on with.
    compactions: Vec<Instant>,
    /// How long each event was there.
    events: Vec<Duration>,
}

impl Hour {
    fn shared() -> Result<Self, String> {
        thread_local! {
            static SEEN: OnceCell<Result<Hour, String>> = const { OnceCell::new() };
        }
        SEEN.with(|seen| seen.get_or_init(Self::see).clone())
    }

    fn see() -> Result<Self, String> {
        let mut seen = Self::default();
        let mut server = Asked::with_nodes(0);
        for name in ["a", "b"] {
            server.post(MAPS, json!({"metadata": {"name": name}}))?.made()?;
        }
        let began = server.0.now();
        let mut open = Vec::new();
        for _ in 0..300 {
            open.push((server.watch("/api/v1/secrets"), server.0.now()));
            server.0.run_for(Duration::from_micros(100));
        }
        let marked = server.watch("/api/v1/secrets?allowWatchBookmarks=true&timeoutSeconds=7200");
        let events = server.watch("/api/v1/events?timeoutSeconds=7200");
        let (mut created, mut told) = (BTreeMap::new(), 0);
        let mut lists = Lists::default();
        for second in 0..7200_u64 {
            let now = server.0.now();
            if second < 120 && second % 7 == 0 {
                server.post("/api/v1/namespaces/default/events", event(second))?.made()?;
            }
            if second < 1300 {
                if second % 20 == 0 {
                    lists.begin(&mut server)?;
                }
                seen.compactions.extend(lists.go_on(&mut server)?.then_some(now));
            }
            server.0.run_until(now + TICK);
            let new = server.told(events, told);
            told += new.len();
            for line in new {
                let name = line["object"]["metadata"]["name"].to_string();
                match line["type"].as_str() {
                    Some("ADDED") => drop(created.insert(name, now)),
                    Some("DELETED") => {
                        seen.events.extend(created.remove(&name).map(|then| now.since(then)));
                    }
                    _ => return Err(line.to_string()),
                }
            }
            let marks = server.0.lines(marked, 0).filter(|line| line.contains("BOOKMARK")).count();
            if marks > seen.bookmarks.len() && seen.bookmarks.len() < 10 {
                seen.bookmarks.push(now);
            }
            open.retain(|(watch, since)| {
                let over = server.0.is_over(*watch, usize::MAX);
                seen.watches.extend(over.then(|| now.since(*since)));
                !over
            });
            if open.is_empty() && created.is_empty() && now.since(began) > MINUTE * 20 {
                return Ok(seen);
            }
        }
        Err(format!("{} watches and {} events are still there", open.len(), created.len()))
    }
}

fn event(number: u64) -> Value {
    json!({
        "metadata": {"name": format!("e{number}")}, "reason": "Seen",
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
    })
}

/// Lists that were begun and are still to be gone on with, the oldest first.
#[derive(Default)]
struct Lists {
    tokens: VecDeque<String>,
    /// Whether the last one could not be gone on with.
    expired: bool,
}

impl Lists {
    /// Begins a list of this moment.
    fn begin(&mut self, server: &mut Asked) -> Result<(), String> {
        // A moment is one of the store's: something must have changed.
        let change = json!({"data": {"k": server.0.now().to_string()}});
        server.patch(&format!("{MAPS}/a"), "merge", change)?.made()?;
        let begun = server.get(&format!("{MAPS}?limit=1"))?;
        self.tokens.extend(begun["metadata"]["continue"].as_str().map(str::to_owned));
        Ok(())
    }

    /// Goes on with the oldest one. Whether it is the first of some that are too old by now.
    fn go_on(&mut self, server: &mut Asked) -> Result<bool, String> {
        let Some(oldest) = self.tokens.front() else { return Ok(false) };
        let reply = server.call(&HttpCall::get(&format!("{MAPS}?limit=1&continue={oldest}")))?;
        let before = self.expired;
        self.expired = match reply.code {
            200 => false,
            410 => self.tokens.pop_front().is_some(),
            code => return Err(format!("going on with a list: {code}")),
        };
        Ok(self.expired && !before)
    }
}

/// The time between moments that are equally far apart.
fn period(moments: &[Instant]) -> Seen {
    let gaps: Vec<Duration> =
        moments.windows(2).map(|pair| rounded(pair[1].since(pair[0]))).collect();
    match gaps.first() {
        Some(first) if gaps.iter().all(|gap| gap == first) => Ok(seconds(*first)),
        _ => Err(format!("no period: {gaps:?}")),
    }
}

/// Watches last for a time that is drawn between the shortest and twice that.
fn shortest_watch() -> Seen {
    let Hour { mut watches, .. } = Hour::shared()?;
    watches.sort();
    let (Some(first), Some(last)) = (watches.first(), watches.last()) else {
        return Err("no watch ends".to_owned());
    };
    let shortest = minutes(*first);
    if *last < shortest * 2 + TICK && *last + MINUTE > shortest * 2 {
        Ok(seconds(shortest))
    } else {
        Err(format!("watches last from {first:?} to {last:?}"))
    }
}

/// Events that come within a minute go together, so that some are there for up to a minute more.
fn life_of_events() -> Seen {
    let Hour { events, .. } = Hour::shared()?;
    let shortest = minutes(*events.iter().min().ok_or("no event ends")?);
    if events.iter().all(|life| *life <= shortest + MINUTE + TICK) {
        Ok(seconds(shortest))
    } else {
        Err(format!("events are there for {events:?}"))
    }
}

/// Down to the whole minute.
fn minutes(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs() / 60 * 60)
}
