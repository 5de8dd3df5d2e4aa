//! The end of a collection: each object that a request chooses is deleted.
//!
//! Mirrors: `DeleteCollection` of `apiserver/pkg/registry/generic/registry/store.go`.

use std::rc::Rc;

use super::deletion;
use super::etcd::{KeyRange, Op};
use super::keys::{key, prefix};
use super::server::ApiServer;
use super::strategy::Write;
use super::watch_cache::selects;
use crate::api::request::Request;
use crate::api::status::StatusError;
use crate::api::{Kind, Object};
use crate::sim::Ctx;

impl ApiServer {
    /// Deletes the objects of a kind that the request chooses, and returns what they were.
    pub(super) fn delete_all(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        kind: Kind,
        namespace: &str,
    ) -> Result<Rc<[Object]>, StatusError> {
        let chosen = self.under(kind, prefix(kind, namespace));
        let chosen: Vec<Object> =
            chosen.filter(|object| selects(&request.params, object)).cloned().collect();
        for object in &chosen {
            if let Some(kubelet) = self.restricted(request, self.now(ctx))? {
                kubelet.deletes(object)?;
            }
            let write = deletion::delete(request, object, true, self.now(ctx))?;
            if request.params.dry_run {
                continue;
            }
            let at_once = match &write {
                Write::Put(marked) => deletion::lets_go(object, marked),
                Write::Delete | Write::Keep => false,
            };
            self.write_end(ctx, object, write);
            if at_once {
                // What ends at once is marked first, and then deleted, as by a delete of its own.
                let key = key(kind, object.namespace(), object.name());
                self.call(ctx, Op::DeleteRange(KeyRange::key(key)));
            }
        }
        Ok(chosen.into())
    }
}
