//! `VolumeBinding`: the volumes behind a pod's claims can be had on its node. Claims that wait for their
//! first consumer get a volume, or a node to have one made for, before the pod is bound.
//!
//! Mirrors: `pkg/scheduler/framework/plugins/volumebinding` and `FindMatchingVolume` of
//! `component-helpers/storage/volume`.

use std::time::Duration;

use super::built_in::MIGRATED;
use super::place::{Bound, Place};
use super::reserving::{self, SELECTED_NODE, is_bound, is_for};
use super::{annotation, claim, class, mounts, mounts_claim, name, volume_name, volumes, waits};
use crate::api::document::Part;
use crate::api::labels::Selector;
use crate::api::quantity::Quantity;
use crate::api::{Document, Kind};
use crate::scheduler::framework::{
    About, ClusterEvent, CycleState, Plugin, PreBind, PreFilter, Reason, Reserved, Snapshot,
    Verdict,
};
use crate::scheduler::node_info::{NodeInfo, PodInfo};
use crate::scheduler::plugins::shape::Shape;
use crate::sim::{SortedMap, sort};

const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

const ATTRIBUTES: &str = "volumeAttributesClassName";

const NOT_THERE: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const ELSEWHERE: &str = "node(s) didn't match PersistentVolume's node affinity";
const NONE_TO_BIND: &str = "node(s) didn't find available persistent volumes to bind";
const NO_ROOM: &str = "node(s) did not have enough free storage";

/// The plugin.
#[derive(Clone, Debug)]
pub struct VolumeBinding {
    /// How long a pod waits for its claims to be bound.
    pub timeout: Duration,
    /// How well a node suits, by how much of its storage would be used.
    pub shape: Shape,
}

impl VolumeBinding {
    /// As the default profile has it, but for the shape.
    pub const TIMEOUT: Duration = Duration::from_mins(10);
}

/// The claims of a pod: what each asks of a node.
#[derive(Clone, Debug, Default)]
pub struct Volumes {
    /// The volumes of the claims that are bound, `None` where there is no such volume.
    bound: Vec<Option<Bound>>,
    /// The claims that wait for this pod, the smallest first.
    waiting: Vec<Waiting>,
}

/// A claim that waits for its first consumer.
#[derive(Clone, Debug)]
struct Waiting {
    claim: Document,
    /// The node that a volume is being made for.
    selected: Option<String>,
    /// The volumes that would do, best first.
    volumes: Vec<(Document, Place)>,
    /// Where a volume can be made; `None` where nobody makes any.
    made: Option<Topology>,
    /// Where there is room for it, if the driver tells of that and the claim says how much it wants.
    room: Option<Vec<Room>>,
}

/// Room for a claim on the nodes that a selector means.
#[derive(Clone, Debug)]
struct Room {
    nodes: Selector,
    /// How much there is; not known where only the largest volume is.
    capacity: Option<i64>,
}

/// One of these has to hold: labels, each with the values that will do. Empty: everywhere.
type Topology = Vec<SortedMap<String, Vec<String>>>;

