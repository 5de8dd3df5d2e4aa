//! The table of resources: what the API server serves, and how each is named.

use super::custom::Custom;

/// How one kind is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    /// The kind's name.
    pub name: &'static str,
    pub plural: &'static str,
    /// The name of one; empty for that of the kind in small letters.
    pub singular: &'static str,
    /// The name of a list of them; empty for that of the kind with `List` after it.
    pub list: &'static str,
    pub short_names: &'static [&'static str],
    pub namespaced: bool,
    pub categories: &'static [&'static str],
    pub subresources: &'static [&'static str],
    /// Where etcd keeps its objects, after `/registry/`: upstream keeps some under older names.
    pub storage: &'static str,
    /// The kind whose objects these are, if this is a second form in which they are served.
    pub form_of: Option<Kind>,
}

/// A row begins as a namespaced resource without more, in version `v1` of its group.
const fn row(name: &'static str, group: &'static str, plural: &'static str) -> ResourceType {
    ResourceType {
        group,
        version: "v1",
        name,
        plural,
        singular: "",
        list: "",
        short_names: &[],
        namespaced: true,
        categories: &[],
        subresources: &[],
        storage: plural,
        form_of: None,
    }
}

impl ResourceType {
    const fn short(self, short_names: &'static [&'static str]) -> Self {
        Self { short_names, ..self }
    }

    const fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    /// Called otherwise than its row.
    const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// A second form of a kind.
    const fn form_of(self, kind: Kind) -> Self {
        Self { form_of: Some(kind), ..self }
    }

    /// Of the cluster, not of a namespace.
    const fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    /// What `kubectl get all` shows.
    const fn all(self) -> Self {
        Self { categories: &["all"], ..self }
    }

    /// Listed with what else extends the API.
    const fn extensions(self) -> Self {
        Self { categories: &["api-extensions"], ..self }
    }

    const fn parts(self, subresources: &'static [&'static str]) -> Self {
        Self { subresources, ..self }
    }

    const fn stored(self, storage: &'static str) -> Self {
        Self { storage, ..self }
    }
}

macro_rules! resources {
    ($($kind:ident: $group:literal $plural:literal $(.$word:ident($($value:expr)?))*;)+) => {
        /// A kind of object, with its group and version.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($kind,)+
            /// One that a `CustomResourceDefinition` brought.
            Custom(Custom),
        }

        impl Kind {
            /// Every kind that is always there.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$kind,)+];
            const COUNT: usize = [$(stringify!($kind),)+].len();

            /// How it is served.
            pub const fn resource(self) -> &'static ResourceType {
                match self {
                    $(Self::$kind => {
                        const ROW: ResourceType =
                            row(stringify!($kind), $group, $plural)$(.$word($($value)?))*;
                        &ROW
                    })+
                    Self::Custom(custom) => custom.resource(),
                }
            }
        }
    };
}

