//! `podflow.apply`: manifests as `kubectl apply` sends them.

use std::rc::Rc;

use js_sys::Array;
use serde_json::{Map, Value, json};
use wasm_bindgen::{JsError, JsValue};

use super::{Control, Host, to_js};
use crate::api::Kinds;
use crate::api::decode::{self, Document, Limits};
use crate::cluster::{HttpCall, Untried};
use crate::kubectl::{Apply, Manifest, apply};
use crate::recording::import::{Import, Imported, Summary, is_cluster};
use crate::scheduler::configuration::{Configuration, is_configuration};
use crate::share::decision::as_json;

/// Applies every document of `yaml` in order, and gives back the objects as they are then. Nothing is
/// sent if one of the documents cannot be read; the first object that is refused ends it.
pub(super) async fn apply_all(host: &Host, yaml: &str) -> Result<Array, JsValue> {
    host.turn().await;
    let kinds = host.session.borrow().cluster().kinds();
    let wishes = read(yaml, &kinds).map_err(|words| JsError::new(&words))?;
    let objects = Array::new();
    for wish in &wishes {
        objects.push(&match wish {
            Wish::Object(manifest) => apply_one(host, manifest).await?,
            Wish::Scheduler(configuration) => {
                host.session.borrow_mut().configure_scheduler(Rc::clone(configuration));
                to_js(&configuration.source)?
            }
        });
    }
    Ok(objects)
}

/// What a document asks for.
enum Wish {
    Object(Manifest),
    /// That the scheduler starts again with this.
    Scheduler(Rc<Configuration>),
}

impl Wish {
    fn of(document: Document, kinds: &Kinds) -> Result<Self, String> {
        if is_configuration(&document.value) {
            let read = Configuration::read(&document.value).map_err(|error| error.to_string())?;
            return Ok(Self::Scheduler(Rc::new(read)));
        }
        Manifest::of(document, kinds).map(Self::Object).map_err(|error| error.to_string())
    }
}

fn read(yaml: &str, kinds: &Kinds) -> Result<Vec<Wish>, String> {
    let manifests = decode::read(yaml, Limits::default());
    if let Some(error) = manifests.error {
        return Err(error.to_string());
    }
    if manifests.documents.is_empty() {
        return Err("no objects passed to apply".to_owned());
    }
    manifests.documents.into_iter().map(|document| Wish::of(document, kinds)).collect()
}

/// Puts the cluster that `text` was read from in the place of this one.
pub(super) async fn import(host: &Host, text: &str) -> Result<JsValue, JsValue> {
    host.turn().await;
    let manifests = decode::read(text, Limits::default());
    if let Some(error) = manifests.error {
        return Err(JsError::new(&error.to_string()).into());
    }
    if !is_cluster(&manifests.documents) {
        return Err(JsError::new("there is no node in it that a cluster tells of").into());
    }
    let import = Import::of(&manifests.documents);
    let import = import.map_err(|error| JsError::new(&error.to_string()))?;
    let seed = host.session.borrow().recording().setup.seed;
    let Imported { session, refused, refusals } = import.start(seed);
    *host.session.borrow_mut() = session;
    (host.control)(Control::Refresh);
    let Summary { nodes, placed, pending, others, secrets, left_out } = import.summary;
    let mut counts = Map::new();
    for (what, count) in left_out {
        counts.insert(what, count.into());
    }
    to_js(&json!({
        "nodes": nodes, "placed": placed, "pending": pending, "others": others, "secrets": secrets,
        "leftOut": counts,
        "refusals": refusals, "refused": refused,
    }))
}

/// What the scheduler would decide now about the one Pod of `yaml`, which is not created.
pub(super) async fn what_if(host: &Host, yaml: &str) -> Result<JsValue, JsValue> {
    host.turn().await;
    let kinds = host.session.borrow().cluster().kinds();
    let wishes = read(yaml, &kinds).map_err(|words| JsError::new(&words))?;
    let [Wish::Object(manifest)] = &wishes[..] else {
        return Err(JsError::new("one Pod can be tried at a time").into());
    };
    let trial = host.session.borrow().cluster().what_if(&manifest.object);
    match trial {
        Ok(trial) => to_js(&as_json(&trial.decision)),
        Err(Untried::Refused(response)) => Err(to_js(&response.body())?),
        Err(error) => Err(JsError::new(&error.to_string()).into()),
    }
}

async fn apply_one(host: &Host, manifest: &Manifest) -> Result<JsValue, JsValue> {
    let mut live = None;
    // Without a name there is nothing to compare with: the server makes up a new one.
    if !manifest.name.is_empty() {
        let (code, found) = exchange(host, HttpCall::get(&manifest.path())).await?;
        match code {
            200 => live = Some(found),
            404 => {}
            _ => return Err(to_js(&found)?),
        }
    }
    let plan = apply(manifest.kind, &manifest.object, live.as_ref());
    let call = match plan.map_err(|error| JsError::new(&error.to_string()))? {
        Apply::Create(object) => HttpCall::new("POST", &manifest.creates_at(), Some(object)),
        Apply::Patch(patch) => HttpCall::apply_patch(manifest.kind, &manifest.changes_at(), patch),
        Apply::Unchanged => return to_js(&live.unwrap_or_default()),
    };
    let (code, body) = exchange(host, call).await?;
    let body = to_js(&body)?;
    if code < 300 { Ok(body) } else { Err(body) }
}

async fn exchange(host: &Host, call: HttpCall) -> Result<(u16, Value), JsValue> {
    let id = host.session.borrow_mut().submit(call);
    let response = host.answer(id).await?;
    Ok((response.code(), response.body()))
}
