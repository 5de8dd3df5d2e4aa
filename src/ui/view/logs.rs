//! What the containers of a Pod wrote, as their runtime has it: looking asks nobody and takes no time.

use std::rc::Rc;

use crate::api::Pod;
use crate::cluster::Cluster;
use crate::runtime::Stream;

/// So many of the last lines are shown.
const MOST_LINES: usize = 200;

/// The clock without its last three digits.
const CLOCK: usize = "00:00:00.000".len();

/// The log of one container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerLog {
    pub name: String,
    pub lines: Vec<Line>,
    /// Why there is nothing, if the container has not started.
    pub waits: Option<String>,
    /// Whether there are lines before these.
    pub is_cut: bool,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The clock, to the millisecond.
    pub at: String,
    pub text: Rc<str>,
    pub is_error: bool,
}

/// The logs of all containers that `pod` has, init containers first.
pub fn logs(cluster: &Cluster, pod: &Pod) -> Vec<ContainerLog> {
    let all = [&pod.status.init_container_statuses, &pod.status.container_statuses];
    let node = pod.node_name.as_ref();
    let number = node.and_then(|node| cluster.node_names().position(|name| name == node));
    let runtime = number.and_then(|at| cluster.runtime(u32::try_from(at).ok()?));
    let of = |status: &crate::api::wire::ContainerStatus| {
        let id = status.container_id.as_deref().and_then(|id| id.split("://").nth(1));
        let written = id.and_then(|id| runtime?.log(id)).unwrap_or_default();
        let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
        let skip = written.len().saturating_sub(MOST_LINES);
        let lines = written.into_iter().skip(skip).map(|line| Line {
            at: line.at.to_string().chars().take(CLOCK).collect(),
            text: line.text,
            is_error: line.stream == Stream::Stderr,
        });
        let waits = waiting.and_then(|waiting| waiting.reason.clone());
        ContainerLog {
            name: status.name.clone(),
            lines: lines.collect(),
            waits: waits.filter(|_| id.is_none()),
            is_cut: skip > 0,
        }
    };
    all.into_iter().flatten().flatten().map(of).collect()
}
