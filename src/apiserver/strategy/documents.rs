//! The strategies of documents, by their kind.

use std::rc::Rc;

use super::{Birth, count, identify, keep_identity};
use crate::api::document::Document;
use crate::api::request::Subresource;
use crate::api::{Kind, Object};
use crate::apiserver::services;

/// How the server treats documents of one kind.
struct Strategy {
    /// Whether `metadata.generation` counts the changes of the spec.
    counts_generations: bool,
    has_status: bool,
}

impl Strategy {
    fn of(kind: Kind) -> Self {
        Self {
            counts_generations: false,
            has_status: kind.resource().subresources.contains(&"status"),
        }
    }
}

/// A `document` as it begins.
pub(super) fn newborn(document: &Document, namespace: Option<&str>, birth: &Birth) -> Object {
    let mut document = document.clone();
    let strategy = Strategy::of(document.kind());
    identify(&mut document.metadata, namespace, birth, strategy.counts_generations);
    if strategy.has_status {
        document.forget_status();
    }
    if document.kind() == Kind::Service {
        services::normalize(&mut document, None);
    }
    Object::Document(Rc::new(document))
}

/// `new` with all that an update does not change taken from `current`.
pub(super) fn successor(new: &Document, current: &Object, part: Option<Subresource>) -> Object {
    let mut next = new.clone();
    // The path says which kind; a body of another is refused before.
    if let Some(current) = current.document() {
        let strategy = Strategy::of(new.kind());
        keep_identity(&mut next.metadata, &current.metadata);
        if part == Some(Subresource::Status) {
            next.take("spec", current);
        } else {
            if strategy.has_status {
                next.take("status", current);
            }
            if next.kind() == Kind::Service {
                services::normalize(&mut next, Some(current));
            }
            if strategy.counts_generations {
                let changed = next.at("spec").value() != current.at("spec").value();
                count(&mut next.metadata, changed);
            }
        }
    }
    Object::Document(Rc::new(next))
}

/// Whether an update of a document of `kind` need not say of which version it was made.
pub(super) fn allows_any_version(_kind: Kind) -> bool {
    true
}
