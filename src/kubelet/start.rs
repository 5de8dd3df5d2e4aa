//! Starting a container: back-off, image, create, start, and what is said on the way.
//!
//! Mirrors: `startContainer` of `kuberuntime/kuberuntime_container.go`.

use std::rc::Rc;
use std::time::Duration;

use super::Kubelet;
use super::container::{self, Cause, Facts, Kind, Record};
use super::images::{Wish, with_tag};
use super::pod_worker::{PodWorker, State};
use super::shared::Shared;
use super::status::specs;
use crate::api::pull_policy::ImagePullPolicy;
use crate::api::text::go_duration;
use crate::api::wire::Container;
use crate::client::EventKind::{self, Normal, Warning};
use crate::runtime::{CriError, CriRequest, CriResponse, Image};
use crate::sim::Ctx;

/// How soon a new back-off is reported.
const SHOW: Duration = Duration::from_secs(1);

impl PodWorker {
    /// Starts the next container of this sync, or ends the sync.
    pub fn start_next(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>) {
        while let Some(index) = self.to_start.pop_front().filter(|_| !self.is_stopping()) {
            let Some(record) = self.records.get_mut(index) else { continue };
            let Some((wait, rest)) = record.back_off(ctx.now) else {
                self.state = State::InspectingImage { container: index };
                let image = with_tag(&self.image(index));
                self.call(shared, ctx, CriRequest::ImageStatus { image });
                return;
            };
            let (namespace, name) = self.pod.key();
            let (container, uid) = (&record.name, &self.uid);
            let said = format!(
                "Back-off restarting failed container {container} in pod {name}_{namespace}({uid})"
            );
            let message = format!(
                "back-off {} restarting failed container={container} pod={name}_{namespace}({uid})",
                go_duration(wait)
            );
            let cause = Some(Cause { reason: "CrashLoopBackOff", message });
            let known = record.cause == cause;
            record.cause = cause;
            self.tell(shared, ctx, index, (Warning, "BackOff"), &said);
            // A sync reports what the one before it found; the first comes soon, so that it shows.
            self.retry(ctx, Some(if known { rest } else { rest.min(SHOW) }));
        }
        self.to_start.clear();
        self.rest(shared, ctx);
    }

    /// A step of a start is over.
    pub fn started(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        step: State,
        result: Result<CriResponse, CriError>,
    ) {
        match (step, result) {
            (State::InspectingImage { container }, Ok(CriResponse::ImageStatus { image })) => {
                self.image_inspected(shared, ctx, container, image.is_some());
            }
            (State::InspectingImage { container }, Err(error)) => {
                let image = self.image(container);
                let message = format!("Failed to inspect image {image:?}: {error}");
                self.tell(shared, ctx, container, (Warning, "InspectFailed"), &message);
                self.failed(shared, ctx, container, ("ImageInspectError", message), None);
            }
            (
                State::InspectingPulled { container, took, waited },
                Ok(CriResponse::ImageStatus { image }),
            ) => {
                let message = pulled(&self.image(container), took, waited, image.as_ref());
                self.tell(shared, ctx, container, (Normal, "Pulled"), &message);
                self.create(shared, ctx, container);
            }
            (State::InspectingPulled { container, .. }, _) => {
                self.create(shared, ctx, container);
            }
            (
                State::CreatingContainer { container },
                Ok(CriResponse::CreateContainer { container_id }),
            ) => {
                self.tell(shared, ctx, container, (Normal, "Created"), "Container created");
                self.state = State::StartingContainer { container, id: Rc::clone(&container_id) };
                self.call(shared, ctx, CriRequest::StartContainer { container_id });
            }
            (State::CreatingContainer { container }, Err(CriError { message, .. })) => {
                self.refused(shared, ctx, container, "CreateContainerError", message);
            }
            (State::StartingContainer { container, id }, Ok(_)) => {
                self.tell(shared, ctx, container, (Normal, "Started"), "Container started");
                if let Some(record) = self.records.get_mut(container) {
                    record.cause = None;
                    record.restart = false;
                }
                self.look_again(id);
                self.start_next(shared, ctx);
            }
            (State::StartingContainer { container, id }, Err(CriError { message, .. })) => {
                self.look_again(id);
                self.refused(shared, ctx, container, "RunContainerError", message);
            }
            // The pull's answer comes from the puller; a late answer finds a worker that moved on.
            (pulling @ State::PullingImage { .. }, _) => self.state = pulling,
            (State::InspectingImage { .. } | State::CreatingContainer { .. }, Ok(_)) => {
                self.start_next(shared, ctx);
            }
            (
                State::Waiting
                | State::Looking { .. }
                | State::CreatingSandbox
                | State::InspectingSandbox { .. }
                | State::StoppingContainers { .. }
                | State::Resizing { .. }
                | State::StoppingSandbox
                | State::Collecting { .. }
                | State::Terminated,
                _,
            ) => self.next(shared, ctx),
        }
    }

