//! Ingresses and their classes.
//!
//! Mirrors: `pkg/apis/networking/validation`.

use serde_json::Value;

use super::{C, K, M, N, PLAIN, Rules};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::Report;

pub(super) const INGRESS_CLASS: Rules = Rules {
    check: ingress_class,
    update: &[M, C, N, K],
    change: |out, new, old| {
        let of = |class: &Document| class.at("spec").at("controller").value().clone();
        out.immutable(&Path::new("spec").child("controller"), &of(new), &of(old));
    },
    ..PLAIN
};
pub(super) const INGRESS: Rules =
    Rules { check: ingress, update: &[M, N, K], status: ingress_status, ..PLAIN };

const CLASS: &str = "kubernetes.io/ingress.class";

fn ingress_class(out: &mut Report, class: &Document, _old: Option<&Document>) {
    let (controller, path) = (class.at("spec").at("controller").text(), Path::new("spec"));
    if controller.len() > 250 {
        out.errors.push(FieldError::too_long(&path.child("controller"), 250));
    }
    out.errors.extend(names::domain_prefixed_path(&path.child("controller"), controller));
    let (parameters, path) = (class.at("spec").at("parameters"), path.child("parameters"));
    if !parameters.is_there() {
        return;
    }
    reference(out, parameters, &path);
    let (scope, namespace) = (parameters.at("scope").text(), parameters.at("namespace"));
    out.one_of_at(&path, "scope", scope, &["Cluster", "Namespace"]);
    let path = path.child("namespace");
    match (scope, namespace.is_there()) {
        ("Namespace", false) => out.required(&path, "`parameters.scope` is set to 'Namespace'"),
        ("Namespace", true) => {
            out.words(&path, namespace.text(), names::dns1123_label);
        }
        ("Cluster", true) => out.forbidden(&path, "`parameters.scope` is set to 'Cluster'"),
        (_, _) => {}
    }
}

/// The kind and the name of an object that is meant.
fn reference(out: &mut Report, to: Part<'_>, path: &Path) {
    let group = to.at("apiGroup");
    if group.is_there() {
        out.words_at(path, "apiGroup", group.text(), names::dns1123_subdomain);
    }
    for field in ["kind", "name"] {
        let (value, path) = (to.at(field).text(), path.child(field));
        if value.is_empty() {
            out.required(&path, "");
        } else {
            out.words(&path, value, names::path_segment);
        }
    }
}

/// An annotation once said the class, and may say no other.
fn same_class(out: &mut Report, ingress: &Document) {
    let annotations = ingress.metadata.annotations.as_ref();
    let class = ingress.at("spec").at("ingressClassName");
    if let Some(said) = annotations.and_then(|all| all.get(CLASS))
        && class.is_there()
        && said != class.text()
    {
        let words = "must match `ingressClassName` when both are specified";
        out.invalid(&Path::new("annotations").child(CLASS), said.as_str(), words);
    }
}

fn ingress(out: &mut Report, ingress: &Document, old: Option<&Document>) {
    let (spec, path) = (ingress.at("spec"), Path::new("spec"));
    let (rules, default) = (spec.at("rules"), spec.at("defaultBackend"));
    if rules.is_empty() && !default.is_there() {
        let words = "either `defaultBackend` or `rules` must be specified";
        out.invalid(&path, Value::Null, words);
    }
    if default.is_there() {
        backend(out, default, &path.child("defaultBackend"));
    }
    let rules_path = path.child("rules");
    for (index, rule) in rules.items().enumerate() {
        let name = rule.at("host").text();
        let host_path = rules_path.index(index).child("host");
        if names::parse_ip(name).is_some() {
            out.invalid(&host_path, name, "must be a DNS name, not an IP address");
        }
        host_name(out, name, &host_path);
        let http = rule.at("http");
        if !http.is_there() {
            continue;
        }
        let path = rules_path.index(index).child("http").child("paths");
        if http.at("paths").is_empty() {
            out.required(&path, "");
        }
        for (index, one) in http.at("paths").items().enumerate() {
            http_path(out, one, &path.index(index));
        }
    }
    for (index, tls) in spec.at("tls").items().enumerate() {
        let path = path.child("tls").index(index);
        for (index, host) in tls.at("hosts").texts().enumerate() {
            host_name(out, host, &path.child("hosts").index(index));
        }
        let secret = tls.at("secretName").text();
        if !secret.is_empty() {
            out.words_at(&path, "secretName", secret, names::dns1123_subdomain);
        }
    }
    let class = spec.at("ingressClassName");
    if class.is_there() {
        out.words_at(&path, "ingressClassName", class.text(), names::dns1123_subdomain);
    }
    if old.is_none() {
        same_class(out, ingress);
    }
}

