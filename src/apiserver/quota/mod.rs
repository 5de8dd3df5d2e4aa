//! `ResourceQuota`: what a namespace may have, and what it has.
//!
//! Mirrors: `apiserver/pkg/admission/plugin/resourcequota` and `pkg/quota/v1`. Until there is a controller
//! that counts again, the server does so itself: whenever what counts has changed, it writes the quotas'
//! status. What it lets in is measured against the objects, not against that status.

mod scope;
mod usage;

use std::rc::Rc;

use scope::covers;
use serde_json::{Map, json};
use usage::usage;

use super::etcd::{Compare, KeyRange, Op, Put, Range, Revision, Txn, TxnOp};
use super::keys::{key, prefix};
use super::limit_ranger::containers;
use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::document::Document;
use crate::api::quantity::Quantity;
use crate::api::status::StatusError;
use crate::api::wire::Container;
use crate::api::{Kind, Object, Pod};
use crate::sim::SortedMap;
use crate::sim::{Ctx, sort};

/// How much of what there is, by the names that quotas have for it.
pub(super) type Usage = SortedMap<String, Quantity>;

/// What every container must say if a quota limits it.
const REQUIRED: [&str; 6] =
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

impl ApiServer {
    /// Whether the quotas of its namespace have room for an object, new or in the place of `before`.
    ///
    /// # Errors
    ///
    /// 403 if one has not, or if a container leaves open what a quota limits.
    pub(super) fn admit_quota(
        &self,
        object: &Object,
        before: Option<&Object>,
    ) -> Result<(), StatusError> {
        let namespace = object.namespace();
        if self.documents(Kind::ResourceQuota, namespace).next().is_none() {
            return Ok(());
        }
        let mut asked = usage(object);
        for (name, much) in before.map(usage).unwrap_or_default() {
            asked.or_default(name).sub(&much);
        }
        let refuse = |why: String| {
            let resource = group_resource(object.kind().resource());
            Err(StatusError::forbidden(resource, object.name(), why))
        };
        for quota in
            self.documents(Kind::ResourceQuota, namespace).filter(|quota| covers(quota, object))
        {
            let name = quota.metadata.name.as_deref().unwrap_or_default();
            let hard = hard(quota);
            if let Object::Pod(pod) = object
                && let Some(why) = unsaid(pod, &hard)
            {
                return refuse(format!("failed quota: {name}: {why}"));
            }
            let counted = hard.keys().any(|name| asked.contains_key(name));
            if !counted {
                continue;
            }
            let used = self.used(quota);
            let exceeded = |(name, most): &(&String, &Quantity)| {
                let Some(more) =
                    asked.get(*name).filter(|more| !more.is_zero() && !more.is_negative())
                else {
                    return false;
                };
                let mut total = used.get(*name).cloned().unwrap_or_default();
                total.add(more);
                total > **most
            };
            let exceeded: Vec<_> = hard.iter().filter(exceeded).collect();
            if exceeded.is_empty() {
                continue;
            }
            let shown = |list: &Usage| {
                let of = |name: &String| list.get(name).cloned().unwrap_or_default();
                let parts = exceeded.iter().map(|(name, _)| format!("{name}={}", of(name)));
                parts.collect::<Vec<_>>().join(",")
            };
            let (asked, used, hard) = (shown(&asked), shown(&used), shown(&hard));
            return refuse(format!(
                "exceeded quota: {name}, requested: {asked}, used: {used}, limited: {hard}"
            ));
        }
        Ok(())
    }

    /// Remembers what is on its way into the store.
    pub(super) fn reserve(&mut self, object: &Object) {
        if self.documents(Kind::ResourceQuota, object.namespace()).next().is_some() {
            let key = key(object.kind(), object.namespace(), object.name());
            self.reserved.insert(key, object.clone());
        }
    }

