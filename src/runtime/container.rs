//! One container: what it was made from, how it stands, and what runs in it.

use std::net::Ipv4Addr;
use std::rc::Rc;

use jiff::Timestamp;

use super::cri::{
    CallId, ContainerConfig, ContainerState, ContainerStatus, CriResponse, Id, Outcome,
};
use super::images::StoredImage;
use super::log::Log;
use super::process::Process;
use super::routine::Progress;
use super::shell::Files;
use super::signal::Signal;
use super::surroundings::{Endpoint, Surroundings};
use super::terminal::Terminal;
use crate::sim::Instant;

/// The exit code containerd gives a container that could not be started.
const START_ERROR: i32 = 128;

/// A container that was not removed yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Container {
    pub id: Id,
    pub pod_sandbox_id: Id,
    pub config: Rc<ContainerConfig>,
    pub image: Rc<StoredImage>,
    pub created_at: Instant,
    pub stage: Stage,
    /// When its process wants to run next.
    pub wake: Option<Instant>,
    pub log: Log,
    /// Filled when something first wants to see them.
    pub files: Files,
    /// Commands that run beside its process.
    pub execs: Vec<Exec>,
    pub followers: Vec<Follower>,
    /// Who is attached to its process.
    pub attached: Vec<CallId>,
    pub terminal: Option<Terminal>,
    pub network: Endpoint,
}

/// Who follows a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Follower {
    pub call: CallId,
    /// How many lines there were when it was last told.
    pub seen: usize,
}

/// A command that runs in a container beside its own process.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exec {
    pub call: CallId,
    pub process: Process,
    /// Its own output.
    pub log: Log,
    pub heard: Heard,
    pub terminal: Option<Terminal>,
}

/// How the output of a command is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    AtTheEnd,
    AsItComes,
    /// By nobody any more. The command knows nothing of that and goes on.
    No,
}

impl Exec {
    /// What it has written, if somebody hears that now.
    fn wrote(&mut self, at: Instant) -> Option<Outcome> {
        match self.heard {
            Heard::AtTheEnd => return None,
            Heard::AsItComes => {}
            Heard::No => self.log = Log::of_output(),
        }
        let lines = self.log.take();
        (!lines.is_empty()).then_some(Outcome::Wrote { call: self.call, at, lines })
    }

    /// The answer of its call, if somebody waits for it.
    pub fn ended(self, at: Instant, exit_code: i32) -> Option<Outcome> {
        let answer = match self.heard {
            Heard::AtTheEnd => {
                let (stdout, stderr) = self.log.into_texts();
                CriResponse::ExecSync { stdout, stderr, exit_code }
            }
            Heard::AsItComes => CriResponse::Exec { exit_code },
            Heard::No => return None,
        };
        Some(Outcome::Answered { call: self.call, at, result: Ok(answer) })
    }
}

/// Where its life stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    Created,
    Running { started_at: Instant, process: Box<Process>, stopping: Vec<CallId> },
    Exited(Exit),
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit {
    pub started_at: Option<Instant>,
    pub finished_at: Instant,
    pub code: i32,
    pub reason: &'static str,
    pub message: String,
}

impl Exit {
    /// Of a container whose first process is over.
    pub fn of_process(started_at: Instant, finished_at: Instant, end: End) -> Self {
        let (code, reason) = match end {
            End::Code(0) => (0, "Completed"),
            End::Code(code) => (code & 0xff, "Error"),
            End::OutOfMemory => (Signal::Kill.exit_code(), "OOMKilled"),
        };
        Self { started_at: Some(started_at), finished_at, code, reason, message: String::new() }
    }

    /// Of a container that never ran.
    pub fn of_failed_start(finished_at: Instant, message: String) -> Self {
        Self { started_at: None, finished_at, code: START_ERROR, reason: "StartError", message }
    }
}

/// The end of a first process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Code(i32),
    OutOfMemory,
}

impl Container {
    /// The signal that asks it to end.
    pub fn stop_signal(&self) -> Signal {
        let wanted = self.config.stop_signal.as_deref().and_then(Signal::parse);
        wanted.unwrap_or(self.image.entry.config.stop_signal)
    }

    /// The image's variables, the pod's own, and those that every container has.
    pub fn environment(&self, hostname: &str) -> Vec<(String, String)> {
        let always =
            [("HOME".to_owned(), "/root".to_owned()), ("HOSTNAME".to_owned(), hostname.to_owned())];
        let image = self.image.entry.config.env.iter().cloned();
        always.into_iter().chain(image).chain(self.config.envs.iter().cloned()).collect()
    }

    /// Where its processes begin.
    pub fn working_dir(&self) -> &str {
        if self.config.working_dir.is_empty() {
            &self.image.entry.config.working_dir
        } else {
            &self.config.working_dir
        }
    }

