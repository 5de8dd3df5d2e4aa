//! The inputs of a recording as JSON, under names as short as can be.
//!
//! Read and written by hand: derived code for it weighs more than all the rest of a link.

use std::fmt::{Display, Write};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::JSON;
use crate::api::caller::Credentials;
use crate::api::document::Part;
use crate::cluster::HttpCall;
use crate::recording::{Act, Input};
use crate::scheduler::Configuration;
use crate::sim::Instant;

/// So many bytes an input takes at least.
pub(super) fn least_len(input: &Input) -> usize {
    match &input.act {
        Act::Call(call) => {
            [&call.packed, &call.text].into_iter().flatten().map(|text| text.len()).sum()
        }
        Act::ConfigureScheduler(_) => 0,
    }
}

/// Writes the fields of an input behind `text`, in the order of their names: its moment, after how many events;
/// method, path, content type, body or text of a request, the protocol it wants to switch to and who sent it; or
/// what the scheduler is configured by.
///
/// There may be thousands, and the page writes them again and again: what is packed already stays so.
pub(super) fn write_input(input: &Input, text: &mut String) {
    let mut mark = '{';
    let mut put = |name: &str, value: &dyn Display| {
        write!(text, "{mark}\"{name}\":{value}").unwrap_or_default();
        mark = ',';
    };
    let words = |text: &str| Value::from(text);
    let (moment, after) = (input.at.as_micros(), input.after);
    match &input.act {
        Act::ConfigureScheduler(to) => {
            put("n", &after);
            put("s", &to.source);
            put("t", &moment);
        }
        Act::Call(call) => {
            if let Some(body) = &call.packed {
                put("b", body);
            }
            if &*call.content_type != JSON {
                put("c", &words(&call.content_type));
            }
            if let Some(protocol) = &call.upgrade {
                put("g", &words(protocol));
            }
            put("m", &words(&call.method));
            put("n", &after);
            put("p", &words(&call.path));
            put("t", &moment);
            if let Some(who) = &call.credentials {
                put("u", &of_credentials(who));
            }
            if let Some(as_it_came) = &call.text {
                put("x", &words(as_it_came));
            }
        }
    }
    text.push('}');
}

fn of_credentials(who: &Credentials) -> Value {
    let mut wire = Map::new();
    for (name, text) in [("t", &who.token), ("a", &who.as_user)] {
        if let Some(text) = text {
            wire.insert(name.to_owned(), (&**text).into());
        }
    }
    if !who.as_groups.is_empty() {
        let groups: Vec<&str> = who.as_groups.iter().map(|group| &**group).collect();
        wire.insert("g".to_owned(), groups.into());
    }
    wire.into()
}

/// An input as [`write_input`] writes it; none if that is not what it is.
pub(super) fn input(wire: Part<'_>) -> Option<Input> {
    let number = |name: &str| wire.at(name).value().as_u64();
    let text = |name: &str| wire.at(name).value().as_str().map(Rc::<str>::from);
    let act = if wire.at("s").is_there() {
        Act::ConfigureScheduler(Rc::new(Configuration::read(wire.at("s").value()).ok()?))
    } else {
        let (body, who) = (wire.at("b"), wire.at("u"));
        let call = HttpCall {
            method: text("m")?,
            path: text("p")?,
            content_type: text("c").unwrap_or_else(|| JSON.into()),
            accept: "".into(),
            body: None,
            spec: None,
            packed: body.is_there().then(|| body.value().to_string().into()),
            text: text("x"),
            upgrade: text("g"),
            credentials: who.is_there().then(|| Rc::new(credentials(who))),
        };
        Act::Call(call)
    };
    Some(Input { at: Instant::from_micros(number("t")?), after: number("n")?, act })
}

fn credentials(wire: Part<'_>) -> Credentials {
    let text = |name: &str| wire.at(name).value().as_str().map(Into::into);
    Credentials {
        token: text("t"),
        as_user: text("a"),
        as_groups: wire.at("g").texts().map(Into::into).collect(),
    }
}
