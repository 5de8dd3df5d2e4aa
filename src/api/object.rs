//! The objects as the engine holds them: immutable, shared, one enum over all kinds.

use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::Serialize;
use serde_json::Value;

use super::scheme::Kind;

/// A Pod in the engine's form: its spec and status are shared between versions, and the node it is
/// bound to stands beside the spec, so that binding copies neither.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Pod {
    pub metadata: ObjectMeta,
    /// Its `node_name` is always `None`; see [`Pod::node_name`].
    pub spec: Rc<core::PodSpec>,
    pub node_name: Option<Rc<str>>,
    pub status: Rc<core::PodStatus>,
}

impl From<core::Pod> for Pod {
    fn from(pod: core::Pod) -> Self {
        let mut spec = pod.spec.unwrap_or_default();
        let node_name = spec.node_name.take().filter(|name| !name.is_empty()).map(Into::into);
        let status = Rc::new(pod.status.unwrap_or_default());
        Self { metadata: pod.metadata, spec: Rc::new(spec), node_name, status }
    }
}

impl Pod {
    /// The Pod as it is on the wire.
    pub fn to_wire(&self) -> core::Pod {
        let mut spec = (*self.spec).clone();
        spec.node_name = self.node_name.as_deref().map(str::to_owned);
        core::Pod {
            metadata: self.metadata.clone(),
            spec: Some(spec),
            status: Some((*self.status).clone()),
        }
    }
}

/// A kind of object that the engine holds as a type of its own.
pub trait Resource: Clone + PartialEq + 'static {
    /// Which kind it is.
    const KIND: Kind;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to change before it is shared.
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// As one of all objects.
    fn wrap(this: Rc<Self>) -> Object;
    /// Out of all objects; none if `object` is of another kind.
    fn unwrap(object: &Object) -> Option<&Rc<Self>>;
}

macro_rules! objects {
    ($($variant:ident: $type:ty,)+) => {
        /// An object of any kind, shared.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Object {
            $($variant(Rc<$type>),)+
        }

        impl Object {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$variant(_) => Kind::$variant,)+ }
            }

            /// Its metadata.
            pub fn meta(&self) -> &ObjectMeta {
                match self { $(Self::$variant(object) => &object.metadata,)+ }
            }

            /// The same object with other metadata.
            #[must_use]
            pub fn with_meta(&self, change: impl FnOnce(&mut ObjectMeta)) -> Self {
                match self {
                    $(Self::$variant(object) => {
                        let mut object = <$type>::clone(object);
                        change(&mut object.metadata);
                        Self::$variant(Rc::new(object))
                    })+
                }
            }

            /// Whether both are the very same shared object, which costs no comparison.
            pub fn ptr_eq(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$variant(one), Self::$variant(two)) => Rc::ptr_eq(one, two),)+
                    _ => false,
                }
            }
        }

        $(impl Resource for $type {
            const KIND: Kind = Kind::$variant;

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }

            fn wrap(this: Rc<Self>) -> Object {
                Object::$variant(this)
            }

            fn unwrap(object: &Object) -> Option<&Rc<Self>> {
                match object {
                    Object::$variant(object) => Some(object),
                    _ => None,
                }
            }
        })+
    };
}

objects! {
    Pod: Pod,
    Node: core::Node,
    Namespace: core::Namespace,
    Event: core::Event,
    Lease: Lease,
}

impl Object {
    /// Its name; empty before the server has given one.
    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Its namespace; empty for a kind without.
    pub fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// The revision at which it last changed; 0 if it was never stored.
    pub fn resource_version(&self) -> u64 {
        let text = self.meta().resource_version.as_deref();
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The object on the wire, with `apiVersion` and `kind`.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Pod(pod) => json(&pod.to_wire()),
            Self::Node(node) => json(&**node),
            Self::Namespace(namespace) => json(&**namespace),
            Self::Event(event) => json(&**event),
            Self::Lease(lease) => json(&**lease),
        }
    }
}

fn json(object: &impl Serialize) -> Value {
    // The API's own types have text keys only, so this cannot fail.
    serde_json::to_value(object).unwrap_or_default()
}

/// A moment as the API writes it, in whole seconds.
pub fn seconds(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

impl Object {
    /// The value of a field that a field selector may name; none if there is no such field.
    pub fn field(&self, field: &str) -> Option<&str> {
        let own = match self {
            Self::Pod(pod) => match field {
                "spec.nodeName" => Some(pod.node_name.as_deref().unwrap_or_default()),
                "spec.restartPolicy" => pod.spec.restart_policy.as_deref(),
                "spec.schedulerName" => pod.spec.scheduler_name.as_deref(),
                "spec.serviceAccountName" => pod.spec.service_account_name.as_deref(),
                "status.phase" => pod.status.phase.as_deref(),
                "status.podIP" => Some(pod.status.pod_ip.as_deref().unwrap_or_default()),
                "status.nominatedNodeName" => {
                    Some(pod.status.nominated_node_name.as_deref().unwrap_or_default())
                }
                _ => None,
            },
            Self::Node(node) => match field {
                "spec.unschedulable" => {
                    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable);
                    Some(if cordoned == Some(true) { "true" } else { "false" })
                }
                _ => None,
            },
            Self::Namespace(namespace) => match field {
                "status.phase" => {
                    namespace.status.as_ref().and_then(|status| status.phase.as_deref())
                }
                _ => None,
            },
            Self::Event(event) => match field {
                "involvedObject.kind" => event.involved_object.kind.as_deref(),
                "involvedObject.namespace" => event.involved_object.namespace.as_deref(),
                "involvedObject.name" => event.involved_object.name.as_deref(),
                "involvedObject.uid" => event.involved_object.uid.as_deref(),
                "reason" => event.reason.as_deref(),
                "type" => event.type_.as_deref(),
                _ => None,
            },
            Self::Lease(_) => None,
        };
        match field {
            "metadata.name" => Some(self.name()),
            "metadata.namespace" => Some(self.namespace()),
            _ => own,
        }
    }
}
