//! Plugins that have pods wait before they are bound.

use k8s_openapi::api::core::v1::PodCondition;

use super::*;
use crate::scheduler::framework::{
    About, CycleState, Denied, Permit, Plugin, PreFilter, Snapshot, Verdict, WaitingPods,
};

/// Has the pods with the label `gang` wait until so many of one gang have a node. If one of them cannot be
/// bound, none is.
#[derive(Clone, Copy, Debug)]
struct Gang {
    size: usize,
    wait: Duration,
}

const NAME: &str = "Gang";

fn gang(pod: &PodInfo) -> Option<&str> {
    Some(pod.labels()?.get("gang")?.as_str())
}

fn mates(pod: &PodInfo, waiting: &WaitingPods) -> Vec<Rc<str>> {
    let mates = waiting.iter().filter(|mate| gang(&mate.pod) == gang(pod));
    mates.map(|mate| Rc::clone(&mate.pod.uid)).collect()
}

impl Plugin for Gang {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pre_filter(&self, pod: &PodInfo, _: &dyn Snapshot, _: &mut CycleState) -> PreFilter {
        if gang(pod) == Some("forbidden") {
            return PreFilter::Reject(Verdict::unresolvable("no such gang"));
        }
        PreFilter::Run
    }

    fn permit(
        &self,
        pod: &PodInfo,
        _: &str,
        _: &dyn Snapshot,
        waiting: &mut WaitingPods,
    ) -> Permit {
        match gang(pod) {
            None => return Permit::Allowed,
            Some("refused") => return Permit::Rejected(Verdict::unschedulable("not this gang")),
            Some("broken") => return Permit::Failed("no list of gangs".into()),
            Some(_) => {}
        }
        let mates = mates(pod, waiting);
        if mates.len() + 1 < self.size {
            return Permit::Wait(self.wait);
        }
        for mate in mates {
            waiting.allow(&mate, NAME);
        }
        Permit::Allowed
    }

    fn unreserve(&self, pod: &PodInfo, _: &str, waiting: &mut WaitingPods) {
        for mate in mates(pod, waiting) {
            waiting.reject(&mate, NAME, "a mate is not bound");
        }
    }

    /// Whoever waits for a pod called `first` to be bound may go on.
    fn post_bind(&self, pod: &PodInfo, _: &str, waiting: &mut WaitingPods) {
        if *pod.uid == *"first" {
            let all: Vec<Rc<str>> = waiting.iter().map(|it| Rc::clone(&it.pod.uid)).collect();
            for uid in all {
                waiting.allow(&uid, NAME);
            }
        }
    }

    fn wakes_on(&self, event: ClusterEvent) -> bool {
        event == ClusterEvent::NodeAdded
    }

    fn hint(&self, _: &PodInfo, about: &About<'_>, _: &dyn Snapshot) -> bool {
        matches!(about, About::Node { new: Some(node), .. } if *node.name == *"helpful")
    }
}

/// With gangs of two, whose pods wait for a minute.
fn world(nodes: &[Value], pods: &[Value]) -> World {
    with(&[Gang { size: 2, wait: Duration::from_mins(1) }], nodes, pods)
}

fn with(plugins: &[Gang], nodes: &[Value], pods: &[Value]) -> World {
    let mut configuration = Configuration::default();
    let mut profile = (*configuration.profiles[0]).clone();
    for plugin in plugins {
        let plugin: Rc<dyn Plugin> = Rc::new(*plugin);
        profile.pre_filter.push(Rc::clone(&plugin));
        profile.reserve.push(Rc::clone(&plugin));
        profile.permit.push(Rc::clone(&plugin));
        profile.post_bind.push(plugin);
    }
    configuration.profiles = vec![Rc::new(profile)];
    let mut world = World::configured(Rc::new(configuration), nodes, pods, &[]);
    world.run(MOMENT);
    world
}

fn of_gang(name: &str, gang: &str) -> Value {
    let mut pod = pod_json(name, "1");
    pod["metadata"]["labels"] = json!({"gang": gang});
    pod
}

fn bound(world: &World) -> Vec<String> {
    let names = world.bindings().into_iter().map(|(target, ..)| {
        target.trim_end_matches("/binding").rsplit('/').next().unwrap_or_default().to_owned()
    });
    names.collect()
}

/// The node that a pod is told to wait for, if that is written.
type Nominated = Option<Rc<str>>;

