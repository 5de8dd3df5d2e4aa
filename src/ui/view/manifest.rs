//! The text of the editor as requests to send, or as what is wrong with it.

use std::rc::Rc;

use serde_json::Value;

use crate::api::decode::{self, Document, Limits, Mark, Place, nearest};
use crate::api::document::Part;
use crate::api::status::StatusError;
use crate::api::{Kind, Kinds, Object};
use crate::cluster::Cluster;
use crate::kubectl::{Manifest, ManifestError};
use crate::recording::import::{Import, is_cluster};
use crate::scheduler::configuration::{Configuration, is_configuration};

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

/// What the text asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub outgoing: Vec<Manifest>,
    /// A whole cluster that is to take the place of this one; nothing else is then asked for.
    pub import: Option<Rc<Import>>,
    /// What the scheduler is to be configured by.
    pub scheduler: Option<Rc<Configuration>>,
    /// If there are any, nothing is to be sent.
    pub problems: Vec<Problem>,
    /// Objects of kinds that other documents define: they can be sent once those are there.
    pub waiting: Vec<Problem>,
}

/// Reads the text: one object of one of these `kinds` for each of its documents.
pub fn plan(text: &str, kinds: &Kinds) -> Plan {
    let manifests = decode::read(text, Limits::default());
    let mut plan = Plan::default();
    if let Some(error) = manifests.error {
        plan.problems.push(Problem::at(error.mark, error.message));
    } else if manifests.documents.is_empty() {
        plan.problems.push(Problem::at(Mark::START, "no objects passed to apply".to_owned()));
    }
    if plan.problems.is_empty() && is_cluster(&manifests.documents) {
        match Import::of(&manifests.documents) {
            Ok(import) => plan.import = Some(Rc::new(import)),
            Err(error) => plan.problems.push(Problem::at(Mark::START, error.to_string())),
        }
        return plan;
    }
    let defined: Vec<(String, String)> =
        manifests.documents.iter().flat_map(|document| defines(&document.value)).collect();
    for document in manifests.documents {
        let names = |(api_version, kind): &(String, String)| {
            document.value.get("apiVersion").is_some_and(|own| own == api_version.as_str())
                && document.value.get("kind").is_some_and(|own| own == kind.as_str())
        };
        let waits = defined.iter().any(names);
        if is_configuration(&document.value) {
            plan.configure(&document);
            continue;
        }
        match Manifest::of(document, kinds) {
            Ok(manifest) => {
                plan.problems.extend(misfits(&manifest));
                plan.outgoing.push(manifest);
            }
            // As kubectl says it.
            Err(ManifestError { mark, message }) if waits => {
                let message = message + "\nensure CRDs are installed first";
                plan.waiting.push(Problem::at(mark, message));
            }
            Err(error) => plan.problems.push(Problem::at(error.mark, error.message)),
        }
    }
    plan
}

/// The `apiVersion` and `kind` of what a document defines, if it is a definition, in each version.
fn defines(document: &Value) -> Vec<(String, String)> {
    let document = Part::of(Some(document));
    if document.at("kind").text() != Kind::CustomResourceDefinition.resource().name {
        return Vec::new();
    }
    let (group, kind) =
        (document.at("spec").at("group").text(), document.at("spec").at("names").at("kind").text());
    let versions = document.at("spec").at("versions").items();
    let names = versions.map(|version| [group, "/", version.at("name").text()].concat());
    names.map(|api_version| (api_version, kind.to_owned())).collect()
}

impl Plan {
    fn configure(&mut self, document: &Document) {
        let place = &document.place;
        if self.scheduler.is_some() {
            let words = "there is one scheduler, which takes one configuration";
            self.problems.push(Problem::at(place.mark(), words.to_owned()));
        }
        match Configuration::read(&document.value) {
            Ok(configuration) => self.scheduler = Some(Rc::new(configuration)),
            Err(error) => {
                let mark = place.nearest(&error.path).mark();
                self.problems.push(Problem::at(mark, error.message));
            }
        }
    }
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

/// Whether the cluster has the object of a manifest.
pub fn is_in(manifest: &Manifest, cluster: &Cluster) -> bool {
    cluster.object(manifest.kind, &manifest.namespace, &manifest.name).is_some()
}

/// What of the manifest has no place in its kind.
fn misfits(manifest: &Manifest) -> Vec<Problem> {
    let place = &manifest.place;
    let decoded = match Object::from_json(manifest.kind, &manifest.object) {
        Ok(decoded) => decoded,
        Err(error) => {
            return vec![Problem::at(place.nearest(&error.path).mark(), error.message)];
        }
    };
    let unknown = decoded.unknown.into_iter().map(|field| {
        let mut message = format!("unknown field {:?}", field.path);
        if let Some(meant) = nearest(&field.name, &field.known) {
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
        plan(text, &Kinds::default())
            .problems
            .into_iter()
            .map(|problem| (problem.line, problem.message))
            .collect()
    }

    #[test]
    fn each_document_becomes_an_object() {
        let node = "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\n";
        let plan = plan(&format!("{FIRST}{node}"), &Kinds::default());
        assert!(plan.problems.is_empty(), "{:?}", plan.problems);
        let said: Vec<_> = plan.outgoing.iter().map(Manifest::path).collect();
        assert_eq!(said, ["/api/v1/namespaces/default/pods/nginx", "/api/v1/nodes/n1"]);
    }

    #[test]
    fn a_configuration_is_for_the_scheduler() {
        let configuration = "apiVersion: kubescheduler.config.k8s.io/v1\n\
                             kind: KubeSchedulerConfiguration\n";
        let plan = plan(&format!("{FIRST}---\n{configuration}"), &Kinds::default());
        assert!(plan.problems.is_empty() && plan.scheduler.is_some(), "{:?}", plan.problems);
        assert_eq!(plan.outgoing.len(), 1);
        let twice = format!("{configuration}---\n{configuration}");
        let words = "there is one scheduler, which takes one configuration";
        assert_eq!(problems(&twice), [(4, words.to_owned())]);
        let wrong = format!("{configuration}profiles:\n- schedulerName: a\n  plugin: {{}}\n");
        let words = "strict decoding error: unknown field \"profiles[0].plugin\"";
        assert_eq!(problems(&wrong), [(5, words.to_owned())]);
        let wrong = format!("{configuration}parallelism: 0\npercentageOfNodesToScore: 101\n");
        assert_eq!(problems(&wrong)[0].0, 3, "{:?}", problems(&wrong));
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

    #[test]
    fn objects_wait_for_the_definition_of_their_kind() {
        let text = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tabs.example.com}
spec: {group: example.com, names: {kind: Tab}, versions: [{name: v1}]}
---
apiVersion: example.com/v1
kind: Tab
metadata: {name: a}
---
apiVersion: example.com/v2
kind: Tab
metadata: {name: b}
";
        let plan = plan(text, &Kinds::default());
        assert_eq!(plan.outgoing.len(), 1);
        let [waiting] = &plan.waiting[..] else { panic!("{:?}", plan.waiting) };
        assert_eq!(waiting.line, 7);
        assert_eq!(
            waiting.message,
            "no matches for kind \"Tab\" in version \"example.com/v1\"\nensure CRDs are installed first"
        );
        assert_eq!(plan.problems.len(), 1);
    }
}
