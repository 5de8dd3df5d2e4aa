//! Files of a volume that are in each other's way.

use super::Told;
use crate::api::document::Part;

/// What files come from, and what upstream calls it.
const SOURCES: [(&str, &str); 5] = [
    ("configMap", "ConfigMap"),
    ("secret", "Secret"),
    ("downwardAPI", "DownwardAPI"),
    ("serviceAccountToken", "ServiceAccountToken"),
    ("clusterTrustBundle", "ClusterTrustBundle"),
];

/// The path of a file, and where it comes from.
type File<'a> = (&'a str, String);

/// Looks at the files of a volume; one that lies below another, or at its place, takes its room.
pub(super) fn overlapping(out: &mut Told, volume: Part<'_>) {
    let (name, projected) = (volume.at("name").text(), volume.at("projected"));
    let mut files: Vec<File<'_>> = Vec::new();
    for source in projected.at("sources").items() {
        if source.is_empty() {
            out.0.push(format!("volume {name:?} (Projected) has no sources provided"));
        }
        add(&mut files, source);
    }
    add(&mut files, volume);
    for (index, (file, from)) in files.iter().enumerate() {
        for (other, its) in files.iter().take(index) {
            if !is_in(file, other) && !is_in(other, file) {
                continue;
            }
            out.0.push(if projected.is_there() {
                format!(
                    "volume {name:?} (Projected): overlapping paths: {file:?} ({from}) with \
                     {other:?} ({its})"
                )
            } else {
                format!("volume {name:?} ({from}): overlapping paths: {file:?} with {other:?}")
            });
        }
    }
}

fn add<'a>(files: &mut Vec<File<'a>>, source: Part<'a>) {
    for (field, of) in SOURCES {
        let own = source.at(field);
        let names = ["name", "secretName", "signerName"].map(|field| own.at(field).text());
        let from = match names.into_iter().find(|name| !name.is_empty()) {
            Some(name) => format!("{of} {name:?}"),
            None => of.to_owned(),
        };
        for file in own.at("items").items().chain([own]) {
            let path = file.at("path").text().trim_end_matches('/');
            if !path.is_empty() {
                files.push((path, from.clone()));
            }
        }
    }
}

/// Whether one path is another, or lies below it.
fn is_in(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
