//! Who may resize a Pod that runs: the limit ranges, its node and the quotas are asked.
//!
//! Mirrors: `plugin/pkg/admission/podresize`, and what `LimitRanger` and `ResourceQuota` do of an update.

use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::defaults::container_requests;
use crate::api::quantity::Quantity;
use crate::api::status::StatusError;
use crate::api::{Kind, Object, Pod, Resource as _};

impl ApiServer {
    /// # Errors
    ///
    /// 403 if it asks for more than it may, or than its whole node has.
    pub(super) fn admit_resize(&self, new: &Object, old: &Object) -> Result<(), StatusError> {
        let Some(pod) = Pod::unwrap(new) else { return Ok(()) };
        self.check_limits(pod, new.namespace())?;
        if new.meta().generation != old.meta().generation {
            self.fits_its_node(pod).map_err(|why| {
                StatusError::forbidden(group_resource(Kind::Pod.resource()), new.name(), why)
            })?;
        }
        self.admit_quota(new, Some(old))
    }

    fn fits_its_node(&self, pod: &Pod) -> Result<(), String> {
        let Some(name) = &pod.node_name else { return Ok(()) };
        let Some(Object::Node(node)) = self.object(Kind::Node, "", name) else {
            return Err(format!("node \"{name}\" not found"));
        };
        let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
        let requests = container_requests(&pod.spec);
        let mut lacks = Vec::new();
        for resource in ["cpu", "memory"] {
            let amount = |amount: &Quantity| amount.counted(resource);
            let has = allocatable.and_then(|list| list.get(resource));
            let has = has.and_then(|wire| Quantity::parse(&wire.0).ok()).as_ref().map_or(0, amount);
            let asked = requests.get(resource).map_or(0, amount);
            if asked > has {
                lacks.push(format!("{resource}, requested: {asked}, allocatable: {has}"));
            }
        }
        if lacks.is_empty() {
            return Ok(());
        }
        Err(format!("Node didn't have enough allocatable resources: {}", lacks.join("; ")))
    }
}
