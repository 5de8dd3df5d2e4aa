//! Rows of endpoints, ingresses, network policies, autoscalers and disruption budgets.

use jiff::Timestamp;

use super::cell::{NONE, age, name, selector_of, text_or};
use super::service::{Width, balancer};
use super::{Cell, Column};
use crate::api::document::{Document, Part};

const UNSET: &str = "<unset>";
/// How many of a list are shown.
const SHOWN: usize = 3;

/// The columns of endpoints.
pub const ENDPOINTS: &[Column] = &[
    Column::NAME,
    Column::text("Endpoints", "The set of all endpoints is the union of all subsets."),
    Column::AGE,
];

/// The row of endpoints.
pub fn endpoints(object: &Document, now: Timestamp) -> Vec<Cell> {
    let subsets = object.at("subsets");
    let mut all: Vec<String> = Vec::new();
    for subset in subsets.items() {
        let ips = || subset.at("addresses").items().map(|address| address.at("ip").text());
        let ports = subset.at("ports");
        if ports.is_empty() {
            all.extend(ips().map(str::to_owned));
        }
        for port in ports.items().map(|port| port.at("port").number().unwrap_or_default()) {
            all.extend(ips().map(|ip| {
                if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
            }));
        }
    }
    let none = if subsets.is_empty() { NONE } else { "" };
    vec![name(&object.metadata), some(&all, none).into(), age(&object.metadata, now)]
}

/// The first of a list, and how many more there are.
fn some(all: &[String], none: &str) -> String {
    let first = all.get(..SHOWN.min(all.len())).unwrap_or_default().join(",");
    match all.len().checked_sub(SHOWN) {
        None | Some(0) if all.is_empty() => none.to_owned(),
        None | Some(0) => first,
        Some(more) => format!("{first} + {more} more..."),
    }
}

/// The columns of slices of endpoints.
pub const ENDPOINT_SLICE: &[Column] = &[
    Column::NAME,
    Column::text(
        "AddressType",
        "addressType specifies the type of address carried by this EndpointSlice.",
    ),
    Column::text(
        "Ports",
        "ports specifies the list of network ports exposed by each endpoint in this slice.",
    ),
    Column::text("Endpoints", "endpoints is a list of unique endpoints in this slice."),
    Column::AGE,
];

/// The row of a slice.
pub fn endpoint_slice(object: &Document, now: Timestamp) -> Vec<Cell> {
    let port = |port: Part<'_>| match (port.at("port").number(), port.at("name")) {
        (Some(number), _) => number.to_string(),
        (None, name) if name.is_there() => name.text().to_owned(),
        (None, _) => "*".to_owned(),
    };
    let ports: Vec<String> = object.at("ports").items().map(port).collect();
    let addresses = object.at("endpoints").items().flat_map(|one| one.at("addresses").texts());
    let addresses: Vec<String> = addresses.map(str::to_owned).collect();
    vec![
        name(&object.metadata),
        object.at("addressType").text().into(),
        some(&ports, UNSET).into(),
        some(&addresses, UNSET).into(),
        age(&object.metadata, now),
    ]
}

/// The columns of ingresses.
pub const INGRESS: &[Column] = &[
    Column::NAME,
    Column::text(
        "Class",
        "The name of the IngressClass resource that should be used for additional configuration",
    ),
    Column::text(
        "Hosts",
        "Hosts that incoming requests are matched against before the ingress rule",
    ),
    Column::text("Address", "Address is a list containing ingress points for the load-balancer"),
    Column::text("Ports", "Ports of TLS configurations that open"),
    Column::AGE,
];

/// The row of an ingress.
pub fn ingress(object: &Document, now: Timestamp) -> Vec<Cell> {
    let spec = object.at("spec");
    let ports = if spec.at("tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name(&object.metadata),
        text_or(Some(spec.at("ingressClassName").text()), NONE),
        hosts(spec.at("rules")).into(),
        balancer(object, Width::Wide).into(),
        ports.into(),
        age(&object.metadata, now),
    ]
}

/// The first hosts, and how many rules there are beside theirs.
fn hosts(rules: Part<'_>) -> String {
    let hosts = rules.items().map(|rule| rule.at("host").text()).enumerate();
    let first: Vec<_> = hosts.filter(|(_, host)| !host.is_empty()).take(SHOWN).collect();
    let shown = first.iter().map(|(_, host)| *host).collect::<Vec<_>>().join(",");
    match first.get(SHOWN - 1) {
        Some((last, _)) if last + 1 < rules.len() => {
            format!("{shown} + {} more...", rules.len() - SHOWN)
        }
        Some(_) | None if shown.is_empty() => "*".to_owned(),
        Some(_) | None => shown,
    }
}

/// The columns of ingress classes.
pub const INGRESS_CLASS: &[Column] = &[
    Column::NAME,
    Column::text("Controller", "Controller that is responsible for handling this class"),
    Column::text("Parameters", "A reference to a resource with additional parameters"),
    Column::AGE,
];

