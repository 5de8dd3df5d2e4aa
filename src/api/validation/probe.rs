//! Probes and lifecycle hooks.

use k8s_openapi::api::core::v1::{
    ExecAction, GRPCAction, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction,
    TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::report::{Report, text};
use crate::api::field::Path;
use crate::api::names;

/// What a probe or a hook does; exactly one of them.
#[derive(Default)]
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc: Option<&'a GRPCAction>,
    sleep: Option<&'a SleepAction>,
}

/// A probe that must succeed once: those of liveness and of starting up.
pub(super) fn liveness(out: &mut Report, probe: Option<&Probe>, grace: Option<i64>, path: &Path) {
    let Some(probe) = probe else { return };
    check(out, probe, grace, path);
    let threshold = probe.success_threshold.unwrap_or_default();
    if threshold != 1 {
        out.invalid(&path.child("successThreshold"), threshold, "must be 1");
    }
}

/// A probe that may fail without the container being stopped.
pub(super) fn readiness(out: &mut Report, probe: Option<&Probe>, grace: Option<i64>, path: &Path) {
    let Some(probe) = probe else { return };
    check(out, probe, grace, path);
    if let Some(seconds) = probe.termination_grace_period_seconds {
        let words = "must not be set for readinessProbes";
        out.invalid(&path.child("terminationGracePeriodSeconds"), seconds, words);
    }
}

fn check(out: &mut Report, probe: &Probe, grace: Option<i64>, path: &Path) {
    let own = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    handler(out, &own, grace, path);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        out.not_negative(&path.child(field), i64::from(value.unwrap_or_default()));
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|seconds| *seconds <= 0) {
        let path = path.child("terminationGracePeriodSeconds");
        out.invalid(&path, seconds, "must be greater than 0");
    }
}

/// Hooks after the start and before the stop.
pub(super) fn lifecycle(out: &mut Report, own: &Lifecycle, grace: Option<i64>, path: &Path) {
    for (field, hook) in [("postStart", &own.post_start), ("preStop", &own.pre_stop)] {
        let Some(LifecycleHandler { exec, http_get, sleep, tcp_socket }) = hook else { continue };
        let own = Handler {
            exec: exec.as_ref(),
            http_get: http_get.as_ref(),
            tcp_socket: tcp_socket.as_ref(),
            grpc: None,
            sleep: sleep.as_ref(),
        };
        handler(out, &own, grace, &path.child(field));
    }
}

fn handler(out: &mut Report, own: &Handler<'_>, grace: Option<i64>, path: &Path) {
    let mut handlers = 0;
    let mut first = |out: &mut Report, path: &Path| {
        handlers += 1;
        if handlers > 1 {
            out.forbidden(path, "may not specify more than 1 handler type");
        }
        handlers == 1
    };
    if let Some(exec) = own.exec {
        let path = path.child("exec");
        if first(out, &path) && exec.command.as_ref().is_none_or(Vec::is_empty) {
            out.required(&path.child("command"), "");
        }
    }
    if let Some(action) = own.http_get {
        let path = path.child("httpGet");
        if first(out, &path) {
            http_get(out, action, &path);
        }
    }
    if let Some(tcp) = own.tcp_socket {
        let path = path.child("tcpSocket");
        if first(out, &path) {
            port(out, &tcp.port, &path.child("port"));
        }
    }
    if let Some(grpc) = own.grpc {
        let path = path.child("grpc");
        if first(out, &path) {
            port(out, &IntOrString::Int(grpc.port), &path.child("port"));
        }
    }
    if let Some(sleep) = own.sleep {
        let path = path.child("sleep");
        if first(out, &path)
            && let Some(grace) = grace
            && !(0..=grace).contains(&sleep.seconds)
        {
            let words = format!(
                "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            );
            out.invalid(&path, sleep.seconds, words);
        }
    }
    if handlers == 0 {
        out.required(path, "must specify a handler type");
    }
}

fn http_get(out: &mut Report, action: &HTTPGetAction, path: &Path) {
    if text(&action.path).is_empty() {
        out.required(&path.child("path"), "");
    }
    port(out, &action.port, &path.child("port"));
    out.supported(&path.child("scheme"), text(&action.scheme), &["HTTP", "HTTPS"]);
    for header in action.http_headers.iter().flatten() {
        let words = names::http_header_name(&header.name);
        out.words(&path.child("httpHeaders"), &header.name, words);
    }
}

/// A port by its number or its name.
fn port(out: &mut Report, port: &IntOrString, path: &Path) {
    match port {
        IntOrString::Int(number) => {
            let number = i64::from(*number);
            out.number(path, number, names::port_number(number));
        }
        IntOrString::String(name) => {
            for words in names::port_name(name) {
                out.invalid(path, Value::from(name.as_str()), words);
            }
        }
    }
}
