//! The node's lease: renewed every 10 s, so that others can tell that the node lives.
//!
//! Mirrors: `component-helpers/apimachinery/lease/controller.go`.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, OwnerReference};
use serde_json::json;

use crate::api::{Document, Kind, ObjectMeta, to_json};

/// Between two renewals: a quarter of how long the lease holds.
pub(super) const RENEW: Duration = Duration::from_secs(10);
/// Before trying again what failed.
pub(super) const RETRY: Duration = Duration::from_millis(200);
/// Where the leases of nodes are.
pub(super) const NAMESPACE: &str = "kube-node-lease";

const HOLDS_SECONDS: i32 = 40;

/// The lease as of `now`; `known` is the one that the server has.
pub(super) fn renewed(
    known: Option<&Rc<Document>>,
    node: &str,
    uid: Option<&str>,
    now: Timestamp,
) -> Document {
    let mut lease = match known {
        Some(known) => Document::clone(known),
        None => Document::new(Kind::Lease, metadata(node, uid)),
    };
    let spec = lease.fields_mut().entry("spec").or_insert_with(|| json!({}));
    if let Some(spec) = spec.as_object_mut() {
        spec.insert("holderIdentity".to_owned(), node.into());
        spec.insert("leaseDurationSeconds".to_owned(), HOLDS_SECONDS.into());
        spec.insert("renewTime".to_owned(), to_json(&MicroTime(now)));
    }
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
