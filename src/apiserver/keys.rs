//! Where the store keeps what: keys and the objects under them.

use std::rc::Rc;

use super::etcd::{
    Compare, KeyValue, LeaseId, Put, Revision, Txn, TxnOp, TxnOpResponse, TxnResponse,
};
use crate::api::{Kind, Object};

pub(super) fn insert(key: Rc<str>, object: Object, lease: Option<LeaseId>) -> Txn<Object> {
    Txn {
        compare: vec![Compare::mod_revision_is(Rc::clone(&key), Revision::default())],
        success: vec![TxnOp::Put(Put { key, value: object, lease })],
        failure: Vec::new(),
    }
}

pub(super) fn versioned(stored: &KeyValue<Object>) -> Object {
    let version = stored.mod_revision.to_string().into();
    stored.value.clone().with_meta(|meta| meta.resource_version = Some(version))
}

pub(super) fn current_of(done: &TxnResponse<Object>) -> Option<Object> {
    done.responses.iter().find_map(|response| match response {
        TxnOpResponse::Range(found) => found.kvs.first().map(|stored| versioned(stored)),
        TxnOpResponse::Put | TxnOpResponse::DeleteRange { .. } => None,
    })
}

pub(super) fn prefix(kind: Kind, namespace: &str) -> String {
    let storage = kind.resource().storage;
    if namespace.is_empty() {
        ["/registry/", storage, "/"].concat()
    } else {
        ["/registry/", storage, "/", namespace, "/"].concat()
    }
}

pub(super) fn key(kind: Kind, namespace: &str, name: &str) -> Rc<str> {
    text(kind, namespace, name).into()
}

/// A key to look something up by.
pub(super) fn text(kind: Kind, namespace: &str, name: &str) -> String {
    let storage = kind.resource().storage;
    let between = if namespace.is_empty() { "" } else { "/" };
    ["/registry/", storage, "/", namespace, between, name].concat()
}
