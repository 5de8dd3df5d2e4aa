//! The API's fixed words that stay text in its types: names of conditions and what they can be.

/// A condition that holds.
pub const TRUE: &str = "True";
/// A condition that does not hold.
pub const FALSE: &str = "False";
/// The condition of a Pod or a Node that serves.
pub const READY: &str = "Ready";
/// The condition of a Pod that a node was found for.
pub const POD_SCHEDULED: &str = "PodScheduled";
/// The condition of a Pod that is to go for another's sake.
pub const DISRUPTION_TARGET: &str = "DisruptionTarget";
/// The effect of a taint that keeps new Pods out.
pub const NO_SCHEDULE: &str = "NoSchedule";
/// The effect of a taint that also ends Pods that run.
pub const NO_EXECUTE: &str = "NoExecute";
/// The phase of a Pod that has not run yet.
pub const PENDING: &str = "Pending";
/// The API group of roles and of their bindings.
pub const RBAC: &str = "rbac.authorization.k8s.io";
/// The annotation of a Pod that only shows what runs on a node anyway.
pub const MIRROR: &str = "kubernetes.io/config.mirror";
/// The type of a Service with an address inside the cluster.
pub const CLUSTER_IP: &str = "ClusterIP";
/// The type of a Service that is also a port of every node.
pub const NODE_PORT: &str = "NodePort";
/// The type of a Service that a load balancer outside leads to.
pub const LOAD_BALANCER: &str = "LoadBalancer";
/// The type of a Service that is another name for a host.
pub const EXTERNAL_NAME: &str = "ExternalName";
