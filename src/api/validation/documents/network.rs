//! Network policies, endpoints and slices of them.
//!
//! Mirrors: `pkg/apis/networking/validation`, `pkg/apis/discovery/validation` and `ValidateEndpoints` of
//! `pkg/apis/core/validation`.

use std::net::IpAddr;

use super::service::not_special;
use super::{C, K, M, N, PLAIN, Rules, of_selector};
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::names;
use crate::api::validation::report::{Report, Seen};

pub(super) const NETWORK_POLICY: Rules = Rules { check: policy, ..PLAIN };
pub(super) const ENDPOINTS: Rules = Rules { check: endpoints, update: &[M, N, K], ..PLAIN };
pub(super) const ENDPOINT_SLICE: Rules = Rules {
    check: slice,
    update: &[N, K, C],
    change: |out, new, old| {
        let of = |slice: &Document| slice.at("addressType").value().clone();
        out.immutable(&Path::new("addressType"), &of(new), &of(old));
    },
    ..PLAIN
};

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

fn policy(out: &mut Report, policy: &Document, _old: Option<&Document>) {
    let (spec, path) = (policy.at("spec"), Path::new("spec"));
    of_selector(out, spec.at("podSelector"), &path.child("podSelector"));
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for (index, rule) in spec.at(rules).items().enumerate() {
            let path = path.child(rules).index(index);
            for (index, port) in rule.at("ports").items().enumerate() {
                policy_port(out, port, &path.child("ports").index(index));
            }
            for (index, one) in rule.at(peers).items().enumerate() {
                peer(out, one, &path.child(peers).index(index));
            }
        }
    }
    let (types, path) = (spec.at("policyTypes"), path.child("policyTypes"));
    if types.len() > 2 {
        out.invalid(&path, types.value().clone(), "may not specify more than two policyTypes");
        return;
    }
    for (index, of) in types.texts().enumerate() {
        out.supported(&path.index(index), of, &["Ingress", "Egress"]);
    }
}

fn policy_port(out: &mut Report, port: Part<'_>, path: &Path) {
    let protocol = port.at("protocol");
    if protocol.is_there() {
        out.supported_at(path, "protocol", protocol.text(), &["TCP", "UDP", "SCTP"]);
    }
    let (own, end) = (port.at("port"), port.at("endPort").number());
    let (own_path, end_path) = (path.child("port"), path.child("endPort"));
    match (own.number(), own.is_there(), end) {
        (Some(number), _, end) => {
            out.each(&own_path, number, names::port_number(number));
            if let Some(end) = end {
                if end < number {
                    out.invalid(&end_path, end, "must be greater than or equal to `port`");
                }
                out.each(&end_path, end, names::port_number(end));
            }
        }
        (None, true, end) => {
            if let Some(end) = end {
                out.invalid(&end_path, end, "may not be specified when `port` is non-numeric");
            }
            out.words(&own_path, own.text(), names::port_name);
        }
        (None, false, Some(end)) => {
            out.invalid(&end_path, end, "may not be specified when `port` is not specified");
        }
        (None, false, None) => {}
    }
}

fn peer(out: &mut Report, peer: Part<'_>, path: &Path) {
    for selector in ["podSelector", "namespaceSelector"] {
        of_selector(out, peer.at(selector), &path.child(selector));
    }
    let block = peer.at("ipBlock");
    if block.is_there() {
        ip_block(out, block, &path.child("ipBlock"));
    }
    let others = peer.at("podSelector").is_there() || peer.at("namespaceSelector").is_there();
    match (block.is_there(), others) {
        (false, false) => out.required(path, "must specify a peer"),
        (true, true) => out.forbidden(path, "may not specify both ipBlock and another peer"),
        (true, false) | (false, true) => {}
    }
}

fn ip_block(out: &mut Report, block: Part<'_>, path: &Path) {
    let cidr = block.at("cidr").text();
    if cidr.is_empty() {
        out.required_at(path, "cidr", "");
        return;
    }
    out.errors.extend(names::cidr(&path.child("cidr"), cidr));
    let Some(outer) = range(cidr) else { return };
    for (index, except) in block.at("except").texts().enumerate() {
        let path = path.child("except").index(index);
        out.errors.extend(names::cidr(&path, except));
        let Some(inner) = range(except) else { continue };
        let inside = outer.0.is_ipv4() == inner.0.is_ipv4()
            && prefix(inner.0, outer.1) == prefix(outer.0, outer.1);
        if !inside || outer.1 >= inner.1 {
            out.invalid(&path, except, "must be a strict subset of `cidr`");
        }
    }
}

fn range(cidr: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = cidr.split_once('/')?;
    Some((names::parse_ip(address)?, length.parse().ok()?))
}

/// The first `length` bits of an address.
fn prefix(ip: IpAddr, length: u32) -> u128 {
    let (bits, all) = match ip {
        IpAddr::V4(ip) => (ip.to_bits().into(), 32),
        IpAddr::V6(ip) => (ip.to_bits(), 128),
    };
    u128::checked_shr(bits, all - length.min(all)).unwrap_or_default()
}

