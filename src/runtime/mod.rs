//! The container runtime of one node: the CRI as its kubelet sees it, images, simulated programs.
//!
//! A [`Runtime`] is plain data on virtual time. A call goes in by [`Runtime::handle`]; its answer
//! and everything that happens by itself come out of [`Runtime::advance`], which is due at
//! [`Runtime::next_wakeup`]:
//!
//! ```text
//! handle(now, rng, call, request)  …  next_wakeup() = t  …  advance(t) = [Answered, Happened, …]
//! ```
//!
//! Mirrors: containerd 2.x with runc; behaviour and words are theirs where a pod shows them.

mod calls;
mod catalogue;
mod container;
mod cri;
mod forwarding;
mod image;
mod images;
mod known;
mod log;
mod process;
mod program;
mod rootfs;
mod routine;
mod sandbox;
mod service;
mod shell;
mod signal;
mod special;
mod streaming;
mod surroundings;
mod terminal;
mod timing;
mod web;

#[cfg(test)]
mod tests;

pub use catalogue::{Catalogue, ImageConfig, ImageEntry, Needs, Program, Userland};
pub use cri::{
    CallId, Code, ContainerConfig, ContainerEvent, ContainerEventType, ContainerMetadata,
    ContainerState, ContainerStatus, CriError, CriRequest, CriResponse, Id, Image, LogLine,
    LogOptions, Mount, Outcome, PodSandboxConfig, PodSandboxMetadata, PodSandboxState,
    PodSandboxStatus, RuntimeCondition, Stream,
};
pub use image::{ImageReference, ReferenceError};
pub use routine::{Action, Ports, Routine};
pub use service::{Host, Runtime};
pub use signal::Signal;
pub use special::Special;
pub use timing::{Span, Timing};
pub use web::Web;
