//! Answers to who somebody is and what they may do.
//!
//! Mirrors: `pkg/registry/authentication/selfsubjectreview`, `pkg/registry/authorization` and
//! `pkg/apis/authorization/validation/validation.go`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::authorization::Refusal;
use super::server::ApiServer;
use super::tokens::reviewed;
use crate::api::caller::{Attributes, User};
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::request::{Document, JSON};
use crate::api::reviews::Review;
use crate::api::status::{GroupResource, Reason, StatusError};

impl ApiServer {
    /// Answers the review that was sent to `path`, in `user`'s name.
    ///
    /// # Errors
    ///
    /// 422 if it does not ask for exactly one thing, 404 if there is no such review.
    pub(super) fn review(
        &self,
        path: &str,
        user: &User,
        sent: &Value,
        now: Timestamp,
    ) -> Result<Document, StatusError> {
        let Some((kind, namespace)) = Review::at(path) else {
            return Err(StatusError::generic(Reason::NotFound, ""));
        };
        let spec = sent.get("spec").unwrap_or(&Value::Null);
        let status = match kind.plural {
            "selfsubjectreviews" => {
                json!({"userInfo": {"username": user.name, "groups": user.groups}})
            }
            "tokenreviews" => {
                let token = spec.get("token").and_then(Value::as_str).unwrap_or_default();
                if token.is_empty() {
                    let path = Path::new("spec").child("token");
                    let kind = GroupResource::new(kind.group, kind.name);
                    return Err(StatusError::invalid(kind, "", &[FieldError::required(&path, "")]));
                }
                reviewed(self.shown_by(token, now).as_ref())
            }
            "selfsubjectaccessreviews" => self.verdict(user, &wish(spec, kind, Vec::new())?),
            "selfsubjectrulesreviews" => {
                let namespace = spec.get("namespace").and_then(Value::as_str);
                self.rules_of(user, namespace.unwrap_or_default())
            }
            _ => {
                let name = spec.get("user").and_then(Value::as_str).unwrap_or_default();
                let groups = spec.get("groups").and_then(Value::as_array).into_iter().flatten();
                let groups = groups.filter_map(Value::as_str).map(Into::into).collect();
                let asked = User { name: name.into(), groups };
                let mut mistakes = Vec::new();
                if asked.name.is_empty() && asked.groups.is_empty() {
                    let words = "at least one of user or group must be specified";
                    let path = Path::new("spec").child("user");
                    mistakes.push(FieldError::invalid(&path, name, words));
                }
                if let Some(namespace) = namespace {
                    mistakes.extend(within(namespace, sent)?);
                }
                self.verdict(&asked, &wish(spec, kind, mistakes)?)
            }
        };
        let mut review = sent.clone();
        if let Some(review) = review.as_object_mut() {
            review.insert("apiVersion".to_owned(), kind.api_version().into());
            review.insert("kind".to_owned(), kind.name.into());
            review.insert("status".to_owned(), status);
            review.entry("metadata").or_insert_with(|| json!({"creationTimestamp": null}));
        }
        Ok(Document { code: 201, media: JSON, body: review })
    }

    fn verdict(&self, user: &User, wish: &Attributes) -> Value {
        let decision = self.decide(user, wish);
        let mut status = Map::new();
        status.insert("allowed".to_owned(), decision.is_ok().into());
        let Refusal { reason, error } = decision
            .map_or_else(|refusal| refusal, |reason| Refusal { reason, ..Refusal::default() });
        if !reason.is_empty() {
            status.insert("reason".to_owned(), reason.into());
        }
        if let Some(error) = error {
            status.insert("evaluationError".to_owned(), error.into());
        }
        status.into()
    }

    /// All rules of a user's roles.
    fn rules_of(&self, user: &User, namespace: &str) -> Value {
        let (mut resources, mut urls) = (Vec::new(), Vec::new());
        for rule in self.rules_for(user, namespace) {
            let shown = rule.value().clone();
            let list =
                if rule.at("nonResourceURLs").is_there() { &mut urls } else { &mut resources };
            list.push(shown);
        }
        let is_node = user.node().is_some();
        let mut status =
            json!({"resourceRules": resources, "nonResourceRules": urls, "incomplete": is_node});
        if let (true, Some(status)) = (is_node, status.as_object_mut()) {
            let why = "node authorizer does not support user rule resolution";
            status.insert("evaluationError".to_owned(), why.into());
        }
        status
    }
}

/// What is wrong with a review that is asked within a namespace.
///
/// # Errors
///
/// 400 if it says that it is of another one.
fn within(namespace: &str, sent: &Value) -> Result<Vec<FieldError>, StatusError> {
    let (own, spec) = (Part::of(Some(sent)).at("metadata"), Part::of(Some(sent)).at("spec"));
    let own = own.at("namespace").text();
    if !own.is_empty() && own != namespace {
        return Err(StatusError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    let (resource, url) = (spec.at("resourceAttributes"), spec.at("nonResourceAttributes"));
    let mut mistakes = Vec::new();
    let asked = resource.at("namespace").text();
    if resource.is_there() && asked != namespace {
        let path = Path::new("spec.resourceAttributes.namespace");
        mistakes.push(FieldError::invalid(&path, asked, "must match metadata.namespace"));
    }
    if url.is_there() {
        let words = "disallowed on this kind of request";
        let path = Path::new("spec.nonResourceAttributes");
        mistakes.push(FieldError::invalid(&path, url.value().clone(), words));
    }
    Ok(mistakes)
}

/// What a review asks about.
fn wish(
    spec: &Value,
    kind: &Review,
    mut mistakes: Vec<FieldError>,
) -> Result<Attributes, StatusError> {
    let (resource, url) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let path = Path::new("spec");
    if resource.is_object() == url.is_object() {
        let (field, words) = if resource.is_object() {
            ("nonResourceAttributes", "cannot be specified in combination with resourceAttributes")
        } else {
            (
                "resourceAttributes",
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            )
        };
        mistakes.push(FieldError::invalid(&path.child(field), spec[field].clone(), words));
    }
    if !mistakes.is_empty() {
        return Err(StatusError::invalid(GroupResource::new(kind.group, kind.name), "", &mistakes));
    }
    let text = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    Ok(if url.is_object() {
        Attributes { verb: text(url, "verb"), path: text(url, "path"), ..Attributes::default() }
    } else {
        Attributes {
            verb: text(resource, "verb"),
            path: String::new(),
            group: text(resource, "group"),
            resource: text(resource, "resource"),
            subresource: text(resource, "subresource"),
            namespace: text(resource, "namespace"),
            name: text(resource, "name"),
            field_selector: selector(Part::of(Some(resource)).at("fieldSelector")),
        }
    })
}

/// The field selector of a review as a list would say it. What only narrows it further may be left out.
fn selector(of: Part<'_>) -> String {
    let raw = of.at("rawSelector").text();
    if !raw.is_empty() {
        return raw.to_owned();
    }
    let one = |term: Part<'_>| {
        let value = term.at("values").texts().next().filter(|_| term.at("values").len() == 1)?;
        let is = term.at("operator").text() == "In";
        is.then(|| [term.at("key").text(), "=", value].concat())
    };
    of.at("requirements").items().filter_map(one).collect::<Vec<_>>().join(",")
}
