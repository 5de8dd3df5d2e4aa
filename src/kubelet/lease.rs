//! The node's lease: renewed every 10 s, so that others can tell that the node lives.
//!
//! Mirrors: `component-helpers/apimachinery/lease/controller.go`.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, OwnerReference};

use crate::api::ObjectMeta;
use crate::api::types::Lease;

/// Between two renewals: a quarter of how long the lease holds.
pub(super) const RENEW: Duration = Duration::from_secs(10);
/// Before trying again what failed.
pub(super) const RETRY: Duration = Duration::from_millis(200);
/// Where the leases of nodes are.
pub(super) const NAMESPACE: &str = "kube-node-lease";

const HOLDS_SECONDS: i32 = 40;

/// The lease as of `now`; `known` is the one that the server has.
pub(super) fn renewed(
    known: Option<&Lease>,
    node: &Rc<str>,
    uid: Option<&str>,
    now: Timestamp,
) -> Lease {
    let new = || Lease { metadata: metadata(node, uid), ..Lease::default() };
    let mut lease = known.cloned().unwrap_or_else(new);
    lease.spec.holder_identity = Some(Rc::clone(node));
    lease.spec.lease_duration_seconds = Some(HOLDS_SECONDS);
    lease.spec.renew_time = Some(MicroTime(now));
    lease
}

fn metadata(node: &str, uid: Option<&str>) -> ObjectMeta {
    let owner = |uid: &str| OwnerReference {
        api_version: "v1".into(),
        kind: "Node".into(),
        name: node.into(),
        uid: uid.into(),
        ..OwnerReference::default()
    };
    ObjectMeta {
        name: Some(node.into()),
        namespace: Some(NAMESPACE.into()),
        owner_references: uid.map(|uid| Rc::new(vec![owner(uid)])),
        ..ObjectMeta::default()
    }
}
