//! Rows of services.

use jiff::Timestamp;

use super::cell::{NONE, UNKNOWN, age, name, text_or};
use super::workloads::labels_of;
use super::{Cell, Column};
use crate::api::document::{Document, Part};
use crate::api::words::{CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT};
use crate::sim::SortedSet;

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
pub fn row(service: &Document, width: Width, now: Timestamp) -> Vec<Cell> {
    let spec = service.at("spec");
    let ports: Vec<String> = spec.at("ports").items().map(port).collect();
    vec![
        name(&service.metadata),
        spec.at("type").text().into(),
        spec.at("clusterIPs").texts().next().unwrap_or(NONE).into(),
        external(service, width).into(),
        text_or(Some(&ports.join(",")), NONE),
        age(&service.metadata, now),
        labels_of(spec.at("selector")),
    ]
}

fn external(service: &Document, width: Width) -> String {
    let spec = service.at("spec");
    let listed = spec.at("externalIPs").texts().collect::<Vec<_>>().join(",");
    match spec.at("type").text() {
        CLUSTER_IP | NODE_PORT if listed.is_empty() => NONE.to_owned(),
        CLUSTER_IP | NODE_PORT => listed,
        LOAD_BALANCER => match (balancer(service, width), listed) {
            (given, listed) if given.is_empty() && listed.is_empty() => "<pending>".to_owned(),
            (given, listed) if given.is_empty() => listed,
            (given, listed) if listed.is_empty() => given,
            (given, listed) => format!("{given},{listed}"),
        },
        EXTERNAL_NAME => spec.at("externalName").text().to_owned(),
        _ => UNKNOWN.to_owned(),
    }
}

/// The addresses of the load balancer of a service or an ingress, sorted.
pub(super) fn balancer(object: &Document, width: Width) -> String {
    let ingress = object.at("status").at("loadBalancer").at("ingress");
    let addresses: SortedSet<&str> = ingress
        .items()
        .filter_map(|point| {
            let fields = [point.at("ip").text(), point.at("hostname").text()];
            fields.into_iter().find(|text| !text.is_empty())
        })
        .collect();
    let text = addresses.iter().copied().collect::<Vec<_>>().join(",");
    if width == Width::Narrow
        && text.len() > BALANCER_WIDTH
        && let Some(short) = text.get(..BALANCER_WIDTH - 3)
    {
        return format!("{short}...");
    }
    text
}

fn port(port: Part<'_>) -> String {
    let (number, protocol) = (port.at("port").number(), port.at("protocol").text());
    let number = number.unwrap_or_default();
    match port.at("nodePort").number().filter(|port| *port > 0) {
        Some(node_port) => format!("{number}:{node_port}/{protocol}"),
        None => format!("{number}/{protocol}"),
    }
}
