//! Services.
//!
//! Mirrors: `pkg/apis/core/validation/validation.go` `ValidateService` and what it calls.

use std::net::IpAddr;

use serde_json::json;

use super::{C, K, M, Rules};
use crate::api::document::{Document, Part};
use crate::api::field::Path;
use crate::api::names;
use crate::api::validation::report::{Report, Seen};
use crate::api::words::{CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT};

pub(super) const RULES: Rules =
    Rules { name: names::dns1123_label, check, change, update: &[M, C, K], status };

const SINGLE: &str = "SingleStack";
const ONLY_BALANCED: &str = "may only be used when `type` is 'LoadBalancer'";
const NOT_EXTERNAL_NAME: &str = "may not be set for ExternalName services";
const SET_ONCE: &str = "may not change once set";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const MODE: &str = "service.kubernetes.io/topology-mode";
const HINTS: &str = "service.kubernetes.io/topology-aware-hints";

fn spec_path(field: &'static str) -> Path {
    Path::new("spec").child(field)
}

fn check(out: &mut Report, service: &Document, _old: Option<&Document>) {
    let spec = service.at("spec");
    let kind = spec.at("type").text();
    annotations(out, service);
    let headless = is_headless(spec);
    if spec.at("ports").is_empty() && !headless && kind != EXTERNAL_NAME {
        out.required(&spec_path("ports"), "");
    }
    match kind {
        LOAD_BALANCER | NODE_PORT if headless => {
            let words = format!("may not be set to 'None' for {kind} services");
            out.invalid(&spec_path("clusterIPs").index(0), "None", words);
        }
        EXTERNAL_NAME => external_name(out, spec),
        _ => {}
    }
    ports(out, spec);
    for (key, value) in spec.at("selector").entries() {
        let path = spec_path("selector");
        out.words(&path, key, names::label_key);
        out.words(&path, value.text(), names::label_value);
    }
    affinity(out, spec);
    addresses(out, spec);
    for (index, ip) in spec.at("externalIPs").texts().enumerate() {
        external_ip(out, ip, &spec_path("externalIPs").index(index));
    }
    let kinds = [CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT];
    out.one_of(&spec_path("type"), kind, &kinds);
    unique_ports(out, spec);
    source_ranges(out, service);
    balancer(out, spec);
    traffic(out, spec);
}

fn annotations(out: &mut Report, service: &Document) {
    let annotation = |key: &str| service.metadata.annotations.as_ref()?.get(key);
    if let (Some(mode), Some(hints)) = (annotation(MODE), annotation(HINTS))
        && mode != hints
    {
        let path = Path::new("metadata").child("annotations").key(MODE);
        let words = format!("must match annotations[{HINTS}] when both are specified");
        out.invalid(&path, mode.as_str(), words);
    }
}

fn external_name(out: &mut Report, spec: Part<'_>) {
    for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if spec.at(field).is_there() && (field == "ipFamilyPolicy" || !spec.at(field).is_empty()) {
            out.forbidden(&spec_path(field), NOT_EXTERNAL_NAME);
        }
    }
    let name = spec.at("externalName").text();
    // A name may end with the dot of the root.
    let name = name.strip_suffix('.').unwrap_or(name);
    let path = spec_path("externalName");
    if name.is_empty() {
        out.required(&path, "");
    } else {
        out.words(&path, name, names::dns1123_subdomain);
    }
}

fn ports(out: &mut Report, spec: Part<'_>) {
    let ports = spec.at("ports");
    let mut seen = Seen::default();
    for (index, port) in ports.items().enumerate() {
        let path = spec_path("ports").index(index);
        let name = port.at("name").text();
        if !name.is_empty() {
            out.words_at(&path, "name", name, names::dns1123_label);
            if !seen.is_new(name) {
                out.duplicate_at(&path, "name", name);
            }
        } else if ports.len() > 1 {
            out.required_at(&path, "name", "");
        }
        let number = port.at("port").number().unwrap_or_default();
        out.number_at(&path, "port", number, names::port_number);
        let protocol = port.at("protocol").text();
        out.one_of_at(&path, "protocol", protocol, &["SCTP", "TCP", "UDP"]);
        target(out, port.at("targetPort"), &path.child("targetPort"));
        if port.at("appProtocol").is_there() {
            let protocol = port.at("appProtocol").text();
            out.words_at(&path, "appProtocol", protocol, names::label_key);
        }
    }
}

/// A port's number, or its name in the containers.
fn target(out: &mut Report, target: Part<'_>, path: &Path) {
    if let Some(name) = target.value().as_str() {
        out.words(path, name, names::port_name);
    } else {
        let number = target.number().unwrap_or_default();
        out.each(path, number, names::port_number(number));
    }
}

