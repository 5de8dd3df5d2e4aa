//! Files in volumes: which key of a map, or which field of the Pod, each of them shows.

use super::{descending, missing};
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::validation::env;
use crate::api::validation::report::Report;

const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

pub(super) fn mode(out: &mut Report, mode: Part<'_>, path: &Path) {
    if let Some(mode) = mode.number().filter(|mode| !(0..=0o777).contains(mode)) {
        out.invalid(path, mode, MODE);
    }
}

/// A file that is made of one key.
pub(super) fn key_to_path(out: &mut Report, item: Part<'_>, path: &Path) {
    missing(out, item, "key", path);
    missing(out, item, "path", path);
    not_reserved(out, item.at("path").text(), &path.child("path"));
    mode(out, item.at("mode"), &path.child("mode"));
}

/// A file that shows a field of the Pod, or a resource of a container.
pub(super) fn shown(out: &mut Report, file: Part<'_>, path: &Path) {
    missing(out, file, "path", path);
    not_reserved(out, file.at("path").text(), &path.child("path"));
    let (field, resource) = (file.at("fieldRef"), file.at("resourceFieldRef"));
    if field.is_there() {
        env::field_selector(out, field, env::IN_FILES, &path.child("fieldRef"));
        if resource.is_there() {
            let words = "fieldRef and resourceFieldRef can not be specified simultaneously";
            out.invalid(path, "resource", words);
        }
    } else if resource.is_there() {
        env::resource_selector(out, resource, true, &path.child("resourceFieldRef"));
    } else {
        out.required(path, "one of fieldRef and resourceFieldRef is required");
    }
    mode(out, file.at("mode"), &path.child("mode"));
}

/// A path inside whose name begins as none of the kubelet's own does.
pub(super) fn not_reserved(out: &mut Report, value: &str, path: &Path) {
    descending(out, value, path);
    if value.starts_with("..") && !value.starts_with("../") {
        out.invalid(path, value, "must not start with '..'");
    }
}
