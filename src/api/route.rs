//! HTTP's method, path and query as what they ask for.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::exec::ExecOptions;
use super::field::{FieldError, Path};
use super::fields::FieldSelector;
use super::labels::Selector;
use super::logs::LogQuery;
use super::page::{Continue, Page};
use super::representation::{Include, Representation, not_acceptable};
use super::request::{FieldValidation, Params, Subresource, Target, Verb};
use super::reviews::Review;
use super::status::{GroupResource, Reason, StatusError};
use super::text::integer;
use super::{Kind, Kinds};

/// Reads a request line to a server of these `kinds`, and in which form the answer is accepted.
///
/// # Errors
///
/// 404 for a path that nothing stands at, 405 for a method it does not take, 400 for a bad query,
/// 406 for a form that there is not.
pub fn parse(
    kinds: &Kinds,
    method: &str,
    path: &str,
    accept: &str,
) -> Result<(Verb, Target, Params), StatusError> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = Query::parse(query);
    if let Some(path) = watched(path) {
        return watch(method, target(kinds, &path)?, accept, &query);
    }
    let target = target(kinds, path)?;
    let Target::Resource { ref name, subresource, .. } = target else {
        let representation = Representation::of(accept, Include::default()).unwrap_or_default();
        let is_review = Review::at(path).is_some();
        if is_review && method != "POST" {
            return Err(StatusError::generic(Reason::MethodNotAllowed, ""));
        }
        let verb = if is_review { Verb::Create } else { Verb::Get };
        let params = if is_review { params(verb, &query)? } else { Params::default() };
        let target = match target {
            // Of the checks of health it is asked whether to tell them one by one.
            Target::Path(path) if query.get("verbose").is_some() => {
                Target::Path(format!("{path}?verbose").into())
            }
            target @ (Target::Path(_) | Target::Resource { .. }) => target,
        };
        return Ok((verb, target, Params { representation, ..params }));
    };
    let watch = query.flag("watch");
    let verb = match (method, name.is_some(), subresource) {
        ("GET", false, _) if watch => Verb::Watch,
        ("GET", false, _) => Verb::List,
        (
            "GET",
            true,
            None
            | Some(
                Subresource::Status
                | Subresource::Scale
                | Subresource::Log
                | Subresource::Exec
                | Subresource::Attach
                | Subresource::PortForward
                | Subresource::EphemeralContainers
                | Subresource::Resize,
            ),
        ) => Verb::Get,
        ("POST", false, _)
        | (
            "POST",
            true,
            Some(
                Subresource::Binding
                | Subresource::Eviction
                | Subresource::Token
                | Subresource::Exec
                | Subresource::Attach
                | Subresource::PortForward,
            ),
        ) => Verb::Create,
        (
            "PUT",
            true,
            None
            | Some(
                Subresource::Status
                | Subresource::Scale
                | Subresource::Finalize
                | Subresource::EphemeralContainers
                | Subresource::Resize,
            ),
        ) => Verb::Update,
        (
            "PATCH",
            true,
            None
            | Some(
                Subresource::Status
                | Subresource::Scale
                | Subresource::EphemeralContainers
                | Subresource::Resize,
            ),
        ) => Verb::Patch,
        ("DELETE", _, None) => Verb::Delete,
        _ => {
            return Err(StatusError::generic(Reason::MethodNotAllowed, ""));
        }
    };
    let include = Include::parse(query.get("includeObject"))?;
    let representation = Representation::of(accept, include)?;
    if verb == Verb::Watch && representation == Representation::Yaml {
        // There is no YAML of events one after the other.
        return Err(not_acceptable());
    }
    list_options(verb, &query)?;
    let log = match subresource {
        Some(Subresource::Log) => Some(Rc::new(LogQuery::parse(&query)?)),
        Some(_) | None => None,
    };
    let is_exec = matches!(
        subresource,
        Some(Subresource::Exec | Subresource::Attach | Subresource::PortForward)
    );
    let exec = is_exec.then(|| Rc::new(ExecOptions::parse(&query)));
    Ok((verb, target, Params { representation, log, exec, ..params(verb, &query)? }))
}

/// What a path of the old form watches, such as `/api/v1/watch/pods`, which is served still.
fn watched(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let at = match *parts.get(1)? {
        "api" => 3,
        "apis" => 4,
        _ => return None,
    };
    (parts.get(at) == Some(&"watch") && parts.len() > at + 1).then(|| {
        parts.remove(at);
        parts.join("/")
    })
}

