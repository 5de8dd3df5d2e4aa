//! Commands that the kubelet has its runtime run in a container, for who hears what they write.
//!
//! Mirrors: `pkg/kubelet/server/server.go` (`getExec`), `pkg/kubelet/kubelet_pods.go` (`GetExec`) and the
//! `remotecommand` of its streaming server.

use std::rc::Rc;

use super::Kubelet;
use super::shared::Caller;
use super::streams::{Hears, Listener};
use crate::api::exec::{Channel, ExecOptions};
use crate::api::request::{Change, Request};
use crate::api::status::StatusError;
use crate::api::to_json;
use crate::runtime::{CriError, CriRequest, CriResponse, LogLine, Stream};
use crate::sim::Ctx;

impl Kubelet {
    pub(super) fn exec(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        pod: (&str, &str),
        container: &str,
    ) -> Result<(), StatusError> {
        let options = request.params.exec.clone().unwrap_or_default();
        if !options.stdin && !options.stdout && !options.stderr {
            let why = "you must specify at least 1 of stdin, stdout, stderr";
            return Err(StatusError::bad_request(why));
        }
        let Some(worker) = self.worker_of(pod) else {
            return Err(StatusError::unforeseen("pod does not exist"));
        };
        let mut running = worker.records.iter().filter(|record| record.is_running());
        let found = running.find(|record| *record.name == *container);
        let Some(now) = found.and_then(|record| record.current.as_ref()) else {
            return Err(StatusError::unforeseen(format!("container not found ({container:?})")));
        };
        let (container_id, cmd) = (Rc::clone(&now.id), options.command.clone());
        let hears = Hears::Command(options);
        let caller = Caller::Listener(Listener { id: request.id, is_open: false, hears });
        self.shared.call(ctx, caller, CriRequest::Exec { container_id, cmd });
        Ok(())
    }
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
        Ok(CriResponse::Exec { exit_code: 0 }) => r#"{"metadata":{},"status":"Success"}"#.to_owned(),
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
