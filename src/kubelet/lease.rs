//! The node's lease: renewed every 10 s, so that others can tell that the node lives.
//!
//! Mirrors: `component-helpers/apimachinery/lease/controller.go`.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, OwnerReference};

/// Between two renewals: a quarter of how long the lease holds.
pub(super) const RENEW: Duration = Duration::from_secs(10);
/// Before trying again what failed.
pub(super) const RETRY: Duration = Duration::from_millis(200);
/// Where the leases of nodes are.
pub(super) const NAMESPACE: &str = "kube-node-lease";

const HOLDS_SECONDS: i32 = 40;

/// The lease as of `now`; `known` is the one that the server has.
pub(super) fn renewed(
    known: Option<&Rc<Lease>>,
    node: &str,
    uid: Option<&str>,
    now: Timestamp,
) -> Lease {
    let mut lease = known.map_or_else(Lease::default, |lease| Lease::clone(lease));
    if known.is_none() {
        lease.metadata = ObjectMeta {
            name: Some(node.into()),
            namespace: Some(NAMESPACE.into()),
            owner_references: uid.map(|uid| {
                vec![OwnerReference {
                    api_version: "v1".into(),
                    kind: "Node".into(),
                    name: node.into(),
                    uid: uid.into(),
                    ..OwnerReference::default()
                }]
            }),
            ..ObjectMeta::default()
        };
    }
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(node.into()),
        lease_duration_seconds: Some(HOLDS_SECONDS),
        renew_time: Some(MicroTime(now)),
        ..lease.spec.take().unwrap_or_default()
    });
    lease
}
