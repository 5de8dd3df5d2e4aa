//! The container runtime interface: what a kubelet may ask and what it hears.
//!
//! Mirrors: `cri-api/pkg/apis/runtime/v1`; names are the protocol's own, and a call's answer comes
//! later, as [`Outcome::Answered`], because every call takes time. `FollowLog` is no call of the protocol:
//! there, the kubelet reads the file itself.

use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use crate::api::port_forward::Forwarded;
use crate::sim::Instant;

/// A container's or sandbox's identity: 64 hexadecimal digits.
pub type Id = Rc<str>;

/// The caller's own number for a call; its answer carries it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// One call of the interface.
#[derive(Clone, Debug, PartialEq)]
pub enum CriRequest {
    /// Answered by [`CriResponse::Status`].
    Status,
    /// Tells the network plugin which addresses the node's pods get.
    UpdateRuntimeConfig {
        pod_cidr: String,
    },
    RunPodSandbox {
        config: Rc<PodSandboxConfig>,
    },
    /// Kills what still runs in the sandbox and gives its address back.
    StopPodSandbox {
        pod_sandbox_id: Id,
    },
    /// Removes the sandbox with its containers. One that is gone already is no error.
    RemovePodSandbox {
        pod_sandbox_id: Id,
    },
    PodSandboxStatus {
        pod_sandbox_id: Id,
    },
    ListPodSandbox,
    PullImage {
        image: String,
    },
    /// Answered with `None` when the image is not on the node.
    ImageStatus {
        image: String,
    },
    ListImages,
    /// Removes an image from the node. One that is gone already is no error.
    RemoveImage {
        image: String,
    },
    CreateContainer {
        pod_sandbox_id: Id,
        config: Rc<ContainerConfig>,
    },
    StartContainer {
        container_id: Id,
    },
    /// Gives a container that runs another limit; 0 is none.
    UpdateContainerResources {
        container_id: Id,
        memory_limit_in_bytes: u64,
    },
    /// Sends the stop signal, and SIGKILL after `timeout`; answered once the container is dead.
    StopContainer {
        container_id: Id,
        timeout: Duration,
    },
    /// Kills and removes the container. One that is gone already is no error.
    RemoveContainer {
        container_id: Id,
    },
    ContainerStatus {
        container_id: Id,
    },
    ListContainers,
    /// The container's log; in reality a file under the sandbox's log directory.
    ReadLogs {
        container_id: Id,
        options: LogOptions,
    },
    /// The container's log and what is written from then on, as [`Outcome::Wrote`]: first what there is,
    /// then lines as they are complete; answered when the container has ended.
    FollowLog {
        container_id: Id,
        options: LogOptions,
    },
    /// Runs `cmd` in the container and answers with its output once it is over.
    ExecSync {
        container_id: Id,
        cmd: Vec<String>,
        timeout: Option<Duration>,
    },
    /// Runs `cmd` in the container. What it writes is told as [`Outcome::Wrote`], first nothing when it has
    /// started; answered with how it ended.
    Exec {
        container_id: Id,
        cmd: Vec<String>,
        stdin: bool,
        tty: bool,
    },
    /// Tells what the container's own process writes from now on, as [`Outcome::Wrote`]; answered when it
    /// has ended.
    Attach {
        container_id: Id,
    },
    /// Sends something to the command that the call of this very number runs, or is attached to, and says
    /// whether more may follow. In the protocol, it goes over a connection of its own; nothing answers.
    TypeIn {
        text: Rc<str>,
        ends: bool,
    },
    /// Connects to ports of the sandbox: to `ports`, as a query has them, at once, and to others when somebody asks for them by
    /// [`CriRequest::Forward`]. It is told by an empty [`Outcome::Wrote`] that it has begun, and goes on until it
    /// is cancelled. In the protocol, the answer is where a connection of its own is to be had for that.
    PortForward {
        pod_sandbox_id: Id,
        ports: String,
    },
    /// What is sent in a connection of the call of this very number; what comes back is told as
    /// [`Outcome::Forwarded`].
    Forward(Rc<Forwarded>),
    /// Nobody hears the call of this very number any more: it ends with [`Code::Canceled`].
    Cancel,
}