/// What has to be done for a claim before the pod can go to a node.
enum Step<'a> {
    /// It is to have this volume.
    Bind(&'a Document, &'a Document),
    /// A volume is to be made for it, where there is so much room, if that is known.
    Make(&'a Document, Option<i64>),
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn pre_filter(
        &self,
        pod: &PodInfo,
        cluster: &dyn Snapshot,
        state: &mut CycleState,
    ) -> PreFilter {
        if mounts(&pod.pod).next().is_none() {
            return PreFilter::Skip;
        }
        match Volumes::of(pod, cluster) {
            Ok(volumes) => state.volumes = volumes,
            Err(verdict) => return PreFilter::Reject(verdict),
        }
        PreFilter::Run
    }

    fn filter(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> Verdict {
        match state.volumes.steps(node) {
            Ok(_) => Verdict::SUCCESS,
            Err(reasons) => Verdict { reasons, ..Verdict::unresolvable("") },
        }
    }

    fn pre_score(
        &self,
        _pod: &PodInfo,
        _cluster: &dyn Snapshot,
        _nodes: &[&NodeInfo],
        state: &mut CycleState,
    ) -> Verdict {
        // Without a claim that waits every node would score nothing.
        if state.volumes.waiting.is_empty() { Verdict::SKIP } else { Verdict::SUCCESS }
    }

    fn score(&self, _pod: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let steps = state.volumes.steps(node).unwrap_or_default();
        let binds = steps.iter().any(|step| matches!(step, Step::Bind(..)));
        // How much is asked for and how much there is, by class.
        let mut classes: SortedMap<&str, (i64, i64)> = SortedMap::new();
        for step in &steps {
            let asked = |claim| requested(claim).map_or(0, |asked| asked.value());
            match step {
                Step::Bind(claim, volume) => {
                    let sums = classes.or_default(class(volume));
                    sums.0 += asked(claim);
                    sums.1 += capacity(volume).map_or(0, |has| has.value());
                }
                Step::Make(claim, Some(room)) if !binds => {
                    let sums = classes.or_default(class(claim));
                    sums.0 += asked(claim);
                    sums.1 = *room;
                }
                Step::Make(..) => {}
            }
        }
        let scores = classes.values().map(|(asked, has)| {
            let part = if asked > has { None } else { (asked * 100).checked_div(*has) };
            self.shape.score(part.unwrap_or(100))
        });
        let (sum, count) = (scores.clone().sum::<i64>(), i64::try_from(scores.count()));
        // Rounded to the nearest, halves up.
        count.ok().and_then(|count| (2 * sum + count).checked_div(2 * count)).unwrap_or_default()
    }

    fn reserve(&self, state: &CycleState, node: &NodeInfo) -> Vec<Document> {
        if state.volumes.waiting.is_empty() {
            return Vec::new();
        }
        let steps = state.volumes.steps(node).unwrap_or_default();
        let reserved = steps.iter().map(|step| match *step {
            Step::Bind(claim, volume) => reserving::bound(volume, claim),
            Step::Make(claim, _) => reserving::made_for(claim, &node.name),
        });
        reserved.collect()
    }

    fn pre_bind(&self, pod: &PodInfo, reserved: &Reserved<'_>, cluster: &dyn Snapshot) -> PreBind {
        match reserving::is_done(pod, reserved, cluster) {
            Ok(true) => PreBind::Done,
            Ok(false) if reserved.waited >= self.timeout => {
                PreBind::Failed("binding volumes: context deadline exceeded".to_owned())
            }
            Ok(false) => PreBind::Wait,
            Err(why) => PreBind::Failed(format!("binding volumes: {why}")),
        }
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{
            CapacityChanged, ClaimAdded, ClaimUpdated, DriverUpdated, DriversChanged,
            DriversOfNode, NodeAdded, NodeLabels, StorageClassAdded, StorageClassUpdated,
            VolumeChanged,
        };
        matches!(event, ClaimAdded | ClaimUpdated | VolumeChanged | NodeAdded | NodeLabels)
            || matches!(event, StorageClassAdded | StorageClassUpdated | CapacityChanged)
            || matches!(event, DriverUpdated | DriversChanged | DriversOfNode)
    }

    fn hint(&self, pod: &PodInfo, about: &About<'_>, _cluster: &dyn Snapshot) -> bool {
        let About::Document { old, new: Some(new) } = about else { return true };
        if new.kind() == Kind::PersistentVolumeClaim {
            return mounts_claim(&pod.pod, new);
        }
        let Some(old) = old else { return true };
        if new.kind() == Kind::StorageClass {
            new.at("allowedTopologies").value() != old.at("allowedTopologies").value()
        } else if new.kind() == Kind::CSINode {
            annotation(new, MIGRATED) != annotation(old, MIGRATED)
        } else if new.kind() == Kind::CSIStorageCapacity {
            let (more, less) = (limit(new), limit(old));
            more.is_some() && more > less
        } else if new.kind() == Kind::CSIDriver {
            let checks = |driver: &Document| driver.at("spec").at("storageCapacity").is_true();
            let mut inline = volumes(&pod.pod).map(|volume| volume.at("csi").at("driver").text());
            checks(old) && !checks(new) && inline.any(|driver| driver == name(new))
        } else {
            true
        }
    }
}

impl Volumes {
    /// Those of a pod. Few mount any, so that this comes later to the page.
    #[inline(never)]
    fn of(pod: &PodInfo, cluster: &dyn Snapshot) -> Result<Self, Verdict> {
        let mut claims = Vec::new();
        for mount in mounts(&pod.pod) {
            claims.push(usable(pod, cluster, &mount)?);
        }
        let mut volumes = Self::default();
        for claim in claims {
            if is_bound(claim) {
                let volume = cluster.document(Kind::PersistentVolume, "", volume_name(claim));
                volumes.bound.push(volume.map(|volume| Bound::of(volume, cluster)));
                continue;
            }
            let class = cluster.document(Kind::StorageClass, "", class(claim));
            let class = class.filter(|class| waits(class) && volume_name(claim).is_empty());
            let Some(class) = class else {
                let words = "pod has unbound immediate PersistentVolumeClaims";
                return Err(Verdict::unresolvable(words));
            };
            volumes.waiting.push(Waiting::new(claim, class, cluster));
        }
        sort::by_key(&mut volumes.waiting, |waiting| requested(&waiting.claim));
        Ok(volumes)
    }

    /// What has to be done so that the pod can go to `node`.
    ///
    /// # Errors
    ///
    /// Why it cannot.
    fn steps(&self, node: &NodeInfo) -> Result<Vec<Step<'_>>, Vec<Reason>> {
        let of_bound = self.bound.iter().find(|it| !it.as_ref().is_some_and(|it| it.has(node)));
        let (steps, of_waiting) = match self.steps_for_waiting(node) {
            Ok(steps) => (steps, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let mut reasons: Vec<Reason> = Vec::new();
        reasons.extend(matches!(of_bound, Some(Some(_))).then_some(ELSEWHERE.into()));
        reasons.extend(of_waiting.map(Into::into));
        reasons.extend(matches!(of_bound, Some(None)).then_some(NOT_THERE.into()));
        if reasons.is_empty() { Ok(steps) } else { Err(reasons) }
    }

    /// The steps for the claims that wait: those whose node is chosen already come first when volumes are
    /// made.
    fn steps_for_waiting(&self, node: &NodeInfo) -> Result<Vec<Step<'_>>, &'static str> {
        let chosen = |waiting: &&Waiting| waiting.selected.is_some();
        let elsewhere = |waiting: &Waiting| waiting.selected.as_deref() != Some(&*node.name);
        if self.waiting.iter().filter(chosen).any(elsewhere) {
            return Err(NONE_TO_BIND);
        }
        let mut steps = Vec::with_capacity(self.waiting.len());
        let mut taken: Vec<&str> = Vec::new();
        let (mut made, unchosen): (Vec<&Waiting>, Vec<&Waiting>) =
            self.waiting.iter().partition(chosen);
        for waiting in unchosen {
            match waiting.volume(node, &taken) {
                Some(volume) => {
                    taken.push(name(volume));
                    steps.push(Step::Bind(&waiting.claim, volume));
                }
                None => made.push(waiting),
            }
        }
        for waiting in made {
            if !waiting.can_be_made(node) {
                return Err(NONE_TO_BIND);
            }
            let room = match &waiting.room {
                Some(rooms) => rooms.iter().find(|room| room.has(node)).ok_or(NO_ROOM)?.capacity,
                None => None,
            };
            steps.push(Step::Make(&waiting.claim, room));
        }
        Ok(steps)
    }
}

impl Room {
    fn has(&self, node: &NodeInfo) -> bool {
        self.nodes.matches(node.node.metadata.labels.as_deref())
    }

    /// All room for a claim of a class, if its driver has it looked at.
    fn of(claim: &Document, class: &Document, cluster: &dyn Snapshot) -> Option<Vec<Self>> {
        let asked = requested(claim)?.value();
        let driver = cluster.document(Kind::CSIDriver, "", class.at("provisioner").text())?;
        if !driver.at("spec").at("storageCapacity").is_true() {
            return None;
        }
        let capacities = cluster.documents(Kind::CSIStorageCapacity);
        let enough = capacities.filter(|capacity| {
            capacity.at("storageClassName").text() == name(class)
                && capacity.at("nodeTopology").is_there()
                && limit(capacity).is_some_and(|limit| limit >= asked)
        });
        let room = enough.map(|capacity| Self {
            nodes: Selector::from_part(capacity.at("nodeTopology")),
            capacity: capacity.at("capacity").quantity().map(|it| it.value()),
        });
        Some(room.collect())
    }
}

/// The largest volume that can be made where so much room is.
fn limit(capacity: &Document) -> Option<i64> {
    let most = capacity.at("maximumVolumeSize");
    let most = if most.is_there() { most } else { capacity.at("capacity") };
    most.quantity().map(|quantity| quantity.value())
}

impl Waiting {
    fn new(claim: &Document, class: &Document, cluster: &dyn Snapshot) -> Self {
        let provisioner = class.at("provisioner").text();
        let is_made = !provisioner.is_empty() && provisioner != NO_PROVISIONER;
        let mut volumes: Vec<(Document, Place)> = cluster
            .documents(Kind::PersistentVolume)
            .filter(|volume| suits(claim, volume))
            .map(|volume| (volume.clone(), Place::of(volume)))
            .collect();
        // One that somebody has put aside for the claim is the only one; else the smallest will do.
        if let Some(own) = volumes.iter().position(|(volume, _)| is_for(volume, claim)) {
            volumes = vec![volumes.swap_remove(own)];
        }
        sort::by_key(&mut volumes, |(volume, _)| capacity(volume));
        Self {
            claim: claim.clone(),
            selected: annotation(claim, SELECTED_NODE).map(str::to_owned),
            volumes,
            made: is_made.then(|| topology(class)),
            room: Room::of(claim, class, cluster),
        }
    }

    /// The best volume that the node has and no other claim of the pod takes.
    fn volume(&self, node: &NodeInfo, taken: &[&str]) -> Option<&Document> {
        let mut free = self.volumes.iter().filter(|(volume, _)| !taken.contains(&name(volume)));
        free.find(|(_, place)| place.has(node)).map(|(volume, _)| volume)
    }

    fn can_be_made(&self, node: &NodeInfo) -> bool {
        let holds = |(label, values): (&String, &Vec<String>)| {
            node.label(label).is_some_and(|own| values.iter().any(|value| value == own))
        };
        // A term that asks for nothing means no node, though no terms mean all of them.
        let matches = |term: &SortedMap<_, _>| !term.is_empty() && term.iter().all(holds);
        self.made.as_ref().is_some_and(|terms| terms.is_empty() || terms.iter().any(matches))
    }
}

/// The claim that a pod mounts, if it can be used at all.
fn usable<'a>(
    pod: &PodInfo,
    cluster: &'a dyn Snapshot,
    mount: &super::Mount<'_>,
) -> Result<&'a Document, Verdict> {
    let called = &mount.name;
    let refused = |words: String| Err(Verdict::unresolvable(words));
    let claim = match claim(cluster, pod, called) {
        Ok(claim) => claim,
        Err(_) if mount.ephemeral => {
            return refused(format!(
                "waiting for ephemeral volume controller to create the persistentvolumeclaim \
                 \"{called}\""
            ));
        }
        Err(missing) => return Err(missing),
    };
    if claim.at("status").at("phase").text() == "Lost" {
        let volume = volume_name(claim);
        return refused(format!(
            "persistentvolumeclaim \"{called}\" bound to non-existent persistentvolume \"{volume}\""
        ));
    }
    if claim.metadata.deletion_timestamp.is_some() {
        return refused(format!("persistentvolumeclaim \"{called}\" is being deleted"));
    }
    let owners = claim.metadata.owners();
    let is_own =
        |uid: &str| owners.iter().any(|owner| owner.controller == Some(true) && owner.uid == uid);
    if mount.ephemeral && !is_own(&pod.uid) {
        let namespace = pod.namespace();
        let own = pod.pod.metadata.name.as_deref().unwrap_or_default();
        return refused(format!(
            "PVC {namespace}/{called} was not created for pod {namespace}/{own} (pod is not owner)"
        ));
    }
    Ok(claim)
}