/// A watch of the old form: of a list, or of the one object that is named.
fn watch(
    method: &str,
    target: Target,
    accept: &str,
    query: &Query,
) -> Result<(Verb, Target, Params), StatusError> {
    let Target::Resource { kind, namespace, name, subresource: None } = target else {
        return Err(StatusError::generic(Reason::NotFound, ""));
    };
    if method != "GET" {
        return Err(StatusError::generic(Reason::MethodNotAllowed, ""));
    }
    let representation = Representation::of(accept, Include::parse(query.get("includeObject"))?)?;
    if representation == Representation::Yaml {
        return Err(not_acceptable());
    }
    list_options(Verb::Watch, query)?;
    let mut params = Params { representation, ..params(Verb::Watch, query)? };
    if let Some(name) = &name {
        match params.field_selector.as_deref().map(|own| own.required_value("metadata.name")) {
            None => {
                let own = FieldSelector::equals("metadata.name", name);
                params.field_selector = Some(Rc::new(own));
            }
            Some(Some(own)) if *own == **name => {}
            Some(_) => {
                let why = "fieldSelector metadata.name doesn't match requested name";
                return Err(StatusError::bad_request(why));
            }
        }
    }
    Ok((Verb::Watch, Target::Resource { kind, namespace, name: None, subresource: None }, params))
}

/// Of the parameters of a request only those are read that its verb has.
fn params(verb: Verb, query: &Query) -> Result<Params, StatusError> {
    let bad = |why: String| StatusError::bad_request(why);
    let none = Query(Vec::new());
    let writes = matches!(verb, Verb::Create | Verb::Update | Verb::Patch);
    let (written, query) = if writes { (query, &none) } else { (&none, query) };
    let dry_run: Vec<&str> = written.all("dryRun").collect();
    let validation = written.get("fieldValidation").unwrap_or_default();
    let mut errors = Vec::new();
    if dry_run.iter().any(|what| *what != "All") {
        let error = FieldError::not_supported(&Path::new("dryRun"), dry_run.clone(), &["All"]);
        errors.push(error);
    }
    let validations = ["", "Ignore", "Strict", "Warn"];
    if !validations.contains(&validation) {
        let path = Path::new("fieldValidation");
        errors.push(FieldError::not_supported(&path, validation, &validations));
    }
    if !errors.is_empty() {
        return Err(StatusError::invalid(options_of(verb), "", &errors));
    }
    let labels = query.get("labelSelector").filter(|text| !text.is_empty());
    let fields = query.get("fieldSelector").filter(|text| !text.is_empty());
    let version = query.get("resourceVersion").filter(|text| !text.is_empty());
    Ok(Params {
        label_selector: match labels {
            Some(text) => Some(Rc::new(Selector::parse(text).map_err(|why| bad(why.to_string()))?)),
            None => None,
        },
        field_selector: match fields {
            Some(text) => {
                Some(Rc::new(FieldSelector::parse(text).map_err(|why| bad(why.to_string()))?))
            }
            None => None,
        },
        resource_version: match version {
            Some(text) => {
                // Upstream forgets to say that this is the client's fault.
                Some(text.parse().map_err(|_error| StatusError::unforeseen(bad_version(text)))?)
            }
            None => None,
        },
        allow_watch_bookmarks: query.flag("allowWatchBookmarks"),
        send_initial_events: query
            .get("sendInitialEvents")
            .map(|_| query.flag("sendInitialEvents")),
        timeout_seconds: query.count("timeoutSeconds")?,
        grace_period_seconds: None,
        representation: Representation::default(),
        log: None,
        exec: None,
        page: Page {
            limit: query.count("limit")?,
            after: match query.get("continue").filter(|token| !token.is_empty()) {
                Some(token) => Some(Continue::parse(token)?),
                None => None,
            },
        },
        field_validation: match validation {
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            _ => FieldValidation::Warn,
        },
        field_manager: written.get("fieldManager").filter(|name| !name.is_empty()).map(Into::into),
        force: written.get("force").map(|_| written.flag("force")),
        dry_run: !dry_run.is_empty(),
    })
}

fn bad_version(text: &str) -> String {
    format!(
        "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
    )
}

const MATCH: &str = "resourceVersionMatch";

/// 422 for options of a list or a watch that do not go together.
fn list_options(verb: Verb, query: &Query) -> Result<(), StatusError> {
    if !matches!(verb, Verb::List | Verb::Watch) {
        return Ok(());
    }
    let given = |name: &str| query.get(name).filter(|text| !text.is_empty());
    let initial = query.get("sendInitialEvents").is_some();
    let (watch, matched) = (verb == Verb::Watch, given("resourceVersionMatch"));
    let (version, is_given) = (given("resourceVersion"), matched.is_some());
    let mut errors = Vec::new();
    for (field, is_wrong, why) in [
        (
            MATCH,
            watch && initial && matched != Some("NotOlderThan"),
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ),
        (
            MATCH,
            watch && is_given && !initial,
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        ),
        (
            MATCH,
            !watch && is_given && version.is_none(),
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        (
            MATCH,
            is_given && given("continue").is_some(),
            "resourceVersionMatch is forbidden when continue is provided",
        ),
        (
            MATCH,
            !watch && matched == Some("Exact") && version == Some("0"),
            "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
        ),
        ("sendInitialEvents", !watch && initial, "sendInitialEvents is forbidden for list"),
    ] {
        if is_wrong {
            errors.push(FieldError::forbidden(&Path::new(field), why));
        }
    }
    let supported: &[&str] = if watch { &["NotOlderThan"] } else { &["Exact", "NotOlderThan", ""] };
    if let Some(other) = matched.filter(|matched| !supported.contains(matched)) {
        errors.push(FieldError::not_supported(&Path::new(MATCH), other, supported));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(StatusError::invalid(options_of(verb), "", &errors))
}

/// The `DeleteOptions` that the query of a delete without a body stands for, if it says anything.
///
/// # Errors
///
/// 400 for a number that is none.
///
/// Mirrors: `Convert_url_Values_To_v1_DeleteOptions` of `apimachinery/pkg/apis/meta/v1`.
pub fn delete_options(path: &str) -> Result<Option<Value>, StatusError> {
    let query = Query::parse(path.split_once('?').map_or("", |(_, query)| query));
    let mut options = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| options.insert(name.to_owned(), value));
    };
    put("gracePeriodSeconds", query.number("gracePeriodSeconds")?.map(Value::from));
    put("propagationPolicy", query.get("propagationPolicy").map(Value::from));
    let orphans = query.get("orphanDependents").map(|_| query.flag("orphanDependents").into());
    put("orphanDependents", orphans);
    let dry_run: Vec<Value> = query.all("dryRun").map(Value::from).collect();
    put("dryRun", (!dry_run.is_empty()).then_some(Value::Array(dry_run)));
    if let Some(uid) = query.get("uid").filter(|uid| !uid.is_empty()) {
        let mut precondition = Map::new();
        precondition.insert("uid".to_owned(), uid.into());
        put("preconditions", Some(precondition.into()));
    }
    Ok((!options.is_empty()).then(|| options.into()))
}

