//! The node's own affairs: registration, status, lease.
//!
//! Mirrors: `pkg/kubelet/kubelet_node_status.go`.

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ContainerImage;

use super::node_status::{PERIOD, REPORT, first_events, node_status};
use super::{Asked, Caller, Kubelet, Timer, lease};
use crate::api::quantity::Quantity;
use crate::api::request::{Answer, Patch, Subresource, Target};
use crate::api::status::StatusError;
use crate::api::types::Lease;
use crate::api::wire::{Node, NodeStatus};
use crate::api::{Kind, Object};
use crate::client::{EventKind, Regarding};
use crate::runtime::{CriRequest, Image};
use crate::sim::{Ctx, Instant, SortedMap, sort};

type Result = std::result::Result<Answer, Rc<StatusError>>;

/// What was said of the node.
#[derive(Clone, Debug)]
pub(super) struct NodeReport {
    declared: Node,
    uid: Option<Rc<str>>,
    since: Instant,
    reported_at: Option<Instant>,
    pod_cidr: Option<String>,
    lease: Option<Rc<Lease>>,
    /// What the node has pulled, by the image's id.
    images: SortedMap<String, ContainerImage>,
}

/// How many images a node's status names.
const MOST_IMAGES: usize = 50;

/// The largest images first.
fn listed(images: &SortedMap<String, ContainerImage>) -> Vec<ContainerImage> {
    let mut images: Vec<ContainerImage> = images.values().cloned().collect();
    sort::by_key(&mut images, |image| std::cmp::Reverse(image.size_bytes));
    images.truncate(MOST_IMAGES);
    images
}

impl NodeReport {
    /// Nothing was said yet of the node, which the set-up declares so.
    pub fn new(declared: Node) -> Self {
        Self {
            declared,
            uid: None,
            since: Instant::ZERO,
            reported_at: None,
            pod_cidr: None,
            lease: None,
            images: SortedMap::new(),
        }
    }

    /// How much of a resource the node has for pods.
    pub fn allocatable(&self, name: &str) -> Option<Quantity> {
        let status = self.declared.status.as_ref()?;
        let list = status.allocatable.as_ref().or(status.capacity.as_ref())?;
        Quantity::parse(&list.get(name)?.0).ok()
    }

    fn status(&self, ip: Ipv4Addr, since: Timestamp, now: Timestamp) -> NodeStatus {
        let images = (!self.images.is_empty()).then(|| listed(&self.images));
        NodeStatus { images, ..node_status(&self.declared, ip, since, now) }
    }
}

impl Kubelet {
    /// Tells people that a kubelet starts.
    pub(super) fn announce(&mut self, ctx: &mut Ctx<'_, Self>) {
        self.node.since = ctx.now;
        self.tell_of_node(ctx, "Starting", "Starting kubelet.");
    }

    fn tell_of_node(&mut self, ctx: &mut Ctx<'_, Self>, reason: &str, message: &str) {
        let about = Regarding::node(&self.shared.node);
        let what = (EventKind::Normal, reason, None);
        self.shared.recorder.record(ctx, &mut self.shared.client, about, what, message);
    }

    fn status_now(&self, ctx: &Ctx<'_, Self>) -> NodeStatus {
        let since = self.shared.clock(self.node.since);
        self.node.status(self.shared.node_ip, since, self.shared.clock(ctx.now))
    }

    /// Makes the node known.
    pub(super) fn register(&mut self, ctx: &mut Ctx<'_, Self>) {
        let status = Some(Rc::new(self.status_now(ctx)));
        let node = Node { status, ..self.node.declared.clone() };
        let id = self.shared.client.create(ctx, Object::Node(Rc::new(node)));
        self.asked.insert(id, Asked::Register);
    }

    /// The answer to the registration.
    pub(super) fn registered(&mut self, ctx: &mut Ctx<'_, Self>, result: &Result) {
        match result {
            Ok(Answer::Created(object) | Answer::Object(object)) => {
                self.node.uid = object.meta().uid.as_deref().map(Into::into);
                self.node.reported_at = Some(ctx.now);
                if let Object::Node(node) = object {
                    let cidr = node.spec.as_ref().and_then(|spec| spec.pod_cidr.clone());
                    self.network(ctx, cidr);
                }
            }
            Err(error) if error.code == 409 => {
                self.report_node(ctx);
                let cidr = self.node.declared.spec.as_ref().and_then(|spec| spec.pod_cidr.clone());
                self.network(ctx, cidr);
            }
            Ok(_) | Err(_) => {
                ctx.set_timer(lease::RETRY, Timer::Register);
                return;
            }
        }
        for reason in first_events() {
            let message = format!("Node {} status is now: {reason}", self.shared.node);
            self.tell_of_node(ctx, reason, &message);
        }
        let message = "Updated Node Allocatable limit across pods";
        self.tell_of_node(ctx, "NodeAllocatableEnforced", message);
        ctx.set_timer(PERIOD, Timer::NodeStatus);
        self.read_lease(ctx);
    }

