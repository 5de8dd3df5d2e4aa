//! The container runtime's messages in JSON: the names are the protocol's own.
//!
//! Mirrors: `cri-api/pkg/apis/runtime/v1`, with less nesting, and with dates where the protocol counts
//! nanoseconds.

use serde_json::{Map, Value};

use super::date;
use crate::runtime::{
    ContainerConfig, ContainerMetadata, ContainerState, ContainerStatus, CriRequest, CriResponse,
    Image, LogLine, LogOptions, Mount, Outcome, PodSandboxConfig, PodSandboxMetadata,
    PodSandboxState, PodSandboxStatus, Stream,
};
use crate::sim::Instant;

/// The body of a call.
pub fn request(request: &CriRequest) -> Value {
    match request {
        CriRequest::Status
        | CriRequest::ListPodSandbox
        | CriRequest::ListImages
        | CriRequest::ListContainers
        // Nobody at the page types anything.
        | CriRequest::TypeIn { .. }
        | CriRequest::Forward(_)
        | CriRequest::Cancel => one(&[]),
        CriRequest::UpdateRuntimeConfig { pod_cidr } => {
            let network = one(&[("podCidr", text(pod_cidr))]);
            one(&[("runtimeConfig", one(&[("networkConfig", network)]))])
        }
        CriRequest::RunPodSandbox { config } => one(&[("config", sandbox_config(config))]),
        CriRequest::StopPodSandbox { pod_sandbox_id }
        | CriRequest::RemovePodSandbox { pod_sandbox_id }
        | CriRequest::PortForward { pod_sandbox_id, .. }
        | CriRequest::PodSandboxStatus { pod_sandbox_id } => {
            one(&[("podSandboxId", text(pod_sandbox_id))])
        }
        CriRequest::PullImage { image }
        | CriRequest::ImageStatus { image }
        | CriRequest::RemoveImage { image } => one(&[("image", one(&[("image", text(image))]))]),
        CriRequest::CreateContainer { pod_sandbox_id, config } => {
            one(&[("podSandboxId", text(pod_sandbox_id)), ("config", container_config(config))])
        }
        CriRequest::StartContainer { container_id }
        | CriRequest::RemoveContainer { container_id }
        | CriRequest::Attach { container_id }
        | CriRequest::ContainerStatus { container_id } => {
            one(&[("containerId", text(container_id))])
        }
        CriRequest::StopContainer { container_id, timeout } => {
            one(&[("containerId", text(container_id)), ("timeout", timeout.as_secs().into())])
        }
        CriRequest::UpdateContainerResources { container_id, memory_limit_in_bytes } => one(&[
            ("containerId", text(container_id)),
            ("memoryLimitInBytes", (*memory_limit_in_bytes).into()),
        ]),
        CriRequest::ReadLogs { container_id, options: LogOptions { tail, since } }
        | CriRequest::FollowLog { container_id, options: LogOptions { tail, since } } => one(&[
            ("containerId", text(container_id)),
            ("tailLines", (*tail).into()),
            ("sinceTime", since.map(time).into()),
        ]),
        CriRequest::Exec { container_id, cmd, .. } => {
            one(&[("containerId", text(container_id)), ("cmd", many(cmd, |word| text(word)))])
        }
        CriRequest::ExecSync { container_id, cmd, timeout } => one(&[
            ("containerId", text(container_id)),
            ("cmd", many(cmd, |word| text(word))),
            ("timeout", timeout.map_or(0, |timeout| timeout.as_secs()).into()),
        ]),
    }
}

/// What the runtime says: the body of an answer or an event, or an error in its words.
pub fn outcome(outcome: &Outcome) -> Result<Value, String> {
    match outcome {
        Outcome::Answered { result: Ok(answer), .. } => Ok(response(answer)),
        Outcome::Answered { result: Err(error), .. } => Err(error.to_string()),
        Outcome::Wrote { lines, .. } => Ok(one(&[("lines", many(lines, line))])),
        Outcome::Forwarded { .. } => Ok(one(&[])),
        Outcome::Happened(event) => {
            let kind = event.kind.name().to_ascii_uppercase();
            Ok(one(&[
                ("containerId", text(&event.container_id)),
                ("containerEventType", format!("CONTAINER_{kind}_EVENT").into()),
                ("createdAt", time(event.created_at).into()),
                ("podSandboxId", text(&event.pod_sandbox_id)),
                ("podUid", text(&event.pod_uid)),
            ]))
        }
    }
}

