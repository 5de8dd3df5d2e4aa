//! Environment variables and the fields they may show.

use super::pod_spec::each;
use super::report::Report;
use crate::api::document::{Fragment, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::quantity::Quantity;
use crate::api::text::lower;
use crate::api::wire::PodSpec;

/// Fields of a Pod that a variable can show, sorted.
const IN_VARIABLES: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Fields of a Pod that a file can show, sorted.
pub(super) const IN_FILES: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// Fields that exist, whether or not they can be shown.
const KNOWN: &[&str] = &["spec.restartPolicy", "spec.schedulerName", "status.phase"];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const DIVISORS: [&str; 13] =
    ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

pub(super) fn variables(out: &mut Report, variables: Part<'_>, path: &Path) {
    for (index, variable) in variables.items().enumerate() {
        let path = path.index(index);
        let name = variable.at("name").text();
        if name.is_empty() {
            out.required_at(&path, "name", "");
        } else {
            out.words_at(&path, "name", name, names::env_var_name);
        }
        let source = variable.at("valueFrom");
        if source.is_there() {
            let has_value = !variable.at("value").text().is_empty();
            value_from(out, source, has_value, &path.child("valueFrom"));
        }
    }
}

fn value_from(out: &mut Report, source: Part<'_>, has_value: bool, path: &Path) {
    let mut sources = 0;
    for field in ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"] {
        let (selector, path) = (source.at(field), path.child(field));
        if !selector.is_there() {
            continue;
        }
        sources += 1;
        match field {
            "fieldRef" => field_selector(out, selector, IN_VARIABLES, &path),
            "resourceFieldRef" => resource_selector(out, selector, false, &path),
            "fileKeyRef" => file_key(out, selector, &path),
            _ => key_selector(out, selector, &path),
        }
    }
    if sources == 0 {
        let words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, \
                     `secretKeyRef` or `fileKeyRef`";
        out.invalid(path, "", words);
    } else if has_value {
        out.invalid(path, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        out.invalid(path, "", "may not have more than one field specified at a time");
    }
}

fn key_selector(out: &mut Report, selector: Part<'_>, path: &Path) {
    let (name, key) = (selector.at("name").text(), selector.at("key").text());
    out.words_at(path, "name", name, names::dns1123_subdomain);
    if key.is_empty() {
        out.required_at(path, "key", "");
    } else {
        out.words_at(path, "key", key, names::config_map_key);
    }
}

/// A key in a file of an empty volume.
fn file_key(out: &mut Report, selector: Part<'_>, path: &Path) {
    type Rule = fn(&str) -> Vec<String>;
    let rules: [(_, Rule); 3] = [
        ("key", names::env_var_name),
        ("volumeName", names::dns1123_label),
        ("path", |value| {
            let climbs = value.split('/').any(|part| part == "..");
            climbs.then(|| "must not contain '..'".to_owned()).into_iter().collect()
        }),
    ];
    for (field, rule) in rules {
        let (value, path) = (selector.at(field).text(), path.child(field));
        if value.is_empty() {
            out.required(&path, "");
        } else {
            out.words(&path, value, rule);
        }
    }
}

/// Variables are read from files in empty volumes only.
pub(super) fn files(out: &mut Report, spec: &PodSpec, path: &Path) {
    let volumes = Fragment::part(&spec.volumes);
    each(spec, ("env", |container| &container.env), path, &mut |_, variables, path| {
        for (index, variable) in variables.items().enumerate() {
            let file = variable.at("valueFrom").at("fileKeyRef");
            if !file.is_there() {
                continue;
            }
            let name = file.at("volumeName").text();
            let path = path.index(index).child("valueFrom").child("fileKeyRef").child("volumeName");
            match volumes.items().rfind(|volume| volume.at("name").text() == name) {
                None => out.not_found(&path, name),
                Some(volume) if !volume.at("emptyDir").is_there() => {
                    out.invalid(&path, name, "referenced volume must be of type emptyDir");
                }
                Some(_) => {}
            }
        }
    });
}

/// A field of the Pod, such as `metadata.labels['app']`.
pub(super) fn field_selector(out: &mut Report, selector: Part<'_>, shown: &[&str], path: &Path) {
    let field = selector.at("fieldPath").text();
    let field_path = path.child("fieldPath");
    let version = selector.at("apiVersion").text();
    if version.is_empty() {
        out.required_at(path, "apiVersion", "");
        return;
    }
    if field.is_empty() {
        out.required(&field_path, "");
        return;
    }
    if version != "v1" {
        let words = format!("error converting fieldPath: unsupported pod version: {version}");
        out.invalid(&field_path, field, words);
        return;
    }
    let quoted = field.strip_suffix("']").and_then(|rest| rest.split_once("['"));
    match quoted {
        Some(("metadata.annotations", key)) => {
            let key = lower(key);
            out.words(path, &key, names::label_key);
        }
        Some(("metadata.labels", key)) => out.words(path, key, names::label_key),
        Some(_) => {
            let words = format!(
                "error converting fieldPath: field label does not support subscript: {field}"
            );
            out.invalid(&field_path, field, words);
        }
        None => {
            let field = if field == "spec.host" { "spec.nodeName" } else { field };
            let lists = [IN_VARIABLES, IN_FILES, KNOWN];
            if !lists.iter().any(|list| list.contains(&field)) {
                let words =
                    format!("error converting fieldPath: field label not supported: {field}");
                out.invalid(&field_path, field, words);
            } else if !shown.contains(&field) {
                out.errors.push(FieldError::not_supported(&field_path, field, shown));
            }
        }
    }
}

/// A request or limit of a container; a file must say of which.
pub(super) fn resource_selector(out: &mut Report, selector: Part<'_>, in_file: bool, path: &Path) {
    let resource = selector.at("resource").text();
    let huge = ["limits.hugepages-", "requests.hugepages-"]
        .iter()
        .any(|prefix| resource.starts_with(prefix));
    if in_file && selector.at("containerName").text().is_empty() {
        out.required_at(path, "containerName", "");
    } else if resource.is_empty() {
        out.required_at(path, "resource", "");
    } else if !huge {
        out.supported_at(path, "resource", resource, &RESOURCES);
    }
    let divisor = selector.at("divisor");
    let divisor = if divisor.is_there() { divisor.text() } else { "0" };
    if Quantity::parse(divisor).is_ok_and(|divisor| divisor.is_zero()) {
        return;
    }
    let (allowed, listed, what) = match resource {
        "limits.cpu" | "requests.cpu" => (&["1m", "1"][..], "1m and 1".to_owned(), "cpu"),
        "limits.memory" | "requests.memory" => (&DIVISORS[..], DIVISORS.join(", "), "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => {
            (&DIVISORS[..], DIVISORS.join(", "), "local ephemeral storage")
        }
        _ if huge => (&DIVISORS[..], DIVISORS.join(", "), "hugepages"),
        _ => return,
    };
    if !allowed.contains(&divisor) {
        let words =
            format!("only divisor's values {listed} are supported with the {what} resource");
        out.invalid_at(path, "divisor", resource, words);
    }
}

/// All keys of a map or a secret as variables.
pub(super) fn sources(out: &mut Report, sources: Part<'_>, path: &Path) {
    for (index, source) in sources.items().enumerate() {
        let own = path.index(index);
        let prefix = source.at("prefix").text();
        if !prefix.is_empty() {
            out.words_at(&own, "prefix", prefix, names::env_var_name);
        }
        let mut found = 0;
        for field in ["configMapRef", "secretRef"] {
            if !source.at(field).is_there() {
                continue;
            }
            found += 1;
            let (name, path) = (source.at(field).at("name").text(), own.child(field).child("name"));
            if name.is_empty() {
                out.required(&path, "");
            } else {
                out.words(&path, name, names::dns1123_subdomain);
            }
        }
        match found {
            0 => out.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => out.invalid(path, "", "may not have more than one field specified at a time"),
        }
    }
}