fn affinity(out: &mut Report, spec: Part<'_>) {
    let affinity = spec.at("sessionAffinity").text();
    out.one_of(&spec_path("sessionAffinity"), affinity, &["ClientIP", "None"]);
    let (config, path) = (spec.at("sessionAffinityConfig"), spec_path("sessionAffinityConfig"));
    match affinity {
        "ClientIP" => {
            let seconds = config.at("clientIP").at("timeoutSeconds");
            let words = format!("when session affinity type is {affinity}");
            match seconds.number() {
                _ if !config.is_there() => out.required(&path, words),
                _ if !config.at("clientIP").is_there() => {
                    out.required_at(&path, "clientIP", words);
                }
                None => {
                    let words = "session affinity timeout for type ClientIP must be set";
                    out.required(&path.child("clientIP").child("timeoutSeconds"), words);
                }
                Some(1..=86_400) => {}
                Some(other) => out.invalid(
                    &path.child("clientIP").child("timeoutSeconds"),
                    other,
                    "must be greater than 0 and less than 86400",
                ),
            }
        }
        "None" if config.is_there() => {
            out.forbidden(&path, "must not be set when session affinity is None");
        }
        _ => {}
    }
}

/// Whether it has no address of its own.
fn is_headless(spec: Part<'_>) -> bool {
    spec.at("clusterIPs").texts().eq(["None"])
}

/// Its addresses, their families, and how many families it wants.
fn addresses(out: &mut Report, spec: Part<'_>) {
    if spec.at("type").text() == EXTERNAL_NAME {
        return;
    }
    let (first, all) = (spec.at("clusterIP").text(), spec.at("clusterIPs"));
    let path = &spec_path("clusterIPs");
    match all.texts().next() {
        None if !first.is_empty() => out.required(path, ""),
        Some(_) if first.is_empty() => {
            let words = "must be empty when `clusterIP` is not specified";
            out.invalid(path, all.value().clone(), words);
        }
        Some(ip) if ip != first => {
            out.invalid(path, all.value().clone(), "first value must match `clusterIP`");
        }
        Some(_) | None => {}
    }
    families(out, spec);
    let mut wrong = false;
    for (index, ip) in all.texts().enumerate() {
        if index == 0 && ip == "None" {
            if all.len() > 1 {
                wrong = true;
                let words = "'None' must be the first and only value";
                out.invalid(path, all.value().clone(), words);
            }
            continue;
        }
        let errors = names::ip(&path.index(index), ip);
        wrong |= !errors.is_empty();
        out.errors.extend(errors);
    }
    if all.len() > 2 {
        out.invalid(path, all.value().clone(), "may only hold up to 2 values");
    }
    if wrong {
        return;
    }
    let is_v6 = |ip: &str| names::parse_ip(ip).is_some_and(|ip| ip.is_ipv6());
    let sixes = all.texts().filter(|ip| is_v6(ip)).count();
    if all.len() > 1 && (sixes == 0 || sixes == all.len()) {
        let words = "may specify no more than one IP for each IP family";
        out.invalid(path, all.value().clone(), words);
    }
    if is_headless(spec) {
        return;
    }
    for (index, (ip, family)) in all.texts().zip(spec.at("ipFamilies").texts()).enumerate() {
        if family == "IPv4" && is_v6(ip) || family == "IPv6" && !is_v6(ip) {
            let words = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
            out.invalid(&path.index(index), ip, words);
        }
    }
}

fn families(out: &mut Report, spec: Part<'_>) {
    let mut seen = Seen::default();
    for (index, family) in spec.at("ipFamilies").texts().enumerate() {
        let path = spec_path("ipFamilies").index(index);
        out.supported(&path, family, &["IPv4", "IPv6"]);
        if !seen.is_new(family) {
            out.duplicate(&path, family);
        }
    }
    let policy = spec.at("ipFamilyPolicy");
    if policy.is_there() {
        let known = ["PreferDualStack", "RequireDualStack", SINGLE];
        out.supported(&spec_path("ipFamilyPolicy"), policy.text(), &known);
    }
}

/// An address of somebody else.
fn external_ip(out: &mut Report, text: &str, path: &Path) {
    out.errors.extend(names::ip(path, text));
    not_special(out, text, path);
}

/// An address that means nothing special.
pub(super) fn not_special(out: &mut Report, text: &str, path: &Path) {
    let Some(ip) = names::parse_ip(text) else { return };
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80),
    };
    let link_multicast = match ip {
        IpAddr::V4(ip) => ip.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(ip) => ip.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
    };
    for (wrong, words) in [
        (ip.is_unspecified(), format!("may not be unspecified ({text})")),
        (ip.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()),
        (
            link_multicast,
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned(),
        ),
    ] {
        if wrong {
            out.invalid(path, text, words);
        }
    }
}

