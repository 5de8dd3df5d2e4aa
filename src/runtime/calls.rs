//! What each call does once its time has passed.
//!
//! Mirrors: containerd `internal/cri/server`, one file a call there.

use std::rc::Rc;
use std::time::Duration;

use super::container::{Container, Exit, Stage};
use super::cri::{
    CallId, ContainerConfig, ContainerEventType, CriError, CriRequest, CriResponse, Id,
    PodSandboxConfig, PodSandboxState, RuntimeCondition,
};
use super::image::ImageReference;
use super::log::Log;
use super::program;
use super::sandbox::{Ipam, Sandbox};
use super::service::{Runtime, Work};
use super::shell::Files;
use super::terminal::Terminal;
use crate::sim::Instant;

/// What a call comes to.
pub(super) type Answer = Result<CriResponse, CriError>;

/// What runc itself needs to start anything.
const LEAST_MEMORY: u64 = 4 << 20;

impl Runtime {
    /// Does what a call asks and answers it, now or once it is over.
    pub(super) fn perform(&mut self, now: Instant, call: CallId, request: CriRequest, id: Id) {
        if let Some(answer) = self.performed(now, call, request, id) {
            self.answer(now, call, answer);
        }
    }

    /// The answer, if it is there already.
    fn performed(
        &mut self,
        now: Instant,
        call: CallId,
        request: CriRequest,
        id: Id,
    ) -> Option<Answer> {
        Some(match request {
            CriRequest::Status => Ok(self.status()),
            CriRequest::UpdateRuntimeConfig { pod_cidr } => {
                // A node keeps the range it has: pods live in it.
                if self.ipam.is_none() {
                    self.ipam = Ipam::new(&pod_cidr);
                }
                Ok(CriResponse::UpdateRuntimeConfig)
            }
            CriRequest::RunPodSandbox { config } => self.run_pod_sandbox(now, id, config),
            CriRequest::StopPodSandbox { pod_sandbox_id } => {
                self.stop_pod_sandbox(now, &pod_sandbox_id);
                Ok(CriResponse::StopPodSandbox)
            }
            CriRequest::RemovePodSandbox { pod_sandbox_id } => {
                self.remove_pod_sandbox(now, &pod_sandbox_id);
                Ok(CriResponse::RemovePodSandbox)
            }
            CriRequest::PodSandboxStatus { pod_sandbox_id } => self
                .sandbox(&pod_sandbox_id)
                .map(|sandbox| CriResponse::PodSandboxStatus { status: sandbox.status().into() }),
            CriRequest::ListPodSandbox => Ok(CriResponse::ListPodSandbox {
                items: self.sandboxes.values().map(|sandbox| sandbox.status()).collect(),
            }),
            CriRequest::PullImage { image } => self.pull_image(&image),
            CriRequest::ImageStatus { image } => Ok(self.image_status(&image)),
            CriRequest::ListImages => Ok(CriResponse::ListImages { images: self.images.list() }),
            CriRequest::RemoveImage { image } => {
                self.images.remove(&image);
                Ok(CriResponse::RemoveImage)
            }
            CriRequest::CreateContainer { pod_sandbox_id, config } => {
                self.create_container(now, id, &pod_sandbox_id, config)
            }
            CriRequest::StartContainer { container_id } => self.start_container(now, &container_id),
            CriRequest::UpdateContainerResources { container_id, memory_limit_in_bytes } => {
                match self.containers.get_mut(&container_id).map(Rc::make_mut) {
                    Some(container) => {
                        let config = Rc::make_mut(&mut container.config);
                        config.memory_limit_in_bytes = memory_limit_in_bytes;
                        Ok(CriResponse::UpdateContainerResources)
                    }
                    None => Err(no_container(&container_id)),
                }
            }
            CriRequest::StopContainer { container_id, timeout } => {
                self.stop_container(now, call, &container_id, timeout)?
            }
            CriRequest::RemoveContainer { container_id } => {
                self.remove_container(now, &container_id);
                Ok(CriResponse::RemoveContainer)
            }
            CriRequest::ContainerStatus { container_id } => {
                self.container(&container_id).map(|container| CriResponse::ContainerStatus {
                    status: container.status().into(),
                })
            }
            CriRequest::ListContainers => Ok(CriResponse::ListContainers {
                containers: self.containers.values().map(|one| one.status()).collect(),
            }),
            CriRequest::ReadLogs { container_id, options } => self
                .container(&container_id)
                .map(|container| CriResponse::ReadLogs { lines: container.log.read(options) }),
            CriRequest::FollowLog { container_id, options } => {
                self.follow_log(now, call, &container_id, options)?
            }
            CriRequest::Cancel => self.cancel(now, call),
            CriRequest::TypeIn { text, ends } => {
                self.type_in(now, call, &text, ends);
                return None;
            }
            CriRequest::PortForward { pod_sandbox_id, ports } => {
                self.port_forward(now, call, pod_sandbox_id, &ports)?
            }
            CriRequest::Forward(forwarded) => {
                self.forward(now, call, forwarded.connection, &forwarded.piece);
                return None;
            }
            CriRequest::Attach { container_id } => self.attach(now, call, &container_id)?,
            CriRequest::ExecSync { container_id, cmd, timeout } => {
                self.exec_sync(now, call, container_id, &cmd, timeout)?
            }
            CriRequest::Exec { container_id, cmd, stdin, tty } => {
                self.exec(now, call, &container_id, &cmd, (stdin, tty))?
            }
        })
    }

