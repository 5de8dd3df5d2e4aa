//! What is remembered of the last pods that were created: they come in numbers of one template, so what was
//! worked out for one holds for the next.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::ptr;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::apply;
use super::body::{decode_json, object_of};
use super::server::suffix;
use super::service_accounts::mount_token;
use crate::api::decode::UnknownField;
use crate::api::request::{Payload, Request};
use crate::api::status::StatusError;
use crate::api::wire::{Event, ManagedFieldsEntry, PodSpec};
use crate::api::{Kind, Object, ObjectMeta, Pod, names, seconds, warnings};
use crate::sim::Rng;

type Texts = BTreeMap<String, String>;

/// How many pods are looked through for one that is alike.
const KNOWN: usize = 8;

/// Of the last pods, each once, the newest first.
#[derive(Clone, Debug)]
pub(super) struct Templates {
    /// What the volumes of tokens are called by.
    names: Rng,
    read: VecDeque<Read>,
    specs: VecDeque<Known>,
    owned: VecDeque<Rc<Owned>>,
    told: VecDeque<Told>,
}

/// The spec of a pod that came as JSON, with nothing in it that is unknown, and what was read.
#[derive(Clone, Debug)]
struct Read {
    spec: Rc<Value>,
    pod: Rc<Pod>,
}

/// A spec as it was admitted and found to be right, and as it is stored.
#[derive(Clone, Debug)]
struct Known {
    admitted: Rc<PodSpec>,
    mounts_token: bool,
    stored: Rc<PodSpec>,
}

/// What whoever creates a pod of a template is warned of, unless its name surprises, too.
#[derive(Clone, Debug)]
struct Told {
    spec: Rc<PodSpec>,
    annotations: Option<Rc<Texts>>,
    warnings: Vec<String>,
}

/// A pod or an event as it was sent, and who owns which of its fields.
#[derive(Clone, Debug)]
struct Owned {
    object: Object,
    by: String,
    owners: Rc<Vec<ManagedFieldsEntry>>,
}

