//! What becomes of pods between their decision and their binding.

use super::*;

fn refused() -> Result<Answer, Rc<StatusError>> {
    Err(Rc::new(StatusError::bad_request("no")))
}

#[test]
fn a_pod_whose_binding_failed_is_tried_again_as_it_is_by_then() {
    let mut world = World::new(&[node_json("node-1", "2")], &[pod_json("web", "1")]);
    world.run(MOMENT);
    let id = world.bindings()[0].2;
    let mut changed = pod_json("web", "1");
    changed["metadata"]["labels"] = json!({"app": "web"});
    changed["metadata"]["resourceVersion"] = json!("2");
    changed["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.watch(Kind::Pod, Change::Modified { object: pod(changed), before: None });
    world.answer(id, refused());
    let waiting = world.scheduler.pending().next().unwrap();
    assert_eq!(waiting.info.labels().unwrap()["app"], "web");
    world.run(Duration::from_secs(3));
    assert_eq!(world.bindings().len(), 1);
    assert_eq!(world.messages().last().unwrap(), &"skip schedule deleting pod: default/web");
}

#[test]
fn a_pod_that_was_made_anew_hears_nothing_of_the_one_before() {
    let mut world = World::new(&[node_json("node-1", "2")], &[pod_json("web", "1")]);
    world.run(MOMENT);
    let id = world.bindings()[0].2;
    let mut anew = pod_json("web", "1");
    anew["metadata"]["uid"] = json!("anew");
    anew["status"] = json!({"nominatedNodeName": "node-1"});
    world.watch(Kind::Pod, Change::Deleted(pod(pod_json("web", "1"))));
    world.watch(Kind::Pod, Change::Added(pod(anew)));
    world.answer(id, refused());
    assert!(world.messages().is_empty());
    assert!(!world.sent.iter().any(|request| request.verb == Verb::Patch));
    assert!(world.scheduler.cache().promised_to("anew").is_some());
    world.run(MOMENT);
    assert_eq!(world.bindings().len(), 2, "no back-off");
}