    /// Its state, if no process of it is alive.
    pub fn not_running(&self) -> Option<&'static str> {
        match self.stage {
            Stage::Created => Some("CONTAINER_CREATED"),
            Stage::Running { .. } => None,
            Stage::Exited(_) => Some("CONTAINER_EXITED"),
        }
    }

    /// Who was attached is gone: a process that is to have one such only hears nobody any more.
    pub fn end_input_once(&mut self) {
        if let Stage::Running { process, .. } = &mut self.stage
            && self.config.stdin_once
        {
            process.end_input();
        }
    }

    /// In bytes, if it has one.
    pub fn memory_limit(&self) -> Option<u64> {
        Some(self.config.memory_limit_in_bytes).filter(|bytes| *bytes > 0)
    }

    /// As the CRI describes it.
    pub fn status(&self) -> ContainerStatus {
        let (state, started_at, exit) = match &self.stage {
            Stage::Created => (ContainerState::Created, None, None),
            Stage::Running { started_at, .. } => (ContainerState::Running, Some(*started_at), None),
            Stage::Exited(exit) => (ContainerState::Exited, exit.started_at, Some(exit)),
        };
        ContainerStatus {
            id: Rc::clone(&self.id),
            pod_sandbox_id: Rc::clone(&self.pod_sandbox_id),
            metadata: self.config.metadata.clone(),
            state,
            created_at: self.created_at,
            started_at,
            finished_at: exit.map(|exit| exit.finished_at),
            exit_code: exit.map_or(0, |exit| exit.code),
            image: Rc::clone(&self.image.name),
            image_ref: Rc::clone(&self.image.repo_digest),
            reason: exit.map_or("", |exit| exit.reason),
            message: exit.map_or_else(String::new, |exit| exit.message.clone()),
        }
    }

    /// Tells those who follow the log what is new in it; at the `end` they get all of it.
    pub fn tell_followers(&mut self, at: Instant, end: bool) -> impl Iterator<Item = Outcome> {
        let Self { log, followers, .. } = self;
        followers.iter_mut().filter_map(move |follower| {
            let (new, seen) = log.after(follower.seen, end);
            let lines: Vec<_> = new.cloned().collect();
            follower.seen = seen;
            (!lines.is_empty()).then_some(Outcome::Wrote { call: follower.call, at, lines })
        })
    }

    /// Tells those who are attached what was written since.
    pub fn tell_attached(&mut self, at: Instant) -> impl Iterator<Item = Outcome> {
        let lines = self.log.tap.as_mut().map(|tap| tap.take()).unwrap_or_default();
        let attached = if lines.is_empty() { &[][..] } else { &self.attached };
        attached.iter().map(move |call| Outcome::Wrote { call: *call, at, lines: lines.clone() })
    }

    /// Lets its processes run: when they want to run again, how the first one ended if it did, and
    /// what the commands beside it have written and come to.
    pub fn run(
        &mut self,
        now: Instant,
        epoch: Timestamp,
        hostname: &str,
        ip: Ipv4Addr,
    ) -> (Option<Instant>, Option<End>, Vec<Outcome>) {
        let memory_limit = self.memory_limit();
        let Stage::Running { process, .. } = &self.stage else { return (None, None, vec![]) };
        if process.uses_files() || !self.execs.is_empty() {
            self.unpack(hostname, ip);
        }
        let Stage::Running { process, .. } = &mut self.stage else { return (None, None, vec![]) };
        let mut to_init = Vec::new();
        let mut wakes = Vec::new();
        let mut outcomes = Vec::new();
        let mut around = Surroundings {
            now,
            epoch,
            log: &mut self.log,
            files: &mut self.files,
            hostname,
            ip: Some(ip),
            memory_limit,
            to_init: &mut to_init,
            network: &mut self.network,
        };
        let mut going = Vec::new();
        for mut exec in std::mem::take(&mut self.execs) {
            let exit_code = match exec.process.run(&mut around.with_log(&mut exec.log)) {
                Progress::Sleeping(wake) => {
                    wakes.push(wake);
                    None
                }
                Progress::Idle => None,
                Progress::Exited(code) => Some(code),
                Progress::OutOfMemory => Some(Signal::Kill.exit_code()),
            };
            outcomes.extend(exec.wrote(now));
            match exit_code {
                Some(exit_code) => outcomes.extend(exec.ended(now, exit_code)),
                None => going.push(exec),
            }
        }
        self.execs = going;
        for signal in std::mem::take(around.to_init) {
            // From inside, nothing kills a first process that does not want to be.
            if signal != Signal::Kill {
                process.signal(signal);
            }
        }
        let end = match process.run(&mut around) {
            Progress::Sleeping(wake) => {
                wakes.push(wake);
                None
            }
            Progress::Idle => None,
            Progress::Exited(code) => Some(End::Code(code)),
            Progress::OutOfMemory => Some(End::OutOfMemory),
        };
        (wakes.into_iter().min(), end, outcomes)
    }
}