resources! {
    Pod: "" "pods".short(&["po"]).all()
        .parts(&["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "resize", "status"]);
    Node: "" "nodes".short(&["no"]).cluster().parts(&["status"]).stored("minions");
    Namespace: "" "namespaces".short(&["ns"]).cluster().parts(&["finalize", "status"]);
    Event: "" "events".short(&["ev"]);
    EventOfEvents: "events.k8s.io" "events"
        .named("Event").form_of(Kind::Event).short(&["ev"]);
    Lease: "coordination.k8s.io" "leases";
    ConfigMap: "" "configmaps".short(&["cm"]);
    Secret: "" "secrets";
    ServiceAccount: "" "serviceaccounts".short(&["sa"]).parts(&["token"]);
    PodTemplate: "" "podtemplates";
    ReplicationController: "" "replicationcontrollers"
        .short(&["rc"]).all().parts(&["status", "scale"]).stored("controllers");
    Deployment: "apps" "deployments".short(&["deploy"]).all().parts(&["status", "scale"]);
    ReplicaSet: "apps" "replicasets".short(&["rs"]).all().parts(&["status", "scale"]);
    StatefulSet: "apps" "statefulsets".short(&["sts"]).all().parts(&["status", "scale"]);
    DaemonSet: "apps" "daemonsets".short(&["ds"]).all().parts(&["status"]);
    ControllerRevision: "apps" "controllerrevisions";
    Job: "batch" "jobs".all().parts(&["status"]);
    CronJob: "batch" "cronjobs".short(&["cj"]).all().parts(&["status"]);
    PriorityClass: "scheduling.k8s.io" "priorityclasses".short(&["pc"]).cluster();
    Role: "rbac.authorization.k8s.io" "roles";
    RoleBinding: "rbac.authorization.k8s.io" "rolebindings";
    ClusterRole: "rbac.authorization.k8s.io" "clusterroles".cluster();
    ClusterRoleBinding: "rbac.authorization.k8s.io" "clusterrolebindings".cluster();
    Service: "" "services".short(&["svc"]).all().parts(&["status"]).stored("services/specs");
    Endpoints: "" "endpoints".short(&["ep"]).stored("services/endpoints");
    PersistentVolume: "" "persistentvolumes".short(&["pv"]).cluster().parts(&["status"]);
    PersistentVolumeClaim: "" "persistentvolumeclaims".short(&["pvc"]).parts(&["status"]);
    ResourceQuota: "" "resourcequotas".short(&["quota"]).parts(&["status"]);
    LimitRange: "" "limitranges".short(&["limits"]);
    HorizontalPodAutoscaler: "autoscaling" "horizontalpodautoscalers"
        .version("v2").short(&["hpa"]).all().parts(&["status"]);
    HorizontalPodAutoscalerV1: "autoscaling" "horizontalpodautoscalers"
        .named("HorizontalPodAutoscaler").form_of(Kind::HorizontalPodAutoscaler).short(&["hpa"]).all().parts(&["status"]);
    EndpointSlice: "discovery.k8s.io" "endpointslices";
    Ingress: "networking.k8s.io" "ingresses".short(&["ing"]).parts(&["status"]).stored("ingress");
    IngressClass: "networking.k8s.io" "ingressclasses".cluster();
    NetworkPolicy: "networking.k8s.io" "networkpolicies".short(&["netpol"]);
    RuntimeClass: "node.k8s.io" "runtimeclasses".cluster();
    PodDisruptionBudget: "policy" "poddisruptionbudgets".short(&["pdb"]).parts(&["status"]);
    CSIDriver: "storage.k8s.io" "csidrivers".cluster();
    CSINode: "storage.k8s.io" "csinodes".cluster();
    CSIStorageCapacity: "storage.k8s.io" "csistoragecapacities";
    StorageClass: "storage.k8s.io" "storageclasses".short(&["sc"]).cluster();
    VolumeAttachment: "storage.k8s.io" "volumeattachments".cluster().parts(&["status"]);
    CustomResourceDefinition: "apiextensions.k8s.io" "customresourcedefinitions"
        .short(&["crd", "crds"]).cluster().extensions().parts(&["status"]);
}

impl Kind {
    /// The kind whose objects these are: another one, if this is a second form in which they are served.
    #[must_use]
    pub fn stored(self) -> Self {
        self.resource().form_of.unwrap_or(self)
    }

    /// Every kind that is always there and has objects of its own.
    pub fn all_stored() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.stored() == *kind)
    }

    /// What is defined of it; none if it is always there.
    pub const fn custom(self) -> Option<Custom> {
        if let Self::Custom(custom) = self { Some(custom) } else { None }
    }
}

/// The kinds that a server serves: those of the table, and those that were defined since.
#[derive(Clone, Debug)]
pub struct Kinds {
    /// Those of the table first; a defined one in each version in which it is served, by group and
    /// name, the preferred version first.
    all: Vec<Kind>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { all: Kind::ALL.to_vec() }
    }
}

impl PartialEq for Kinds {
    /// Whether all is served in the same versions, each as it is defined in both.
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, other): (&Kind, &Kind)| match (one.custom(), other.custom()) {
            (Some(one), Some(other)) => one.is(other),
            _ => one == other,
        };
        self.all.len() == other.all.len() && self.all.iter().zip(&other.all).all(same)
    }
}

impl Kinds {
    /// Those of the table, and `defined`.
    pub fn with(defined: &[Kind]) -> Self {
        let mut kinds = Self::default();
        kinds.all.extend(defined);
        kinds
    }

    /// Every kind; what is served in several versions comes as often.
    pub fn all(&self) -> &[Kind] {
        &self.all
    }

    /// How each is served.
    pub fn resources(&self) -> impl Iterator<Item = &'static ResourceType> {
        self.all.iter().map(|kind| kind.resource())
    }

    /// Every kind, each in the version that is preferred.
    pub fn preferred(&self) -> Vec<Kind> {
        let mut kinds = self.all.clone();
        kinds.retain(|kind| kind.stored() == *kind);
        // Versions of one defined kind are equal, and stand together.
        kinds.dedup();
        kinds
    }

    /// The kinds that were defined, in each of their versions.
    pub fn defined(&self) -> &[Kind] {
        self.all.get(Kind::ALL.len()..).unwrap_or_default()
    }

    /// The kind that a manifest's `apiVersion` and `kind` name.
    pub fn named(&self, api_version: &str, kind: &str) -> Option<Kind> {
        let mut all = self.all.iter().copied();
        all.find(|known| {
            let resource = known.resource();
            resource.name == kind && resource.api_version() == api_version
        })
    }
}

impl ResourceType {
    /// The name of one: that of the kind in small letters, if none was chosen.
    pub fn singular(&self) -> String {
        if self.singular.is_empty() {
            self.name.to_ascii_lowercase()
        } else {
            self.singular.to_owned()
        }
    }

    /// The kind of a list of them.
    pub fn list(&self) -> String {
        if self.list.is_empty() { [self.name, "List"].concat() } else { self.list.to_owned() }
    }

    /// The type's name in Go, which the rules of strategic merge patches are kept under.
    pub fn go_type(&self) -> String {
        let package = self.group.split('.').next().filter(|group| !group.is_empty());
        format!("{}.{}", package.unwrap_or("core"), self.name)
    }

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
