//! What the API server gives Services: addresses, and ports of the nodes.
//!
//! Mirrors: `pkg/registry/core/service/storage` (`alloc.go`, `storage.go`) and the allocators beside it.
//! There is one range of IPv4 addresses; what is taken is read off the Services themselves.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::pending::Step;
use super::server::ApiServer;
use crate::api::document::{Document, Part};
use crate::api::field::{FieldError, Path};
use crate::api::status::{GroupResource, StatusError};
use crate::api::validation::service::needs_health_check;
use crate::api::words::{CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT};
use crate::api::{Kind, Object};

/// The addresses of Services: `10.96.0.0/12`.
const RANGE: &str = "10.96.0.0/12";
const FIRST: u32 = u32::from_be_bytes([10, 96, 0, 0]);
const SIZE: u32 = 1 << 20;
/// The lowest of them are left to those who choose for themselves.
const CHOSEN: u32 = 256;
/// Ports of the nodes: from, below, and how many of the lowest are left to those who choose.
const PORTS: std::ops::Range<i64> = 30_000..32_768;
const CHOSEN_PORTS: i64 = 86;

const NONE: &str = "None";
const SINGLE: &str = "SingleStack";

/// Keeps the fields of a service in step that say the same, and takes from the `old` one what the
/// server has given it and a client need not repeat.
pub(super) fn normalize(service: &mut Document, old: Option<&Document>) {
    let Some(Value::Object(spec)) = service.fields_mut().get_mut("spec") else { return };
    let Some(old) = old.map(|old| old.at("spec")) else {
        let ip = text(spec, "clusterIP").to_owned();
        if !ip.is_empty() && Part::of(spec.get("clusterIPs")).is_empty() {
            spec.insert("clusterIPs".to_owned(), json!([ip]));
        }
        return;
    };
    take_over(spec, old);
    let same = |spec: &Map<String, Value>, field: &str| {
        Part::of(spec.get(field)).value() == old.at(field).value()
    };
    let (ip, before) = (text(spec, "clusterIP").to_owned(), old.at("clusterIP").text());
    if ip != before && same(spec, "clusterIPs") {
        match spec.get_mut("clusterIPs").and_then(Value::as_array_mut) {
            Some(all) if !ip.is_empty() => {
                all.iter_mut().take(1).for_each(|first| *first = (&*ip).into());
            }
            Some(_) => drop(spec.remove("clusterIPs")),
            None if !ip.is_empty() => drop(spec.insert("clusterIPs".to_owned(), json!([ip]))),
            None => {}
        }
    }
    let kind = text(spec, "type").to_owned();
    let before = old.at("type").text();
    let mut drop_same = |field: &str| {
        if same(spec, field) {
            spec.remove(field);
        }
    };
    if has_address(before) && !has_address(&kind) {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            drop_same(field);
        }
    }
    if before == LOAD_BALANCER && kind != LOAD_BALANCER {
        for field in ["allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"] {
            drop_same(field);
        }
    }
    if has_port(before) && !has_port(&kind) {
        drop_same("externalTrafficPolicy");
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            let own = port.get("nodePort");
            if old
                .at("ports")
                .items()
                .any(|old| old.at("nodePort").value() == own.unwrap_or(&Value::Null))
            {
                port.remove("nodePort");
            }
        }
    }
}

/// What an update leaves out because the server gave it.
fn take_over(spec: &mut Map<String, Value>, old: Part<'_>) {
    let (kind, before) = (text(spec, "type").to_owned(), old.at("type").text());
    if has_address(&kind) && has_address(before) {
        let ip = old.at("clusterIP");
        if text(spec, "clusterIP").is_empty() && ip.is_there() {
            spec.insert("clusterIP".to_owned(), ip.value().clone());
        }
        if Part::of(spec.get("clusterIPs")).is_empty()
            && text(spec, "clusterIP") == ip.text()
            && old.at("clusterIPs").is_there()
        {
            spec.insert("clusterIPs".to_owned(), old.at("clusterIPs").value().clone());
        }
    }
    if has_port(&kind) && has_port(before) {
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            let of = |field| port.get(field).cloned().unwrap_or_default();
            let (protocol, number) = (of("protocol"), of("port"));
            let same = old.at("ports").items().find(|old| {
                *old.at("protocol").value() == protocol && *old.at("port").value() == number
            });
            if let Some(same) = same.filter(|same| same.at("nodePort").is_there()) {
                port.entry("nodePort").or_insert_with(|| same.at("nodePort").value().clone());
            }
        }
    }
    let port = old.at("healthCheckNodePort");
    if port.is_there() && spec.get("healthCheckNodePort").is_none() && kind == before {
        let local = text(spec, "externalTrafficPolicy") == "Local";
        if local {
            spec.insert("healthCheckNodePort".to_owned(), port.value().clone());
        }
    }
}

