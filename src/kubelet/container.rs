//! What a pod worker remembers of one container: the last two tries, and why it waits.

use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ResourceRequirements;

use super::status::specs;
use crate::api::Pod;
use crate::api::decode::decode;
use crate::api::document::{Fragment, Part};
use crate::api::phase::{is_sidecar, should_restart};
use crate::api::quantity::Quantity;
use crate::api::wire::{Container, PodSpec};
use crate::runtime::{ContainerConfig, ContainerMetadata, ContainerState, ContainerStatus, Id};
use crate::sim::Instant;

const FIRST_BACKOFF: Duration = Duration::from_secs(10);
const LONGEST_BACKOFF: Duration = Duration::from_mins(5);

/// What a container is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ends before the next one begins.
    Init,
    /// Begins among the init containers and goes on.
    Sidecar,
    Regular,
    /// Added while the others run, to look into the pod; started once.
    Ephemeral,
}

/// Why a container waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub reason: &'static str,
    pub message: String,
}

/// One container of a pod.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub name: Rc<str>,
    pub kind: Kind,
    /// What an ephemeral one is made of; the others are in the spec.
    pub ephemeral: Option<Rc<Container>>,
    pub current: Option<Rc<ContainerStatus>>,
    /// The try before.
    pub last: Option<Rc<ContainerStatus>>,
    /// Of the last start that failed.
    pub cause: Option<Cause>,
    /// The spec whose resources the current one has.
    pub made_of: Option<Rc<PodSpec>>,
    /// Whether it was stopped only to be started again.
    pub restart: bool,
    backoff: Option<(Duration, Instant)>,
}

impl Record {
    fn new(spec: &Container, kind: Kind) -> Self {
        Self {
            name: spec.name.as_str().into(),
            kind,
            ephemeral: None,
            current: None,
            last: None,
            cause: None,
            made_of: None,
            restart: false,
            backoff: None,
        }
    }

    /// The containers of a pod, none of them made yet.
    pub fn all(pod: &Pod) -> Vec<Self> {
        let inits = pod.spec.init_containers.as_ref().map_or(0, Vec::len);
        let kind = |index: usize, spec: &Container| match index < inits {
            true if is_sidecar(spec) => Kind::Sidecar,
            true => Kind::Init,
            false => Kind::Regular,
        };
        let record = |(index, spec)| Self::new(spec, kind(index, spec));
        specs(pod, &[]).enumerate().map(record).collect()
    }

    /// Adds those ephemeral containers of a pod that are not among `records`.
    pub fn add_ephemeral(pod: &Pod, records: &mut Vec<Self>) {
        for own in Fragment::part(&pod.spec.ephemeral_containers).items() {
            let name = own.at("name").text();
            if !records.iter().any(|record| *record.name == *name)
                && let Ok(spec) = decode::<Container>(own.value()).map(|decoded| decoded.object)
            {
                let record = Self::new(&spec, Kind::Ephemeral);
                records.push(Self { ephemeral: Some(Rc::new(spec)), ..record });
            }
        }
    }

    /// Whether its process is alive.
    pub fn is_running(&self) -> bool {
        self.current.as_ref().is_some_and(|now| now.state == ContainerState::Running)
    }

    /// Whether it has done what an init container is for.
    pub fn is_done(&self) -> bool {
        match self.kind {
            Kind::Sidecar => self.is_running(),
            Kind::Init | Kind::Regular | Kind::Ephemeral => self
                .current
                .as_ref()
                .is_some_and(|now| now.state == ContainerState::Exited && now.exit_code == 0),
        }
    }

    /// Whether it is to be started, now or when its back-off is over.
    pub fn wants_start(&self, spec: &Container, pod: &Pod) -> bool {
        let Some(now) = &self.current else { return true };
        now.state == ContainerState::Exited
            && self.kind != Kind::Ephemeral
            && !(self.kind == Kind::Init && self.is_done())
            && (self.restart || should_restart(spec, &pod.spec, now.exit_code))
    }

    /// The resources that it has.
    pub fn resources(&self) -> Option<&ResourceRequirements> {
        let spec = self.made_of.as_ref()?;
        let mut all = spec.init_containers.iter().flatten().chain(&spec.containers);
        all.find(|one| one.name == *self.name)?.resources.as_ref()
    }

    /// How the container stands. A new try pushes the earlier one back; the one before that is
    /// returned, to be removed.
    pub fn observe(&mut self, status: &Rc<ContainerStatus>) -> Option<Id> {
        match self.current.replace(Rc::clone(status)) {
            Some(earlier) if earlier.id != status.id => {
                self.last.replace(earlier).map(|oldest| Rc::clone(&oldest.id))
            }
            Some(_) | None => None,
        }
    }

    /// Which try the next one is, from 0.
    pub fn next_attempt(&self) -> u32 {
        self.current.as_ref().map_or(0, |now| now.metadata.attempt + 1)
    }

