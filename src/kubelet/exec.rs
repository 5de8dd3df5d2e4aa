//! Commands that the kubelet has its runtime run in a container, and processes that somebody is attached
//! to, for who hears what they write.
//!
//! Mirrors: `pkg/kubelet/server/server.go` (`getExec`, `getAttach`), `pkg/kubelet/kubelet_pods.go` (`GetExec`, `GetAttach`) and the
//! `remotecommand` of its streaming server.

use std::rc::Rc;

use super::Kubelet;
use super::shared::Caller;
use super::status::specs;
use super::streams::{Hears, Listener};
use crate::api::exec::{Channel, ExecOptions};
use crate::api::request::{Change, Request};
use crate::api::status::StatusError;
use crate::api::to_json;
use crate::runtime::{CriError, CriRequest, CriResponse, Id, LogLine, Stream};
use crate::sim::Ctx;

impl Kubelet {
    pub(super) fn exec(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        pod: (&str, &str),
        container: &str,
    ) -> Result<(), StatusError> {
        let options = checked(request)?;
        let container_id = self.running(pod, container)?.ok_or_else(|| {
            StatusError::unforeseen(format!("container not found ({container:?})"))
        })?;
        let (cmd, stdin, tty) = (options.command.clone(), options.stdin, options.tty);
        let call = CriRequest::Exec { container_id, cmd, stdin, tty };
        self.listen(ctx, request, options, call);
        Ok(())
    }

    pub(super) fn attach(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        pod: (&str, &str),
        container: &str,
    ) -> Result<(), StatusError> {
        let mut options = checked(request)?;
        let container_id = self.running(pod, container)?.ok_or_else(|| {
            let (namespace, name) = pod;
            let why = format!("container {container} not found in pod {name}_{namespace}");
            StatusError::unforeseen(why)
        })?;
        // Whether there is a terminal was decided when the process began.
        let worker = self.worker_of(pod);
        let mut specs = worker.into_iter().flat_map(|it| specs(&it.pod, &it.records));
        let tty = specs.any(|spec| spec.name == container && spec.tty == Some(true));
        drop(specs);
        Rc::make_mut(&mut options).tty = tty;
        self.listen(ctx, request, options, CriRequest::Attach { container_id });
        Ok(())
    }

    /// What the container of that name is called while it runs.
    fn running(&self, pod: (&str, &str), container: &str) -> Result<Option<Id>, StatusError> {
        let Some(worker) = self.worker_of(pod) else {
            return Err(StatusError::unforeseen("pod does not exist"));
        };
        let mut running = worker.records.iter().filter(|record| record.is_running());
        let found = running.find(|record| *record.name == *container);
        Ok(found.and_then(|record| record.current.as_ref()).map(|now| Rc::clone(&now.id)))
    }

    pub(super) fn listen(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        options: Rc<ExecOptions>,
        call: CriRequest,
    ) {
        let hears = Hears::Command(options);
        let caller = Caller::Listener(Listener { id: request.id, is_open: false, hears });
        self.shared.call(ctx, caller, call);
    }
}

fn checked(request: &Request) -> Result<Rc<ExecOptions>, StatusError> {
    let options = request.params.exec.clone().unwrap_or_default();
    if options.stdin || options.stdout || options.stderr {
        return Ok(options);
    }
    Err(StatusError::bad_request("you must specify at least 1 of stdin, stdout, stderr"))
}

/// What a command has written, by the channels that somebody wants; a terminal has but one.
pub(super) fn output(lines: &[LogLine], wanted: &ExecOptions) -> Vec<Change> {
    let line_end = if wanted.tty { "\r\n" } else { "\n" };
    let mut pieces: Vec<(Channel, String)> = Vec::new();
    for line in lines {
        let (channel, is_wanted) = match line.stream {
            Stream::Stderr if !wanted.tty => (Channel::Stderr, wanted.stderr),
            Stream::Stdout | Stream::Stderr => (Channel::Stdout, wanted.stdout),
        };
        if !is_wanted {
            continue;
        }
        let end = if line.partial { "" } else { line_end };
        match pieces.last_mut() {
            Some((last, text)) if *last == channel => text.extend([&*line.text, end]),
            Some(_) | None => pieces.push((channel, [&*line.text, end].concat())),
        }
    }
    let change =
        |(channel, text): (_, String)| Change::Output { channel: Some(channel), text: text.into() };
    pieces.into_iter().map(change).collect()
}

/// The `Status` that a command ends with, as it comes out of two servers: what the kubelet says is said
/// once more by the API server.
pub(super) fn ending(result: Result<CriResponse, CriError>) -> Change {
    let status = match result {
        Ok(CriResponse::Exec { exit_code: 0 } | CriResponse::Attach) => r#"{"metadata":{},"status":"Success"}"#.to_owned(),
        Ok(CriResponse::Exec { exit_code: code }) => [
            r#"{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: "#,
            "command terminated with exit code ",
            &code.to_string(),
            r#"","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":""#,
            &code.to_string(),
            r#""}]}}"#,
        ]
        .concat(),
        Ok(_) => failed("the runtime answered something else".to_owned()),
        Err(CriError { message, .. }) => {
            let why = format!("error executing command in container: {message}");
            failed(StatusError::internal(why).message)
        }
    };
    Change::Output { channel: Some(Channel::Error), text: status.into() }
}

fn failed(why: String) -> String {
    to_json(&StatusError::internal(why).to_status()).to_string()
}
