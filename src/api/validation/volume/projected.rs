//! Volumes of files that several sources give.

use std::collections::BTreeMap;

use super::files::{key_to_path, not_reserved, shown};
use super::missing;
use crate::api::decode::decode;
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::text::lower;
use crate::api::validation::meta::{self, NameRule};
use crate::api::validation::report::Report;
use crate::api::validation::selector;

const TWICE: &str = "conflicting duplicate paths";
const SOURCES: [&str; 6] = [
    "secret",
    "configMap",
    "downwardAPI",
    "serviceAccountToken",
    "clusterTrustBundle",
    "podCertificate",
];
const KEY_TYPES: [&str; 6] =
    ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const HOUR: i64 = 3_600;
const SIGNER_MAX: usize = 571;
const DOMAIN_MAX: usize = 253;

/// What no two sources may give: a file of the same path.
#[derive(Default)]
struct Files<'a>(Vec<&'a str>);

impl<'a> Files<'a> {
    /// `shown` stands for the file in an error of the whole volume.
    fn take(&mut self, out: &mut Report, file: &'a str, shown: &str, path: &Path) {
        if self.0.contains(&file) {
            out.invalid(path, shown, TWICE);
        } else {
            self.0.push(file);
        }
    }
}

pub(super) fn check(out: &mut Report, projection: Part<'_>, path: &Path) {
    let mut files = Files::default();
    for (index, source) in projection.at("sources").items().enumerate() {
        let own = path.child("sources").index(index);
        for field in ["secret", "configMap"] {
            let (map, own) = (source.at(field), own.child(field));
            if !map.is_there() {
                continue;
            }
            missing(out, map, "name", &own);
            for (index, item) in map.at("items").items().enumerate() {
                key_to_path(out, item, &own.child("items").index(index));
                let file = item.at("path").text();
                if !file.is_empty() {
                    files.take(out, file, map.at("name").text(), path);
                }
            }
        }
        for item in source.at("downwardAPI").at("items").items() {
            let file = item.at("path").text();
            shown(out, item, &own.child("downwardAPI"));
            if !file.is_empty() {
                files.take(out, file, file, path);
            }
        }
        let of = |field: &'static str| (source.at(field), own.child(field));
        let (token, token_path) = of("serviceAccountToken");
        if token.is_there() {
            account_token(out, token, &token_path, path);
        }
        let (bundle, bundle_path) = of("clusterTrustBundle");
        if bundle.is_there() {
            trust_bundle(out, bundle, &bundle_path);
            let file = bundle.at("path").text();
            missing(out, bundle, "path", &bundle_path);
            not_reserved(out, file, &bundle_path.child("path"));
            files.take(out, file, file, path);
        }
        let (certificate, certificate_path) = of("podCertificate");
        if certificate.is_there() {
            pod_certificate(out, certificate, &certificate_path);
            certificate_files(out, certificate, &mut files, (&certificate_path, path));
        }
        if SOURCES.iter().filter(|field| source.at(field).is_there()).count() > 1 {
            out.forbidden(&own, "may not specify more than 1 volume type per source");
        }
    }
}

/// The path in errors of its own path lacks the source, as upstream's does.
fn account_token(out: &mut Report, token: Part<'_>, own: &Path, path: &Path) {
    let seconds = token.at("expirationSeconds").number().unwrap_or_default();
    let seconds_path = own.child("expirationSeconds");
    if seconds < 600 {
        let words = "may not specify a duration less than 10 minutes";
        out.invalid(&seconds_path, seconds, words);
    }
    if seconds > 1 << 32 {
        let words = "may not specify a duration larger than 2^32 seconds";
        out.invalid(&seconds_path, seconds, words);
    }
    missing(out, token, "path", path);
    not_reserved(out, token.at("path").text(), &path.child("path"));
}