    /// Counts again where what `before` and `after` count differs.
    pub(super) fn recount(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        key: &Rc<str>,
        before: Option<&Object>,
        after: Option<&Object>,
    ) {
        self.reserved.remove(key);
        let Some(object) = after.or(before) else { return };
        let namespace = object.namespace();
        if namespace.is_empty() || self.documents(Kind::ResourceQuota, namespace).next().is_none() {
            return;
        }
        let same = object.kind() != Kind::ResourceQuota && before.map(usage) == after.map(usage);
        if same {
            return;
        }
        let quotas: Vec<Document> =
            self.documents(Kind::ResourceQuota, namespace).cloned().collect();
        for quota in quotas {
            self.write_status(ctx, quota);
        }
    }

    fn write_status(&mut self, ctx: &mut Ctx<'_, Self>, mut quota: Document) {
        let hard = quota.at("spec").at("hard").value().clone();
        let used = self.used(&quota);
        let mut shown = Map::new();
        for name in hard.as_object().into_iter().flat_map(Map::keys) {
            let used = used.get(name).cloned().unwrap_or_default();
            shown.insert(name.clone(), used.to_string().into());
        }
        let status = if hard.is_null() { json!({}) } else { json!({"hard": hard, "used": shown}) };
        if *quota.at("status").value() == status {
            return;
        }
        let version = Object::from(quota.clone()).resource_version();
        quota.fields_mut().insert("status".to_owned(), status);
        quota.metadata.resource_version = None;
        let (namespace, name) = (quota.metadata.namespace.clone(), quota.metadata.name.clone());
        let key = key(
            Kind::ResourceQuota,
            namespace.as_deref().unwrap_or_default(),
            name.as_deref().unwrap_or_default(),
        );
        let compare = vec![Compare::mod_revision_is(Rc::clone(&key), Revision::new(version))];
        let put = Put { key: Rc::clone(&key), value: Object::from(quota), lease: None };
        let failure = vec![TxnOp::Range(Range::latest(KeyRange::key(key)))];
        self.call(ctx, Op::Txn(Txn { compare, success: vec![TxnOp::Put(put)], failure }));
    }

    /// What a quota's namespace has of what it counts.
    fn used(&self, quota: &Document) -> Usage {
        let namespace = quota.metadata.namespace.as_deref().unwrap_or_default();
        let mut used = Usage::new();
        let kinds = self.caches.keys().copied().filter(|kind| kind.resource().namespaced);
        let stored = kinds.flat_map(|kind| self.under(kind, prefix(kind, namespace)));
        let coming = self.reserved.values().filter(|object| object.namespace() == namespace);
        for object in stored.chain(coming).filter(|object| covers(quota, object)) {
            for (name, amount) in usage(object) {
                used.or_default(name).add(&amount);
            }
        }
        used
    }
}

fn hard(quota: &Document) -> Usage {
    let mut hard = Usage::new();
    for (name, amount) in quota.at("spec").at("hard").entries() {
        if let Some(amount) = amount.quantity() {
            hard.insert(name.to_owned(), amount);
        }
    }
    hard
}

/// What a quota limits, and some container leaves open.
fn unsaid(pod: &Pod, hard: &Usage) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for resource in hard.keys().filter(|name| REQUIRED.contains(&name.as_str())) {
        let lacks = |container: &&Container| {
            let own = container.resources.as_ref();
            let (list, name) = match resource.split_once('.') {
                Some(("limits", name)) => (own.and_then(|own| own.limits.as_ref()), name),
                Some((_, name)) => (own.and_then(|own| own.requests.as_ref()), name),
                None => (own.and_then(|own| own.requests.as_ref()), resource.as_str()),
            };
            !list.is_some_and(|list| list.contains_key(name))
        };
        let missing = containers(pod).filter(lacks).map(|container| container.name.as_str());
        let mut missing: Vec<&str> = missing.collect();
        sort::by(&mut missing, Ord::cmp);
        if !missing.is_empty() {
            parts.push(format!("{resource} for: {}", missing.join(",")));
        }
    }
    (!parts.is_empty()).then(|| format!("must specify {}", parts.join("; ")))
}
