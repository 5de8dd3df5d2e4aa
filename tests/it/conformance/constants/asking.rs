//! What probes have in common: asking a server, reading what it says, and searching for a limit.

use std::iter;
use std::time::Duration;

use podflow::testing::api::request::RequestId;
use podflow::testing::cluster::{Cluster, HttpCall, Images, Setup};
use podflow::testing::runtime::{Catalogue, Timing};
use serde_json::{Value, json};

/// Longer than any answer takes.
const ANSWERED: Duration = Duration::from_millis(100);

/// A cluster, and questions to its API server.
#[derive(Clone)]
pub struct Asked(pub Cluster);

/// An answer.
pub struct Reply {
    pub code: u16,
    pub body: Value,
}

impl Asked {
    /// A server whose cluster has as many nodes, all ready.
    pub fn with_nodes(count: usize) -> Self {
        Self::begun(Cluster::new(&Setup::new(1, count)))
    }

    /// One node on which everything happens at once: programs do what their arguments say, and images
    /// with `missing` in their names do not exist.
    pub fn with_quick_node() -> Self {
        let catalogue = Catalogue::scripted("missing").into();
        let images = Images { catalogue, timing: Timing::INSTANT };
        Self::begun(Cluster::with_runtime(&Setup::new(1, 1), &images))
    }

    fn begun(mut cluster: Cluster) -> Self {
        cluster.run_for(Duration::from_secs(2));
        Self(cluster)
    }

    pub fn call(&mut self, call: &HttpCall) -> Result<Reply, String> {
        let id = self.0.submit(call);
        self.0.run_for(ANSWERED);
        let reply = self.0.reply(id).ok_or("no answer")?;
        let body = serde_json::from_str(&reply.body).unwrap_or_else(|_| json!(reply.body));
        Ok(Reply { code: reply.code, body })
    }

    pub fn get(&mut self, path: &str) -> Result<Value, String> {
        self.call(&HttpCall::get(path))?.made()
    }

    pub fn post(&mut self, path: &str, body: Value) -> Result<Reply, String> {
        self.call(&HttpCall::new("POST", path, Some(body)))
    }

    pub fn patch(&mut self, path: &str, form: &str, change: Value) -> Result<Reply, String> {
        let content_type = format!("application/{form}-patch+json").as_str().into();
        self.call(&HttpCall { content_type, ..HttpCall::new("PATCH", path, Some(change)) })
    }

    /// Makes a Pod of one container with these arguments.
    pub fn pod(&mut self, name: &str, image: &str, args: &[String]) -> Result<(), String> {
        let spec = json!({"containers": [{"name": "c", "image": image, "args": args}]});
        self.post(PODS, json!({"metadata": {"name": name}, "spec": spec}))?.made().map(|_| ())
    }

    /// Watches; what is told is read by [`Asked::told`].
    pub fn watch(&mut self, path: &str) -> RequestId {
        let joint = if path.contains('?') { '&' } else { '?' };
        self.0.submit(&HttpCall::get(&format!("{path}{joint}watch=1")))
    }

    /// The events that a watch told after the first `seen`.
    pub fn told(&self, watch: RequestId, seen: usize) -> Vec<Value> {
        let lines = self.0.lines(watch, seen);
        lines.map(|line| serde_json::from_str(&line).unwrap_or_default()).collect()
    }
}

pub const PODS: &str = "/api/v1/namespaces/default/pods";
pub const MAPS: &str = "/api/v1/namespaces/default/configmaps";

impl Reply {
    /// The body, if all went well.
    pub fn made(self) -> Result<Value, String> {
        if self.code < 300 { Ok(self.body) } else { Err(self.body.to_string()) }
    }

    /// What is wrong, in words; an error if nothing is.
    pub fn refused(&self) -> Result<&str, String> {
        let message = self.body["message"].as_str().filter(|_| self.code >= 400);
        message.ok_or_else(|| format!("not refused: {}", self.body))
    }
}