/// What was written of the status of pods.
fn patches(world: &World) -> Vec<(Option<Rc<PodCondition>>, Nominated)> {
    let patches = world.sent.iter().filter_map(|request| {
        let Payload::Patch(patch) = &request.payload else { return None };
        let Patch::PodCondition { condition, nominated } = patch else { return None };
        Some((condition.clone(), nominated.clone()))
    });
    patches.collect()
}

fn room(world: &World) -> usize {
    world.scheduler.cache().node("node-1").unwrap().pods.len()
}

#[test]
fn a_pod_waits_until_it_is_allowed_and_its_room_is_kept() {
    let mut world =
        world(&[node_json("node-1", "2")], &[of_gang("a", "x"), pod_json("other", "1")]);
    assert_eq!((bound(&world), room(&world)), (vec!["other".into()], 2));
    let [(_, nominated)] = &patches(&world)[..] else { panic!("one patch") };
    assert_eq!(nominated.as_deref(), Some("node-1"), "it is told where it will be");
    assert!(world.scheduler.decision("default", "a").unwrap().message.is_none());
    world.watch(Kind::Node, Change::Added(node(node_json("node-2", "1"))));
    world.watch(Kind::Pod, Change::Added(pod(of_gang("b", "x"))));
    world.run(MOMENT);
    assert_eq!(bound(&world), ["other", "b", "a"]);
}

#[test]
fn a_pod_that_is_not_allowed_in_time_is_refused() {
    let mut world = world(&[node_json("node-1", "2")], &[of_gang("a", "x")]);
    world.run(Duration::from_secs(59));
    assert!(world.messages().is_empty());
    world.run(Duration::from_secs(1));
    let why =
        "0/1 nodes are available: 1 rejected due to timeout after waiting 1m0s at plugin Gang.";
    assert_eq!((world.messages(), room(&world)), (vec![why], 0));
    let waiting = world.scheduler.pending().next().unwrap();
    assert_eq!((waiting.place, &*waiting.refused_by), (Place::Unschedulable, &[NAME][..]));
    let (condition, nominated) = patches(&world).pop().unwrap();
    let condition = condition.unwrap();
    assert_eq!((condition.reason.as_deref(), nominated), (Some("Unschedulable"), None));
}

#[test]
fn no_plugin_has_a_pod_wait_for_more_than_a_quarter_of_an_hour() {
    let patient = Gang { size: 2, wait: Duration::from_hours(1) };
    let mut world = with(&[patient], &[node_json("node-1", "2")], &[of_gang("a", "x")]);
    world.run(Duration::from_mins(15));
    assert!(
        world.messages()[0].contains("after waiting 15m0s at plugin"),
        "{:?}",
        world.messages()
    );
}

#[test]
fn who_is_refused_at_once_says_so_in_the_decision_and_waits_for_what_helps() {
    let mut world = world(&[node_json("node-1", "2")], &[of_gang("web", "refused")]);
    let why = "0/1 nodes are available: 1 not this gang.";
    assert_eq!((world.messages(), room(&world)), (vec![why], 0));
    let decision = world.scheduler.decision("default", "web").unwrap();
    assert_eq!(decision.message.as_deref(), Some(why));
    assert_eq!(decision.chosen.as_deref(), Some("node-1"));
    world.watch(Kind::Node, Change::Added(node(node_json("node-2", "2"))));
    world.run(Duration::from_secs(20));
    assert_eq!(decisions(&world), 1);
    world.watch(Kind::Node, Change::Added(node(node_json("helpful", "2"))));
    world.run(MOMENT);
    assert_eq!(decisions(&world), 2);
}

#[test]
fn a_plugin_that_fails_is_asked_again_after_a_while() {
    let mut world = world(&[node_json("node-1", "2")], &[of_gang("web", "broken")]);
    assert_eq!(world.messages(), ["running Permit plugin \"Gang\": no list of gangs"]);
    assert_eq!(room(&world), 0);
    world.run(Duration::from_secs(3));
    assert_eq!(decisions(&world), 2);
}

#[test]
fn what_helps_while_a_pod_waits_is_not_forgotten() {
    let refused_after = |helper: &str| {
        let mut world = world(&[node_json("node-1", "2")], &[of_gang("web", "x")]);
        world.watch(Kind::Node, Change::Added(node(node_json(helper, "2"))));
        world.run(Duration::from_secs(62));
        decisions(&world)
    };
    assert_eq!((refused_after("helpful"), refused_after("node-2")), (2, 1));
}