    /// Before a start: the back-off that still holds and its rest. Otherwise the next end will have
    /// to wait longer.
    ///
    /// Mirrors: `doBackOff` of `kuberuntime_manager.go`; counted from the container's end.
    pub fn back_off(&mut self, now: Instant) -> Option<(Duration, Duration)> {
        let ended = self.current.as_ref().and_then(|current| current.finished_at)?;
        let known = self.backoff.filter(|(_, at)| ended.since(*at) <= LONGEST_BACKOFF * 2);
        let Some((wait, _)) = known else {
            self.backoff = Some((FIRST_BACKOFF, now));
            return None;
        };
        let rest = (ended + wait).since(now);
        if !rest.is_zero() {
            return Some((wait, rest));
        }
        self.backoff = Some(((wait * 2).min(LONGEST_BACKOFF), now));
        None
    }
}

/// How much memory a container may have; 0 is no limit.
pub(super) fn memory_limit(spec: &Container) -> u64 {
    let limits = spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let memory = limits.and_then(|limits| limits.get("memory"));
    let bytes = memory.and_then(|limit| Quantity::parse(&limit.0).ok()).map_or(0, |it| it.value());
    u64::try_from(bytes).unwrap_or(0)
}

/// What the runtime is asked to make of `spec`.
pub(super) fn config(
    pod: &Pod,
    spec: &Container,
    attempt: u32,
    facts: &Facts<'_>,
) -> ContainerConfig {
    let user = |context| Fragment::part(context).at("runAsUser").number();
    let stop_signal = Fragment::part(&spec.lifecycle).at("stopSignal");
    let image = spec.image.clone().unwrap_or_default();
    let mut envs: Vec<(String, String)> = Vec::new();
    for variable in Fragment::part(&spec.env).items() {
        let value = value_of(pod, variable, facts);
        envs.push((variable.at("name").text().to_owned(), expand(&value, &envs)));
    }
    let expanded = |words: &Option<Vec<String>>| -> Vec<String> {
        words.iter().flatten().map(|word| expand(word, &envs)).collect()
    };
    ContainerConfig {
        metadata: ContainerMetadata { name: spec.name.as_str().into(), attempt },
        image: super::images::with_tag(&image),
        user_specified_image: image,
        command: expanded(&spec.command),
        args: expanded(&spec.args),
        working_dir: spec.working_dir.clone().unwrap_or_default(),
        envs,
        mounts: Vec::new(),
        memory_limit_in_bytes: memory_limit(spec),
        run_as_user: user(&spec.security_context).or(user(&pod.spec.security_context)),
        stop_signal: stop_signal.value().as_str().map(str::to_owned),
        stdin: spec.stdin == Some(true),
        stdin_once: spec.stdin_once == Some(true),
        tty: spec.tty == Some(true),
    }
}

/// What the downward API tells beside the pod itself.
pub(super) struct Facts<'a> {
    pub node_name: &'a str,
    pub host_ip: String,
    pub pod_ip: String,
}

fn value_of(pod: &Pod, variable: Part<'_>, facts: &Facts<'_>) -> String {
    let field = variable.at("valueFrom").at("fieldRef");
    if !field.is_there() {
        return variable.at("value").text().to_owned();
    }
    let text = |text: &Option<Rc<str>>| text.as_deref().unwrap_or_default().to_owned();
    match field.at("fieldPath").text() {
        "metadata.name" => text(&pod.metadata.name),
        "metadata.namespace" => text(&pod.metadata.namespace),
        "metadata.uid" => text(&pod.metadata.uid),
        "spec.nodeName" => facts.node_name.to_owned(),
        "spec.serviceAccountName" => pod.spec.service_account_name.clone().unwrap_or_default(),
        "status.hostIP" | "status.hostIPs" => facts.host_ip.clone(),
        "status.podIP" | "status.podIPs" => facts.pod_ip.clone(),
        _ => String::new(),
    }
}

/// Puts variables' values for `$(NAME)`; `$$` is a dollar, and an unknown name stays as it is.
///
/// Mirrors: `third_party/forked/golang/expansion`.
fn expand(text: &str, known: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let named = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        let value = named.and_then(|(name, behind)| {
            let (_, value) = known.iter().rev().find(|(known, _)| known == name)?;
            Some((value, behind))
        });
        if let Some((value, behind)) = value {
            out.push_str(value);
            rest = behind;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in_and_dollars_can_be_escaped() {
        let known = [("A".to_owned(), "1".to_owned())];
        let cases = [("$(A)/$(B)", "1/$(B)"), ("$$(A)", "$(A)"), ("a$", "a$"), ("$A", "$A")];
        for (text, want) in cases {
            assert_eq!(expand(text, &known), want, "{text}");
        }
    }
}