/// The number behind some words of a text.
pub fn number_after(text: &str, words: &str) -> Result<usize, String> {
    let rest = text.split(words).nth(1).ok_or_else(|| format!("no {words:?} in {text:?}"))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().map_err(|_error| format!("no number behind {words:?} in {text:?}"))
}

/// The largest number below `too_large` that is accepted, of numbers from 0 on that are accepted up to
/// some limit.
pub fn largest(
    too_large: u64,
    mut accepts: impl FnMut(u64) -> Result<bool, String>,
) -> Result<u64, String> {
    let (mut accepted, mut refused) = (0, too_large);
    while refused - accepted > 1 {
        let middle = accepted + (refused - accepted) / 2;
        if accepts(middle)? { accepted = middle } else { refused = middle }
    }
    Ok(accepted)
}

/// The longest span with which something holds that holds up to some limit, to the second: `holds` is
/// asked for several spans at once.
pub fn longest_span(
    holds: impl Fn(&[Duration]) -> Result<Vec<bool>, String>,
) -> Result<Duration, String> {
    let (mut long, mut too_long) = (0, 1 << 21);
    let span = |milliseconds: u64| Duration::from_millis(milliseconds);
    while too_long - long > 200 {
        let step = (too_long - long) / 9;
        let tried: Vec<u64> = (1..9).map(|number| long + step * number).collect();
        let spans: Vec<Duration> = tried.iter().copied().map(span).collect();
        let held = holds(&spans)?;
        let many = held.iter().take_while(|held| **held).count();
        if held[many..].contains(&true) {
            return Err(format!("of {spans:?} it holds with some: {held:?}"));
        }
        too_long = tried.get(many).copied().unwrap_or(too_long);
        long = many.checked_sub(1).map_or(long, |last| tried[last]);
    }
    Ok(rounded(span(u64::midpoint(long, too_long))))
}

/// Whole seconds, as cases have them.
pub fn seconds(span: Duration) -> Value {
    json!(span.as_secs())
}

/// To the next whole second.
pub fn rounded(span: Duration) -> Duration {
    Duration::from_secs((span + Duration::from_millis(500)).as_secs())
}

/// What a wait is that grows by a factor from one time to the next until it stays.
pub struct Growth {
    pub first: Duration,
    pub factor: u32,
    pub most: Duration,
}

impl Growth {
    /// What the waits show, one after the other, of which the last two are the longest.
    pub fn of(waits: &[Duration]) -> Result<Self, String> {
        let wrong = || format!("no growth up to a longest: {waits:?}");
        let [first, second, .., before, most] = *waits else { return Err(wrong()) };
        let seen = Self { first, factor: ratio(second, first), most };
        let grown = seen.waits().zip(waits).all(|(wait, seen)| wait == *seen);
        if grown && before == most { Ok(seen) } else { Err(wrong()) }
    }

    /// One wait after the other.
    pub fn waits(&self) -> impl Iterator<Item = Duration> {
        let next = |wait: &Duration| Some((*wait * self.factor).min(self.most));
        iter::successors(Some(self.first), next)
    }
}

/// How often the one is in the other, roughly.
pub fn ratio(long: Duration, short: Duration) -> u32 {
    let (long, short) = (long.as_millis(), short.as_millis().max(1));
    u32::try_from((long + short / 2) / short).unwrap_or(u32::MAX)
}

/// A duration as Go writes it: `1m20s`.
pub fn go_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("no duration: {text:?}");
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|letter: char| letter.is_ascii_alphabetic()).ok_or_else(wrong)?;
        let (number, behind) = rest.split_at(end);
        let unit = behind.split(|letter: char| letter.is_ascii_digit()).next().unwrap_or(behind);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return Err(wrong()),
        };
        seconds += number.parse::<f64>().map_err(|_error| wrong())? * scale;
        rest = behind.strip_prefix(unit).unwrap_or_default();
    }
    Ok(Duration::from_secs_f64(seconds))
}
