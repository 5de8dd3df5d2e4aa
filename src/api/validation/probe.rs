//! Probes and lifecycle hooks.

use super::report::Report;
use crate::api::document::Part;
use crate::api::field::Path;
use crate::api::names;

/// What a probe or a hook may do; exactly one of them.
const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// A probe that must succeed once: those of liveness and of starting up.
pub(super) fn liveness(out: &mut Report, probe: Part<'_>, grace: Option<i64>, path: &Path) {
    if !probe.is_there() {
        return;
    }
    check(out, probe, grace, path);
    let threshold = probe.at("successThreshold").number().unwrap_or_default();
    if threshold != 1 {
        out.invalid_at(path, "successThreshold", threshold, "must be 1");
    }
}

/// A probe that may fail without the container being stopped.
pub(super) fn readiness(out: &mut Report, probe: Part<'_>, grace: Option<i64>, path: &Path) {
    if !probe.is_there() {
        return;
    }
    check(out, probe, grace, path);
    if let Some(seconds) = probe.at("terminationGracePeriodSeconds").number() {
        let words = "must not be set for readinessProbes";
        out.invalid_at(path, "terminationGracePeriodSeconds", seconds, words);
    }
}

fn check(out: &mut Report, probe: Part<'_>, grace: Option<i64>, path: &Path) {
    handler(out, probe, grace, path);
    for field in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        out.not_negative(&path.child(field), probe.at(field).number().unwrap_or_default());
    }
    let seconds = probe.at("terminationGracePeriodSeconds").number();
    if let Some(seconds) = seconds.filter(|seconds| *seconds <= 0) {
        let path = path.child("terminationGracePeriodSeconds");
        out.invalid(&path, seconds, "must be greater than 0");
    }
}

/// Hooks after the start and before the stop.
pub(super) fn lifecycle(out: &mut Report, own: Part<'_>, grace: Option<i64>, path: &Path) {
    for field in ["postStart", "preStop"] {
        if own.at(field).is_there() {
            handler(out, own.at(field), grace, &path.child(field));
        }
    }
}

fn handler(out: &mut Report, part: Part<'_>, grace: Option<i64>, path: &Path) {
    let mut found = false;
    for handler in HANDLERS.into_iter().filter(|handler| part.at(handler).is_there()) {
        let (own, path) = (part.at(handler), path.child(handler));
        if found {
            out.forbidden(&path, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match handler {
            "exec" if own.at("command").is_empty() => out.required_at(&path, "command", ""),
            "httpGet" => http_get(out, own, &path),
            "tcpSocket" | "grpc" => port(out, own.at("port"), &path.child("port")),
            "sleep" => sleep(out, own.at("seconds"), grace, &path),
            _ => {}
        }
    }
    if !found {
        out.required(path, "must specify a handler type");
    }
}

fn sleep(out: &mut Report, seconds: Part<'_>, grace: Option<i64>, path: &Path) {
    let seconds = seconds.number().unwrap_or_default();
    if let Some(grace) = grace
        && !(0..=grace).contains(&seconds)
    {
        let words =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        out.invalid(path, seconds, words);
    }
}

fn http_get(out: &mut Report, action: Part<'_>, path: &Path) {
    if action.at("path").text().is_empty() {
        out.required_at(path, "path", "");
    }
    port(out, action.at("port"), &path.child("port"));
    out.supported_at(path, "scheme", action.at("scheme").text(), &["HTTP", "HTTPS"]);
    for header in action.at("httpHeaders").items() {
        let name = header.at("name").text();
        out.words_at(path, "httpHeaders", name, names::http_header_name);
    }
}

/// A port by its number or its name.
fn port(out: &mut Report, port: Part<'_>, path: &Path) {
    if let Some(name) = port.value().as_str() {
        out.words(path, name, names::port_name);
    } else {
        let number = port.number().unwrap_or_default();
        out.each(path, number, names::port_number(number));
    }
}