fn endpoints(out: &mut Report, endpoints: &Document, old: Option<&Document>) {
    // What was taken once is not refused later.
    if old.is_some_and(|old| old.at("subsets").value() == endpoints.at("subsets").value()) {
        return;
    }
    for (index, subset) in endpoints.at("subsets").items().enumerate() {
        let path = Path::new("subsets").index(index);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|list| subset.at(list).is_empty()) {
            out.required(&path, "must specify `addresses` or `notReadyAddresses`");
        }
        for list in lists {
            for (index, address) in subset.at(list).items().enumerate() {
                let path = path.child(list).index(index);
                let ip = address.at("ip").text();
                out.errors.extend(names::ip(&path.child("ip"), ip));
                host(out, address, &path);
                if names::parse_ip(ip).is_none() {
                    out.invalid_at(&path, "ip", ip, "must be a valid IP address");
                }
                not_special(out, ip, &path.child("ip"));
            }
        }
        let ports = subset.at("ports");
        for (index, port) in ports.items().enumerate() {
            let path = path.child("ports").index(index);
            let name = port.at("name").text();
            if !name.is_empty() {
                out.words_at(&path, "name", name, names::dns1123_label);
            } else if ports.len() > 1 {
                out.required_at(&path, "name", "");
            }
            let number = port.at("port").number().unwrap_or_default();
            out.number_at(&path, "port", number, names::port_number);
            protocols(out, port, &path);
        }
    }
}

/// Where an endpoint is.
fn host(out: &mut Report, endpoint: Part<'_>, path: &Path) {
    let (host, node) = (endpoint.at("hostname").text(), endpoint.at("nodeName"));
    if !host.is_empty() {
        out.words_at(path, "hostname", host, names::dns1123_label);
    }
    if node.is_there() {
        out.words_at(path, "nodeName", node.text(), names::dns1123_subdomain);
    }
}

fn protocols(out: &mut Report, port: Part<'_>, path: &Path) {
    out.one_of_at(path, "protocol", port.at("protocol").text(), &PROTOCOLS);
    let of = port.at("appProtocol");
    if of.is_there() {
        out.words_at(path, "appProtocol", of.text(), names::label_key);
    }
}

fn slice(out: &mut Report, slice: &Document, _old: Option<&Document>) {
    let of = slice.at("addressType").text();
    out.one_of(&Path::new("addressType"), of, &["FQDN", "IPv4", "IPv6"]);
    let (all, path) = (slice.at("endpoints"), Path::new("endpoints"));
    if too_many(out, all, 1000, &path) {
        return;
    }
    for (index, endpoint) in all.items().enumerate() {
        let path = path.index(index);
        let (addresses, addresses_path) = (endpoint.at("addresses"), path.child("addresses"));
        if addresses.is_empty() {
            out.required(&addresses_path, "must contain at least 1 address");
        }
        too_many(out, addresses, 100, &addresses_path);
        for (index, address) in addresses.texts().enumerate() {
            of_type(out, of, address, &addresses_path.index(index));
        }
        let (places, places_path) =
            (endpoint.at("deprecatedTopology"), path.child("deprecatedTopology"));
        too_many(out, places, 16, &places_path);
        for (key, value) in places.entries() {
            out.words(&places_path, key, names::label_key);
            out.words(&places_path, value.text(), names::label_value);
        }
        host(out, endpoint, &path);
        let (hints, path) = (endpoint.at("hints"), path.child("hints"));
        self::hints(out, hints.at("forZones"), names::label_value, &path.child("forZones"));
        self::hints(out, hints.at("forNodes"), names::dns1123_subdomain, &path.child("forNodes"));
    }
    let (ports, path) = (slice.at("ports"), Path::new("ports"));
    if too_many(out, ports, 20_000, &path) {
        return;
    }
    let mut seen = Seen::default();
    for (index, port) in ports.items().enumerate() {
        let path = path.index(index);
        let name = port.at("name").text();
        if !name.is_empty() {
            out.words_at(&path, "name", name, names::dns1123_label);
        }
        if !seen.is_new(name) {
            out.duplicate_at(&path, "name", name);
        }
        protocols(out, port, &path);
    }
}

/// For which zones, or nodes, an endpoint is.
fn hints(out: &mut Report, all: Part<'_>, rule: fn(&str) -> Vec<String>, path: &Path) {
    if too_many(out, all, 8, path) {
        return;
    }
    let mut seen = Seen::default();
    for (index, one) in all.items().enumerate() {
        let (name, path) = (one.at("name").text(), path.index(index).child("name"));
        if !seen.is_new(name) {
            out.duplicate(&path, name);
        }
        out.words(&path, name, rule);
    }
}

fn too_many(out: &mut Report, list: Part<'_>, most: usize, path: &Path) -> bool {
    let too_many = list.len() > most;
    if too_many {
        out.errors.push(FieldError::too_many(path, list.len(), most));
    }
    too_many
}

fn of_type(out: &mut Report, of: &str, address: &str, path: &Path) {
    if of == "FQDN" {
        out.errors.extend(names::fully_qualified_domain_name(path, address));
        return;
    }
    let ip = names::parse_ip(address);
    if ["IPv4", "IPv6"].contains(&of) {
        if ip.is_none_or(|ip| ip.is_ipv4() != (of == "IPv4")) {
            out.invalid(path, address, format!("must be a valid {of} address"));
        }
        not_special(out, address, path);
    }
}
