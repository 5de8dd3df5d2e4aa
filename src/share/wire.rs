//! The inputs of a recording as JSON, under names as short as can be.
//!
//! Read and written by hand: derived code for it weighs more than all the rest of a link.

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
        Act::Call(call) => call.text.as_ref().map_or(0, |text| text.len()),
        Act::ConfigureScheduler(_) => 0,
    }
}

/// The fields of an input: its moment, after how many events; method, path, content type, body or
/// text of a request, the protocol it wants to switch to and who sent it; or what the scheduler is configured by.
pub(super) fn of_input(input: &Input) -> Value {
    let mut wire = Map::new();
    let mut put = |name: &str, value: Value| {
        wire.insert(name.to_owned(), value);
    };
    put("t", input.at.as_micros().into());
    put("n", input.after.into());
    match &input.act {
        Act::ConfigureScheduler(to) => put("s", (*to.source).clone()),
        Act::Call(call) => {
            let call = call.unpacked();
            put("m", (&*call.method).into());
            put("p", (&*call.path).into());
            if &*call.content_type != JSON {
                put("c", (&*call.content_type).into());
            }
            if let Some(body) = &call.body {
                put("b", (**body).clone());
            }
            if let Some(text) = &call.text {
                put("x", (&**text).into());
            }
            if let Some(protocol) = &call.upgrade {
                put("g", (&**protocol).into());
            }
            if let Some(who) = &call.credentials {
                put("u", of_credentials(who));
            }
        }
    }
    wire.into()
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

/// An input as [`of_input`] writes it; none if that is not what it is.
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
            body: body.is_there().then(|| Rc::new(body.value().clone())),
            text: text("x"),
            upgrade: text("g"),
            credentials: who.is_there().then(|| Rc::new(credentials(who))),
        };
        Act::Call(call.packed())
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
