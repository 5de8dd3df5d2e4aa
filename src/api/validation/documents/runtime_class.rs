//! Runtime classes.
//!
//! Mirrors: `pkg/apis/node/validation`.

use serde_json::json;

use super::{C, K, M, N, PLAIN, Rules};
use crate::api::decode::decode;
use crate::api::document::Document;
use crate::api::field::Path;
use crate::api::names;
use crate::api::to_json;
use crate::api::validation::report::{Report, Seen};
use crate::api::validation::{affinity, meta, resources};
use crate::api::wire::PodSpec;

pub(super) const RULES: Rules = Rules { check, change, update: &[N, K, M, C], ..PLAIN };

/// What a class says of the Pods that name it, as one of them would say it: where they may run, what they
/// tolerate, and what it takes to run them.
pub fn of_pods(class: &Document) -> PodSpec {
    let scheduling = class.at("scheduling");
    let said = json!({
        "nodeSelector": scheduling.at("nodeSelector").value(),
        "overhead": class.at("overhead").at("podFixed").value(),
        "tolerations": scheduling.at("tolerations").value(),
    });
    decode(&said).map(|decoded| decoded.object).unwrap_or_default()
}

fn check(out: &mut Report, class: &Document, _old: Option<&Document>) {
    out.words(&Path::new("handler"), class.at("handler").text(), names::dns1123_label);
    let said = of_pods(class);
    resources::overhead(out, said.overhead, &Path::new("overhead"));
    let path = Path::new("scheduling");
    meta::labels(out, said.node_selector.as_ref(), &path.child("nodeSelector"));
    let (tolerations, path) = (said.tolerations.unwrap_or_default(), path.child("tolerations"));
    affinity::tolerations(out, &tolerations, &path);
    let mut seen = Seen::default();
    for (index, mut toleration) in tolerations.into_iter().enumerate() {
        let whole = to_json(&toleration);
        // For how long makes it no other.
        toleration.toleration_seconds = None;
        if !seen.is_new(to_json(&toleration).to_string()) {
            out.duplicate(&path.index(index), whole);
        }
    }
}

fn change(out: &mut Report, new: &Document, old: &Document) {
    let of = |class: &Document| class.at("handler").value().clone();
    out.immutable(&Path::new("handler"), &of(new), &of(old));
}