/// The answer to a call that went well; each is named as its request.
#[derive(Clone, Debug, PartialEq)]
pub enum CriResponse {
    Status { conditions: Vec<RuntimeCondition> },
    UpdateRuntimeConfig,
    RunPodSandbox { pod_sandbox_id: Id },
    StopPodSandbox,
    RemovePodSandbox,
    PodSandboxStatus { status: Rc<PodSandboxStatus> },
    ListPodSandbox { items: Vec<PodSandboxStatus> },
    PullImage { image_ref: String },
    ImageStatus { image: Option<Image> },
    ListImages { images: Vec<Image> },
    RemoveImage,
    CreateContainer { container_id: Id },
    StartContainer,
    UpdateContainerResources,
    StopContainer,
    RemoveContainer,
    ContainerStatus { status: Rc<ContainerStatus> },
    ListContainers { containers: Vec<ContainerStatus> },
    ReadLogs { lines: Vec<LogLine> },
    FollowLog,
    ExecSync { stdout: String, stderr: String, exit_code: i32 },
    Exec { exit_code: i32 },
    Attach,
}

impl CriRequest {
    /// The call's name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::UpdateRuntimeConfig { .. } => "UpdateRuntimeConfig",
            Self::RunPodSandbox { .. } => "RunPodSandbox",
            Self::StopPodSandbox { .. } => "StopPodSandbox",
            Self::RemovePodSandbox { .. } => "RemovePodSandbox",
            Self::PodSandboxStatus { .. } => "PodSandboxStatus",
            Self::ListPodSandbox => "ListPodSandbox",
            Self::PullImage { .. } => "PullImage",
            Self::ImageStatus { .. } => "ImageStatus",
            Self::ListImages => "ListImages",
            Self::RemoveImage { .. } => "RemoveImage",
            Self::CreateContainer { .. } => "CreateContainer",
            Self::StartContainer { .. } => "StartContainer",
            Self::UpdateContainerResources { .. } => "UpdateContainerResources",
            Self::StopContainer { .. } => "StopContainer",
            Self::RemoveContainer { .. } => "RemoveContainer",
            Self::ContainerStatus { .. } => "ContainerStatus",
            Self::ListContainers => "ListContainers",
            Self::ReadLogs { .. } => "ReadLogs",
            Self::FollowLog { .. } => "FollowLog",
            Self::ExecSync { .. } => "ExecSync",
            Self::Exec { .. } => "Exec",
            Self::Attach { .. } => "Attach",
            Self::TypeIn { .. } => "TypeIn",
            Self::PortForward { .. } => "PortForward",
            Self::Forward(_) => "Forward",
            Self::Cancel => "Cancel",
        }
    }
}

impl CriResponse {
    /// The call's name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "Status",
            Self::UpdateRuntimeConfig => "UpdateRuntimeConfig",
            Self::RunPodSandbox { .. } => "RunPodSandbox",
            Self::StopPodSandbox => "StopPodSandbox",
            Self::RemovePodSandbox => "RemovePodSandbox",
            Self::PodSandboxStatus { .. } => "PodSandboxStatus",
            Self::ListPodSandbox { .. } => "ListPodSandbox",
            Self::PullImage { .. } => "PullImage",
            Self::ImageStatus { .. } => "ImageStatus",
            Self::ListImages { .. } => "ListImages",
            Self::RemoveImage => "RemoveImage",
            Self::CreateContainer { .. } => "CreateContainer",
            Self::StartContainer => "StartContainer",
            Self::UpdateContainerResources => "UpdateContainerResources",
            Self::StopContainer => "StopContainer",
            Self::RemoveContainer => "RemoveContainer",
            Self::ContainerStatus { .. } => "ContainerStatus",
            Self::ListContainers { .. } => "ListContainers",
            Self::ReadLogs { .. } => "ReadLogs",
            Self::FollowLog => "FollowLog",
            Self::ExecSync { .. } => "ExecSync",
            Self::Exec { .. } => "Exec",
            Self::Attach => "Attach",
        }
    }
}

/// The gRPC codes that a runtime answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    Canceled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    FailedPrecondition,
}

impl Code {
    /// The code's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Canceled => "Canceled",
            Self::Unknown => "Unknown",
            Self::InvalidArgument => "InvalidArgument",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::NotFound => "NotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::FailedPrecondition => "FailedPrecondition",
        }
    }
}

/// Why a call failed, in containerd's words; displayed as gRPC's client does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriError {
    pub code: Code,
    pub message: String,
}

impl CriError {
    /// An error that containerd gives no class.
    pub fn unknown(message: impl Into<String>) -> Self {
        Self { code: Code::Unknown, message: message.into() }
    }

    /// Something that was named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: Code::NotFound, message: message.into() }
    }
}

impl fmt::Display for CriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rpc error: code = {} desc = {}", self.code.name(), self.message)
    }
}

impl std::error::Error for CriError {}

