//! What was built into Kubernetes before there were drivers of volumes, and what the driver that has taken it
//! over says of it.
//!
//! Mirrors: `staging/src/k8s.io/csi-translation-lib`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

use super::annotation;
use super::zone::{BETA_REGION, BETA_ZONE, REGION, ZONE, listed};
use crate::api::Document;
use crate::api::document::Part;

/// Which of what was built in has been taken over on a node, by its `CSINode`.
pub const MIGRATED: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// What was built in and has a driver now.
#[derive(Debug, PartialEq)]
pub struct BuiltIn {
    /// By which classes and nodes know it.
    pub name: &'static str,
    /// What has taken it over.
    pub driver: &'static str,
    /// Its field in a volume.
    field: &'static str,
    /// The field of that which names the disk.
    disk: &'static str,
    /// The driver's label for the zone of a node.
    zone: Option<&'static str>,
}

/// All whose volumes are counted.
const ALL: [BuiltIn; 5] = [
    BuiltIn {
        name: "kubernetes.io/aws-ebs",
        driver: "ebs.csi.aws.com",
        field: "awsElasticBlockStore",
        disk: "volumeID",
        zone: Some("topology.ebs.csi.aws.com/zone"),
    },
    BuiltIn {
        name: "kubernetes.io/gce-pd",
        driver: "pd.csi.storage.gke.io",
        field: "gcePersistentDisk",
        disk: "pdName",
        zone: Some("topology.gke.io/zone"),
    },
    BuiltIn {
        name: "kubernetes.io/azure-disk",
        driver: "disk.csi.azure.com",
        field: "azureDisk",
        disk: "diskURI",
        zone: Some("topology.disk.csi.azure.com/zone"),
    },
    BuiltIn {
        name: "kubernetes.io/cinder",
        driver: "cinder.csi.openstack.org",
        field: "cinder",
        disk: "volumeID",
        zone: Some("topology.cinder.csi.openstack.org/zone"),
    },
    BuiltIn {
        name: "kubernetes.io/portworx-volume",
        driver: "pxd.portworx.com",
        field: "portworxVolume",
        disk: "volumeID",
        zone: None,
    },
];

impl BuiltIn {
    /// What a volume of a pod, or the spec of a persistent one, is made by.
    pub fn of(volume: Part<'_>) -> Option<&'static Self> {
        ALL.iter().find(|it| volume.at(it.field).is_there())
    }

    /// What is called so.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|it| it.name == name)
    }

    /// The driver's name for the disk of `volume`, which is in `zone`.
    pub fn handle(&self, volume: Part<'_>, zone: &str) -> String {
        let disk = volume.at(self.field).at(self.disk).text();
        match self.field {
            "awsElasticBlockStore" if disk.starts_with("aws://") => {
                disk.rsplit('/').next().unwrap_or_default().to_owned()
            }
            "gcePersistentDisk" => {
                let zone = if zone.is_empty() { "UNSPECIFIED" } else { zone };
                format!("projects/UNSPECIFIED/zones/{zone}/disks/{disk}")
            }
            _ => disk.to_owned(),
        }
    }

    /// Whether the driver has taken it over on a node.
    pub fn is_migrated(&self, csi_node: Option<&Document>) -> bool {
        let migrated = csi_node.and_then(|csi_node| annotation(csi_node, MIGRATED));
        migrated.is_some_and(|migrated| migrated.split(',').any(|one| one == self.name))
    }

    /// Which nodes have `volume` when the driver has taken it over, where `required` are those that have it
    /// else: the driver knows zones by a label of its own. A volume that does not say where it is may say so
    /// by its labels. None if all nodes have it.
    ///
    /// Mirrors: `translateTopologyFromInTreeToCSI`.
    pub fn place(&self, volume: &Document, required: Option<NodeSelector>) -> Option<NodeSelector> {
        let Some(own) = self.zone else { return required };
        let mut selector = required.unwrap_or_default();
        let terms = &mut selector.node_selector_terms;
        let label = |name: &str| volume.metadata.labels.as_ref()?.get(name);
        let is_beta = about(terms, ZONE).next().is_none()
            && (about(terms, BETA_ZONE).next().is_some()
                || label(ZONE).is_none() && label(BETA_ZONE).is_some());
        let (zone, region) = if is_beta { (BETA_ZONE, BETA_REGION) } else { (ZONE, REGION) };
        if about(terms, zone).any(names_some) {
            rename(terms, zone, own);
        } else {
            let zones = label(zone).into_iter().flat_map(|zones| listed(zones));
            let zones: BTreeSet<&str> = zones.filter(|zone| !zone.is_empty()).collect();
            let zones: Vec<String> = zones.into_iter().map(str::to_owned).collect();
            if !zones.is_empty() {
                if terms.is_empty() {
                    terms.push(NodeSelectorTerm::default());
                }
                for term in terms.iter_mut() {
                    term.match_expressions.get_or_insert_default().push(NodeSelectorRequirement {
                        key: own.to_owned(),
                        operator: "In".to_owned(),
                        values: Some(zones.clone()),
                    });
                }
            }
        }
        if is_beta && about(terms, region).any(names_some) {
            rename(terms, region, REGION);
        }
        (!selector.node_selector_terms.is_empty()).then_some(selector)
    }
}

