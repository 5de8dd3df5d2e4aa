//! `http.json`: what a real API server answered to one request after the other.
//!
//! The recording is of an older release, and its recorder made objects between the cases that it did
//! not write down. Both stand in `tests/data/golden/http.json`: `set_up` has the requests before a
//! case, `differences` the places of answers where today's releases say something else, with the
//! reason and what is said (`...` where that is long). A difference that no answer shows any more must
//! leave the list.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{cell, fs};

use podflow::testing::api::caller::Credentials;
use podflow::testing::api::decode;
use podflow::testing::api::representation::YAML;
use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::{Value, json};

use super::{Form, Outcome, same, text};

pub const FORMS: &[Form] = &[Form { file: "http", keys: &["request", "response"], run: answers }];

thread_local! {
    /// The cases follow each other on one server.
    static SESSION: cell::RefCell<Option<Session>> = const { cell::RefCell::new(None) };
}

struct Session {
    cluster: Cluster,
    /// What the recorded server gave (uids, versions, names, tokens), and what ours has in its place.
    given: BTreeMap<String, String>,
    beside: Value,
}

fn answers(file: &Value, case: &Value) -> Outcome {
    SESSION.with_borrow_mut(|session| {
        if file["cases"].get(0) == Some(case) {
            *session = Some(Session::new(file)?);
        }
        session.as_mut().ok_or("no first case")?.check(case)
    })
}

impl Session {
    /// A cluster without nodes, so that no kubelet changes what a case has made.
    fn new(file: &Value) -> Result<Self, String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden/http.json");
        let known = fs::read(path).map_err(|error| error.to_string())?;
        let known: Value = serde_json::from_slice(&known).map_err(|error| error.to_string())?;
        let ours = known["recording"] == file["note"];
        let mut cluster = Cluster::new(&Setup::new(1, 0));
        cluster.run_for(Duration::from_secs(1));
        Ok(Self { cluster, given: BTreeMap::new(), beside: if ours { known } else { json!({}) } })
    }

    fn check(&mut self, case: &Value) -> Outcome {
        let name = text(case, "name");
        let beside = self.beside["set_up"][name].clone();
        let set_up = case["setup"].as_array().into_iter().chain(beside.as_array()).flatten();
        for step in set_up {
            let reply = self.ask(step.get("request").unwrap_or(step))?;
            same("set up", &(reply.code < 300), &true)
                .map_err(|why| format!("{why}: {}", reply.body))?;
            self.learn(&step["gives"], &parsed(&reply));
        }
        let reply = self.ask(&case["request"])?;
        let want = &case["response"];
        self.learn(&want["body"], &parsed(&reply));
        let got = json!({
            "status": reply.code, "content-type": reply.content_type.split(';').next(),
            "body": plain(&parsed(&reply)),
        });
        let want_body: Value = serde_json::from_str(&self.ours(&want["body"].to_string()))
            .map_err(|error| error.to_string())?;
        let kind = text(want, "content-type").split(';').next();
        let mut want_body = match want_body.as_str() {
            Some(text) => value(text, kind.unwrap_or_default()),
            None => want_body,
        };
        // Lists are in the order of names (since 1.33 those of the cache, too), and some of those are
        // now ours.
        let name_of = |item: &Value| item["metadata"]["name"].as_str().map(str::to_owned);
        if let Some(Value::Array(items)) = want_body.get_mut("items")
            && items
                .iter()
                .filter_map(name_of)
                .any(|name| self.given.values().any(|own| *own == name))
        {
            items.sort_by_key(name_of);
        }
        // Of the items of lists mostly the names were kept.
        let items = want_body["items"].as_array();
        let cut = items.is_some_and(|items| items.iter().all(|item| item.get("spec").is_none()));
        let want = json!({
            "status": want["status"], "content-type": kind, "body": plain(&want_body),
        });
        let mut apart = Vec::new();
        differ("", &got, &want, cut, &mut apart);
        let today = &self.beside["differences"][name]["today"];
        for (place, today) in today.as_object().into_iter().flatten() {
            let at = apart.iter().position(|(at, ..)| at == place);
            let (_, got, _) = apart.remove(at.ok_or_else(|| format!("{place} differs no more"))?);
            if today != "..." {
                same(place, &got, today)?;
            }
        }
        let everywhere = self.beside["everywhere"].as_array();
        apart.retain(|(place, ..)| {
            let mut rules = everywhere.into_iter().flatten();
            !rules.any(|rule| place.ends_with(text(rule, "at")))
        });
        if apart.is_empty() {
            return Ok(());
        }
        let told =
            apart.iter().map(|(place, got, want)| format!("{place}: got {got}, want {want}"));
        Err(told.collect::<Vec<_>>().join("\n    "))
    }

    fn ask(&mut self, request: &Value) -> Result<HttpReply, String> {
        let header = |name: &str| request["headers"][name].as_str();
        let mut path = self.ours(text(request, "path"));
        let applies = header("Content-Type").is_some_and(|kind| kind.contains("apply-patch"));
        let writes = matches!(text(request, "method"), "POST" | "PUT" | "PATCH");
        if writes && !applies && !path.contains('?') {
            // What it says of its program, and a server's edge makes of that.
            path += "?fieldManager=kubectl";
        }
        let mut call = HttpCall::new(text(request, "method"), &path, None);
        if let Some(kind) = header("Content-Type") {
            call.content_type = kind.into();
        }
        call.accept = header("Accept").unwrap_or_default().into();
        // The recorder is the administrator, unless a case says otherwise.
        if request["headers"].get("Authorization").is_some() {
            call.credentials =
                Some(Credentials::of_headers(header("Authorization"), None, []).into());
        }
        let body = &request["body"];
        if !body.is_null() {
            let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            call = call.with_text(&self.ours(&text));
        }
        let id = self.cluster.submit(&call);
        self.cluster.run_for(Duration::from_secs(5));
        self.cluster.reply(id).ok_or_else(|| "no answer".to_owned())
    }

    /// A text of the recording with what our server gave.
    fn ours(&self, text: &str) -> String {
        self.given.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }

    /// Takes down what the recorded server chose, and what ours did.
    fn learn(&mut self, theirs: &Value, ours: &Value) {
        let told = |key: &str, value: &Value| {
            let value = value["metadata"][key].as_str()?;
            // A version is too short to be found by itself.
            Some(if key == "resourceVersion" { format!("\"{value}\"") } else { value.to_owned() })
        };
        let made = theirs["metadata"].get("generateName").is_some();
        for key in ["uid", "resourceVersion", "continue", "name"] {
            if let (Some(theirs), Some(ours)) = (told(key, theirs), told(key, ours))
                && (key != "name" || made)
            {
                self.given.insert(theirs, ours);
            }
        }
    }
}