    /// Tells the runtime which addresses the node's pods get.
    fn network(&mut self, ctx: &mut Ctx<'_, Self>, cidr: Option<String>) {
        let Some(pod_cidr) = cidr.filter(|cidr| self.node.pod_cidr.as_ref() != Some(cidr)) else {
            return;
        };
        self.node.pod_cidr = Some(pod_cidr.clone());
        let request = CriRequest::UpdateRuntimeConfig { pod_cidr };
        self.shared.call(ctx, Caller::Nobody, request);
    }

    /// Works the status out, and reports it if it is time to.
    pub(super) fn check_node(&mut self, ctx: &mut Ctx<'_, Self>) {
        ctx.set_timer(PERIOD, Timer::NodeStatus);
        if self.node.reported_at.is_none_or(|at| ctx.now.since(at) >= REPORT) {
            self.report_node(ctx);
        }
    }

    fn report_node(&mut self, ctx: &mut Ctx<'_, Self>) {
        let target = Target::named(Kind::Node, "", &self.shared.node).part(Subresource::Status);
        let patch = Patch::NodeStatus(Rc::new(self.status_now(ctx)));
        let id = self.shared.client.patch(ctx, target, patch);
        self.node.reported_at = Some(ctx.now);
        self.asked.insert(id, Asked::NodeStatus);
    }

    /// The node has an image; the next status says so.
    pub(super) fn image_seen(&mut self, image: &Image) {
        let names = image.repo_digests.iter().chain(&image.repo_tags).cloned().collect();
        let size_bytes = i64::try_from(image.size).ok();
        let seen = ContainerImage { names: Some(names), size_bytes };
        if self.node.images.get(&image.id) != Some(&seen) {
            self.node.images.insert(image.id.clone(), seen);
            self.node.reported_at = None;
        }
    }

    /// The answer to a report.
    pub(super) fn node_reported(&mut self, ok: bool) {
        if !ok {
            self.node.reported_at = None;
        }
    }

    fn read_lease(&mut self, ctx: &mut Ctx<'_, Self>) {
        let target = Target::named(Kind::Lease, lease::NAMESPACE, &self.shared.node);
        let id = self.shared.client.get(ctx, target);
        self.asked.insert(id, Asked::ReadLease);
    }

    /// The lease as the server has it, or that it has none.
    pub(super) fn lease_read(&mut self, ctx: &mut Ctx<'_, Self>, result: &Result) {
        match result {
            Ok(Answer::Object(Object::Lease(lease))) => {
                self.node.lease = Some(Rc::clone(lease));
                self.write_lease(ctx);
            }
            Err(error) if error.code == 404 => {
                self.node.lease = None;
                self.write_lease(ctx);
            }
            Ok(_) | Err(_) => ctx.set_timer(lease::RETRY, Timer::Lease),
        }
    }

    /// Renews the lease, or reads it first.
    pub(super) fn renew_lease(&mut self, ctx: &mut Ctx<'_, Self>) {
        if self.node.lease.is_some() { self.write_lease(ctx) } else { self.read_lease(ctx) }
    }

    fn write_lease(&mut self, ctx: &mut Ctx<'_, Self>) {
        let (known, now) = (self.node.lease.as_deref(), self.shared.clock(ctx.now));
        let renewed = lease::renewed(known, &self.shared.node, self.node.uid.as_deref(), now);
        let object = Object::Lease(Rc::new(renewed));
        let client = &mut self.shared.client;
        let id = match known {
            Some(_) => client.update(ctx, object),
            None => client.create(ctx, object),
        };
        self.asked.insert(id, Asked::WriteLease);
    }

    /// The answer to a renewal.
    pub(super) fn lease_written(&mut self, ctx: &mut Ctx<'_, Self>, result: &Result) {
        if let Ok(Answer::Created(Object::Lease(lease)) | Answer::Object(Object::Lease(lease))) =
            result
        {
            self.node.lease = Some(Rc::clone(lease));
            ctx.set_timer(lease::RENEW, Timer::Lease);
        } else {
            self.node.lease = None;
            ctx.set_timer(lease::RETRY, Timer::Lease);
        }
    }
}