    fn status(&self) -> CriResponse {
        let network = self.ipam.is_some();
        let condition = |kind, status, reason, message| RuntimeCondition {
            kind,
            status,
            reason: if status { "" } else { reason },
            message: if status { "" } else { message },
        };
        let no_network = "Network plugin returns error: cni plugin not initialized";
        CriResponse::Status {
            conditions: vec![
                condition("RuntimeReady", true, "", ""),
                condition("NetworkReady", network, "NetworkPluginNotReady", no_network),
            ],
        }
    }

    fn run_pod_sandbox(&mut self, now: Instant, id: Id, config: Rc<PodSandboxConfig>) -> Answer {
        let no_network = |why: String| {
            CriError::unknown(format!("failed to setup network for sandbox \"{id}\": {why}"))
        };
        let ip = if config.host_network {
            None
        } else {
            let ipam = self.ipam.as_mut();
            let ipam = ipam.ok_or_else(|| no_network("cni plugin not initialized".to_owned()))?;
            Some(ipam.allocate().map_err(no_network)?)
        };
        let state = PodSandboxState::Ready;
        let sandbox = Sandbox { id: Rc::clone(&id), config, state, created_at: now, ip };
        self.sandboxes.insert(Rc::clone(&id), Rc::new(sandbox));
        self.emit(now, &id, &id, ContainerEventType::Created);
        self.emit(now, &id, &id, ContainerEventType::Started);
        Ok(CriResponse::RunPodSandbox { pod_sandbox_id: id })
    }

    fn stop_pod_sandbox(&mut self, now: Instant, id: &Id) {
        for container in self.containers_of(id) {
            self.kill(now, &container);
        }
        let Some(sandbox) = self.sandboxes.get_mut(id) else { return };
        if sandbox.state == PodSandboxState::NotReady {
            return;
        }
        let sandbox = Rc::make_mut(sandbox);
        sandbox.state = PodSandboxState::NotReady;
        if let (Some(ip), Some(ipam)) = (sandbox.ip.take(), self.ipam.as_mut()) {
            ipam.release(ip);
        }
        self.emit(now, id, id, ContainerEventType::Stopped);
    }

    fn remove_pod_sandbox(&mut self, now: Instant, id: &Id) {
        self.stop_pod_sandbox(now, id);
        for container in self.containers_of(id) {
            self.remove_container(now, &container);
        }
        if self.sandboxes.contains_key(id) {
            self.emit(now, id, id, ContainerEventType::Deleted);
            self.sandboxes.remove(id);
        }
    }

    fn pull_image(&mut self, image: &str) -> Answer {
        let reference = ImageReference::parse_docker_ref(image).map_err(|error| {
            CriError::unknown(format!("failed to parse image reference {image:?}: {error}"))
        })?;
        let name = reference.to_string();
        self.pulls.remove(&name);
        let image = match self.images.find(&name) {
            Some(image) => Rc::clone(image),
            None => self.images.insert(&reference, self.catalogue.resolve(&reference)?),
        };
        Ok(CriResponse::PullImage { image_ref: image.id.to_string() })
    }

    fn image_status(&self, image: &str) -> CriResponse {
        let image = self.images.find(image).map(|image| image.describe());
        CriResponse::ImageStatus { image }
    }

    fn create_container(
        &mut self,
        now: Instant,
        id: Id,
        pod_sandbox_id: &Id,
        config: Rc<ContainerConfig>,
    ) -> Answer {
        let sandbox = self.sandboxes.get(pod_sandbox_id).ok_or_else(|| {
            CriError::not_found(format!(
                "failed to find sandbox id \"{pod_sandbox_id}\": not found"
            ))
        })?;
        if sandbox.state == PodSandboxState::NotReady {
            return Err(CriError::unknown(format!(
                "sandbox container \"{pod_sandbox_id}\" is not running"
            )));
        }
        let Some(image) = self.images.find(&config.image).map(Rc::clone) else {
            return Err(CriError::not_found(format!(
                "failed to resolve image {:?}: not found",
                config.image
            )));
        };
        if program::command_line(&image.entry, &config.command, &config.args).is_empty() {
            return Err(CriError::unknown(format!(
                "failed to generate container \"{id}\" spec: failed to generate spec: \
                 no command specified"
            )));
        }
        let terminal = config.tty.then(Terminal::default);
        let container = Container {
            id: Rc::clone(&id),
            pod_sandbox_id: Rc::clone(pod_sandbox_id),
            config,
            image,
            created_at: now,
            stage: Stage::Created,
            wake: None,
            log: Log::default(),
            files: Files::default(),
            execs: Vec::new(),
            followers: Vec::new(),
            attached: Vec::new(),
            terminal,
            network: None,
        };
        self.containers.insert(Rc::clone(&id), Rc::new(container));
        self.emit(now, &id, pod_sandbox_id, ContainerEventType::Created);
        Ok(CriResponse::CreateContainer { container_id: id })
    }