fn unique_ports(out: &mut Report, spec: Part<'_>) {
    let ports = || spec.at("ports").items().enumerate();
    let node_port = |port: Part<'_>| port.at("nodePort").number().filter(|port| *port != 0);
    if spec.at("type").text() == CLUSTER_IP {
        for (index, _) in ports().filter(|(_, port)| node_port(*port).is_some()) {
            let path = spec_path("ports").index(index).child("nodePort");
            out.forbidden(&path, "may not be used when `type` is 'ClusterIP'");
        }
    }
    let mut seen = Seen::default();
    for (index, port) in ports() {
        if let Some(number) = node_port(port)
            && !seen.is_new(format!("{}/{number}", port.at("protocol").text()))
        {
            out.duplicate(&spec_path("ports").index(index).child("nodePort"), number);
        }
    }
    let mut seen = Seen::default();
    for (index, port) in ports() {
        let protocol = port.at("protocol").text();
        let number = port.at("port").number().unwrap_or_default();
        if !seen.is_new(format!("{protocol}/{number}")) {
            // Upstream shows its own form of a port.
            let shown = json!({
                "Name": "", "Protocol": protocol, "AppProtocol": null, "Port": number,
                "TargetPort": 0, "NodePort": 0,
            });
            out.duplicate(&spec_path("ports").index(index), shown);
        }
    }
}

/// From where a load balancer lets traffic in.
fn source_ranges(out: &mut Report, service: &Document) {
    let spec = service.at("spec");
    let balanced = spec.at("type").text() == LOAD_BALANCER;
    let ranges = spec.at("loadBalancerSourceRanges");
    if !ranges.is_empty() {
        // Written so upstream, too.
        let path = spec_path("LoadBalancerSourceRanges");
        if !balanced {
            out.forbidden(&path, ONLY_BALANCED);
        }
        for (index, range) in ranges.texts().enumerate() {
            out.errors.extend(names::cidr(&path.index(index), range.trim()));
        }
        return;
    }
    let annotations = service.metadata.annotations.as_ref();
    let Some(ranges) = annotations.and_then(|all| all.get(SOURCE_RANGES)) else { return };
    let path = Path::new("metadata").child("annotations").key(SOURCE_RANGES);
    if !balanced {
        out.forbidden(&path, ONLY_BALANCED);
    }
    for range in ranges.trim().split(',').filter(|_| !ranges.trim().is_empty()) {
        out.errors.extend(names::cidr(&path, range.trim()));
    }
}

fn balancer(out: &mut Report, spec: Part<'_>) {
    let balanced = spec.at("type").text() == LOAD_BALANCER;
    match (spec.at("allocateLoadBalancerNodePorts").is_there(), balanced) {
        (true, false) => out.forbidden(&spec_path("allocateLoadBalancerNodePorts"), ONLY_BALANCED),
        (false, true) => out.required(&Path::new("allocateLoadBalancerNodePorts"), ""),
        (true, true) | (false, false) => {}
    }
    let (class, path) = (spec.at("loadBalancerClass"), spec_path("loadBalancerClass"));
    match (class.is_there(), balanced) {
        (true, true) => out.words(&path, class.text(), names::label_key),
        (true, false) => out.forbidden(&path, ONLY_BALANCED),
        (false, _) => {}
    }
}

/// Whether it is reached from outside, so that there is a choice of nodes.
pub fn is_external(spec: Part<'_>) -> bool {
    match spec.at("type").text() {
        LOAD_BALANCER | NODE_PORT => true,
        CLUSTER_IP => !spec.at("externalIPs").is_empty(),
        _ => false,
    }
}

/// Whether a load balancer has to ask which nodes have endpoints.
pub fn needs_health_check(spec: Part<'_>) -> bool {
    spec.at("type").text() == LOAD_BALANCER && spec.at("externalTrafficPolicy").text() == "Local"
}