fn response(response: &CriResponse) -> Value {
    match response {
        CriResponse::Status { conditions } => {
            let conditions = many(conditions, |condition| {
                one(&[
                    ("type", text(condition.kind)),
                    ("status", condition.status.into()),
                    ("reason", text(condition.reason)),
                    ("message", text(condition.message)),
                ])
            });
            one(&[("status", one(&[("conditions", conditions)]))])
        }
        CriResponse::UpdateRuntimeConfig
        | CriResponse::FollowLog
        | CriResponse::Attach
        | CriResponse::StopPodSandbox
        | CriResponse::RemovePodSandbox
        | CriResponse::RemoveImage
        | CriResponse::StartContainer
        | CriResponse::StopContainer
        | CriResponse::UpdateContainerResources
        | CriResponse::RemoveContainer => one(&[]),
        CriResponse::RunPodSandbox { pod_sandbox_id } => {
            one(&[("podSandboxId", text(pod_sandbox_id))])
        }
        CriResponse::PodSandboxStatus { status } => one(&[("status", sandbox(status))]),
        CriResponse::ListPodSandbox { items } => one(&[("items", many(items, sandbox))]),
        CriResponse::PullImage { image_ref } => one(&[("imageRef", text(image_ref))]),
        CriResponse::ImageStatus { image: found } => {
            one(&[("image", found.as_ref().map(image).into())])
        }
        CriResponse::ListImages { images } => one(&[("images", many(images, image))]),
        CriResponse::CreateContainer { container_id } => {
            one(&[("containerId", text(container_id))])
        }
        CriResponse::ContainerStatus { status } => one(&[("status", container(status))]),
        CriResponse::ListContainers { containers } => {
            one(&[("containers", many(containers, container))])
        }
        CriResponse::ReadLogs { lines } => one(&[("lines", many(lines, line))]),
        CriResponse::Exec { exit_code } => one(&[("exitCode", (*exit_code).into())]),
        CriResponse::ExecSync { stdout, stderr, exit_code } => one(&[
            ("stdout", text(stdout)),
            ("stderr", text(stderr)),
            ("exitCode", (*exit_code).into()),
        ]),
    }
}

fn sandbox_config(config: &PodSandboxConfig) -> Value {
    one(&[
        ("metadata", sandbox_metadata(config)),
        ("hostname", text(&config.hostname)),
        ("network", network(config)),
    ])
}

fn sandbox(status: &PodSandboxStatus) -> Value {
    let state = match status.state {
        PodSandboxState::Ready => "SANDBOX_READY",
        PodSandboxState::NotReady => "SANDBOX_NOTREADY",
    };
    one(&[
        ("id", text(&status.id)),
        ("metadata", sandbox_metadata(&status.config)),
        ("state", text(state)),
        ("createdAt", time(status.created_at).into()),
        ("network", network(&status.config)),
        ("ip", status.ip.map(|ip| ip.to_string()).into()),
    ])
}

fn sandbox_metadata(config: &PodSandboxConfig) -> Value {
    let PodSandboxMetadata { name, uid, namespace, attempt } = &config.metadata;
    one(&[
        ("name", text(name)),
        ("uid", text(uid)),
        ("namespace", text(namespace)),
        ("attempt", (*attempt).into()),
    ])
}

/// Whose network the sandbox has.
fn network(config: &PodSandboxConfig) -> Value {
    text(if config.host_network { "NODE" } else { "POD" })
}

