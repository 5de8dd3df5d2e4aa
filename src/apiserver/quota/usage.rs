//! What each object counts for.
//!
//! Mirrors: `pkg/quota/v1/evaluator/core` and the count of any resource by `count/RESOURCE.GROUP`.

use super::Usage;
use crate::api::defaults::{pod_limits, pod_requests};
use crate::api::document::Document;
use crate::api::phase::PodPhase;
use crate::api::quantity::{Format, Quantity};
use crate::api::words::{LOAD_BALANCER, NODE_PORT};
use crate::api::{Kind, Object, Pod};

/// Kinds that are counted under their own name, too.
const COUNTED: [Kind; 6] = [
    Kind::ConfigMap,
    Kind::PersistentVolumeClaim,
    Kind::ReplicationController,
    Kind::ResourceQuota,
    Kind::Secret,
    Kind::Service,
];

/// What an object counts for.
pub(super) fn usage(object: &Object) -> Usage {
    let resource = object.kind().resource();
    let dot = if resource.group.is_empty() { "" } else { "." };
    let one = Quantity::new(1, Format::DecimalSi);
    let mut usage = Usage::new();
    usage.insert(format!("count/{}{dot}{}", resource.plural, resource.group), one.clone());
    if COUNTED.contains(&object.kind()) {
        usage.insert(resource.plural.to_owned(), one);
    }
    if let Object::Pod(pod) = object {
        of_pod(&mut usage, pod);
    } else if let Some(document) = object.document() {
        of_service(&mut usage, document);
        of_claim(&mut usage, document);
    }
    usage
}

/// A Pod that has ended holds nothing but its place in the store.
fn of_pod(usage: &mut Usage, pod: &Pod) {
    let phase = pod.status.phase.as_deref().and_then(PodPhase::parse);
    if phase.is_some_and(PodPhase::is_terminal) {
        return;
    }
    usage.insert("pods".to_owned(), Quantity::new(1, Format::DecimalSi));
    let overhead = |name: &str| {
        let own = pod.spec.overhead.as_ref().and_then(|own| own.get(name));
        own.and_then(|own| Quantity::parse(&own.0).ok()).unwrap_or_default()
    };
    let mut requests = pod_requests(&pod.spec);
    for name in pod.spec.overhead.iter().flat_map(|own| own.keys()) {
        requests.or_default(name.clone()).add(&overhead(name));
    }
    for (name, amount) in requests {
        if ["cpu", "memory", "ephemeral-storage"].contains(&name.as_str()) {
            usage.insert(name.clone(), amount.clone());
        }
        usage.insert(format!("requests.{name}"), amount);
    }
    for (name, mut amount) in pod_limits(&pod.spec) {
        // What knows no limit gets none by that.
        amount.add(&overhead(&name));
        usage.insert(format!("limits.{name}"), amount);
    }
}

fn of_service(usage: &mut Usage, service: &Document) {
    if service.kind() != Kind::Service {
        return;
    }
    let (kind, ports) =
        (service.at("spec").at("type").text(), service.at("spec").at("ports").items());
    let node_ports = match kind {
        NODE_PORT => ports.len(),
        LOAD_BALANCER => ports.filter(|port| port.at("nodePort").is_there()).count(),
        _ => 0,
    };
    let count =
        |number: usize| Quantity::new(i64::try_from(number).unwrap_or(i64::MAX), Format::DecimalSi);
    usage.insert("services.nodeports".to_owned(), count(node_ports));
    usage.insert("services.loadbalancers".to_owned(), count(usize::from(kind == LOAD_BALANCER)));
}

fn of_claim(usage: &mut Usage, claim: &Document) {
    if claim.kind() != Kind::PersistentVolumeClaim {
        return;
    }
    let spec = claim.at("spec");
    let storage = spec.at("resources").at("requests").at("storage").quantity();
    let class = spec.at("storageClassName").text();
    let of_class = |what: &str| format!("{class}.storageclass.storage.k8s.io/{what}");
    if !class.is_empty() {
        let one = Quantity::new(1, Format::DecimalSi);
        usage.insert(of_class("persistentvolumeclaims"), one);
    }
    if let Some(storage) = storage {
        if !class.is_empty() {
            usage.insert(of_class("requests.storage"), storage.clone());
        }
        usage.insert("requests.storage".to_owned(), storage);
    }
}
