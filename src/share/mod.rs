//! A recording as the fragment of a link, and back: `#p1=` and compressed base64url.
//!
//! The fragment never reaches a server. What cannot be read is refused with words that say why.

pub mod decision;
mod wire;

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use serde_json::Value;

use crate::api::decode::decode as decode_typed;
use crate::api::document::Part;
use crate::api::to_json;
use crate::api::wire::Node;
use crate::cluster::{MOST_NODES, Setup};
use crate::recording::Recording;
use crate::sim::Instant;

/// The most bytes that a link may expand to.
pub const MOST_BYTES: usize = 256 * 1024;
/// The most bytes that the page's own session may expand to where it is kept.
const MOST_KEPT: usize = 4 * 1024 * 1024;
const VERSION: &str = "p1=";
/// As short as can be: a link is read by people, too.
const SHORT: u8 = 9;
/// Packed again after each input, so as quickly as can be.
const QUICK: u8 = 1;

/// A recording and the moment to open it at.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    pub recording: Recording,
    pub moment: Instant,
}

/// Why a link cannot be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is not a link of ours at all.
    #[error("this address carries no Podflow recording (it should contain #p1=…)")]
    NotALink,
    /// A newer page may be able to open it.
    #[error("this link was made by another version of Podflow and cannot be opened here")]
    OtherVersion,
    #[error("this link is damaged: it has characters that no link has")]
    NotBase64,
    #[error("this link is cut off or damaged: its end is missing or a part was changed")]
    Damaged,
    #[error("this recording is larger than the 256 KiB that a link may hold")]
    TooLarge,
    #[error("this link can be unpacked, but what is in it is no recording")]
    NotARecording,
}

const JSON: &str = "application/json";

/// The fragment of a link, without the `#`.
///
/// # Errors
///
/// [`LinkError::TooLarge`] if the recording is too long to share.
pub fn encode(shared: &Shared) -> Result<String, LinkError> {
    pack(shared, SHORT, MOST_BYTES)
}

/// As [`encode`], for the page to keep by itself: longer, sooner done, and it may hold more. [`restore`]
/// reads it.
///
/// # Errors
///
/// [`LinkError::TooLarge`] if the recording is too long to keep.
pub fn keep(shared: &Shared) -> Result<String, LinkError> {
    pack(shared, QUICK, MOST_KEPT)
}

fn pack(shared: &Shared, level: u8, most: usize) -> Result<String, LinkError> {
    let Shared { recording: Recording { setup, inputs }, moment } = shared;
    // Without a look into them: what is far too long is to be found out soon.
    if inputs.iter().map(wire::least_len).sum::<usize>() > most {
        return Err(LinkError::TooLarge);
    }
    let alike = *setup == Setup::new(setup.seed, setup.nodes.len());
    let nodes: Value = if alike {
        setup.nodes.len().into()
    } else {
        let node = |node: &Node| to_json(node);
        setup.nodes.iter().map(node).collect::<Vec<_>>().into()
    };
    let mut text = String::from("{\"in\":[");
    for (index, input) in inputs.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        wire::write_input(input, &mut text);
    }
    let (seed, moment) = (setup.seed, moment.as_micros());
    write!(text, "],\"nodes\":{nodes},\"seed\":{seed},\"t\":{moment}}}").unwrap_or_default();
    if text.len() > most {
        return Err(LinkError::TooLarge);
    }
    Ok(format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(compress_to_vec(text.as_bytes(), level))))
}

