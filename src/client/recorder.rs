//! The event recorder: what a component tells people about an object, repeated ones counted.
//!
//! Mirrors: `client-go/tools/record` (the core/v1 form with a count) and `tools/events` (the
//! scheduler's events.k8s.io form, which has an action and an `eventTime` instead).

use std::collections::VecDeque;
use std::rc::Rc;

use imbl::GenericOrdMap;
use imbl::shared_ptr::RcK;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::Client;
use crate::api::request::{Patch, Request, RequestId, Target};
use crate::api::types::Event;
use crate::api::{Kind, Object, ObjectMeta, Pod, seconds};
use crate::sim::{Component, Ctx, Text};

/// Whether an event is worth a worry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    Normal,
    Warning,
}

impl EventKind {
    fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// The object that an event is about.
#[derive(Clone, Debug)]
pub struct Regarding(Rc<ObjectReference>);

impl Regarding {
    /// A pod, or a part of it such as `spec.containers{web}`.
    pub fn pod(pod: &Pod, field_path: Option<String>) -> Self {
        let text = |text: &Option<Rc<str>>| text.as_deref().map(str::to_owned);
        Self(Rc::new(ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: text(&pod.metadata.namespace),
            name: text(&pod.metadata.name),
            uid: text(&pod.metadata.uid),
            resource_version: text(&pod.metadata.resource_version),
            field_path,
        }))
    }

    /// A node, as its kubelet names it: the uid is the node's name.
    pub fn node(name: &str) -> Self {
        Self(Rc::new(ObjectReference {
            kind: Some("Node".into()),
            name: Some(name.into()),
            uid: Some(name.into()),
            ..ObjectReference::default()
        }))
    }
}

/// Records events for one component.
#[derive(Clone, Debug)]
pub struct Recorder {
    component: Rc<str>,
    /// The node it runs on, where its events say so.
    host: Option<Rc<str>>,
    /// Events of the events.k8s.io form carry this as their `reportingInstance`.
    instance: Option<Rc<str>>,
    epoch: Timestamp,
    /// What was told, by whom it regards and the words.
    seen: GenericOrdMap<Text, Object, RcK>,
    /// The same, the oldest first.
    order: VecDeque<Text>,
    next: u64,
}

/// How many different events a recorder remembers to count repetitions.
const REMEMBERED: usize = 4096;

impl Recorder {
    /// For a kubelet: core/v1 events with the node as their host. `epoch` is the date at which
    /// virtual time begins.
    pub fn with_host(component: &str, host: &str, epoch: Timestamp) -> Self {
        Self {
            component: component.into(),
            host: Some(host.into()),
            instance: None,
            epoch,
            seen: GenericOrdMap::new(),
            order: VecDeque::new(),
            next: 0,
        }
    }

    /// For the scheduler: events with an action and an `eventTime`.
    pub fn with_instance(component: &str, instance: &str, epoch: Timestamp) -> Self {
        Self {
            component: component.into(),
            host: None,
            instance: Some(instance.into()),
            epoch,
            seen: GenericOrdMap::new(),
            order: VecDeque::new(),
            next: 0,
        }
    }

    /// Tells of something; the same words about the same object again raise the count. `action` is
    /// for events of the events.k8s.io form only. Nobody waits for the answer.
    pub fn record<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        client: &mut Client,
        Regarding(about): Regarding,
        (kind, reason, action): (EventKind, &str, Option<&str>),
        message: &str,
    ) -> RequestId
    where
        C: Component<Out: From<Request>>,
    {
        let now = ctx.now.date(self.epoch);
        let key: Text = format!(
            "{}/{}/{}/{}/{reason}/{message}",
            about.uid.as_deref().or(about.name.as_deref()).unwrap_or_default(),
            about.kind.as_deref().unwrap_or_default(),
            about.field_path.as_deref().unwrap_or_default(),
            kind.name(),
        )
        .into();
        if let Some(Object::Event(earlier)) = self.seen.get(&key) {
            let mut again = Event::clone(earlier);
            again.count = Some(again.count.unwrap_or(1).saturating_add(1));
            again.last_timestamp = Some(seconds(now));
            let again = Rc::new(again);
            self.seen.insert(key, Object::Event(Rc::clone(&again)));
            let name = again.metadata.name.as_deref().unwrap_or_default();
            let namespace = again.metadata.namespace.as_deref().unwrap_or_default();
            let target = Target::named(Kind::Event, namespace, name);
            return client.patch(ctx, target, Patch::Event(again));
        }
        let event = Rc::new(self.event(about, (kind, reason, action), message, now));
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.seen.insert(key, Object::Event(Rc::clone(&event)));
        client.create(ctx, Object::Event(event))
    }

    fn event(
        &mut self,
        about: Rc<ObjectReference>,
        (kind, reason, action): (EventKind, &str, Option<&str>),
        message: &str,
        now: Timestamp,
    ) -> Event {
        self.next += 1;
        let suffix = now.as_nanosecond() + i128::from(self.next % 1000);
        let name = format!("{}.{suffix:x}", about.name.as_deref().unwrap_or_default());
        let component = Some(self.component.to_string());
        let namespace: Rc<str> = about.namespace.as_deref().unwrap_or("default").into();
        let mut event = Event {
            metadata: ObjectMeta {
                name: Some(name.into()),
                namespace: Some(namespace),
                ..ObjectMeta::default()
            },
            involved_object: about,
            type_: Some(kind.name().into()),
            reason: Some(reason.into()),
            message: Some(message.into()),
            reporting_component: component.clone(),
            ..Event::default()
        };
        if let Some(instance) = &self.instance {
            event.event_time = Some(MicroTime(now));
            event.reporting_instance = Some(instance.to_string());
            event.action = action.map(str::to_owned);
        } else {
            let host = self.host.as_deref().map(str::to_owned);
            event.source = Some(Rc::new(EventSource { component, host: host.clone() }));
            event.reporting_instance = host;
            event.count = Some(1);
            event.first_timestamp = Some(seconds(now));
            event.last_timestamp = Some(seconds(now));
        }
        event
    }
}