fn text<'a>(spec: &'a Map<String, Value>, field: &str) -> &'a str {
    Part::of(spec.get(field)).text()
}

fn has_address(kind: &str) -> bool {
    [CLUSTER_IP, NODE_PORT, LOAD_BALANCER].contains(&kind)
}

fn has_port(kind: &str) -> bool {
    [NODE_PORT, LOAD_BALANCER].contains(&kind)
}

/// What other Services have.
#[derive(Default)]
struct Taken {
    ips: Vec<Ipv4Addr>,
    ports: Vec<i64>,
}

impl ApiServer {
    /// A service with the addresses and ports that it needs and does not have yet.
    ///
    /// # Errors
    ///
    /// 422 if it asks for what another has, or for what this cluster cannot give.
    pub(super) fn allocate(&mut self, service: &Document) -> Result<Document, StatusError> {
        let mut service = service.clone();
        let kind = service.at("spec").at("type").text().to_owned();
        if kind == EXTERNAL_NAME {
            return Ok(service);
        }
        let mut errors = Vec::new();
        families(&mut service, &mut errors);
        refused(&service, &errors)?;
        let mut taken = self.taken_by_others(&service);
        self.allocate_ip(&mut service, &taken, &mut errors);
        refused(&service, &errors)?;
        let allocates =
            service.at("spec").at("allocateLoadBalancerNodePorts").value() != &Value::Bool(false);
        let needs_ports = kind == NODE_PORT || kind == LOAD_BALANCER && allocates;
        let checked = needs_health_check(service.at("spec"));
        let Some(Value::Object(spec)) = service.fields_mut().get_mut("spec") else {
            return Ok(service);
        };
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        for (index, port) in
            ports.into_iter().flatten().filter_map(Value::as_object_mut).enumerate()
        {
            let path = Path::new("spec").child("ports").index(index).child("nodePort");
            let given = Part::of(port.get("nodePort")).number().filter(|port| *port != 0);
            match given {
                Some(number) => errors.extend(take_port(&mut taken, number, &path)),
                None if needs_ports => {
                    let number = self.free_port(&mut taken);
                    port.insert("nodePort".to_owned(), number.into());
                }
                None => {}
            }
        }
        if checked && Part::of(spec.get("healthCheckNodePort")).number().is_none() {
            spec.insert("healthCheckNodePort".to_owned(), self.free_port(&mut taken).into());
        }
        refused(&service, &errors).map(|()| service)
    }

    fn taken_by_others(&self, service: &Document) -> Taken {
        let new = self.pending.values().filter_map(|pending| match &pending.step {
            Step::Create { object, .. } => Some(object),
            Step::Get
            | Step::Permit
            | Step::List
            | Step::Change { .. }
            | Step::ReadBeforeChange => None,
        });
        let others = self.objects(Kind::Service).chain(new).filter_map(Object::document);
        let mut taken = Taken::default();
        for other in
            others.filter(|other| other.kind() == Kind::Service && !is_same(other, service))
        {
            let spec = other.at("spec");
            taken
                .ips
                .extend(spec.at("clusterIPs").texts().filter_map(|ip| ip.parse::<Ipv4Addr>().ok()));
            let ports = spec.at("ports").items().filter_map(|port| port.at("nodePort").number());
            taken.ports.extend(ports.chain(spec.at("healthCheckNodePort").number()));
        }
        taken
    }

    fn allocate_ip(&mut self, service: &mut Document, taken: &Taken, errors: &mut Vec<FieldError>) {
        let ips = service.at("spec").at("clusterIPs");
        let path = Path::new("spec").child("clusterIPs");
        let ip = match ips.texts().next() {
            Some(NONE) => return,
            Some(given) => {
                let ip = given.parse::<Ipv4Addr>().ok();
                let inside =
                    ip.is_some_and(|ip| (1..SIZE - 1).contains(&ip.to_bits().wrapping_sub(FIRST)));
                let why = if !inside {
                    format!(
                        "the provided IP ({given}) is not in the valid range. The range of valid IPs is {RANGE}"
                    )
                } else if ip.is_some_and(|ip| taken.ips.contains(&ip)) {
                    "provided IP is already allocated".to_owned()
                } else {
                    return;
                };
                let words = format!("failed to allocate IP {given}: {why}");
                errors.push(FieldError::invalid(&path, ips.value().clone(), words));
                return;
            }
            None => {
                let mut offset = CHOSEN
                    + u32::try_from(self.identity.below((SIZE - CHOSEN - 1).into())).unwrap_or(0);
                // There are more addresses than a page can hold Services.
                while taken.ips.contains(&Ipv4Addr::from_bits(FIRST + offset)) {
                    offset = (offset + 1) % (SIZE - 1).max(1);
                }
                Ipv4Addr::from_bits(FIRST + offset).to_string()
            }
        };
        if let Some(Value::Object(spec)) = service.fields_mut().get_mut("spec") {
            spec.insert("clusterIPs".to_owned(), json!([ip]));
            spec.insert("clusterIP".to_owned(), ip.into());
        }
    }

