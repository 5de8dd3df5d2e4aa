//! The kinds of the apps group.

use k8s_openapi::api::apps::v1::{
    ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Defaults, default_to};

const ROLLING_UPDATE: &str = "RollingUpdate";

fn quarter() -> IntOrString {
    IntOrString::String("25%".to_owned())
}

impl Defaults for Deployment {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        default_to(&mut spec.replicas, 1);
        let strategy = spec.strategy.get_or_insert_default();
        default_to(&mut strategy.type_, ROLLING_UPDATE);
        if strategy.type_.as_deref() == Some(ROLLING_UPDATE) {
            let update = strategy.rolling_update.get_or_insert_default();
            update.max_unavailable.get_or_insert_with(quarter);
            update.max_surge.get_or_insert_with(quarter);
        }
        default_to(&mut spec.revision_history_limit, 10);
        default_to(&mut spec.progress_deadline_seconds, 600);
        spec.template.set_defaults();
        self.status.get_or_insert_default();
    }
}

impl Defaults for ControllerRevision {
    fn set_defaults(&mut self) {}
}

impl Defaults for ReplicaSet {
    fn set_defaults(&mut self) {
        default_to(&mut self.spec.replicas, 1);
        self.spec.template.get_or_insert_default().set_defaults();
        self.status.get_or_insert_default();
    }
}

impl Defaults for DaemonSet {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        let strategy = spec.update_strategy.get_or_insert_default();
        default_to(&mut strategy.type_, ROLLING_UPDATE);
        if strategy.type_.as_deref() == Some(ROLLING_UPDATE) {
            let update = strategy.rolling_update.get_or_insert_default();
            default_to(&mut update.max_unavailable, IntOrString::Int(1));
            default_to(&mut update.max_surge, IntOrString::Int(0));
        }
        default_to(&mut spec.revision_history_limit, 10);
        spec.template.set_defaults();
        self.status.get_or_insert_default();
    }
}

impl Defaults for StatefulSet {
    fn set_defaults(&mut self) {
        let spec = &mut self.spec;
        default_to(&mut spec.pod_management_policy, "OrderedReady");
        let strategy = spec.update_strategy.get_or_insert_default();
        if strategy.type_.is_none() {
            strategy.type_ = Some(ROLLING_UPDATE.to_owned());
            strategy.rolling_update.get_or_insert_default();
        }
        if strategy.type_.as_deref() == Some(ROLLING_UPDATE)
            && let Some(update) = &mut strategy.rolling_update
        {
            default_to(&mut update.partition, 0);
        }
        let claims = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
        default_to(&mut claims.when_deleted, "Retain");
        default_to(&mut claims.when_scaled, "Retain");
        default_to(&mut spec.replicas, 1);
        default_to(&mut spec.revision_history_limit, 10);
        spec.template.set_defaults();
        spec.volume_claim_templates.iter_mut().flatten().for_each(Defaults::set_defaults);
        let status = self.status.get_or_insert_default();
        default_to(&mut status.available_replicas, 0);
    }
}
