//! What the kubelet's own server answers, first of all the logs of its containers.
//!
//! Mirrors: `pkg/kubelet/server/server.go` (`getContainerLogs`) and `validateContainerLogStatus` of
//! `pkg/kubelet/kubelet_pods.go`.

use std::rc::Rc;

use jiff::Timestamp;

use super::pod_worker::PodWorker;
use super::shared::Caller;
use super::streams::{Hears, Listener};
use super::{Kubelet, Out};
use crate::api::logs::LogQuery;
use crate::api::request::{Answer, Document, Request, RequestId, Response, TEXT, Target};
use crate::api::status::{Reason, StatusError};
use crate::api::wire::PodStatus;
use crate::runtime::{CriError, CriRequest, CriResponse, Id, LogLine, LogOptions};
use crate::sim::{Ctx, Instant};

impl Kubelet {
    /// The API server asks for something that only this node has.
    pub(super) fn asked(&mut self, ctx: &mut Ctx<'_, Self>, request: &Request) {
        let path = if let Target::Path(path) = &request.target { path } else { "" };
        let done = match *path.split('/').collect::<Vec<_>>() {
            ["", "containerLogs", namespace, name, container] => {
                self.look_for_log(ctx, request, (namespace, name), container)
            }
            ["", "exec", namespace, name, container] => {
                self.exec(ctx, request, (namespace, name), container)
            }
            ["", "attach", namespace, name, container] => {
                self.attach(ctx, request, (namespace, name), container)
            }
            ["", "portForward", namespace, name] => {
                self.port_forward(ctx, request, (namespace, name))
            }
            _ => Err(StatusError::generic(Reason::NotFound, "404 page not found")),
        };
        if let Err(error) = done {
            Self::reply(ctx, request.id, Err(error));
        }
    }

    /// The worker of a pod, by its namespace and name.
    pub(super) fn worker_of(&self, pod: (&str, &str)) -> Option<&PodWorker> {
        self.workers.values().find(|worker| worker.pod.key() == pod)
    }

    fn look_for_log(
        &mut self,
        ctx: &mut Ctx<'_, Self>,
        request: &Request,
        pod: (&str, &str),
        container: &str,
    ) -> Result<(), StatusError> {
        let query = request.params.log.clone().unwrap_or_default();
        let Some(worker) = self.worker_of(pod) else {
            return Err(StatusError::generic(Reason::NotFound, "pod does not exist"));
        };
        let (status, _) = worker.status(&self.shared, ctx, false);
        let container_id = log_of(worker, &status, container, &query)?;
        let options = LogOptions {
            tail: query.tail_lines.and_then(|lines| usize::try_from(lines).ok()),
            since: self.since(ctx.now, &query),
        };
        let (caller, call) = if query.follow {
            let hears = Hears::Log { left: most_bytes(&query), query };
            let listener = Listener { id: request.id, is_open: false, hears };
            (Caller::Listener(listener), CriRequest::FollowLog { container_id, options })
        } else {
            let caller = Caller::Reader(request.id, query);
            (caller, CriRequest::ReadLogs { container_id, options })
        };
        self.shared.call(ctx, caller, call);
        Ok(())
    }

    fn since(&self, now: Instant, query: &LogQuery) -> Option<Instant> {
        let micros = |micros: i64| Instant::from_micros(u64::try_from(micros).unwrap_or_default());
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        match (query.since_time, query.since_seconds) {
            (Some(at), _) => Some(micros(at.as_microsecond() - self.shared.epoch.as_microsecond())),
            (None, Some(seconds)) => {
                Some(micros(now.saturating_sub(seconds.saturating_mul(1_000_000))))
            }
            (None, None) => None,
        }
    }

    /// The runtime has read a log.
    pub(super) fn log_read(
        &self,
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        query: &LogQuery,
        result: Result<CriResponse, CriError>,
    ) {
        let result = match result {
            Ok(CriResponse::ReadLogs { lines }) => {
                let mut body = text_of(&lines, query.timestamps, self.shared.epoch);
                cut(&mut body, most_bytes(query));
                let body = body.into();
                Ok(Answer::Document(Rc::new(Document { code: 200, media: TEXT, body })))
            }
            Ok(_) => Err(StatusError::internal("the runtime answered something else")),
            Err(error) => Err(StatusError::internal(error)),
        };
        Self::reply(ctx, id, result);
    }

    pub(super) fn reply(
        ctx: &mut Ctx<'_, Self>,
        id: RequestId,
        result: Result<Answer, StatusError>,
    ) {
        ctx.send(Out::Answer(Rc::new(Response::new(id, result.map_err(Rc::new)))));
    }
}

/// So many bytes of a log may be told.
pub(super) fn most_bytes(query: &LogQuery) -> usize {
    query.limit_bytes.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Lines as a log shows them.
pub(super) fn text_of(lines: &[LogLine], timestamps: bool, epoch: Timestamp) -> String {
    let mut text = String::new();
    for line in lines {
        if timestamps {
            let at = line.at.date(epoch);
            text.extend([format!("{at:.9} ")]);
        }
        text.push_str(&line.text);
        if !line.partial {
            text.push('\n');
        }
    }
    text
}

/// Leaves no more than `most` bytes.
pub(super) fn cut(text: &mut String, most: usize) {
    text.truncate(text.floor_char_boundary(most));
}

/// The container whose log is meant, if it has one.
fn log_of(
    worker: &PodWorker,
    status: &PodStatus,
    container: &str,
    query: &LogQuery,
) -> Result<Id, StatusError> {
    let (_, pod) = worker.pod.key();
    let refused = |why: String| StatusError::bad_request(why);
    let record = worker.records.iter().find(|record| *record.name == *container);
    let Some(record) = record else {
        return Err(refused(format!("container {container:?} in pod {pod:?} is not available")));
    };
    if query.previous {
        return match &record.last {
            Some(last) => Ok(Rc::clone(&last.id)),
            None => Err(refused(format!(
                "previous terminated container {container:?} in pod {pod:?} not found"
            ))),
        };
    }
    if let Some(now) = &record.current {
        return Ok(Rc::clone(&now.id));
    }
    let all = [&status.container_statuses, &status.init_container_statuses];
    let own = all.into_iter().flatten().flatten().find(|status| status.name == container);
    let waiting = own.and_then(|own| own.state.as_ref()?.waiting.as_ref()?.reason.as_deref());
    let why = match waiting.unwrap_or_default() {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        other => other,
    };
    Err(refused(format!("container {container:?} in pod {pod:?} is waiting to start: {why}")))
}