/// A bundle by its name, or all of a signer that a selector finds.
fn trust_bundle(out: &mut Report, bundle: Part<'_>, path: &Path) {
    let (name, signer) = (bundle.at("name"), bundle.at("signerName"));
    let own_selector = bundle.at("labelSelector");
    match (name.is_there(), signer.is_there()) {
        (true, true) => {
            let words = "only one of name and signerName may be used";
            out.invalid(path, bundle.value().clone(), words);
        }
        (true, false) => {
            let (name, path_of_name) = (name.text(), path.child("name"));
            if name.is_empty() {
                out.required(&path_of_name, "must be a valid object name");
            }
            // What comes before the last colon is the signer, with a colon for its slash.
            let own = name.rsplit_once(':').filter(|(signer, _)| !signer.is_empty());
            let words = match own {
                Some((signer, _)) if signer.contains('/') => vec![format!(
                    "ClusterTrustBundle for signerName {} must be named with prefix {}:",
                    signer.replace(':', "/"),
                    signer.replace('/', ":"),
                )],
                Some((_, own)) => names::dns1123_subdomain(own),
                None if name.contains(':') => {
                    let words =
                        "ClusterTrustBundle without signer name must not have \":\" in its name";
                    vec![words.to_owned()]
                }
                None => names::dns1123_subdomain(name),
            };
            for words in words {
                let words = format!("not a valid clustertrustbundlename: {words}");
                out.invalid(&path_of_name, name, words);
            }
            if own_selector.is_there() {
                let words = "labelSelector must be unset if name is specified";
                out.invalid_at(path, "labelSelector", own_selector.value().clone(), words);
            }
        }
        (false, true) => {
            if signer.text().is_empty() {
                out.required_at(path, "signerName", "must be a valid signer name");
            }
            signer_name(out, signer.text(), &path.child("signerName"));
            let own = decode(own_selector.value()).ok().map(|decoded| decoded.object);
            let own = own.filter(|_| own_selector.is_there());
            selector::label_selector(out, own.as_ref(), &path.child("labelSelector"));
        }
        (false, false) => out.required(path, "either name or signerName must be specified"),
    }
}

/// Mirrors: `ValidateSignerName` of `pkg/apis/core/validation/names.go`.
fn signer_name(out: &mut Report, name: &str, path: &Path) {
    if name.is_empty() {
        out.required(path, "");
        return;
    }
    let Some((domain, own)) = name.split_once('/').filter(|(_, own)| !own.contains('/')) else {
        let words =
            "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        out.invalid(path, name, words);
        return;
    };
    if domain.len() > DOMAIN_MAX {
        out.errors.push(FieldError::too_long(path, DOMAIN_MAX));
    }
    // Of the labels of each half only the first that is wrong is told.
    let labels = |out: &mut Report, half: &str, rule: NameRule| {
        let wrong = half.split('.').map(|label| (label, rule(label))).find(|it| !it.1.is_empty());
        let (label, words) = wrong.unwrap_or_default();
        for words in words {
            out.invalid(path, half, format!("validating label {label:?}: {words}"));
        }
    };
    labels(out, domain, names::dns1123_label);
    if !domain.contains('.') {
        let words = "should be a domain with at least two segments separated by dots";
        out.invalid(path, domain, words);
    }
    labels(out, own, names::dns1123_subdomain);
    if name.len() > SIGNER_MAX {
        out.errors.push(FieldError::too_long(path, SIGNER_MAX));
    }
}

fn pod_certificate(out: &mut Report, certificate: Part<'_>, path: &Path) {
    let signer = certificate.at("signerName").text();
    signer_name(out, signer, &path.child("signerName"));
    let told = certificate.at("userAnnotations");
    user_annotations(out, &told.labels(), &path.child("userAnnotations"));
    let kind = certificate.at("keyType").text();
    out.supported_at(path, "keyType", kind, &KEY_TYPES);
    let Some(seconds) = certificate.at("maxExpirationSeconds").number() else { return };
    let path = path.child("maxExpirationSeconds");
    if seconds < HOUR {
        out.invalid(&path, seconds, "if provided, maxExpirationSeconds must be >= 3600");
    }
    let domain = signer.split('/').next().unwrap_or_default();
    let is_own = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
    let most = if is_own { 24 * HOUR } else { 91 * 24 * HOUR };
    if seconds > most {
        let words = format!("if provided, maxExpirationSeconds must be <= {most}");
        out.invalid(&path, seconds, words);
    }
}

/// What a signer is told besides, each behind the domain of who understands it.
///
/// Mirrors: `ValidateUserAnnotations`.
fn user_annotations(out: &mut Report, told: &BTreeMap<String, String>, path: &Path) {
    for key in told.keys().map(|key| lower(key)) {
        if key.is_empty() {
            out.required(path, "");
            continue;
        }
        let mut words = names::label_key(&key);
        if words.is_empty() && !key.contains('/') {
            words.push("must be a domain-prefixed key (such as \"acme.io/foo\")".to_owned());
        }
        out.each(path, key, words);
    }
    meta::annotations_size(out, told, path);
}

fn certificate_files<'a>(
    out: &mut Report,
    certificate: Part<'a>,
    files: &mut Files<'a>,
    (own, path): (&Path, &Path),
) {
    let mut none = true;
    for field in ["credentialBundlePath", "keyPath", "certificateChainPath"] {
        let file = certificate.at(field).text();
        if !file.is_empty() {
            none = false;
            not_reserved(out, file, &own.child(field));
            files.take(out, file, file, path);
        }
    }
    if none {
        let words =
            "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
        out.required(own, words);
    }
}
