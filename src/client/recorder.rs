//! The event recorder: what a component tells people about an object, repeated ones counted.
//!
//! Mirrors: `client-go/tools/record` (the core/v1 form with a count) and `tools/events` (the
//! scheduler's events.k8s.io form, which has an action and an `eventTime` instead).

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use imbl::GenericOrdMap;
use imbl::shared_ptr::RcK;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{EventSeries, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::Client;
use crate::api::request::{Patch, Request, Target};
use crate::api::types::Event;
use crate::api::{Kind, Object, ObjectMeta, Pod, seconds};
use crate::sim::{Component, Ctx, Instant, Text};

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

/// The object that an event is about, and one that has to do with it.
#[derive(Clone, Debug)]
pub struct Regarding {
    about: Rc<ObjectReference>,
    related: Option<Rc<ObjectReference>>,
}

impl Regarding {
    /// A pod, or a part of it such as `spec.containers{web}`.
    pub fn pod(pod: &Pod, field_path: Option<String>) -> Self {
        Self { about: Rc::new(reference(pod, field_path)), related: None }
    }

    /// The same, to which `pod` is related.
    #[must_use]
    pub fn related(self, pod: &Pod) -> Self {
        Self { related: Some(Rc::new(reference(pod, None))), ..self }
    }

    /// A node, as its kubelet names it: the uid is the node's name.
    pub fn node(name: &str) -> Self {
        let about = Rc::new(ObjectReference {
            kind: Some("Node".into()),
            name: Some(name.into()),
            uid: Some(name.into()),
            ..ObjectReference::default()
        });
        Self { about, related: None }
    }
}

fn reference(pod: &Pod, field_path: Option<String>) -> ObjectReference {
    let text = |text: &Option<Rc<str>>| text.as_deref().map(str::to_owned);
    ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Pod".into()),
        namespace: text(&pod.metadata.namespace),
        name: text(&pod.metadata.name),
        uid: text(&pod.metadata.uid),
        resource_version: text(&pod.metadata.resource_version),
        field_path,
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
    /// What was told, by what makes it the same event.
    seen: GenericOrdMap<Text, Object, RcK>,
    /// The same, the oldest first.
    order: VecDeque<Text>,
    next: u64,
    /// When it was looked last which events are over, and when it was told how often others came.
    finished: Instant,
    refreshed: Instant,
}

/// How many different events a recorder remembers to count repetitions.
const REMEMBERED: usize = 4096;
/// An event that does not come again for so long is over.
const FINISH: Duration = Duration::from_mins(6);
/// How often it is told how often an event came that goes on.
const REFRESH: Duration = Duration::from_mins(30);

impl Recorder {
    /// For a kubelet: core/v1 events with the node as their host. `epoch` is the date at which
    /// virtual time begins.
    pub fn with_host(component: &str, host: &str, epoch: Timestamp) -> Self {
        Self { host: Some(host.into()), ..Self::new(component, epoch) }
    }

    /// For the scheduler: events with an action and an `eventTime`.
    pub fn with_instance(component: &str, instance: &str, epoch: Timestamp) -> Self {
        Self { instance: Some(instance.into()), ..Self::new(component, epoch) }
    }

    fn new(component: &str, epoch: Timestamp) -> Self {
        Self {
            component: component.into(),
            host: None,
            instance: None,
            epoch,
            seen: GenericOrdMap::new(),
            order: VecDeque::new(),
            next: 0,
            finished: Instant::ZERO,
            refreshed: Instant::ZERO,
        }
    }

    /// Tells of something; nobody waits for the answer. `action` is for events of the events.k8s.io form
    /// only: the same about the same version of an object, in whatever words, begins a series, which is told
    /// once and then counted. In the other form the same words about the same object raise the count.
    pub fn record<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        client: &mut Client,
        regarding: Regarding,
        (kind, reason, action): (EventKind, &str, Option<&str>),
        message: &str,
    ) where
        C: Component<Out: From<Request>>,
    {
        let now = ctx.now.date(self.epoch);
        let Regarding { about, related } = &regarding;
        let version =
            |object: &ObjectReference| object.resource_version.clone().unwrap_or_default();
        let (of, by) = match &self.instance {
            Some(_) => (version(about), related.as_deref().map(version).unwrap_or_default()),
            None => (String::new(), message.to_owned()),
        };
        let parts = [
            about.uid.as_deref().or(about.name.as_deref()).unwrap_or_default(),
            about.kind.as_deref().unwrap_or_default(),
            about.field_path.as_deref().unwrap_or_default(),
            kind.name(),
            reason,
            &of,
            &by,
        ];
        let key: Text = parts.join("/").into();
        if let Some(Object::Event(earlier)) = self.seen.get(&key) {
            let again = Rc::new(self.again(earlier, now));
            self.seen.insert(key, Object::Event(Rc::clone(&again)));
            // A series is told when it begins, and then now and then.
            if again.series.as_ref().is_none_or(|series| series.count == Some(2)) {
                tell_again(ctx, client, again);
            }
            return;
        }
        let event = Rc::new(self.event(regarding, (kind, reason, action), message, now));
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.seen.insert(key, Object::Event(Rc::clone(&event)));
        client.create(ctx, Object::Event(event));
    }

    /// Tells how often events came that go on, and forgets those that are over: to be called often.
    pub fn look_after<C>(&mut self, ctx: &mut Ctx<'_, C>, client: &mut Client)
    where
        C: Component<Out: From<Request>>,
    {
        let is_over = self.finished + FINISH <= ctx.now;
        let goes_on = self.refreshed + REFRESH <= ctx.now;
        if is_over || goes_on {
            self.tell_of_series(ctx, client, is_over, goes_on);
        }
    }

    /// Seldom, so that it comes later to the page.
    #[inline(never)]
    fn tell_of_series<C>(
        &mut self,
        ctx: &mut Ctx<'_, C>,
        client: &mut Client,
        is_over: bool,
        goes_on: bool,
    ) where
        C: Component<Out: From<Request>>,
    {
        let now = ctx.now.date(self.epoch);
        let is_old = |event: &Event| {
            let series =
                event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
            let last = series.or(event.event_time.as_ref());
            last.is_some_and(|last| now.duration_since(last.0).unsigned_abs() > FINISH)
        };
        for key in std::mem::take(&mut self.order) {
            let Some(Object::Event(event)) = self.seen.get(&key) else { continue };
            let ends = is_over && is_old(event);
            if event.series.is_some() && (ends || goes_on) {
                tell_again(ctx, client, Rc::clone(event));
            }
            if ends {
                self.seen.remove(&key);
            } else {
                self.order.push_back(key);
            }
        }
        if is_over {
            self.finished = ctx.now;
        }
        if goes_on {
            self.refreshed = ctx.now;
        }
    }

    /// What has come before, one more time.
    fn again(&self, earlier: &Event, now: Timestamp) -> Event {
        let mut again = Event::clone(earlier);
        if self.instance.is_some() {
            let before = again.series.as_ref().and_then(|series| series.count).unwrap_or(1);
            again.series = Some(Rc::new(EventSeries {
                count: Some(before.saturating_add(1)),
                last_observed_time: Some(MicroTime(now)),
            }));
        } else {
            again.count = Some(again.count.unwrap_or(1).saturating_add(1));
            again.last_timestamp = Some(seconds(now));
        }
        again
    }

    fn event(
        &mut self,
        Regarding { about, related }: Regarding,
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
            related,
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

fn tell_again<C>(ctx: &mut Ctx<'_, C>, client: &mut Client, again: Rc<Event>)
where
    C: Component<Out: From<Request>>,
{
    let name = again.metadata.name.as_deref().unwrap_or_default();
    let namespace = again.metadata.namespace.as_deref().unwrap_or_default();
    let target = Target::named(Kind::Event, namespace, name);
    client.patch(ctx, target, Patch::Event(again));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::request::Verb;
    use crate::sim::{Effect, Event as Happening, Rng};

    /// Tells what it is told to.
    struct Teller;

    impl Component for Teller {
        type In = ();
        type Out = Request;
        type Timer = ();

        fn handle(&mut self, _: &mut Ctx<'_, Self>, _: Happening<Self>) {}
    }

    struct World {
        recorder: Recorder,
        client: Client,
    }

    impl World {
        fn new(recorder: Recorder) -> Self {
            Self { recorder, client: Client::default() }
        }

        /// What is asked for when `act` is done at that minute: `POST`, or what a patch says.
        fn at(
            &mut self,
            minute: u64,
            act: impl FnOnce(&mut Recorder, &mut Ctx<'_, Teller>, &mut Client),
        ) -> Vec<String> {
            let (mut rng, mut outbox) = (Rng::new(1), Vec::new());
            let now = Instant::ZERO + Duration::from_mins(minute);
            let mut ctx = Ctx { now, rng: &mut rng, outbox: &mut outbox };
            act(&mut self.recorder, &mut ctx, &mut self.client);
            let asked = outbox.into_iter().filter_map(|effect| match effect {
                Effect::Send { body, .. } => Some(body),
                Effect::Timer { .. } => None,
            });
            let said = |request: Request| {
                let is_patch = request.verb == Verb::Patch;
                let body = request.body().filter(|_| is_patch);
                body.map_or_else(|| request.method().to_owned(), |body| body.to_string())
            };
            asked.map(said).collect()
        }

        fn tell(&mut self, minute: u64, version: &str, message: &str) -> Vec<String> {
            let mut pod = Pod::default();
            pod.metadata.name = Some("web".into());
            pod.metadata.resource_version = Some(version.into());
            self.at(minute, |recorder, ctx, client| {
                let words = (EventKind::Warning, "FailedScheduling", Some("Scheduling"));
                recorder.record(ctx, client, Regarding::pod(&pod, None), words, message);
            })
        }

        fn look_after(&mut self, minute: u64) -> Vec<String> {
            self.at(minute, Recorder::look_after)
        }
    }

    #[test]
    fn what_comes_again_about_one_version_is_a_series_that_is_told_now_and_then() {
        let mut world = World::new(Recorder::with_instance("s", "s-0", Timestamp::UNIX_EPOCH));
        assert_eq!(world.tell(0, "1", "no"), ["POST"]);
        assert_eq!(world.tell(0, "2", "no"), ["POST"], "the pod is another one");
        let series = |count: u64, minute: u64| {
            let time = format!("1970-01-01T00:{minute:02}:00.000000Z");
            [format!(r#"{{"series":{{"count":{count},"lastObservedTime":"{time}"}}}}"#)]
        };
        assert_eq!(world.tell(1, "2", "no, either"), series(2, 1));
        assert_eq!(world.tell(5, "2", "no"), Vec::<String>::new());
        assert_eq!(world.look_after(6), Vec::<String>::new());
        for minute in [10, 15, 20, 25, 29] {
            assert_eq!(world.tell(minute, "2", "no"), Vec::<String>::new());
            assert_eq!(world.look_after(minute), Vec::<String>::new());
        }
        assert_eq!(world.look_after(30), series(8, 29), "it goes on");
        assert_eq!(world.look_after(36), series(8, 29), "it is over");
        assert_eq!(world.look_after(60), Vec::<String>::new());
        assert_eq!(world.tell(61, "2", "no"), ["POST"], "nothing is known of it");
        assert_eq!(world.tell(61, "1", "no"), ["POST"]);
    }

    #[test]
    fn in_the_other_form_the_same_words_raise_the_count() {
        let mut world = World::new(Recorder::with_host("kubelet", "node-1", Timestamp::UNIX_EPOCH));
        assert_eq!(world.tell(0, "1", "no"), ["POST"]);
        assert_eq!(world.tell(0, "1", "never"), ["POST"]);
        let again = r#"{"count":2,"lastTimestamp":"1970-01-01T00:01:00Z","message":"no"}"#;
        assert_eq!(world.tell(1, "2", "no"), [again], "whatever has become of the pod");
    }
}