/// What the terms say of a label.
fn about<'a>(
    terms: &'a [NodeSelectorTerm],
    label: &'a str,
) -> impl Iterator<Item = &'a NodeSelectorRequirement> {
    let all = terms.iter().flat_map(|term| term.match_expressions.iter().flatten());
    all.filter(move |one| one.key == label)
}

fn names_some(requirement: &NodeSelectorRequirement) -> bool {
    requirement.values.as_ref().is_some_and(|values| !values.is_empty())
}

fn rename(terms: &mut [NodeSelectorTerm], old: &str, new: &str) {
    let all = terms.iter_mut().flat_map(|term| term.match_expressions.iter_mut().flatten());
    for one in all.filter(|one| one.key == old) {
        new.clone_into(&mut one.key);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::decode::decode;
    use crate::api::{Kind, Object};

    /// Where the driver says that a volume is.
    fn place(field: &str, labels: &Value, required: &Value) -> Value {
        let json = json!({"metadata": {"name": "v", "labels": labels}, "spec": {field: {}}});
        let Object::Document(volume) =
            Object::from_json(Kind::PersistentVolume, &json).unwrap().object
        else {
            panic!("a volume is a document");
        };
        let required = (!required.is_null()).then(|| decode(required).unwrap().object);
        let place = BuiltIn::of(volume.at("spec")).unwrap().place(&volume, required);
        serde_json::to_value(place).unwrap()
    }

    fn terms(expressions: &[(&str, &[&str])]) -> Value {
        let one = |(key, values): &(&str, &[&str])| json!({"key": key, "operator": "In", "values": values});
        let expressions: Vec<Value> = expressions.iter().map(one).collect();
        json!({"nodeSelectorTerms": [{"matchExpressions": expressions}]})
    }

    #[test]
    fn a_driver_knows_zones_by_its_own_label() {
        let ebs = "awsElasticBlockStore";
        let own = "topology.ebs.csi.aws.com/zone";
        for zone in [ZONE, BETA_ZONE] {
            // From its affinity, or else from its labels.
            let said = terms(&[(zone, &["a"]), ("other", &["b"])]);
            assert_eq!(
                place(ebs, &json!({zone: "c"}), &said),
                terms(&[(own, &["a"]), ("other", &["b"])])
            );
            assert_eq!(
                place(ebs, &json!({zone: "b__a__b"}), &Value::Null),
                terms(&[(own, &["a", "b"])])
            );
            let other = terms(&[("other", &["b"])]);
            assert_eq!(
                place(ebs, &json!({zone: "a"}), &other),
                terms(&[("other", &["b"]), (own, &["a"])])
            );
        }
        assert_eq!(place(ebs, &json!({}), &Value::Null), Value::Null);
        // Not all drivers have one.
        let said = terms(&[(ZONE, &["a"])]);
        assert_eq!(place("portworxVolume", &json!({ZONE: "b"}), &said), said);
        assert_eq!(place("portworxVolume", &json!({ZONE: "b"}), &Value::Null), Value::Null);
    }

    #[test]
    fn a_beta_region_becomes_the_one_of_today() {
        let beta = terms(&[(BETA_ZONE, &["a"]), (BETA_REGION, &["r"])]);
        let own = "topology.gke.io/zone";
        let today = terms(&[(own, &["a"]), (REGION, &["r"])]);
        assert_eq!(place("gcePersistentDisk", &json!({}), &beta), today);
        // Beside a zone of today it stays as it is.
        let mixed = terms(&[(ZONE, &["a"]), (BETA_REGION, &["r"])]);
        let expected = terms(&[(own, &["a"]), (BETA_REGION, &["r"])]);
        assert_eq!(place("gcePersistentDisk", &json!({}), &mixed), expected);
    }
}
