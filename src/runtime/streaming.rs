//! Calls that go on: followed logs, commands in a container, and who talks with them.
//!
//! Mirrors: containerd `internal/cri/server/container_{attach,exec,execsync}.go`.

use std::rc::Rc;
use std::time::Duration;

use super::calls::{Answer, no_container};
use super::container::{Container, Exec, Follower, Heard, Stage};
use super::cri::{CallId, Code, CriError, CriResponse, Id, LogOptions, Outcome};
use super::log::Log;
use super::program;
use super::service::{Runtime, Work};
use super::terminal::{self, Terminal};
use crate::sim::Instant;

impl Runtime {
    /// The answer if nothing more will be written.
    pub(super) fn follow_log(
        &mut self,
        at: Instant,
        call: CallId,
        id: &Id,
        options: LogOptions,
    ) -> Option<Answer> {
        let Some(container) = self.containers.get_mut(id) else {
            return Some(Err(no_container(id)));
        };
        let mut lines = container.log.read(options);
        let goes_on = matches!(container.stage, Stage::Running { .. });
        if goes_on {
            // What has no line end yet is told once it has.
            lines.pop_if(|last| last.partial);
            let (_, seen) = container.log.after(0, false);
            Rc::make_mut(container).followers.push(Follower { call, seen });
        }
        self.outbox.push(Outcome::Wrote { call, at, lines });
        (!goes_on).then_some(Ok(CriResponse::FollowLog))
    }

    pub(super) fn cancel(&mut self, now: Instant, call: CallId) -> Answer {
        Rc::make_mut(&mut self.forwards).retain(|forward| forward.call != call);
        let is_heard = |one: &Rc<Container>| {
            let follows = one.followers.iter().any(|other| other.call == call);
            follows
                || one.attached.contains(&call)
                || one.execs.iter().any(|exec| exec.call == call)
        };
        let found = self.containers.values_mut().find(|one| is_heard(one)).map(|container| {
            let container = Rc::make_mut(container);
            container.followers.retain(|other| other.call != call);
            for exec in container.execs.iter_mut().filter(|exec| exec.call == call) {
                exec.heard = Heard::No;
                exec.process.end_input();
            }
            if container.attached.contains(&call) {
                container.attached.retain(|other| *other != call);
                container.end_input_once();
            }
            Rc::clone(&container.id)
        });
        if let Some(id) = found {
            self.wake(now, &id);
        }
        Err(CriError { code: Code::Canceled, message: "context canceled".to_owned() })
    }

    /// The answer if there is nothing to be attached to.
    pub(super) fn attach(&mut self, at: Instant, call: CallId, id: &Id) -> Option<Answer> {
        let Some(container) = self.containers.get_mut(id) else {
            return Some(Err(no_container(id)));
        };
        if let Some(state) = container.not_running() {
            return Some(Err(CriError::unknown(format!("container is in {state} state"))));
        }
        let container = Rc::make_mut(container);
        container.attached.push(call);
        container.log.tap.get_or_insert_with(|| Box::new(Log::of_output()));
        self.outbox.push(Outcome::Wrote { call, at, lines: Vec::new() });
        None
    }

    /// Who comes too late is not heard.
    pub(super) fn type_in(&mut self, now: Instant, call: CallId, text: &str, ends: bool) {
        let is_meant = |one: &&mut Rc<Container>| {
            one.attached.contains(&call) || one.execs.iter().any(|exec| exec.call == call)
        };
        let Some(container) = self.containers.values_mut().find(is_meant) else { return };
        let container = Rc::make_mut(container);
        if let Some(exec) = container.execs.iter_mut().find(|exec| exec.call == call) {
            let Exec { process, terminal, log, .. } = exec;
            terminal::type_in(process, terminal.as_mut(), log, (now, text));
            // A terminal stays, whoever sits at it.
            if ends && terminal.is_none() {
                process.end_input();
            }
        } else if let Stage::Running { process, .. } = &mut container.stage {
            let Container { terminal, log, .. } = container;
            terminal::type_in(process, terminal.as_mut(), log, (now, text));
            if ends {
                container.end_input_once();
            }
        }
        let id = Rc::clone(&container.id);
        self.wake(now, &id);
    }

    /// The answer if the command cannot even start.
    pub(super) fn exec(
        &mut self,
        at: Instant,
        call: CallId,
        id: &Id,
        cmd: &[String],
        (stdin, tty): (bool, bool),
    ) -> Option<Answer> {
        let exec = match self.start_exec(at, call, id, cmd, Heard::AsItComes) {
            Ok(exec) => exec,
            Err(error) => return Some(Err(error)),
        };
        exec.terminal = tty.then(Terminal::default);
        if stdin {
            exec.process.open_input(tty);
        }
        self.outbox.push(Outcome::Wrote { call, at, lines: Vec::new() });
        None
    }

    /// As [`Runtime::exec`], for who hears what was written once it is over.
    pub(super) fn exec_sync(
        &mut self,
        now: Instant,
        call: CallId,
        container_id: Id,
        cmd: &[String],
        timeout: Option<Duration>,
    ) -> Option<Answer> {
        if let Err(error) = self.start_exec(now, call, &container_id, cmd, Heard::AtTheEnd) {
            return Some(Err(error));
        }
        if let Some(timeout) = timeout.filter(|timeout| !timeout.is_zero()) {
            self.schedule(now + timeout, Work::EndExec { container_id, call, timeout });
        }
        None
    }

    fn start_exec(
        &mut self,
        now: Instant,
        call: CallId,
        id: &Id,
        cmd: &[String],
        heard: Heard,
    ) -> Result<&mut Exec, CriError> {
        let hostname = self.hostname_of(id);
        let not_there = || no_container(id);
        let container = self.containers.get(id).ok_or_else(not_there)?;
        if let Some(state) = container.not_running() {
            return Err(CriError::unknown(format!("container is in {state} state")));
        }
        let environment = container.environment(&hostname);
        let directory = container.working_dir();
        let process = program::exec(&container.image.entry, cmd, &environment, directory, false);
        let process = process.map_err(|error| {
            CriError::unknown(format!(
                "failed to exec in container: failed to start exec: OCI runtime exec failed: \
                 exec failed: unable to start container process: {error}"
            ))
        })?;
        self.wake(now, id);
        let container = Rc::make_mut(self.containers.get_mut(id).ok_or_else(not_there)?);
        let exec = Exec { call, process, log: Log::of_output(), heard, terminal: None };
        container.execs.push(exec);
        container.execs.last_mut().ok_or_else(not_there)
    }
}