/// Whether a fragment is meant as a link of any version, and not as something else.
pub fn is_link(fragment: &str) -> bool {
    let versioned = fragment.strip_prefix('p').and_then(|rest| rest.split_once('='));
    versioned.is_some_and(|(version, _)| {
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Reads the fragment of a link, with or without the `#`.
///
/// # Errors
///
/// Says what is wrong with it; see [`LinkError`].
pub fn decode(fragment: &str) -> Result<Shared, LinkError> {
    unpack(fragment, MOST_BYTES)
}

/// Reads what [`keep`] has made.
///
/// # Errors
///
/// As [`decode`].
pub fn restore(kept: &str) -> Result<Shared, LinkError> {
    unpack(kept, MOST_KEPT)
}

fn unpack(fragment: &str, most: usize) -> Result<Shared, LinkError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    let Some(data) = fragment.strip_prefix(VERSION) else {
        let other = is_link(fragment);
        return Err(if other { LinkError::OtherVersion } else { LinkError::NotALink });
    };
    let packed = URL_SAFE_NO_PAD.decode(data.trim_end()).map_err(|error| match error {
        base64::DecodeError::InvalidByte(..) => LinkError::NotBase64,
        base64::DecodeError::InvalidLength(_)
        | base64::DecodeError::InvalidLastSymbol(..)
        | base64::DecodeError::InvalidPadding => LinkError::Damaged,
    })?;
    let text = decompress_to_vec_with_limit(&packed, most).map_err(|error| {
        if error.status == TINFLStatus::HasMoreOutput {
            LinkError::TooLarge
        } else {
            LinkError::Damaged
        }
    })?;
    let whole =
        serde_json::from_slice::<Value>(&text).map_err(|_error| LinkError::NotARecording)?;
    let whole = Part::of(Some(&whole));
    let number = |name: &str| whole.at(name).value().as_u64().ok_or(LinkError::NotARecording);
    let setup = read_setup(number("seed")?, whole.at("nodes").value())?;
    let inputs = whole.at("in").items().map(wire::input);
    let inputs = inputs.collect::<Option<_>>().ok_or(LinkError::NotARecording)?;
    let recording = Recording { setup, inputs };
    Ok(Shared { recording, moment: Instant::from_micros(number("t")?) })
}

fn read_setup(seed: u64, nodes: &Value) -> Result<Setup, LinkError> {
    let (count, setup) = if let Some(nodes) = nodes.as_array() {
        let read = nodes.iter().map(|node| decode_typed::<Node>(node).map(|read| read.object));
        let nodes: Vec<Node> =
            read.collect::<Result<_, _>>().map_err(|_error| LinkError::NotARecording)?;
        (nodes.len(), Setup { seed, nodes })
    } else {
        let count = nodes.as_u64().ok_or(LinkError::NotARecording)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        (count, Setup::new(seed, count.min(MOST_NODES)))
    };
    if count > MOST_NODES { Err(LinkError::TooLarge) } else { Ok(setup) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::caller::Credentials;
    use crate::cluster::HttpCall;
    use crate::recording::{Act, Input};
    use crate::scheduler::Configuration;

    fn shared() -> Shared {
        let body = json!({"kind": "Pod", "metadata": {"name": "web"}});
        let call = HttpCall::new("POST", "/api/v1/namespaces/default/pods", Some(body));
        let act = Act::Call(call.packed());
        let input = Input { at: Instant::from_micros(5_000_000), after: 412, act };
        let recording = Recording { setup: Setup::new(7, 3), inputs: vec![input] };
        Shared { recording, moment: Instant::from_micros(5_400_000) }
    }

    #[test]
    fn who_called_and_how_is_kept() {
        let mut shared = shared();
        let credentials = Credentials::of_headers(Some("Bearer admin"), Some("bob"), ["a", "b"]);
        for input in &mut shared.recording.inputs {
            if let Act::Call(call) = &mut input.act {
                call.credentials = Some(credentials.clone().into());
                call.upgrade = Some("websocket".into());
            }
        }
        assert_eq!(decode(&encode(&shared).unwrap()), Ok(shared));
    }

    #[test]
    fn the_schedulers_configuration_is_kept() {
        let mut shared = shared();
        let source = json!({
            "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "percentageOfNodesToScore": 70,
        });
        let act = Act::ConfigureScheduler(Configuration::read(&source).unwrap().into());
        let at = Instant::from_micros(5_200_000);
        shared.recording.inputs.push(Input { at, after: 430, act });
        assert_eq!(decode(&encode(&shared).unwrap()), Ok(shared));
    }

    #[test]
    fn what_is_too_long_for_a_link_is_kept_all_the_same() {
        let mut shared = shared();
        let Some(input) = shared.recording.inputs.first().cloned() else { return };
        shared.recording.inputs = vec![input; 4_000];
        assert_eq!(encode(&shared), Err(LinkError::TooLarge));
        let kept = keep(&shared).unwrap();
        assert_eq!(decode(&kept), Err(LinkError::TooLarge));
        assert_eq!(restore(&kept), Ok(shared));
    }

    #[test]
    fn a_link_opens_as_what_it_was_made_of() {
        let link = encode(&shared()).unwrap();
        assert!(link.len() < 300, "{} characters", link.len());
        assert_eq!(decode(&format!("#{link}")), Ok(shared()));
    }

    #[test]
    fn a_bad_link_is_refused_with_its_reason() {
        let link = encode(&shared()).unwrap();
        let pack = |text: &str| {
            format!("p1={}", URL_SAFE_NO_PAD.encode(compress_to_vec(text.as_bytes(), 9)))
        };
        let cases = [
            (String::new(), LinkError::NotALink),
            ("#guide".into(), LinkError::NotALink),
            ("p2=abcd".into(), LinkError::OtherVersion),
            ("p1=ab!d".into(), LinkError::NotBase64),
            (link.get(..link.len() - 9).unwrap().into(), LinkError::Damaged),
            (pack("[]"), LinkError::NotARecording),
            (pack(&"x".repeat(MOST_BYTES + 1)), LinkError::TooLarge),
            (pack(r#"{"seed":1,"nodes":5001,"t":0}"#), LinkError::TooLarge),
        ];
        for (link, why) in cases {
            assert_eq!(decode(&link), Err(why), "{link}");
        }
    }
}