    fn start_container(&mut self, now: Instant, id: &Id) -> Answer {
        let hostname = self.hostname_of(id);
        let container = self.containers.get_mut(id).ok_or_else(|| no_container(id))?;
        let pod_sandbox_id = Rc::clone(&container.pod_sandbox_id);
        let state = match &container.stage {
            Stage::Created => None,
            Stage::Running { .. } => Some("CONTAINER_RUNNING"),
            Stage::Exited(_) => Some("CONTAINER_EXITED"),
        };
        if let Some(state) = state {
            return Err(CriError::unknown(format!(
                "failed to set starting state for container \"{id}\": \
                 container is in {state} state"
            )));
        }
        let container = Rc::make_mut(container);
        let config = &container.config;
        let argv = program::command_line(&container.image.entry, &config.command, &config.args);
        let process = if container.memory_limit().is_some_and(|bytes| bytes < LEAST_MEMORY) {
            Err("container init was OOM-killed (memory limit too low?)".to_owned())
        } else {
            let environment = container.environment(&hostname);
            let directory = container.working_dir();
            program::exec(&container.image.entry, &argv, &environment, directory, true)
                .map_err(|error| format!("error during container init: {error}"))
        };
        match process {
            Ok(mut process) => {
                if config.stdin {
                    process.open_input(config.tty);
                }
                let (process, stopping) = (Box::new(process), Vec::new());
                container.stage = Stage::Running { started_at: now, process, stopping };
                self.emit(now, id, &pod_sandbox_id, ContainerEventType::Started);
                self.wake(now, id);
                Ok(CriResponse::StartContainer)
            }
            Err(error) => {
                let message = format!(
                    "failed to create containerd task: failed to create shim task: \
                     OCI runtime create failed: runc create failed: \
                     unable to start container process: {error}"
                );
                container.stage = Stage::Exited(Exit::of_failed_start(now, message.clone()));
                Err(CriError::unknown(message))
            }
        }
    }

    /// The answer if there is nothing to wait for.
    fn stop_container(
        &mut self,
        now: Instant,
        call: CallId,
        id: &Id,
        timeout: Duration,
    ) -> Option<Answer> {
        let Some(container) = self.containers.get_mut(id) else {
            // containerd takes a container that is gone for a stopped one.
            return Some(Ok(CriResponse::StopContainer));
        };
        let signal = container.stop_signal();
        let container = Rc::make_mut(container);
        let Stage::Running { process, stopping, .. } = &mut container.stage else {
            return Some(Ok(CriResponse::StopContainer));
        };
        stopping.push(call);
        if timeout.is_zero() {
            self.kill(now, id);
            return None;
        }
        let container_id = Rc::clone(id);
        if process.signal(signal) {
            self.wake(now, id);
        }
        self.schedule(now + timeout, Work::Kill { container_id });
        None
    }

    fn remove_container(&mut self, now: Instant, id: &Id) {
        self.kill(now, id);
        let Some(container) = self.containers.remove(id) else { return };
        self.emit(now, id, &container.pod_sandbox_id, ContainerEventType::Deleted);
    }

    fn containers_of(&self, pod_sandbox_id: &Id) -> Vec<Id> {
        let containers = self.containers.values();
        let own = containers.filter(|container| container.pod_sandbox_id == *pod_sandbox_id);
        own.map(|container| Rc::clone(&container.id)).collect()
    }

    fn sandbox(&self, id: &Id) -> Result<&Sandbox, CriError> {
        self.sandboxes.get(id).map(Rc::as_ref).ok_or_else(|| {
            CriError::not_found(format!(
                "an error occurred when try to find sandbox \"{id}\": not found"
            ))
        })
    }

    fn container(&self, id: &Id) -> Result<&Container, CriError> {
        self.containers.get(id).map(Rc::as_ref).ok_or_else(|| no_container(id))
    }
}

pub(super) fn no_container(id: &Id) -> CriError {
    CriError::not_found(format!("an error occurred when try to find container \"{id}\": not found"))
}
