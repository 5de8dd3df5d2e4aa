//! Namespaces.
//!
//! Mirrors: `ValidateNamespace`, `ValidateNamespaceStatusUpdate` and `ValidateNamespaceFinalizeUpdate` of
//! `pkg/apis/core/validation`.

use super::{M, PLAIN, Rules, meta};
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::names;
use crate::api::validation::report::Report;

pub(super) const RULES: Rules =
    Rules { name: names::dns1123_label, check: finalizers, update: &[M], status: phase, ..PLAIN };

fn finalizers(out: &mut Report, namespace: &Document, _old: Option<&Document>) {
    let path = Path::new("spec").child("finalizers");
    for name in namespace.at("spec").at("finalizers").texts() {
        finalizer(out, name, &path);
    }
}

/// The finalizers alone, each at its own place.
pub(super) fn each_finalizer(out: &mut Report, namespace: &Document) {
    let path = Path::new("spec").child("finalizers");
    for (index, name) in namespace.at("spec").at("finalizers").texts().enumerate() {
        finalizer(out, name, &path.index(index));
    }
}

fn finalizer(out: &mut Report, name: &str, path: &Path) {
    out.words(path, name, names::label_key);
    meta::standard_finalizer(out, name, path);
}

fn phase(out: &mut Report, namespace: &Document, _old: &Document) {
    let phase = namespace.at("status").at("phase").text();
    let words = match (&namespace.metadata.deletion_timestamp, phase) {
        (None, "Active") | (Some(_), "Terminating") => return,
        (None, _) => "may only be 'Active' if `deletionTimestamp` is empty",
        (Some(_), _) => "may only be 'Terminating' if `deletionTimestamp` is not empty",
    };
    out.invalid(&Path::new("status").child("Phase"), phase, words);
}
