//! Leases. Mirrors: `api/coordination/v1.Lease`.
//!
//! Each node renews one every ten seconds: nothing is written more often.

use std::rc::Rc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::{Deserialize, Serialize};

use super::whole::whole;

whole!("coordination.k8s.io/v1", Lease, "Lease", { spec: LeaseSpec = "spec" }, {});

/// Who holds a lease, since when and for how long.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquire_time: Option<MicroTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder_identity: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_duration_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_transitions: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_holder: Option<Rc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_time: Option<MicroTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Rc<str>>,
}
