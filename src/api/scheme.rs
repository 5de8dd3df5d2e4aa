//! The table of resources: what the API server serves, and how each is named.

/// A kind of object, with its group and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Pod,
    Node,
    Namespace,
    Event,
    Lease,
}

/// How one kind is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    pub kind: Kind,
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub name: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub namespaced: bool,
    pub categories: &'static [&'static str],
    pub subresources: &'static [&'static str],
    /// Where etcd keeps its objects, after `/registry/`: upstream keeps some under older names.
    pub storage: &'static str,
}

const fn core_v1(
    kind: Kind,
    name: &'static str,
    plural: &'static str,
    singular: &'static str,
) -> ResourceType {
    ResourceType {
        kind,
        group: "",
        version: "v1",
        name,
        plural,
        singular,
        short_names: &[],
        namespaced: true,
        categories: &[],
        subresources: &[],
        storage: plural,
    }
}

/// Every resource that is served, in the order of [`Kind`].
pub const RESOURCES: [ResourceType; 5] = [
    ResourceType {
        short_names: &["po"],
        categories: &["all"],
        subresources: &["binding", "status"],
        ..core_v1(Kind::Pod, "Pod", "pods", "pod")
    },
    ResourceType {
        short_names: &["no"],
        namespaced: false,
        subresources: &["status"],
        storage: "minions",
        ..core_v1(Kind::Node, "Node", "nodes", "node")
    },
    ResourceType {
        short_names: &["ns"],
        namespaced: false,
        subresources: &["status"],
        ..core_v1(Kind::Namespace, "Namespace", "namespaces", "namespace")
    },
    ResourceType { short_names: &["ev"], ..core_v1(Kind::Event, "Event", "events", "event") },
    ResourceType {
        group: "coordination.k8s.io",
        ..core_v1(Kind::Lease, "Lease", "leases", "lease")
    },
];

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Pod, Self::Node, Self::Namespace, Self::Event, Self::Lease];

    /// How it is served.
    pub const fn resource(self) -> &'static ResourceType {
        let [pod, node, namespace, event, lease] = &RESOURCES;
        match self {
            Self::Pod => pod,
            Self::Node => node,
            Self::Namespace => namespace,
            Self::Event => event,
            Self::Lease => lease,
        }
    }

    /// The kind that a manifest's `apiVersion` and `kind` name.
    pub fn named(api_version: &str, kind: &str) -> Option<Self> {
        let found = RESOURCES
            .iter()
            .find(|resource| resource.name == kind && resource.api_version() == api_version);
        found.map(|resource| resource.kind)
    }
}

impl ResourceType {
    /// `v1`, or group and version.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The beginning of its paths: `/api/v1` or `/apis/GROUP/VERSION`.
    pub fn prefix(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }
}