/// The row of an ingress class.
pub fn ingress_class(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, to) = (object.at("spec"), object.at("spec").at("parameters"));
    let (group, kind) = (to.at("apiGroup").text(), to.at("kind").text());
    let dot = if group.is_empty() { "" } else { "." };
    let parameters = if to.is_there() {
        format!("{kind}{dot}{group}/{}", to.at("name").text())
    } else {
        NONE.to_owned()
    };
    vec![
        name(&object.metadata),
        spec.at("controller").text().into(),
        parameters.into(),
        age(&object.metadata, now),
    ]
}

/// The columns of network policies.
pub const NETWORK_POLICY: &[Column] = &[
    Column::NAME,
    Column::text(
        "Pod-Selector",
        "podSelector selects the pods to which this NetworkPolicy object applies.",
    ),
    Column::AGE,
];

/// The row of a network policy.
pub fn network_policy(object: &Document, now: Timestamp) -> Vec<Cell> {
    let selector = selector_of(object.at("spec").at("podSelector"));
    vec![name(&object.metadata), selector, age(&object.metadata, now)]
}

/// The columns of disruption budgets.
pub const BUDGET: &[Column] = &[
    Column::NAME,
    Column::text("Min Available", "The minimum number of pods that must be available."),
    Column::text("Max Unavailable", "The maximum number of pods that may be unavailable."),
    Column::number(
        "Allowed Disruptions",
        "Calculated number of pods that may be disrupted at this time.",
    ),
    Column::AGE,
];

/// The row of a disruption budget.
pub fn budget(object: &Document, now: Timestamp) -> Vec<Cell> {
    let either = |field: &str| {
        let part = object.at("spec").at(field);
        let number = part.number().map(|number| number.to_string());
        text_or(Some(number.as_deref().unwrap_or(part.text())), "N/A")
    };
    let allowed = object.at("status").at("disruptionsAllowed").number().unwrap_or_default();
    vec![
        name(&object.metadata),
        either("minAvailable"),
        either("maxUnavailable"),
        Cell::Number(allowed),
        age(&object.metadata, now),
    ]
}

/// The columns of autoscalers.
pub const AUTOSCALER: &[Column] = &[
    Column::NAME,
    Column::text(
        "Reference",
        "scaleTargetRef points to the target resource to scale, and is used to the pods for which \
         metrics should be collected, as well as to actually change the replica count.",
    ),
    Column::text(
        "Targets",
        "metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).",
    ),
    Column::text(
        "MinPods",
        "minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.",
    ),
    Column::text(
        "MaxPods",
        "maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up.",
    ),
    Column::text(
        "Replicas",
        "currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler.",
    ),
    Column::AGE,
];

/// The row of an autoscaler.
pub fn autoscaler(object: &Document, now: Timestamp) -> Vec<Cell> {
    let (spec, status) = (object.at("spec"), object.at("status"));
    let to = spec.at("scaleTargetRef");
    let mut now_there = status.at("currentMetrics").items();
    let targets: Vec<String> =
        spec.at("metrics").items().map(|metric| target(metric, now_there.next())).collect();
    let few = targets.get(..2.min(targets.len())).unwrap_or_default().join(", ");
    let shown = match targets.len().checked_sub(2) {
        None | Some(0) => few,
        Some(more) => format!("{few} + {more} more..."),
    };
    let least = spec.at("minReplicas").number().map(|number| number.to_string());
    vec![
        name(&object.metadata),
        format!("{}/{}", to.at("kind").text(), to.at("name").text()).into(),
        text_or(Some(&shown), NONE),
        least.unwrap_or_else(|| UNSET.to_owned()).into(),
        Cell::Number(spec.at("maxReplicas").number().unwrap_or_default()),
        Cell::Number(status.at("currentReplicas").number().unwrap_or_default()),
        age(&object.metadata, now),
    ]
}

/// What one metric is, and what it should be: `cpu: 12%/80%`.
fn target(metric: Part<'_>, current: Option<Part<'_>>) -> String {
    let (field, prefix) = match metric.at("type").text() {
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        "External" => ("external", false),
        "Object" => ("object", false),
        "Pods" => ("pods", false),
        _ => return "<unknown type>".to_owned(),
    };
    let (source, current) =
        (metric.at(field), Part::of(current.map(Part::value)).at(field).at("current"));
    let wanted = source.at("target");
    let name = if prefix { format!("{}: ", source.at("name").text()) } else { String::new() };
    let known = |text: &str| if text.is_empty() { "<unknown>".to_owned() } else { text.to_owned() };
    let average = wanted.at("averageValue");
    if average.is_there() {
        let end =
            if ["External", "Object"].contains(&metric.at("type").text()) { " (avg)" } else { "" };
        return format!(
            "{name}{}/{}{end}",
            known(current.at("averageValue").text()),
            average.text()
        );
    }
    if prefix {
        let share = current.at("averageUtilization").number().map(|share| format!("{share}%"));
        let most = wanted.at("averageUtilization").number();
        let most = most.map_or_else(|| "<auto>".to_owned(), |most| format!("{most}%"));
        return format!("{name}{}/{most}", known(&share.unwrap_or_default()));
    }
    format!("{name}{}/{}", known(current.at("value").text()), wanted.at("value").text())
}