/// What the parameters of a request are called together.
pub fn options_of(verb: Verb) -> GroupResource<'static> {
    let options = match verb {
        Verb::Create => "CreateOptions",
        Verb::Update => "UpdateOptions",
        Verb::Patch => "PatchOptions",
        Verb::Delete => "DeleteOptions",
        Verb::Get => "GetOptions",
        Verb::List | Verb::Watch => "ListOptions",
    };
    GroupResource::new("meta.k8s.io", options)
}

fn target(kinds: &Kinds, path: &str) -> Result<Target, StatusError> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Ok(Target::Path(path.into())),
    };
    let is_review = Review::at(path).is_some();
    if is_review || kinds.resources().all(|resource| resource.group != group) {
        return Ok(Target::Path(path.into()));
    }
    let find = |plural: &str| -> Result<Kind, StatusError> {
        let mut kinds = kinds.all().iter().copied();
        let found = kinds.find(|kind| {
            let resource = kind.resource();
            resource.plural == plural && resource.group == group && resource.version == version
        });
        found.ok_or_else(|| StatusError::generic(Reason::NotFound, ""))
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..]
            if rest.first().is_some_and(|part| !matches!(*part, "status" | "finalize")) =>
        {
            (Some(*namespace), rest)
        }
        rest => (None, rest),
    };
    let (plural, name, part) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, part] => (*plural, Some(*name), Some(*part)),
        _ => return Err(StatusError::generic(Reason::NotFound, "")),
    };
    let kind = find(plural)?;
    let namespaced = kind.resource().namespaced;
    if name.is_some() && namespaced != namespace.is_some() || namespace.is_some() && !namespaced {
        return Err(StatusError::generic(Reason::NotFound, ""));
    }
    let subresource = match part {
        None => None,
        Some(part) if !kind.resource().subresources.contains(&part) => {
            return Err(StatusError::generic(Reason::NotFound, ""));
        }
        Some("binding") => Some(Subresource::Binding),
        Some("eviction") => Some(Subresource::Eviction),
        Some("token") => Some(Subresource::Token),
        Some("finalize") => Some(Subresource::Finalize),
        Some("scale") => Some(Subresource::Scale),
        Some("log") => Some(Subresource::Log),
        Some("exec") => Some(Subresource::Exec),
        Some("attach") => Some(Subresource::Attach),
        Some("portforward") => Some(Subresource::PortForward),
        Some("ephemeralcontainers") => Some(Subresource::EphemeralContainers),
        Some("resize") => Some(Subresource::Resize),
        Some(_) => Some(Subresource::Status),
    };
    let text = |part: &str| -> Rc<str> { part.into() };
    Ok(Target::Resource { kind, namespace: namespace.map(text), name: name.map(text), subresource })
}

/// The query of a request, percent-decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the `?`.
    pub(super) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key), percent_decode(value))
        });
        Self(pairs.collect())
    }

    /// The values of all parameters called `key`.
    pub(super) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Whether the parameter called `key` is true: whatever it says, but for two things.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|text| text != "0" && !text.eq_ignore_ascii_case("false"))
    }

    /// The number that the parameter called `key` is, if it is there.
    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, StatusError> {
        self.get(key).map(integer).transpose().map_err(StatusError::bad_request)
    }

    /// As [`Query::number`], of a parameter of which zero and less mean nothing.
    fn count<T: TryFrom<i64>>(&self, key: &str) -> Result<Option<T>, StatusError> {
        let number = self.number(key)?.filter(|number| *number > 0);
        Ok(number.and_then(|number| T::try_from(number).ok()))
    }

    /// The value of the first parameter called `key`.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or(b'?'),
                    _ => b'%',
                }
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