impl Templates {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            names: Rng::stream(seed, 0xA13),
            read: VecDeque::new(),
            specs: VecDeque::new(),
            owned: VecDeque::new(),
            told: VecDeque::new(),
        }
    }

    /// What `request` carries, which is to become a new object; see [`object_of`]. Of a pod only the rest is
    /// read if a former one was sent with the same spec.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        request: &Request,
    ) -> Result<(Object, Vec<UnknownField>), StatusError> {
        let validation = request.params.field_validation;
        let Some(sent) = Sent::of(&request.payload).filter(|_| kind == Kind::Pod) else {
            return object_of(kind, &request.payload, validation);
        };
        if let Some(known) = self.read.iter_mut().find(|it| sent.has_spec(&it.spec)) {
            if let Some(spec) = sent.shared {
                // The next one that shares it is found at once.
                known.spec = Rc::clone(spec);
            }
            let (mut object, unknown) = decode_json(kind, &sent.rest(), validation)?;
            if let Object::Pod(pod) = &mut object {
                let pod = Rc::make_mut(pod);
                pod.spec = Rc::clone(&known.pod.spec);
                pod.node_name.clone_from(&known.pod.node_name);
            }
            return Ok((object, unknown));
        }
        let (object, unknown) = object_of(kind, &request.payload, validation)?;
        if let (Object::Pod(pod), true) = (&object, unknown.is_empty()) {
            let (spec, pod) = (sent.to_spec(), Rc::clone(pod));
            remember(&mut self.read, Read { spec, pod });
        }
        Ok((object, unknown))
    }

    /// Lets a pod share the spec of a former one that was admitted with an equal one, and tells whether that
    /// says that nothing is wrong with it: annotations say things of a spec, and the names of some volumes
    /// have the pod's in them.
    pub(super) fn recognise(&self, object: &mut Object) -> bool {
        let Object::Pod(pod) = object else { return false };
        let Some(known) = self.specs.iter().find(|known| is_same(&known.admitted, &pod.spec))
        else {
            return false;
        };
        Rc::make_mut(pod).spec = Rc::clone(&known.admitted);
        pod.metadata.annotations.is_none() && pod.node_name.is_none() && pod.spec.volumes.is_none()
    }

    /// The same pod with the token of its account, if it mounts one. It shares its spec with a former one
    /// that was admitted with an equal one: that is most of what pods weigh. So pods of one template have
    /// one name for the volume of the token, where upstream's have one each.
    pub(super) fn shared(&mut self, object: Object, mounts_token: bool) -> Object {
        let Object::Pod(mut pod) = object else { return object };
        let is_alike = |known: &&Known| {
            known.mounts_token == mounts_token && is_same(&known.admitted, &pod.spec)
        };
        if let Some(known) = self.specs.iter().find(is_alike) {
            Rc::make_mut(&mut pod).spec = Rc::clone(&known.stored);
            return Object::Pod(pod);
        }
        let admitted = Rc::clone(&pod.spec);
        if mounts_token {
            mount_token(Rc::make_mut(&mut Rc::make_mut(&mut pod).spec), &suffix(&mut self.names));
        }
        let stored = Rc::clone(&pod.spec);
        remember(&mut self.specs, Known { admitted, mounts_token, stored });
        Object::Pod(pod)
    }

    /// What whoever creates `object` is warned of; its spec is shared already.
    pub(super) fn warnings(&mut self, object: &Object) -> Vec<String> {
        let Object::Pod(pod) = object else { return warnings::of(object, None) };
        if !names::dns1123_label(object.name()).is_empty() {
            return warnings::of(object, None);
        }
        let annotations = &pod.metadata.annotations;
        let is_known =
            |told: &&Told| Rc::ptr_eq(&told.spec, &pod.spec) && told.annotations == *annotations;
        if let Some(told) = self.told.iter().find(is_known) {
            return told.warnings.clone();
        }
        let warnings = warnings::of(object, None);
        let (spec, annotations) = (Rc::clone(&pod.spec), annotations.clone());
        remember(&mut self.told, Told { spec, annotations, warnings: warnings.clone() });
        warnings
    }

    /// What `request` creates, with its owners: those of a former pod or event that has the same fields, if
    /// there was one.
    pub(super) fn tracked(&mut self, request: &Request, new: Object, now: Timestamp) -> Object {
        let is_frequent = matches!(new, Object::Pod(_) | Object::Event(_));
        let Some(by) = apply::updater(request).filter(|_| is_frequent) else {
            return apply::tracked(request, None, None, new, now);
        };
        let mut known = self.owned.iter_mut();
        if let Some(owned) = known.find(|it| it.by == by && alike(&it.object, &new)) {
            let time = Some(seconds(now));
            if owned.owners.iter().any(|entry| entry.time != time) {
                for entry in Rc::make_mut(&mut Rc::make_mut(owned).owners) {
                    entry.time.clone_from(&time);
                }
            }
            let owners = Rc::clone(&owned.owners);
            return new.with_meta(|meta| meta.managed_fields = Some(owners));
        }
        let tracked = apply::tracked(request, None, None, new.clone(), now);
        if let Some(owners) = tracked.meta().managed_fields.clone() {
            let owned = Owned { object: new, by: by.to_owned(), owners };
            remember(&mut self.owned, Rc::new(owned));
        }
        tracked
    }
}

/// What was sent as JSON, with a spec.
struct Sent<'a> {
    /// All of it, or all but a spec that is shared.
    body: &'a Value,
    spec: &'a Value,
    shared: Option<&'a Rc<Value>>,
}

impl<'a> Sent<'a> {
    /// None if it has no spec.
    fn of(payload: &'a Payload) -> Option<Self> {
        match payload {
            Payload::Json(body) => Some(Self { body, spec: body.get("spec")?, shared: None }),
            Payload::Alike { rest, spec } => Some(Self { body: rest, spec, shared: Some(spec) }),
            Payload::None
            | Payload::Object(_)
            | Payload::Binding { .. }
            | Payload::Patch(_)
            | Payload::Refused(_)
            | Payload::Precondition { .. } => None,
        }
    }

    fn has_spec(&self, spec: &Rc<Value>) -> bool {
        ptr::eq(self.spec, &raw const **spec) || *self.spec == **spec
    }

    fn to_spec(&self) -> Rc<Value> {
        self.shared.map_or_else(|| Rc::new(self.spec.clone()), Rc::clone)
    }

    /// All but the spec.
    fn rest(&self) -> Cow<'a, Value> {
        if self.shared.is_some() {
            return Cow::Borrowed(self.body);
        }
        let fields = self.body.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| *name != "spec");
        let rest: Map<_, _> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        Cow::Owned(Value::Object(rest))
    }
}

