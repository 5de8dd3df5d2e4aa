//! A Pod's way from its creation to Ready, read from the trace and from the Pod itself.

use std::time::Duration;

use serde_json::Value;

use crate::api::request::{Answer, Payload, Request, Subresource, Target, Verb};
use crate::api::wire::PodStatus;
use crate::api::{Kind, Object, Pod};
use crate::cluster::{Address, Body, Message};
use crate::runtime::{CallId, CriRequest, CriResponse, Outcome};
use crate::sim::{Instant, Trace};

/// A station of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Station {
    Created,
    Stored,
    SeenByScheduler,
    Bound,
    SeenByKubelet,
    ImagePulled,
    ContainerStarted,
    Running,
    Ready,
}

/// How far a station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Done,
    /// The first that is not done.
    Next,
    Later,
}

/// A station with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub station: Station,
    pub progress: Progress,
    /// When it was reached; none if that is no longer, or not yet, known.
    pub at: Option<Instant>,
    /// Since the station before.
    pub took: Option<Duration>,
    pub slowest: bool,
    /// The message that shows it.
    pub message: Option<u64>,
    /// It in the API's own words.
    pub detail: String,
}

impl Station {
    /// In their order.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Stored,
        Self::SeenByScheduler,
        Self::Bound,
        Self::SeenByKubelet,
        Self::ImagePulled,
        Self::ContainerStarted,
        Self::Running,
        Self::Ready,
    ];

    /// Its name in the catalogues.
    pub fn key(self) -> &'static str {
        match self {
            Self::Created => "journey.created",
            Self::Stored => "journey.stored",
            Self::SeenByScheduler => "journey.scheduler",
            Self::Bound => "journey.bound",
            Self::SeenByKubelet => "journey.kubelet",
            Self::ImagePulled => "journey.pulled",
            Self::ContainerStarted => "journey.started",
            Self::Running => "journey.running",
            Self::Ready => "journey.ready",
        }
    }
}

/// The way of the Pod called `name`. `pod` is as it is now; none if it is gone or not there yet.
///
/// Cost: one pass over the trace.
pub fn journey(
    trace: &Trace<Message>,
    namespace: &str,
    name: &str,
    pod: Option<&Pod>,
) -> Vec<Step> {
    let mut reader = Reader { namespace, name, ..Reader::default() };
    for message in trace.from(trace.first()) {
        reader.read(message);
    }
    let mut steps = Vec::new();
    let mut before: Option<Instant> = None;
    let mut waiting = false;
    for station in Station::ALL {
        let mark = reader.found.iter().find(|mark| mark.station == station);
        let done = mark.is_some() || pod.is_some_and(|pod| has_reached(pod, station));
        let progress = match (done, waiting) {
            (true, _) => Progress::Done,
            (false, false) => Progress::Next,
            (false, true) => Progress::Later,
        };
        waiting |= !done;
        let at = mark.map(|mark| mark.at);
        let took = before.zip(at).map(|(before, at)| at.since(before));
        before = at.or(before);
        let detail = match (mark, progress) {
            (Some(mark), _) => mark.detail.clone(),
            (None, Progress::Next) => pod.map(what_it_waits_for).unwrap_or_default(),
            (None, Progress::Done | Progress::Later) => String::new(),
        };
        let message = mark.map(|mark| mark.message);
        steps.push(Step { station, progress, at, took, slowest: false, message, detail });
    }
    let slowest = steps.iter().filter_map(|step| step.took).max();
    let longest = steps.iter_mut().find(|step| step.took.is_some() && step.took == slowest);
    if let Some(step) = longest {
        step.slowest = true;
    }
    steps
}

/// Whether the Pod itself shows that it has come so far.
fn has_reached(pod: &Pod, station: Station) -> bool {
    let statuses = pod.status.container_statuses.as_deref().unwrap_or_default();
    let has_started = statuses.iter().any(|status| {
        let state = status.state.as_ref();
        status.restart_count > 0
            || state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
    });
    match station {
        Station::Created | Station::Stored => true,
        Station::SeenByScheduler => pod.node_name.is_some() || pod.status.conditions.is_some(),
        Station::Bound => pod.node_name.is_some(),
        Station::SeenByKubelet => pod.status.start_time.is_some(),
        Station::ImagePulled | Station::ContainerStarted => has_started,
        Station::Running => has_started && !is_pending(&pod.status),
        Station::Ready => is_ready(&pod.status),
    }
}

fn is_pending(status: &PodStatus) -> bool {
    status.phase.as_deref().is_none_or(|phase| phase == crate::api::words::PENDING)
}

fn is_ready(status: &PodStatus) -> bool {
    let mut conditions = status.conditions.iter().flatten();
    conditions.any(|condition| {
        condition.type_ == crate::api::words::READY && condition.status == crate::api::words::TRUE
    })
}

