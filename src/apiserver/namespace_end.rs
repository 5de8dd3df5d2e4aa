//! The end of a namespace: what it holds is deleted, and then it goes too.
//!
//! Upstream's namespace controller does this. There is no controller manager yet, so the server
//! follows its own watch of the store: each change in a namespace that ends is looked at, once.

use std::rc::Rc;

use super::deletion;
use super::etcd::{Compare, KeyRange, Op, Put, Revision, Txn, TxnOp};
use super::keys::{key, prefix};
use super::server::ApiServer;
use super::strategy::Write;
use crate::api::request::{Params, Payload, Request, RequestId, Target, Verb};
use crate::api::{Kind, Object};
use crate::sim::Ctx;

impl ApiServer {
    /// Whether no object lives in the namespace.
    pub(super) fn is_empty_namespace(&self, name: &str) -> bool {
        self.content(name).next().is_none()
    }

    fn content<'a>(&'a self, namespace: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let kinds = self.caches.keys().copied().filter(|kind| kind.resource().namespaced);
        let prefixes: Vec<_> = kinds.map(|kind| (kind, prefix(kind, namespace))).collect();
        prefixes.into_iter().flat_map(|(kind, prefix)| self.under(kind, prefix))
    }

    /// Goes on with the end of a namespace after a change of `object`.
    pub(super) fn end_namespace(&mut self, ctx: &mut Ctx<'_, Self>, changed: &Object) {
        let is_namespace = changed.kind() == Kind::Namespace;
        let name = if is_namespace { changed.name() } else { changed.namespace() };
        let Some(namespace) = self.object(Kind::Namespace, "", name).cloned() else { return };
        if namespace.meta().deletion_timestamp.is_none() {
            return;
        }
        if self.is_empty_namespace(name) {
            self.end(ctx, &namespace);
        } else if is_namespace {
            let content: Vec<Object> = self.content(name).cloned().collect();
            for object in &content {
                self.end(ctx, object);
            }
        } else if let Some(now) = self.object(changed.kind(), name, changed.name()).cloned() {
            self.end(ctx, &now);
        }
    }

    /// Deletes as a client would; if somebody was faster, that change is looked at in its turn.
    pub(super) fn end(&mut self, ctx: &mut Ctx<'_, Self>, object: &Object) {
        let request = Request {
            id: RequestId(0),
            verb: Verb::Delete,
            target: Target::named(object.kind(), object.namespace(), object.name()),
            params: Params::default(),
            payload: Payload::None,
            caller: None,
        };
        if let Ok(write) = deletion::delete(&request, object, true, self.now(ctx)) {
            self.write_end(ctx, object, write);
        }
    }

    /// Writes what a delete of `object` has come to, unless somebody was faster.
    pub(super) fn write_end(&mut self, ctx: &mut Ctx<'_, Self>, object: &Object, write: Write) {
        let key = key(object.kind(), object.namespace(), object.name());
        let op = match write {
            Write::Put(value) => TxnOp::Put(Put { key: Rc::clone(&key), value, lease: None }),
            Write::Delete => TxnOp::DeleteRange(KeyRange::key(Rc::clone(&key))),
            Write::Keep => return,
        };
        let version = Revision::new(object.resource_version());
        let compare = vec![Compare::mod_revision_is(key, version)];
        self.call(ctx, Op::Txn(Txn { compare, success: vec![op], failure: Vec::new() }));
    }
}