#[test]
fn if_a_mate_is_refused_so_are_the_others() {
    let three = Gang { size: 3, wait: Duration::from_mins(1) };
    let pods = [of_gang("a", "x"), of_gang("b", "x"), of_gang("c", "y")];
    let mut world = with(&[three], &[node_json("node-1", "4")], &pods);
    assert_eq!(room(&world), 3);
    world.watch(Kind::Pod, Change::Deleted(pod(of_gang("a", "x"))));
    let told =
        ["0/1 nodes are available: 1 removed.", "0/1 nodes are available: 1 a mate is not bound."];
    assert_eq!((world.messages(), room(&world)), (told.to_vec(), 1));
    let waiting: Vec<_> = world.scheduler.pending().map(|queued| &*queued.info.uid).collect();
    assert_eq!(waiting, ["b"], "the one that is gone waits no more");
}

#[test]
fn a_pod_that_begins_to_go_leaves_its_room_at_once() {
    let mut world = world(&[node_json("node-1", "1")], &[of_gang("a", "x"), pod_json("web", "1")]);
    assert!(bound(&world).is_empty());
    let mut going = of_gang("a", "x");
    going["metadata"]["resourceVersion"] = json!("2");
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.watch(Kind::Pod, Change::Modified { object: pod(going), before: None });
    world.run(Duration::from_secs(2));
    assert_eq!(bound(&world), ["web"]);
    world.run(Duration::from_mins(2));
    assert_eq!(world.scheduler.decisions("default", "a").len(), 1);
}

#[test]
fn a_victim_that_waits_is_tried_anew_instead_of_being_deleted() {
    let mut world = world(&[node_json("node-1", "1")], &[of_gang("a", "x")]);
    let mut urgent = pod_json("web", "1");
    urgent["spec"]["priority"] = json!(1000);
    world.watch(Kind::Pod, Change::Added(pod(urgent)));
    world.run(MOMENT);
    assert!(!world.sent.iter().any(|request| request.verb == Verb::Delete));
    let messages = world.messages();
    assert!(messages.contains(&"waiting on permit for pod: preempted"), "{messages:?}");
    let told = "Preempted by pod web on node node-1 (in kube-scheduler memory).";
    assert!(messages.contains(&told), "{messages:?}");
    assert_eq!(bound(&world), ["web"]);
    let waiting = world.scheduler.pending().next().unwrap();
    assert!(matches!(waiting.place, Place::ErrorBackoff(_)), "{:?}", waiting.place);
}

#[test]
fn each_plugin_has_to_allow_it() {
    let (two, three) = (Gang { size: 2, wait: Duration::from_mins(1) }, Duration::from_mins(2));
    let pods = [of_gang("a", "x")];
    let mut world = with(&[two], &[node_json("node-1", "4")], &pods);
    let node = Rc::<str>::from("node-1");
    let info = Rc::clone(&world.scheduler.waiting.iter().next().unwrap().pod);
    let waiting = &mut world.scheduler.waiting;
    waiting.allow("a", "Other");
    assert!(waiting.take_decided().is_none(), "it does not wait for that one");
    waiting.allow("a", NAME);
    assert_eq!(waiting.take_decided().unwrap().1, Ok(()));
    waiting.push(info, node, &[(NAME, three), ("Other", three)], world.now);
    waiting.allow("a", NAME);
    assert_eq!(waiting.iter().next().unwrap().pending().collect::<Vec<_>>(), ["Other"]);
    waiting.reject("a", "Other", "no");
    waiting.allow("a", "Other");
    let (_, end) = waiting.take_decided().unwrap();
    let rejected = Denied::Rejected { plugin: "Other", why: "no".into(), is_helped: false };
    assert_eq!(end, Err(rejected), "what was said first counts");
}

#[test]
fn who_is_bound_may_let_others_go_on() {
    let pods = [of_gang("a", "x"), pod_json("first", "1")];
    let mut world = world(&[node_json("node-1", "2")], &pods);
    assert_eq!(bound(&world), ["first"]);
    let id = world.bindings()[0].2;
    world.answer(id, Ok(Answer::Success { code: 201 }));
    assert_eq!(bound(&world), ["first", "a"]);
}
