//! Rows of services.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec, ServiceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::cell::{NONE, UNKNOWN, age, labels, name, text, text_or};
use super::{Cell, Column};

/// How many characters a narrow table has for the addresses of a load balancer.
const BALANCER_WIDTH: usize = 16;

/// The columns of services.
pub const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Type", "type determines how the Service is exposed."),
    Column::text(
        "Cluster-IP",
        "clusterIP is the IP address of the service and is usually assigned randomly.",
    ),
    Column::text(
        "External-IP",
        "externalIPs is a list of IP addresses for which nodes in the cluster will also accept \
         traffic for this service.",
    ),
    Column::text("Port(s)", "The list of ports that are exposed by this service."),
    Column::AGE,
    Column::text(
        "Selector",
        "Route service traffic to pods with label keys and values matching this selector.",
    )
    .wide(),
];

/// How much room a table has. The API server makes wide ones, whatever the client then shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Narrow,
    Wide,
}

/// The row of a service.
pub fn row(
    meta: &ObjectMeta,
    spec: &ServiceSpec,
    status: &ServiceStatus,
    width: Width,
    now: Timestamp,
) -> Vec<Cell> {
    let cluster_ip = spec.cluster_ips.iter().flatten().next();
    let ports: Vec<String> = spec.ports.iter().flatten().map(port).collect();
    vec![
        name(meta),
        text(spec.type_.as_ref()),
        cluster_ip.map_or(NONE, String::as_str).into(),
        external(spec, status, width).into(),
        text_or(Some(&ports.join(",")), NONE),
        age(meta, now),
        labels(spec.selector.as_ref()),
    ]
}

fn external(spec: &ServiceSpec, status: &ServiceStatus, width: Width) -> String {
    let listed = spec.external_ips.as_deref().unwrap_or_default().join(",");
    match spec.type_.as_deref() {
        Some("ClusterIP" | "NodePort") if listed.is_empty() => NONE.to_owned(),
        Some("ClusterIP" | "NodePort") => listed,
        Some("LoadBalancer") => match (balancer(status, width), listed) {
            (given, listed) if given.is_empty() && listed.is_empty() => "<pending>".to_owned(),
            (given, listed) if given.is_empty() => listed,
            (given, listed) if listed.is_empty() => given,
            (given, listed) => format!("{given},{listed}"),
        },
        Some("ExternalName") => spec.external_name.clone().unwrap_or_default(),
        Some(_) | None => UNKNOWN.to_owned(),
    }
}

/// The addresses of the load balancer, sorted.
fn balancer(status: &ServiceStatus, width: Width) -> String {
    let ingress = status.load_balancer.iter().flat_map(|balancer| &balancer.ingress).flatten();
    let addresses: BTreeSet<&str> = ingress
        .filter_map(|ingress| {
            let fields = [ingress.ip.as_deref(), ingress.hostname.as_deref()];
            fields.into_iter().flatten().find(|text| !text.is_empty())
        })
        .collect();
    let text = addresses.into_iter().collect::<Vec<_>>().join(",");
    if width == Width::Narrow
        && text.len() > BALANCER_WIDTH
        && let Some(short) = text.get(..BALANCER_WIDTH - 3)
    {
        return format!("{short}...");
    }
    text
}

fn port(port: &ServicePort) -> String {
    let protocol = port.protocol.as_deref().unwrap_or_default();
    match port.node_port.filter(|port| *port > 0) {
        Some(node_port) => format!("{}:{node_port}/{protocol}", port.port),
        None => format!("{}/{protocol}", port.port),
    }
}