fn requested(claim: &Document) -> Option<Quantity> {
    claim.at("spec").at("resources").at("requests").at("storage").quantity()
}

fn capacity(volume: &Document) -> Option<Quantity> {
    volume.at("spec").at("capacity").at("storage").quantity()
}

/// Whether a claim could have a volume, were it on the right node.
fn suits(claim: &Document, volume: &Document) -> bool {
    let (wants, has) = (claim.at("spec"), volume.at("spec"));
    let mode = |spec: Part<'_>| match spec.at("volumeMode").text() {
        "Block" => "Block",
        _ => "Filesystem",
    };
    let own = is_for(volume, claim);
    if has.at("claimRef").is_there() && !own
        || class(volume) != class(claim)
        || capacity(volume) < requested(claim)
        || mode(wants) != mode(has)
        || has.at(ATTRIBUTES).text() != wants.at(ATTRIBUTES).text()
        || volume.metadata.deletion_timestamp.is_some()
    {
        return false;
    }
    let modes = |spec: Part<'_>, mode: &str| spec.at("accessModes").texts().any(|own| own == mode);
    own || volume.at("status").at("phase").text() == "Available"
        && (!wants.at("selector").is_there()
            || Selector::from_part(wants.at("selector")).matches(volume.metadata.labels.as_deref()))
        && wants.at("accessModes").texts().all(|mode| modes(has, mode))
}

/// Where volumes of a class can be made.
fn topology(class: &Document) -> Topology {
    let term = |term: Part<'_>| {
        let needs = term.at("matchLabelExpressions").items().map(|need| {
            let values = need.at("values").texts().map(str::to_owned).collect();
            (need.at("key").text().to_owned(), values)
        });
        needs.collect()
    };
    class.at("allowedTopologies").items().map(term).collect()
}
