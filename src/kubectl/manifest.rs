//! A document of a manifest as an object of the API.

use std::rc::Rc;

use serde_json::Value;

use crate::api::decode::{Document, Mark, Place};
use crate::api::request::Target;
use crate::api::{Kind, Kinds};

/// Whose the fields are that `kubectl apply` writes.
const WRITES: &str = "?fieldManager=kubectl-client-side-apply";

/// An object as a manifest has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub kind: Kind,
    /// Empty for a kind without.
    pub namespace: Rc<str>,
    /// Empty if the server is to make one up.
    pub name: Rc<str>,
    pub object: Rc<Value>,
    /// Where in the text it stands.
    pub place: Rc<Place>,
}

/// Why a document is no object of the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{mark}: {message}")]
pub struct ManifestError {
    pub mark: Mark,
    pub message: String,
}

impl Manifest {
    /// Finds out what kind of object a document is, of the `kinds` that are served.
    ///
    /// # Errors
    ///
    /// It is no object, or of no kind that is served.
    pub fn of(document: Document, kinds: &Kinds) -> Result<Self, ManifestError> {
        let place = &document.place;
        let wrong = |mark, message| ManifestError { mark, message };
        if !document.value.is_object() {
            return Err(wrong(place.mark(), "an object is a map of fields".to_owned()));
        }
        let text = |path: &str| document.value.pointer(path).and_then(Value::as_str);
        let missing = |name: &str| wrong(place.mark(), format!("{name} not set"));
        let api_version = text("/apiVersion").ok_or_else(|| missing("apiVersion"))?;
        let kind = text("/kind").ok_or_else(|| missing("kind"))?;
        let kind = kinds.named(api_version, kind).ok_or_else(|| {
            let message = format!("no matches for kind {kind:?} in version {api_version:?}");
            wrong(place.nearest("kind").mark(), message)
        })?;
        let namespace = text("/metadata/namespace").unwrap_or("default");
        Ok(Self {
            kind,
            namespace: if kind.resource().namespaced { namespace.into() } else { "".into() },
            name: text("/metadata/name").unwrap_or_default().into(),
            place: Rc::new(document.place),
            object: Rc::new(document.value),
        })
    }

    /// The path of the object.
    pub fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name)
    }

    /// Where `kubectl apply` creates it.
    pub fn creates_at(&self) -> String {
        self.collection() + WRITES
    }

    /// Where `kubectl apply` changes it.
    pub fn changes_at(&self) -> String {
        self.path() + WRITES
    }

    /// The path of all objects like it.
    pub fn collection(&self) -> String {
        let namespace = Some(&*self.namespace).filter(|namespace| !namespace.is_empty());
        Target::collection(self.kind, namespace).to_string()
    }
}