fn container_config(config: &ContainerConfig) -> Value {
    one(&[
        ("metadata", container_metadata(&config.metadata)),
        ("image", text(&config.image)),
        ("userSpecifiedImage", text(&config.user_specified_image)),
        ("command", many(&config.command, |word| text(word))),
        ("args", many(&config.args, |word| text(word))),
        ("workingDir", text(&config.working_dir)),
        (
            "envs",
            many(&config.envs, |(key, value)| one(&[("key", text(key)), ("value", text(value))])),
        ),
        ("mounts", many(&config.mounts, mount)),
        ("stopSignal", config.stop_signal.clone().into()),
        ("memoryLimitInBytes", config.memory_limit_in_bytes.into()),
        ("runAsUser", config.run_as_user.into()),
    ])
}

/// Where it is and which files it has; their text may be secret.
fn mount(mount: &Mount) -> Value {
    one(&[
        ("containerPath", text(&mount.container_path)),
        ("readonly", mount.readonly.into()),
        ("files", many(&mount.files, |(path, _)| text(path))),
    ])
}

fn container_metadata(metadata: &ContainerMetadata) -> Value {
    one(&[("name", text(&metadata.name)), ("attempt", metadata.attempt.into())])
}

fn container(status: &ContainerStatus) -> Value {
    let state = match status.state {
        ContainerState::Created => "CONTAINER_CREATED",
        ContainerState::Running => "CONTAINER_RUNNING",
        ContainerState::Exited => "CONTAINER_EXITED",
    };
    one(&[
        ("id", text(&status.id)),
        ("podSandboxId", text(&status.pod_sandbox_id)),
        ("metadata", container_metadata(&status.metadata)),
        ("state", text(state)),
        ("createdAt", time(status.created_at).into()),
        ("startedAt", status.started_at.map(time).into()),
        ("finishedAt", status.finished_at.map(time).into()),
        ("exitCode", status.exit_code.into()),
        ("image", text(&status.image)),
        ("imageRef", text(&status.image_ref)),
        ("reason", text(status.reason)),
        ("message", text(&status.message)),
    ])
}

fn image(image: &Image) -> Value {
    one(&[
        ("id", text(&image.id)),
        ("repoTags", many(&image.repo_tags, |tag| text(tag))),
        ("repoDigests", many(&image.repo_digests, |digest| text(digest))),
        ("size", image.size.into()),
        ("uid", image.uid.into()),
        ("username", text(&image.username)),
    ])
}

fn line(line: &LogLine) -> Value {
    let stream = match line.stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    one(&[
        ("time", time(line.at).into()),
        ("stream", text(stream)),
        ("text", text(&line.text)),
        ("partial", line.partial.into()),
    ])
}

/// An object. Fields without a value are left out, as the protocol does.
fn one(fields: &[(&str, Value)]) -> Value {
    let mut object = Map::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        object.insert((*name).to_owned(), value.clone());
    }
    Value::Object(object)
}

fn many<T>(items: &[T], shown: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(shown).collect())
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn time(at: Instant) -> String {
    date(at).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::runtime::{CallId, CriError};

    #[test]
    fn a_call_and_its_answers_are_the_protocol_s() {
        let call = CriRequest::PullImage { image: "docker.io/library/nginx:latest".into() };
        assert_eq!(request(&call), json!({"image": {"image": "docker.io/library/nginx:latest"}}));
        let answered = |result| Outcome::Answered { call: CallId(1), at: Instant::ZERO, result };
        let created = CriResponse::CreateContainer { container_id: "c0".into() };
        assert_eq!(outcome(&answered(Ok(created))), Ok(json!({"containerId": "c0"})));
        let failed = outcome(&answered(Err(CriError::not_found("no container c0"))));
        assert_eq!(failed, Err("rpc error: code = NotFound desc = no container c0".into()));
    }

    #[test]
    fn the_text_of_mounted_files_is_not_shown() {
        let files = vec![("password".to_owned(), "hunter2".to_owned())];
        let mounts = vec![Mount { container_path: "/secret".into(), readonly: true, files }];
        let config = ContainerConfig { mounts, ..ContainerConfig::default() };
        let call =
            CriRequest::CreateContainer { pod_sandbox_id: "s0".into(), config: config.into() };
        let shown = request(&call).to_string();
        assert!(shown.contains("password") && !shown.contains("hunter2"), "{shown}");
    }
}