    /// A port that nobody has; the last one again if all are taken.
    fn free_port(&mut self, taken: &mut Taken) -> i64 {
        let free = PORTS.start + CHOSEN_PORTS..PORTS.end;
        let bound = u64::try_from(free.end - free.start).unwrap_or(1);
        let begin = free.start + i64::try_from(self.identity.below(bound)).unwrap_or(0);
        let mut all = (begin..free.end).chain(free.start..begin).chain(PORTS.start..free.start);
        let port = all.find(|port| !taken.ports.contains(port)).unwrap_or(PORTS.end - 1);
        taken.ports.push(port);
        port
    }
}

fn is_same(a: &Document, b: &Document) -> bool {
    a.metadata.name == b.metadata.name && a.metadata.namespace == b.metadata.namespace
}

fn take_port(taken: &mut Taken, number: i64, path: &Path) -> Option<FieldError> {
    let words = if !PORTS.contains(&number) {
        format!(
            "provided port is not in the valid range. The range of valid ports is {}-{}",
            PORTS.start,
            PORTS.end - 1
        )
    } else if taken.ports.contains(&number) {
        "provided port is already allocated".to_owned()
    } else {
        taken.ports.push(number);
        return None;
    };
    Some(FieldError::invalid(path, number, words))
}

/// Says how many families of addresses a service has, and which.
///
/// Mirrors: `initIPFamilyFields` on a cluster with IPv4 alone.
fn families(service: &mut Document, errors: &mut Vec<FieldError>) {
    let at = |field: &'static str| Path::new("spec").child(field);
    let spec = service.at("spec");
    let bare = spec.at("clusterIP").text() == NONE && spec.at("selector").is_empty();
    let policy = spec.at("ipFamilyPolicy").text();
    let policy = if !policy.is_empty() {
        policy
    } else if bare {
        "RequireDualStack"
    } else {
        SINGLE
    }
    .to_owned();
    let (ips, families) = (spec.at("clusterIPs"), spec.at("ipFamilies"));
    let mut list: Vec<String> = families.texts().map(str::to_owned).collect();
    if policy == SINGLE {
        for (field, many) in [(ips, "cluster IPs"), (families, "IP families")] {
            if field.len() == 2 {
                let words = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {many} are specified"
                );
                errors.push(FieldError::invalid(&at("ipFamilyPolicy"), &*policy, words));
            }
        }
    }
    for (index, ip) in ips.texts().take_while(|ip| *ip != NONE).enumerate().skip(list.len()) {
        if ip.contains(':') {
            let words = "IPv6 is not configured on this cluster";
            let path = at("clusterIPs").index(index);
            errors.push(FieldError::invalid(&path, ips.value().clone(), words));
        } else {
            list.push("IPv4".to_owned());
        }
    }
    if !bare && errors.is_empty() {
        if policy == "RequireDualStack" {
            let words = "this cluster is not configured for dual-stack services";
            errors.push(FieldError::invalid(&at("ipFamilyPolicy"), &*policy, words));
        }
        for (index, family) in list.iter().enumerate().filter(|(_, family)| *family != "IPv4") {
            let words = "not configured on this cluster";
            errors.push(FieldError::invalid(
                &at("ipFamilies").index(index),
                family.as_str(),
                words,
            ));
        }
    }
    if list.is_empty() {
        list.push("IPv4".to_owned());
    }
    if bare && list.len() < 2 && policy != SINGLE {
        let other = if list.iter().any(|family| family == "IPv4") { "IPv6" } else { "IPv4" };
        list.push(other.to_owned());
    }
    if let Some(Value::Object(spec)) = service.fields_mut().get_mut("spec") {
        spec.insert("ipFamilies".to_owned(), json!(list));
        spec.insert("ipFamilyPolicy".to_owned(), policy.into());
    }
}

/// # Errors
///
/// 422 with `errors`, if there are any.
fn refused(service: &Document, errors: &[FieldError]) -> Result<(), StatusError> {
    if errors.is_empty() {
        return Ok(());
    }
    let name = service.metadata.name.as_deref().unwrap_or_default();
    Err(StatusError::invalid(GroupResource::new("", "Service"), name, errors))
}
