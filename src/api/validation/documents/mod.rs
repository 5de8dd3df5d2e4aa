//! What makes a document wrong, by its kind.

mod quota;
pub mod service;
mod storage;

use super::meta::{self, NameRule};
use super::report::Report;
use crate::api::Kind;
use crate::api::document::Document;
use crate::api::field::FieldError;
use crate::api::names;
use crate::api::request::Subresource;

/// How the documents of one kind are checked.
struct Rules {
    name: NameRule,
    /// What a new object, or the whole of an updated one, must be.
    check: fn(&mut Report, &Document),
    /// What may not change, the old object last.
    change: fn(&mut Report, &Document, &Document),
    /// What a status must be, the old object last.
    status: fn(&mut Report, &Document, &Document),
}

const RULES: &[(Kind, Rules)] = &[
    (Kind::Service, service::RULES),
    (Kind::PersistentVolume, storage::VOLUME),
    (Kind::PersistentVolumeClaim, storage::CLAIM),
    (Kind::StorageClass, storage::CLASS),
    (Kind::ResourceQuota, quota::QUOTA),
    (Kind::LimitRange, quota::LIMITS),
];

/// Of a kind of which only the metadata is checked.
const PLAIN: Rules = Rules {
    name: names::dns1123_subdomain,
    check: |_, _| {},
    change: |_, _, _| {},
    status: |_, _, _| {},
};

impl Rules {
    fn of(kind: Kind) -> &'static Self {
        RULES.iter().find(|(own, _)| *own == kind).map_or(&PLAIN, |(_, rules)| rules)
    }
}

/// What is wrong with a new document, or with one of which a part takes the place of that of an old one.
pub(super) fn check(
    new: &Document,
    old: Option<(&Document, Option<Subresource>)>,
) -> Vec<FieldError> {
    let (mut out, rules) = (Report::default(), Rules::of(new.kind()));
    match old {
        None => {
            meta::create(&mut out, &new.metadata, new.kind().resource().namespaced, rules.name);
            (rules.check)(&mut out, new);
        }
        Some((old, part)) => {
            meta::update(&mut out, &new.metadata, &old.metadata);
            if part == Some(Subresource::Status) {
                (rules.status)(&mut out, new, old);
            } else {
                (rules.change)(&mut out, new, old);
                (rules.check)(&mut out, new);
            }
        }
    }
    out.errors
}