/// Why it goes no further, in the words of its status.
fn what_it_waits_for(pod: &Pod) -> String {
    let statuses = pod.status.container_statuses.iter().flatten();
    let waiting = statuses
        .filter_map(|status| status.state.as_ref()?.waiting.as_ref())
        .find_map(|waiting| Some((waiting.reason.as_deref()?, waiting.message.as_deref())));
    if let Some((reason, message)) = waiting {
        return message.map_or_else(|| reason.to_owned(), |message| format!("{reason}: {message}"));
    }
    let mut conditions = pod.status.conditions.iter().flatten();
    let refused = conditions.find(|condition| {
        condition.type_ == crate::api::words::POD_SCHEDULED
            && condition.status == crate::api::words::FALSE
    });
    refused.and_then(|condition| condition.message.clone()).unwrap_or_default()
}

#[derive(Debug)]
struct Mark {
    station: Station,
    at: Instant,
    message: u64,
    detail: String,
}

/// Goes over the trace and keeps the first sight of each station.
#[derive(Debug, Default)]
struct Reader<'a> {
    namespace: &'a str,
    name: &'a str,
    found: Vec<Mark>,
    /// The call that stores the Pod, whose answer counts.
    store_call: Option<u64>,
    node: Option<u32>,
    /// The calls to the node's runtime whose answers are awaited.
    calls: Vec<(CallId, Asked)>,
    sandbox: Option<String>,
    containers: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Sandbox,
    Image,
    Container,
    Start,
}