fn host_name(out: &mut Report, host: &str, path: &Path) {
    if host.contains('*') {
        out.words(path, host, names::wildcard_dns1123_subdomain);
    } else if !host.is_empty() {
        out.words(path, host, names::dns1123_subdomain);
    }
}

fn http_path(out: &mut Report, one: Part<'_>, path: &Path) {
    let (of, own) = (one.at("pathType"), one.at("path").text());
    let own_path = path.child("path");
    match of.text() {
        "" => {
            out.required_at(path, "pathType", "pathType must be specified");
            return;
        }
        "Exact" | "Prefix" => {
            if !own.starts_with('/') {
                out.invalid(&own_path, own, "must be an absolute path");
            }
            for part in
                ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|part| own.contains(**part))
            {
                out.invalid(&own_path, own, format!("must not contain '{part}'"));
            }
            for end in ["/..", "/."].iter().filter(|end| own.ends_with(**end)) {
                out.invalid(&own_path, own, format!("cannot end with '{end}'"));
            }
        }
        "ImplementationSpecific" => {
            if !own.is_empty() && !own.starts_with('/') {
                out.invalid(&own_path, own, "must be an absolute path");
            }
        }
        of => {
            let known = ["Exact", "ImplementationSpecific", "Prefix"];
            out.supported_at(path, "pathType", of, &known);
        }
    }
    backend(out, one.at("backend"), &path.child("backend"));
}

fn backend(out: &mut Report, backend: Part<'_>, path: &Path) {
    let (resource, service) = (backend.at("resource"), backend.at("service"));
    match (resource.is_there(), service.is_there()) {
        (true, true) => out.invalid(path, "", "cannot set both resource and service backends"),
        (true, false) => reference(out, resource, &path.child("resource")),
        (false, true) => {
            let (name, service_path) = (service.at("name").text(), path.child("service"));
            if name.is_empty() {
                out.required_at(&service_path, "name", "");
            } else {
                out.words_at(&service_path, "name", name, names::dns1123_label);
            }
            let (port, port_path) = (service.at("port"), service_path.child("port"));
            let number = port.at("number").number().filter(|number| *number != 0);
            match (port.at("name").text(), number) {
                ("", None) => out.required(path, "port name or number is required"),
                ("", Some(number)) => {
                    out.number_at(&port_path, "number", number, names::port_number);
                }
                (name, None) => out.words_at(&port_path, "name", name, names::port_name),
                (_, Some(_)) => out.invalid(path, "", "cannot set both port name & port number"),
            }
        }
        (false, false) => out.invalid(path, "", "resource or service backend is required"),
    }
}

fn ingress_status(out: &mut Report, new: &Document, _old: &Document) {
    let points = new.at("status").at("loadBalancer").at("ingress");
    for (index, point) in points.items().enumerate() {
        let path = Path::new("status").child("loadBalancer").child("ingress").index(index);
        let (ip, host) = (point.at("ip").text(), point.at("hostname").text());
        if !ip.is_empty() {
            out.errors.extend(names::ip(&path.child("ip"), ip));
        }
        if !host.is_empty() {
            host_name(out, host, &path.child("hostname"));
            if names::parse_ip(host).is_some() {
                let words = "must be a DNS name, not an IP address";
                out.invalid_at(&path, "hostname", host, words);
            }
        }
    }
}