/// What the runtime says by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Answered {
        call: CallId,
        at: Instant,
        result: Result<CriResponse, CriError>,
    },
    /// To a call that goes on.
    Wrote {
        call: CallId,
        at: Instant,
        lines: Vec<LogLine>,
    },
    /// To a call that forwards ports.
    Forwarded {
        call: CallId,
        at: Instant,
        forwarded: Rc<Forwarded>,
    },
    Happened(ContainerEvent),
}

/// A change in the life of a container or of a sandbox's own pause container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEvent {
    /// The sandbox's identity where the event is about the sandbox itself.
    pub container_id: Id,
    pub pod_sandbox_id: Id,
    /// Of the pod, as its sandbox was configured with.
    pub pod_uid: Rc<str>,
    pub kind: ContainerEventType,
    pub created_at: Instant,
}

/// What happened to a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerEventType {
    Created,
    Started,
    Stopped,
    Deleted,
}

impl ContainerEventType {
    /// What happened, in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Started => "Started",
            Self::Stopped => "Stopped",
            Self::Deleted => "Deleted",
        }
    }
}

/// One of the runtime's own conditions: `RuntimeReady` or `NetworkReady`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeCondition {
    pub kind: &'static str,
    pub status: bool,
    pub reason: &'static str,
    pub message: &'static str,
}

/// Who a sandbox is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSandboxMetadata {
    pub name: Rc<str>,
    pub uid: Rc<str>,
    pub namespace: Rc<str>,
    pub attempt: u32,
}

/// What a sandbox is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSandboxConfig {
    pub metadata: PodSandboxMetadata,
    pub hostname: Rc<str>,
    /// Whether the pod shares the node's network, and so its address.
    pub host_network: bool,
}

/// Whether a sandbox still holds its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodSandboxState {
    Ready,
    NotReady,
}

/// A sandbox as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSandboxStatus {
    pub id: Id,
    pub config: Rc<PodSandboxConfig>,
    pub state: PodSandboxState,
    pub created_at: Instant,
    /// Empty for a pod on the node's network.
    pub ip: Option<Ipv4Addr>,
}

/// Which container of the pod, and which try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerMetadata {
    pub name: Rc<str>,
    pub attempt: u32,
}

/// What a container is to be. `command` and `args` replace the image's entrypoint and command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerConfig {
    pub metadata: ContainerMetadata,
    /// The reference that [`CriResponse::PullImage`] or [`CriResponse::ImageStatus`] gave, or a name.
    pub image: String,
    /// The name as the pod's author wrote it.
    pub user_specified_image: String,
    pub command: Vec<String>,
    pub args: Vec<String>,
    pub working_dir: String,
    pub envs: Vec<(String, String)>,
    pub mounts: Vec<Mount>,
    /// In bytes; 0 is no limit.
    pub memory_limit_in_bytes: u64,
    pub run_as_user: Option<i64>,
    /// The signal that stops the container instead of the image's, such as `SIGUSR1`.
    pub stop_signal: Option<String>,
    /// Whether its process may be sent something, by one who attaches to it only, through a terminal.
    pub stdin: bool,
    pub stdin_once: bool,
    pub tty: bool,
}

/// Files put into a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    pub container_path: String,
    pub readonly: bool,
    /// Paths below `container_path` and their text.
    pub files: Vec<(String, String)>,
}

/// Where a container stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    Created,
    Running,
    Exited,
}

/// A container as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    pub id: Id,
    pub pod_sandbox_id: Id,
    pub metadata: ContainerMetadata,
    pub state: ContainerState,
    pub created_at: Instant,
    /// `None` before the start, and for good if the start failed (shown as 1970 by kubectl).
    pub started_at: Option<Instant>,
    pub finished_at: Option<Instant>,
    pub exit_code: i32,
    /// The image by name, in full: `docker.io/library/nginx:1.14.2`.
    pub image: Rc<str>,
    /// The image by content: `docker.io/library/nginx@sha256:…`.
    pub image_ref: Rc<str>,
    /// `Completed`, `Error`, `OOMKilled` or `StartError` once exited, else empty.
    pub reason: &'static str,
    pub message: String,
}

/// An image on the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `sha256:…` of its configuration.
    pub id: String,
    pub repo_tags: Vec<String>,
    pub repo_digests: Vec<String>,
    /// In bytes, compressed, as containerd reports it.
    pub size: u64,
    /// The numeric user that the image runs as, unless it names one.
    pub uid: Option<i64>,
    pub username: String,
}

/// Which stream a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// One line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: Instant,
    pub stream: Stream,
    /// Without its line end.
    pub text: Rc<str>,
    /// Whether the line end is still to come.
    pub partial: bool,
}

/// Which part of a log to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Only the last lines.
    pub tail: Option<usize>,
    /// Only lines from then on.
    pub since: Option<Instant>,
}