fn is_same(one: &Rc<PodSpec>, other: &Rc<PodSpec>) -> bool {
    Rc::ptr_eq(one, other) || one == other
}

fn remember<T>(all: &mut VecDeque<T>, new: T) {
    all.push_front(new);
    all.truncate(KNOWN);
}

/// Whether two new objects have the same fields, whatever those that say which object it is have in them.
fn alike(one: &Object, other: &Object) -> bool {
    match (one, other) {
        (Object::Pod(one), Object::Pod(other)) => {
            one.has_spec_of(other)
                && one.node_name.is_some() == other.node_name.is_some()
                && have_same_fields(&one.metadata, &other.metadata)
        }
        (Object::Event(one), Object::Event(other)) => {
            have_same_parts(one, other) && have_same_fields(&one.metadata, &other.metadata)
        }
        _ => false,
    }
}

fn have_same_parts(one: &Event, other: &Event) -> bool {
    one.related == other.related
        && one.series == other.series
        && one.source == other.source
        && said(one) == said(other)
}

/// Which of its other fields an event has.
fn said(event: &Event) -> [bool; 17] {
    let about = &event.involved_object;
    [
        event.action.is_some(),
        event.count.is_some(),
        event.event_time.is_some(),
        event.first_timestamp.is_some(),
        event.last_timestamp.is_some(),
        event.message.is_some(),
        event.reason.is_some(),
        event.reporting_component.is_some(),
        event.reporting_instance.is_some(),
        event.type_.is_some(),
        about.api_version.is_some(),
        about.field_path.is_some(),
        about.kind.is_some(),
        about.name.is_some(),
        about.namespace.is_some(),
        about.resource_version.is_some(),
        about.uid.is_some(),
    ]
}

fn have_same_fields(one: &ObjectMeta, other: &ObjectMeta) -> bool {
    let is_usual = |meta: &ObjectMeta| {
        meta.managed_fields.is_none()
            && meta.deletion_timestamp.is_none()
            && meta.deletion_grace_period_seconds.is_none()
    };
    is_usual(one)
        && is_usual(other)
        && one.generate_name.is_some() == other.generate_name.is_some()
        && one.finalizers == other.finalizers
        && one.owner_references == other.owner_references
        && have_same_names(one.labels.as_deref(), other.labels.as_deref())
        && have_same_names(one.annotations.as_deref(), other.annotations.as_deref())
}

