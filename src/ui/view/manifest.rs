//! The text of the editor as requests to send, or as what is wrong with it.

use std::rc::Rc;

use serde_json::Value;

use crate::api::decode::{self, Document, Limits, Mark, Place, nearest};
use crate::api::status::StatusError;
use crate::api::{Kind, Object};
use crate::cluster::HttpCall;

/// What the editor begins with.
pub const FIRST: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: nginx
spec:
  containers:
  - name: nginx
    image: nginx:1.14.2
    ports:
    - containerPort: 80
";

/// As long a text is checked while somebody types.
pub const CHECKED_LIVE: usize = 64 << 10;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// One object on its way to the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub call: HttpCall,
    /// As kubectl says it: `pod/nginx`.
    pub reference: Rc<str>,
    pub place: Rc<Place>,
}

/// What the text asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub outgoing: Vec<Outgoing>,
    /// If there are any, nothing is to be sent.
    pub problems: Vec<Problem>,
}

/// Reads the text: one creation for each of its documents.
pub fn plan(text: &str) -> Plan {
    let manifests = decode::read(text, Limits::default());
    let mut plan = Plan::default();
    if let Some(error) = manifests.error {
        plan.problems.push(Problem::at(error.mark, error.message));
    } else if manifests.documents.is_empty() {
        plan.problems.push(Problem::at(Mark::START, "no objects passed to create".to_owned()));
    }
    for document in manifests.documents {
        match resource_of(&document) {
            Ok(kind) => {
                plan.problems.extend(misfits(kind, &document));
                plan.outgoing.push(Outgoing::new(kind, document));
            }
            Err(problem) => plan.problems.push(problem),
        }
    }
    plan
}

/// Where in the document what the API server refused stands.
pub fn refusal(error: &StatusError, place: &Place) -> Problem {
    let mut causes = error.details.iter().filter_map(|details| details.causes.as_ref()).flatten();
    let field = causes.find_map(|cause| cause.field.as_deref());
    let mark = field.map_or_else(|| place.mark(), |field| place.nearest(field).mark());
    Problem::at(mark, error.message.clone())
}

impl Problem {
    fn at(mark: Mark, message: String) -> Self {
        Self { line: mark.line, column: mark.column, message }
    }
}

impl Outgoing {
    fn new(kind: Kind, document: Document) -> Self {
        let resource = kind.resource();
        let text = |path: &str| document.value.pointer(path).and_then(Value::as_str);
        let name = text("/metadata/name").or(text("/metadata/generateName")).unwrap_or_default();
        let reference = format!("{}/{name}", resource.singular()).into();
        let path = if resource.namespaced {
            let namespace = text("/metadata/namespace").unwrap_or("default");
            format!("{}/namespaces/{namespace}/{}", resource.prefix(), resource.plural)
        } else {
            format!("{}/{}", resource.prefix(), resource.plural)
        };
        let call = HttpCall::new("POST", &path, Some(document.value));
        Self { call, reference, place: Rc::new(document.place) }
    }
}

fn resource_of(document: &Document) -> Result<Kind, Problem> {
    let text = |name: &str| document.value.get(name).and_then(Value::as_str);
    let place = &document.place;
    let missing = |name: &str| Problem::at(place.mark(), format!("{name} not set"));
    if !document.value.is_object() {
        return Err(Problem::at(place.mark(), "an object is a map of fields".to_owned()));
    }
    let api_version = text("apiVersion").ok_or_else(|| missing("apiVersion"))?;
    let kind = text("kind").ok_or_else(|| missing("kind"))?;
    Kind::named(api_version, kind).ok_or_else(|| {
        let message = format!("no matches for kind {kind:?} in version {api_version:?}");
        Problem::at(place.nearest("kind").mark(), message)
    })
}

/// What of the document has no place in its kind.
fn misfits(kind: Kind, document: &Document) -> Vec<Problem> {
    let place = &document.place;
    let decoded = match Object::from_json(kind, &document.value) {
        Ok(decoded) => decoded,
        Err(error) => {
            return vec![Problem::at(place.nearest(&error.path).mark(), error.message)];
        }
    };
    let unknown = decoded.unknown.into_iter().map(|field| {
        let mut message = format!("unknown field {:?}", field.path);
        if let Some(meant) = nearest(&field.name, field.known) {
            message = format!("{message}; did you mean {meant:?}?");
        }
        Problem::at(place.nearest(&field.path).mark(), message)
    });
    unknown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(usize, String)> {
        plan(text).problems.into_iter().map(|problem| (problem.line, problem.message)).collect()
    }

    #[test]
    fn each_document_becomes_a_creation() {
        let node = "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n";
        let plan = plan(&format!("{FIRST}{node}"));
        assert!(plan.problems.is_empty(), "{:?}", plan.problems);
        let said: Vec<_> =
            plan.outgoing.iter().map(|out| (&*out.reference, &*out.call.path)).collect();
        let pod = ("pod/nginx", "/api/v1/namespaces/default/pods");
        assert_eq!(said, [pod, ("node/n1", "/api/v1/nodes")]);
    }

    #[test]
    fn a_mistake_is_told_at_its_line() {
        let unknown = FIRST.replace("containerPort", "containerport");
        let field = "spec.containers[0].ports[0].containerport";
        let words = format!("unknown field {field:?}; did you mean \"containerPort\"?");
        assert_eq!(problems(&unknown), [(10, words)]);
        let kind = FIRST.replace("kind: Pod", "kind: Pot");
        assert_eq!(
            problems(&kind),
            [(2, "no matches for kind \"Pot\" in version \"v1\"".to_owned())]
        );
        assert_eq!(problems("a: [1").len(), 1);
        assert_eq!(problems("").len(), 1);
        assert_eq!(problems("- 1").len(), 1);
        assert_eq!(problems("kind: Pod"), [(1, "apiVersion not set".to_owned())]);
    }
}