    fn image_inspected(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        index: usize,
        present: bool,
    ) {
        let image = self.image(index);
        let policy = self.spec(index).map_or(ImagePullPolicy::IfNotPresent, ImagePullPolicy::of);
        match (policy.wants(present), present) {
            (false, true) => {
                let message = format!(
                    "Container image {image:?} already present on machine \
                     and can be accessed by the pod"
                );
                self.tell(shared, ctx, index, (Normal, "Pulled"), &message);
                self.create(shared, ctx, index);
            }
            (false, false) => {
                let message =
                    format!("Container image {image:?} is not present with pull policy of Never");
                self.tell(shared, ctx, index, (Warning, "ErrImageNeverPull"), &message);
                self.without_image(shared, ctx, index, ("ErrImageNeverPull", message), None);
            }
            (true, _) => {
                let wish = self.wish(index);
                if let Some((rest, message)) = shared.puller.backing_off(&wish, ctx.now) {
                    let said = format!("Back-off pulling image {image:?}");
                    self.tell(shared, ctx, index, (Normal, "BackOff"), &said);
                    let cause = ("ImagePullBackOff", message);
                    self.without_image(shared, ctx, index, cause, Some(rest));
                    return;
                }
                let message = format!("Pulling image {image:?}");
                self.tell(shared, ctx, index, (Normal, "Pulling"), &message);
                self.state = State::PullingImage { container: index, since: ctx.now };
                shared.puller.wish(wish);
                shared.pull_next(ctx);
            }
        }
    }

    /// The pull that this worker waits for is over; it took `took`.
    pub fn pulled(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        took: Duration,
        result: Result<CriResponse, CriError>,
    ) {
        let State::PullingImage { container, since } = self.state else { return };
        match result {
            Ok(_) => {
                let waited = ctx.now.since(since);
                self.state = State::InspectingPulled { container, took, waited };
                let image = with_tag(&self.image(container));
                self.call(shared, ctx, CriRequest::ImageStatus { image });
            }
            Err(error) => {
                let wish = self.wish(container);
                let (image, error) = (self.image(container), error.to_string());
                let message = format!("Failed to pull image {image:?}: {error}");
                self.tell(shared, ctx, container, (Warning, "Failed"), &message);
                shared.puller.failed(wish, &error, ctx.now);
                self.without_image(shared, ctx, container, ("ErrImagePull", error), None);
            }
        }
    }

    fn create(&mut self, shared: &mut Shared, ctx: &mut Ctx<'_, Kubelet>, index: usize) {
        let ip = self.sandbox.as_ref().and_then(|sandbox| sandbox.ip);
        let facts = Facts {
            node_name: &shared.node,
            host_ip: shared.node_ip.to_string(),
            pod_ip: ip.map(|ip| ip.to_string()).unwrap_or_default(),
        };
        let sandbox = self.sandbox.as_ref().map(|sandbox| Rc::clone(&sandbox.id));
        let attempt = self.records.get(index).map(Record::next_attempt);
        let (Some(spec), Some(attempt), Some(pod_sandbox_id), false) =
            (self.spec(index), attempt, sandbox, self.is_stopping())
        else {
            self.start_next(shared, ctx);
            return;
        };
        let config = container::config(&self.pod, spec, attempt, &facts);
        if let Some(record) = self.records.get_mut(index) {
            record.made_of = Some(Rc::clone(&self.pod.spec));
        }
        self.state = State::CreatingContainer { container: index };
        let config = Rc::new(config);
        self.call(shared, ctx, CriRequest::CreateContainer { pod_sandbox_id, config });
    }

    fn without_image(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        index: usize,
        (reason, message): (&'static str, String),
        after: Option<Duration>,
    ) {
        let said = format!("Error: {reason}");
        self.tell(shared, ctx, index, (Warning, "Failed"), &said);
        self.failed(shared, ctx, index, (reason, message), after);
    }

    fn refused(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        index: usize,
        reason: &'static str,
        message: String,
    ) {
        self.tell(shared, ctx, index, (Warning, "Failed"), &format!("Error: {message}"));
        self.failed(shared, ctx, index, (reason, message), None);
    }

    fn failed(
        &mut self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        index: usize,
        (reason, message): (&'static str, String),
        after: Option<Duration>,
    ) {
        if let Some(record) = self.records.get_mut(index) {
            record.cause = Some(Cause { reason, message });
        }
        self.retry(ctx, after);
        self.start_next(shared, ctx);
    }

    /// Tells people something about a container.
    pub fn tell(
        &self,
        shared: &mut Shared,
        ctx: &mut Ctx<'_, Kubelet>,
        index: usize,
        what: (EventKind, &str),
        message: &str,
    ) {
        let path = self.records.get(index).map(|record| match record.kind {
            Kind::Init | Kind::Sidecar => format!("spec.initContainers{{{}}}", record.name),
            Kind::Regular => format!("spec.containers{{{}}}", record.name),
            Kind::Ephemeral => format!("spec.ephemeralContainers{{{}}}", record.name),
        });
        shared.tell(ctx, &self.pod, path, what, message);
    }

    /// What the container at `index` is made of.
    pub fn spec(&self, index: usize) -> Option<&Container> {
        specs(&self.pod, &self.records).nth(index)
    }

    fn image(&self, index: usize) -> String {
        self.spec(index).and_then(|spec| spec.image.clone()).unwrap_or_default()
    }

    fn wish(&self, index: usize) -> Wish {
        (Rc::clone(&self.uid), self.image(index).into())
    }
}

fn pulled(name: &str, took: Duration, waited: Duration, image: Option<&Image>) -> String {
    let (took, waited) = (go_duration(took), go_duration(waited));
    let size = image.map_or(0, |image| image.size);
    format!(
        "Successfully pulled image {name:?} in {took} ({waited} including waiting). \
         Image size: {size} bytes."
    )
}