impl Reader<'_> {
    fn mark(&mut self, station: Station, at: Instant, message: &Message, detail: String) {
        if self.found.iter().all(|mark| mark.station != station) {
            self.found.push(Mark { station, at, message: message.id, detail });
        }
    }

    fn has(&self, station: Station) -> bool {
        self.found.iter().any(|mark| mark.station == station)
    }

    fn read(&mut self, message: &Message) {
        match &message.body {
            Body::Request(request) => self.read_request(message, request),
            Body::Response { request: Some(request), response } => {
                let binds = self.binds(request);
                if binds && response.result.is_ok() {
                    let Payload::Binding { node, .. } = &request.payload else { return };
                    self.mark(Station::Bound, message.sent, message, node.to_string());
                }
                if let Ok(Answer::Created(object)) = &response.result
                    && !self.has(Station::Created)
                    && self.is_it(object)
                {
                    self.mark(Station::Created, message.sent, message, message.body.label());
                }
            }
            Body::Watch(event) => {
                if let Some(Object::Pod(pod)) = event.change.object()
                    && pod.key() == (self.namespace, self.name)
                {
                    self.read_watch(message, pod);
                }
            }
            Body::StoreCall(call) => {
                if self.store_call.is_none() && call.value().is_some_and(|value| self.is_it(value))
                {
                    self.store_call = Some(message.id);
                }
            }
            Body::StoreOut(_) => {
                if self.store_call.is_some() && message.cause == self.store_call {
                    let detail = message.body.label();
                    self.mark(Station::Stored, message.arrives, message, detail);
                }
            }
            Body::CriRequest { call, request } => self.read_call(message, *call, request),
            Body::CriOutcome(outcome) => self.read_outcome(message, outcome),
            Body::Response { request: None, .. } => {}
        }
    }

    fn is_it(&self, object: &Object) -> bool {
        object.kind() == Kind::Pod
            && object.name() == self.name
            && object.namespace() == self.namespace
    }

    fn binds(&self, request: &Request) -> bool {
        let part = match &request.target {
            Target::Resource { subresource, .. } => *subresource,
            Target::Path(_) => None,
        };
        part == Some(Subresource::Binding) && request.pod() == Some((self.namespace, self.name))
    }

    fn read_request(&mut self, message: &Message, request: &Request) {
        if request.verb != Verb::Create
            || request.target.kind() != Some(Kind::Pod)
            || self.has(Station::Created)
            || request.namespace() != self.namespace
        {
            return;
        }
        let is_it = match &request.payload {
            Payload::Object(object) => self.is_it(object),
            Payload::Json(value) | Payload::Alike { rest: value, .. } => {
                value.pointer("/metadata/name").and_then(Value::as_str) == Some(self.name)
            }
            Payload::Refused(_)
            | Payload::None
            | Payload::Binding { .. }
            | Payload::Patch(_)
            | Payload::Precondition { .. } => false,
        };
        if is_it {
            self.mark(Station::Created, message.sent, message, message.body.label());
        }
    }

    fn read_watch(&mut self, message: &Message, pod: &Pod) {
        match message.to {
            Address::Scheduler => {
                self.mark(Station::SeenByScheduler, message.arrives, message, message.body.label());
            }
            Address::Kubelet(node) => {
                self.node = Some(node);
                self.mark(Station::SeenByKubelet, message.arrives, message, message.body.label());
            }
            Address::You | Address::ApiServer | Address::Etcd | Address::Runtime(_) => {}
        }
        if !is_pending(&pod.status) {
            let detail = pod.status.pod_ip.clone().unwrap_or_default();
            self.mark(Station::Running, message.sent, message, detail);
        }
        if is_ready(&pod.status) {
            self.mark(Station::Ready, message.sent, message, message.body.label());
        }
    }

    fn read_call(&mut self, message: &Message, call: CallId, request: &CriRequest) {
        let Some(node) = self.node else { return };
        if message.to != Address::Runtime(node) || self.has(Station::ContainerStarted) {
            return;
        }
        let asked = match request {
            CriRequest::RunPodSandbox { config } => {
                let about = &config.metadata;
                (*about.name == *self.name && *about.namespace == *self.namespace)
                    .then_some(Asked::Sandbox)
            }
            // Whose image it is no call says: it is this Pod's while its sandbox waits for one.
            CriRequest::ImageStatus { .. } => self.sandbox.is_some().then_some(Asked::Image),
            CriRequest::PullImage { .. } => {
                if self.sandbox.is_some() && !self.has(Station::ContainerStarted) {
                    // That it was there did not do.
                    self.found.retain(|mark| mark.station != Station::ImagePulled);
                }
                self.sandbox.is_some().then_some(Asked::Image)
            }
            CriRequest::CreateContainer { pod_sandbox_id, .. } => {
                let id = pod_sandbox_id.to_string();
                (self.sandbox == Some(id)).then_some(Asked::Container)
            }
            CriRequest::StartContainer { container_id } => {
                self.containers.contains(&container_id.to_string()).then_some(Asked::Start)
            }
            CriRequest::Status
            | CriRequest::UpdateRuntimeConfig { .. }
            | CriRequest::StopPodSandbox { .. }
            | CriRequest::RemovePodSandbox { .. }
            | CriRequest::PodSandboxStatus { .. }
            | CriRequest::ListPodSandbox
            | CriRequest::ListImages
            | CriRequest::RemoveImage { .. }
            | CriRequest::StopContainer { .. }
            | CriRequest::UpdateContainerResources { .. }
            | CriRequest::RemoveContainer { .. }
            | CriRequest::ContainerStatus { .. }
            | CriRequest::ListContainers
            | CriRequest::ReadLogs { .. }
            | CriRequest::FollowLog { .. }
            | CriRequest::Exec { .. }
            | CriRequest::Attach { .. }
            | CriRequest::TypeIn { .. }
            | CriRequest::PortForward { .. }
            | CriRequest::Forward(_)
            | CriRequest::Cancel
            | CriRequest::ExecSync { .. } => None,
        };
        if let Some(asked) = asked {
            self.calls.push((call, asked));
        }
    }

    fn read_outcome(&mut self, message: &Message, outcome: &Outcome) {
        let Outcome::Answered { call, result: Ok(response), .. } = outcome else { return };
        if self.node.is_none_or(|node| message.from != Address::Runtime(node)) {
            return;
        }
        let Some(at) = self.calls.iter().position(|(known, _)| known == call) else { return };
        let (_, asked) = self.calls.remove(at);
        let reached = message.arrives;
        match (asked, response) {
            (Asked::Sandbox, CriResponse::RunPodSandbox { pod_sandbox_id }) => {
                self.sandbox = Some(pod_sandbox_id.to_string());
            }
            (Asked::Image, CriResponse::PullImage { image_ref }) => {
                self.mark(Station::ImagePulled, reached, message, image_ref.clone());
            }
            (Asked::Image, CriResponse::ImageStatus { image: Some(_) }) => {
                let detail = "already present on machine".to_owned();
                self.mark(Station::ImagePulled, reached, message, detail);
            }
            (Asked::Container, CriResponse::CreateContainer { container_id }) => {
                self.containers.push(container_id.to_string());
            }
            (Asked::Start, CriResponse::StartContainer) => {
                let detail = message.body.label();
                self.mark(Station::ContainerStarted, reached, message, detail);
            }
            (Asked::Sandbox | Asked::Image | Asked::Container | Asked::Start, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::cluster::{Cluster, HttpCall, Setup};

    #[test]
    fn the_image_is_there_once_the_pull_is_over_that_comes_after_a_look() {
        let mut cluster = Cluster::new(&Setup::new(1, 1));
        cluster.run_for(Duration::from_secs(5));
        let mut how = |name: &str, policy: &str| {
            let container = json!({"name": "a", "image": "nginx:1", "imagePullPolicy": policy});
            let body = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                "spec": {"containers": [container]},
            });
            let path = "/api/v1/namespaces/default/pods";
            cluster.submit(&HttpCall::new("POST", path, Some(body)));
            cluster.run_for(Duration::from_secs(20));
            let steps = journey(cluster.trace(), "default", name, None);
            let pulled = steps.into_iter().find(|step| step.station == Station::ImagePulled);
            pulled.unwrap().detail
        };
        let digest = how("first", "IfNotPresent");
        assert!(digest.starts_with("sha256:"), "{digest}");
        assert_eq!(how("second", "IfNotPresent"), "already present on machine");
        assert_eq!(how("third", "Always"), digest);
    }
}