fn have_same_names(one: Option<&Texts>, other: Option<&Texts>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.keys().eq(other.keys()),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::Kind;
    use crate::api::request::{Params, RequestId, Target, Verb};

    fn pod(json: &Value) -> Object {
        Object::from_json(Kind::Pod, json).unwrap().object
    }

    #[test]
    fn who_creates_a_pod_is_warned_as_who_creates_it_alone() {
        let spec = json!({"containers": [{"name": "web", "image": "nginx"}]});
        let old = json!({"volumes": [{"name": "old", "gitRepo": {"repository": "r"}}],
            "containers": [{"name": "web", "image": "nginx"}]});
        let critical = json!({"scheduler.alpha.kubernetes.io/critical-pod": ""});
        let pods = [
            json!({"metadata": {"name": "a"}, "spec": spec}),
            json!({"metadata": {"name": "a.b"}, "spec": spec}),
            json!({"metadata": {"name": "b", "annotations": critical}, "spec": spec}),
            json!({"metadata": {"name": "c"}, "spec": old}),
            json!({"metadata": {"name": "c.d"}, "spec": old}),
        ];
        let mut templates = Templates::new(1);
        let (mut counts, mut known) = (Vec::new(), Vec::new());
        for json in pods.iter().chain(&pods) {
            let object = templates.shared(pod(json), false);
            let warned = templates.warnings(&object);
            assert_eq!(warned, warnings::of(&object, None), "{json}");
            counts.push(warned.len());
            known.push(templates.told.len());
        }
        assert_eq!(counts, [[0, 1, 1, 1, 2], [0, 1, 1, 1, 2]].concat());
        assert_eq!(known, [1, 1, 2, 3, 3, 3, 3, 3, 3, 3]);
    }

    fn ask(json: &Value) -> Request {
        Request {
            id: RequestId(1),
            verb: Verb::Create,
            target: Target::Path("".into()),
            params: Params::default(),
            payload: Payload::Json(Rc::new(json.clone())),
            caller: None,
        }
    }

    #[test]
    fn a_pod_is_read_as_it_would_be_alone() {
        let spec = json!({"nodeName": "n", "containers": [{"name": "web", "image": "nginx"}]});
        let other = json!({"containers": [{"name": "web", "image": "nginx"}]});
        let bodies = [
            json!({"metadata": {"name": "a"}, "spec": spec}),
            json!({"metadata": {"name": "b", "labels": {"app": "b"}}, "spec": spec}),
            json!({"apiVersion": "v1", "kind": "Pod", "spec": spec, "status": {"phase": "Failed"}}),
            json!({"metadata": {"name": "c"}, "spec": spec, "spek": 1}),
            json!({"metadata": {"name": 1}, "spec": spec}),
            json!({"kind": "Node", "spec": spec}),
            json!({"metadata": {"name": "d"}, "spec": other}),
            json!({"metadata": {"name": "e"}, "spec": {"containers": [], "hue": 1}}),
            json!({"metadata": {"name": "f"}, "spec": {"containers": [], "hue": 1}}),
            json!({"metadata": {"name": "g"}, "spec": null}),
            json!({"metadata": {"name": "h"}}),
        ];
        let mut templates = Templates::new(1);
        for body in bodies.iter().chain(&bodies) {
            let request = ask(body);
            let read = templates.read(Kind::Pod, &request);
            let alone = object_of(Kind::Pod, &request.payload, request.params.field_validation);
            assert_eq!(read, alone, "{body}");
        }
        // Those with the two specs, and with none, each once.
        assert_eq!(templates.read.len(), 3);
        let new = Templates::new(1);
        for (body, mut templates) in
            bodies.iter().flat_map(|body| [(body, templates.clone()), (body, new.clone())])
        {
            let mut rest = body.clone();
            let spec = rest.as_object_mut().and_then(|fields| fields.remove("spec"));
            let Some(spec) = spec.filter(Value::is_object).map(Rc::new) else { continue };
            let known = templates.read.len();
            let payload = Payload::Alike { rest: Rc::new(rest), spec: Rc::clone(&spec) };
            let request = Request { payload, ..ask(body) };
            let read = templates.read(Kind::Pod, &request);
            let alone = templates.clone().read(Kind::Pod, &ask(body));
            assert_eq!(read, alone, "{body}");
            let shares = templates.read.iter().any(|known| Rc::ptr_eq(&known.spec, &spec));
            assert_eq!(
                shares,
                known > 0 && spec.get("hue").is_none() || templates.read.len() > known
            );
        }
        let read = |body| templates.clone().read(Kind::Pod, &ask(body)).unwrap().0;
        let [Object::Pod(first), Object::Pod(second)] = [&bodies[0], &bodies[1]].map(read) else {
            panic!("pods are read as pods");
        };
        assert!(Rc::ptr_eq(&first.spec, &second.spec));
    }

    #[test]
    fn only_a_pod_that_nothing_else_depends_on_needs_no_check_of_a_known_spec() {
        let plain = json!({"containers": [{"name": "web", "image": "nginx"}]});
        let volumes = json!({"containers": plain["containers"], "volumes": [
            {"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        ]});
        let annotated = json!({"name": "a", "annotations": {"a": "b"}});
        let mut bound = plain.clone();
        bound["nodeName"] = json!("n");
        let mut templates = Templates::new(1);
        let known = json!({"metadata": {"name": "a"}, "spec": plain});
        assert!(!templates.recognise(&mut pod(&known)), "nothing is known yet");
        templates.shared(pod(&known), true);
        templates.shared(pod(&json!({"metadata": {"name": "a"}, "spec": volumes})), false);
        for (body, is_known) in [
            (known, true),
            (json!({"metadata": annotated, "spec": plain}), false),
            (json!({"metadata": {"name": "b"}, "spec": bound}), false),
            (json!({"metadata": {"name": "b"}, "spec": volumes}), false),
            (json!({"metadata": {"name": "b"}, "spec": {"containers": []}}), false),
        ] {
            let mut object = pod(&body);
            assert_eq!(templates.recognise(&mut object), is_known, "{body}");
            assert_eq!(object, pod(&body), "it is the same pod");
        }
    }

    #[test]
    fn an_event_has_the_owners_that_it_would_have_alone() {
        let plain = json!({"metadata": {"name": "a", "namespace": "x"}, "reason": "Scheduled",
            "type": "Normal", "involvedObject": {"kind": "Pod", "name": "a", "uid": "1"}});
        let with = |pointer: &str, value: Value| {
            let mut event = plain.clone();
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            event.pointer_mut(parent).unwrap()[field] = value;
            event
        };
        let events = [
            plain.clone(),
            with("/metadata/name", json!("b")),
            with("/reason", json!("Failed")),
            with("/reason", json!("")),
            with("/message", json!("m")),
            with("/action", json!("Binding")),
            with("/count", json!(2)),
            with("/eventTime", json!("2026-01-01T00:00:00.000000Z")),
            with("/firstTimestamp", json!("2026-01-01T00:00:00Z")),
            with("/lastTimestamp", json!("2026-01-01T00:00:00Z")),
            with("/reportingComponent", json!("kubelet")),
            with("/reportingInstance", json!("n")),
            with("/type", json!(null)),
            with("/involvedObject/apiVersion", json!("v1")),
            with("/involvedObject/fieldPath", json!("spec")),
            with("/involvedObject/kind", json!(null)),
            with("/involvedObject/namespace", json!("x")),
            with("/involvedObject/resourceVersion", json!("7")),
            with("/involvedObject/uid", json!("2")),
            with("/related", json!({"kind": "Node"})),
            with("/series", json!({"count": 3})),
            with("/source", json!({"component": "kubelet"})),
            with("/metadata/labels", json!({"a": "b"})),
        ];
        let event = |json: &Value| Object::from_json(Kind::Event, json).unwrap().object;
        let now = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
        let mut shared = 0;
        for (first, second) in events.iter().flat_map(|one| events.iter().map(move |it| (one, it)))
        {
            let mut templates = Templates::new(1);
            templates.tracked(&ask(first), event(first), now);
            let tracked = templates.tracked(&ask(second), event(second), now);
            let alone = apply::tracked(&ask(second), None, None, event(second), now);
            assert_eq!(tracked, alone, "{second} after {first}");
            shared += usize::from(templates.owned.len() == 1);
        }
        // Each with itself; and those among each other that differ in what all have: a name, a reason, a
        // uid, and who reports it, which is empty where nobody does.
        assert_eq!(shared, events.len() + 6 * 5);
    }

    #[test]
    fn a_pod_has_the_owners_that_it_would_have_alone() {
        let spec = json!({"containers": [{"name": "web", "image": "nginx"}]});
        let other = json!({"containers": [{"name": "web", "image": "nginx", "tty": true}]});
        let bound = json!({"nodeName": "n", "containers": [{"name": "web", "image": "nginx"}]});
        let metas = [
            json!({"name": "a"}),
            json!({"name": "b"}),
            json!({"generateName": "c-"}),
            json!({"name": "d", "labels": {}}),
            json!({"name": "e", "labels": {"app": "a"}}),
            json!({"name": "f", "labels": {"app": "b"}}),
            json!({"name": "g", "labels": {"tier": "b"}}),
            json!({"name": "h", "annotations": {"tier": "b"}}),
            json!({"name": "i", "finalizers": ["a.b/c"]}),
            json!({"name": "j", "finalizers": ["a.b/d"]}),
            json!({"name": "k", "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1"}]}),
            json!({"name": "l", "managedFields": [{"manager": "me", "operation": "Apply", "apiVersion": "v1",
                "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}}}]}),
        ];
        for first in &metas {
            for (second, spec_of_second) in
                metas.iter().flat_map(|meta| [&spec, &other, &bound].map(|spec| (meta, spec)))
            {
                let mut templates = Templates::new(1);
                let first = json!({"metadata": first, "spec": spec});
                let second = json!({"metadata": second, "spec": spec_of_second});
                let [early, late] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"]
                    .map(|time| time.parse::<Timestamp>().unwrap());
                templates.tracked(&ask(&first), pod(&first), early);
                let tracked = templates.tracked(&ask(&second), pod(&second), late);
                let alone = apply::tracked(&ask(&second), None, None, pod(&second), late);
                assert_eq!(tracked, alone, "{second} after {first}");
            }
        }
    }
}
