//! Files of a volume that are in each other's way.

use super::Told;
use crate::api::document::Part;

/// Looks at the files of a volume; one that lies below another, or at its place, takes its room.
pub(super) fn overlapping(out: &mut Told, volume: Part<'_>) {
    let name = volume.at("name").text();
    let items = |source: Part<'_>, from: &str| -> Vec<(String, String)> {
        let paths = source.at("items").items().map(|item| item.at("path").text());
        paths.map(|path| (path.to_owned(), from.to_owned())).collect()
    };
    for (field, of, named) in [
        ("configMap", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("downwardAPI", "DownwardAPI", ""),
    ] {
        let source = volume.at(field);
        let of = called(of, source.at(named).text());
        told(out, &format!("volume {name:?} ({of})"), &items(source, ""));
    }
    let head = format!("volume {name:?} (Projected)");
    let mut all = Vec::new();
    for source in volume.at("projected").at("sources").items() {
        if source.is_empty() {
            out.0.push(format!("{head} has no sources provided"));
        }
        for (field, of) in
            [("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")]
        {
            let own = source.at(field);
            all.extend(items(own, &format!(" ({})", called(of, own.at("name").text()))));
        }
        let (token, bundle) = (source.at("serviceAccountToken"), source.at("clusterTrustBundle"));
        let signer = ["name", "signerName"].map(|field| bundle.at(field).text());
        let signer = signer.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        for (own, of) in [
            (token, "ServiceAccountToken".to_owned()),
            (bundle, called("ClusterTrustBundle", signer)),
        ] {
            all.push((own.at("path").text().to_owned(), format!(" ({of})")));
        }
    }
    told(out, &head, &all);
}

fn called(of: &str, name: &str) -> String {
    if name.is_empty() { of.to_owned() } else { format!("{of} {name:?}") }
}

/// Files by their paths, and what is said of where each comes from.
fn told(out: &mut Told, head: &str, files: &[(String, String)]) {
    let mut earlier: Vec<(&str, &str)> = Vec::new();
    for (path, from) in files {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            continue;
        }
        for (other, its) in &earlier {
            if is_in(path, other) || is_in(other, path) {
                let words = format!("overlapping paths: {path:?}{from} with {other:?}{its}");
                out.0.push(format!("{head}: {words}"));
            }
        }
        earlier.push((path, from));
    }
}

/// Whether one path is another, or lies below it.
fn is_in(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