fn parsed(reply: &HttpReply) -> Value {
    value(&reply.body, reply.content_type)
}

/// A body as a value, if its type says that it is one.
fn value(text: &str, content_type: &str) -> Value {
    if content_type.starts_with(YAML) {
        let mut documents = decode::read(text, decode::Limits::default()).documents;
        return documents.pop().map_or(Value::Null, |document| document.value);
    }
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// An answer without what every server chooses for itself.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let chosen = ["uid", "resourceVersion", "creationTimestamp", "time", "continue"];
            let kept = map.iter().filter(|(key, _)| !chosen.contains(&key.as_str()));
            let kept = kept.map(|(key, value)| (key.clone(), plain(value)));
            match map.get("cells") {
                // Of the object of a row only which it is: the rest has a case of its own.
                Some(cells) => {
                    let of = |key: &str| map["object"].pointer(key).cloned();
                    json!({"cells": plain(cells), "of": [of("/kind"), of("/metadata/name")]})
                }
                None => Value::Object(kept.collect()),
            }
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::String(text) if is_age(text) => "<age>".into(),
        Value::String(text) => match text.split_once("current: ") {
            Some((before, _)) => format!("{before}current: <version>").into(),
            None => value.clone(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Whether it is a time such as `2m5s`.
fn is_age(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(['s', 'm', 'h', 'd'])
        && text.chars().all(|c| c.is_ascii_digit() || "smhd".contains(c))
}

/// Collects the places where two values differ, with both.
fn differ(
    place: &str,
    got: &Value,
    want: &Value,
    cut: bool,
    apart: &mut Vec<(String, Value, Value)>,
) {
    match (got, want) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                if !(cut && theirs.get(key).is_none()) {
                    differ(&format!("{place}/{key}"), &got[key], &want[key], cut, apart);
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (got, want)) in ours.iter().zip(theirs).enumerate() {
                differ(&format!("{place}/{index}"), got, want, cut, apart);
            }
        }
        _ if got == want => {}
        // Descriptions of columns end after their first sentence.
        (Value::String(ours), Value::String(theirs))
            if place.ends_with("/description")
                && theirs.starts_with(ours.trim_end_matches('.')) => {}
        _ => apart.push((place.to_owned(), got.clone(), want.clone())),
    }
}
