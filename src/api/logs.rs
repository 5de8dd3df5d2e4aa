//! Which part of a container's log is asked for: the query of `pods/log`.
//!
//! Mirrors: `PodLogOptions` of `k8s.io/api/core/v1`, and `ValidatePodLogOptions` of `pkg/apis/core/validation`.

use std::rc::Rc;

use jiff::Timestamp;

use super::Pod;
use super::document::Fragment;
use super::field::{FieldError, Path};
use super::route::Query;
use super::status::{GroupResource, StatusError};

/// `v1.PodLogOptions`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogQuery {
    /// Empty takes the only one.
    pub container: Rc<str>,
    /// What is written from now on, too.
    pub follow: bool,
    /// The container that ran before the current one.
    pub previous: bool,
    /// Each line with its moment before it.
    pub timestamps: bool,
    /// Only so many of the last lines.
    pub tail_lines: Option<i64>,
    /// No more than so many bytes.
    pub limit_bytes: Option<i64>,
    /// Only the lines of the last seconds.
    pub since_seconds: Option<i64>,
    /// Only the lines from then on.
    pub since_time: Option<Timestamp>,
}

impl LogQuery {
    /// Reads a query.
    ///
    /// # Errors
    ///
    /// 400 for a number or a date that is none.
    pub(super) fn parse(query: &Query) -> Result<Self, StatusError> {
        let bad = |text: &str| {
            StatusError::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
        };
        let given = |name: &str| query.get(name).filter(|text| !text.is_empty());
        let since_time = match given("sinceTime") {
            Some(text) => Some(text.parse().map_err(|_error| bad(text))?),
            None => None,
        };
        Ok(Self {
            container: given("container").unwrap_or_default().into(),
            follow: query.flag("follow"),
            previous: query.flag("previous"),
            timestamps: query.flag("timestamps"),
            tail_lines: query.number("tailLines")?,
            limit_bytes: query.number("limitBytes")?,
            since_seconds: query.number("sinceSeconds")?,
            since_time,
        })
    }

    /// The container that is meant.
    ///
    /// # Errors
    ///
    /// 422 for options that make no sense; 400 if there is no such container, or if there are several and
    /// none is named.
    pub fn container_of(&self, pod: &Pod) -> Result<Rc<str>, StatusError> {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let errors = self.errors();
        if !errors.is_empty() {
            let options = GroupResource::new("", "PodLogOptions");
            return Err(StatusError::invalid(options, name, &errors));
        }
        container_of(pod, &self.container)
    }

    fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut least = |name: &'static str, value: Option<i64>, least, why| {
            if let Some(value) = value.filter(|value| *value < least) {
                errors.push(FieldError::invalid(&Path::new(name), value, why));
            }
        };
        least("tailLines", self.tail_lines, 0, "must be greater than or equal to 0");
        least("limitBytes", self.limit_bytes, 1, "must be greater than 0");
        if self.since_time.is_none() {
            least("sinceSeconds", self.since_seconds, 1, "must be greater than 0");
        } else if self.since_seconds.is_some() {
            let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            errors.push(FieldError::forbidden(&Path::new(""), why));
        }
        errors
    }

    /// As a query.
    pub fn query(&self) -> Vec<String> {
        let mut query = Vec::new();
        let mut number = |name: &str, value: Option<i64>| {
            query.extend(value.map(|value| format!("{name}={value}")));
        };
        number("tailLines", self.tail_lines);
        number("limitBytes", self.limit_bytes);
        number("sinceSeconds", self.since_seconds);
        query.extend(self.since_time.map(|at| format!("sinceTime={at}")));
        query.extend(self.follow.then(|| "follow=true".to_owned()));
        query.extend(self.previous.then(|| "previous=true".to_owned()));
        query.extend(self.timestamps.then(|| "timestamps=true".to_owned()));
        query
    }
}

/// The container of `pod` called `wanted`; the only one if none is named.
///
/// # Errors
///
/// 400 if there is no such container, or if there are several and none is named.
///
/// Mirrors: `validateContainer` of `pkg/registry/core/pod/strategy.go`.
pub fn container_of(pod: &Pod, wanted: &Rc<str>) -> Result<Rc<str>, StatusError> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let inits = pod.spec.init_containers.iter().flatten();
    let ephemeral = Fragment::part(&pod.spec.ephemeral_containers).items();
    let all: Vec<&str> = inits
        .chain(&pod.spec.containers)
        .map(|one| &*one.name)
        .chain(ephemeral.map(|one| one.at("name").text()))
        .collect();
    if all.contains(&&**wanted) {
        return Ok(Rc::clone(wanted));
    }
    Err(StatusError::bad_request(match &*pod.spec.containers {
        [only] if wanted.is_empty() => return Ok(only.name.as_str().into()),
        _ if wanted.is_empty() => format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            all.join(" ")
        ),
        _ => format!("container {wanted} is not valid for pod {name}"),
    }))
}