fn traffic(out: &mut Report, spec: Part<'_>) {
    let known = ["Cluster", "Local"];
    let (policy, path) =
        (spec.at("externalTrafficPolicy").text(), spec_path("externalTrafficPolicy"));
    if is_external(spec) {
        out.one_of(&path, policy, &known);
    } else if !policy.is_empty() {
        out.invalid(&path, policy, "may only be set for externally-accessible services");
    }
    let port = spec.at("healthCheckNodePort").number().unwrap_or_default();
    let path = spec_path("healthCheckNodePort");
    match (needs_health_check(spec), port) {
        (true, 0) => out.required(&path, ""),
        (true, port) => out.each(&path, port, names::port_number(port)),
        (false, 0) => {}
        (false, port) => {
            let words = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is \
                         'Local'";
            out.invalid(&path, port, words);
        }
    }
    let (policy, path) = (spec.at("internalTrafficPolicy"), spec_path("internalTrafficPolicy"));
    if policy.is_there() {
        out.supported(&path, policy.text(), &known);
    } else if [CLUSTER_IP, LOAD_BALANCER, NODE_PORT].contains(&spec.at("type").text()) {
        out.required(&path, "");
    }
    let distribution = spec.at("trafficDistribution");
    if distribution.is_there() {
        let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
        out.supported(&spec_path("trafficDistribution"), distribution.text(), &known);
    }
}

fn change(out: &mut Report, new: &Document, old: &Document) {
    let (new, old) = (new.at("spec"), old.at("spec"));
    let named = |spec: Part<'_>| spec.at("type").text() == EXTERNAL_NAME;
    let headless = (is_headless(new), is_headless(old));
    if !named(new) && !named(old) && headless != (true, true) {
        kept(out, new, old, "clusterIPs", "clusterIP");
        if headless == (false, false) {
            kept(out, new, old, "ipFamilies", "ipFamily");
        }
    }
    let class = "loadBalancerClass";
    let balanced = |spec: Part<'_>| spec.at("type").text() == LOAD_BALANCER;
    if balanced(new) && balanced(old) && new.at(class).value() != old.at(class).value() {
        out.invalid(&spec_path(class), new.at(class).value().clone(), SET_ONCE);
    }
    let port = "healthCheckNodePort";
    if needs_health_check(new)
        && needs_health_check(old)
        && new.at(port).value() != old.at(port).value()
    {
        out.forbidden(&spec_path(port), crate::api::validation::IMMUTABLE);
    }
}

/// A list of one or two of which the first stays, and the second may come and go.
fn kept(out: &mut Report, new: Part<'_>, old: Part<'_>, list: &'static str, one: &str) {
    let (now, before) = (new.at(list), old.at(list));
    let path = spec_path(list);
    let shown = now.value().clone();
    if now.len() == before.len() {
        for (index, (now, before)) in now.texts().zip(before.texts()).enumerate() {
            if now != before {
                // Of families upstream names the first in any case.
                let index = if list == "clusterIPs" { index } else { 0 };
                out.invalid(&path.index(index), shown.clone(), SET_ONCE);
            }
        }
        return;
    }
    let gone = new.at("clusterIPs").is_empty() && before.len() > now.len();
    if gone {
        let words = format!("primary {one} can not be unset");
        out.invalid(&path.index(0), shown, words);
    }
    if let (Some(now), Some(before)) = (now.texts().next(), before.texts().next())
        && now != before
    {
        let shown = new.at("clusterIPs").value().clone();
        out.invalid(&path.index(0), shown, SET_ONCE);
    }
    let policy = new.at("ipFamilyPolicy");
    if before.len() > now.len() && now.len() == 1 && policy.text() != SINGLE {
        let words = format!("must be set to 'SingleStack' when releasing the secondary {one}");
        out.invalid(&spec_path("ipFamilyPolicy"), policy.value().clone(), words);
    }
}

/// Mirrors: `ValidateLoadBalancerStatus`.
fn status(out: &mut Report, new: &Document, _old: &Document) {
    let ingress = new.at("status").at("loadBalancer").at("ingress");
    let path = Path::new("status").child("loadBalancer").child("ingress");
    if !ingress.is_empty() && new.at("spec").at("type").text() != LOAD_BALANCER {
        out.forbidden(&path, "may only be used when `spec.type` is 'LoadBalancer'");
        return;
    }
    for (index, point) in ingress.items().enumerate() {
        let path = path.index(index);
        let (ip, mode) = (point.at("ip"), point.at("ipMode"));
        if ip.is_there() {
            out.errors.extend(names::ip(&path.child("ip"), ip.text()));
        }
        match (ip.is_there(), mode.is_there()) {
            (true, false) => {
                out.required_at(&path, "ipMode", "must be specified when `ip` is set");
            }
            (false, true) => {
                out.forbidden_at(&path, "ipMode", "may not be specified when `ip` is not set");
            }
            (true, true) => out.supported_at(&path, "ipMode", mode.text(), &["Proxy", "VIP"]),
            (false, false) => {}
        }
        let host = point.at("hostname").text();
        if !host.is_empty() {
            out.words_at(&path, "hostname", host, names::dns1123_subdomain);
            if names::parse_ip(host).is_some() {
                let words = "must be a DNS name, not an IP address";
                out.invalid_at(&path, "hostname", host, words);
            }
        }
    }
}
