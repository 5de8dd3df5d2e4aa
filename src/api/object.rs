//! The objects as the engine holds them: immutable, shared, one enum over all kinds.

use std::borrow::Cow;
use std::rc::Rc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::columns::{self, Cell, Printed};
use super::decode::{Decoded, TypeError, decode};
use super::defaults::Defaults;
use super::document::Document;
use super::encode::to_json;
use super::fields::{self, Selectable};
use super::managed;
use super::scheme::Kind;
use super::types;
use super::validation::Validate;
use super::versions;
use super::wire;
use crate::api::ObjectMeta;

/// A Pod in the engine's form: its spec and status are shared between versions, and the node it is
/// bound to stands beside the spec, so that binding copies neither.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    pub metadata: ObjectMeta,
    /// Its `node_name` is always `None`; see [`Pod::node_name`].
    pub spec: Rc<wire::PodSpec>,
    pub node_name: Option<Rc<str>>,
    pub status: Rc<wire::PodStatus>,
}

impl PartialEq for Pod {
    /// Most that are compared are versions of one Pod.
    fn eq(&self, other: &Self) -> bool {
        self.node_name == other.node_name
            && (Rc::ptr_eq(&self.status, &other.status) || self.status == other.status)
            && self.metadata == other.metadata
            && self.has_spec_of(other)
    }
}

impl From<wire::Pod> for Pod {
    fn from(pod: wire::Pod) -> Self {
        let mut spec = pod.spec.unwrap_or_default();
        let node_name = spec.node_name.take().filter(|name| !name.is_empty()).map(Into::into);
        let status = Rc::new(pod.status.unwrap_or_default());
        Self { metadata: pod.metadata, spec: Rc::new(spec), node_name, status }
    }
}

impl Pod {
    /// Whether both have the same spec, but for the node; which costs nothing where they share it.
    pub fn has_spec_of(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.spec, &other.spec) || self.spec == other.spec
    }

    /// The Pod as it is on the wire.
    pub fn to_wire(&self) -> wire::Pod {
        let mut spec = (*self.spec).clone();
        spec.node_name = self.node_name.as_deref().map(str::to_owned);
        wire::Pod {
            metadata: self.metadata.clone(),
            spec: Some(spec),
            status: Some((*self.status).clone()),
        }
    }
}

impl Serialize for Pod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_wire().serialize(serializer)
    }
}

/// A kind of object that the engine holds as a type of its own.
pub trait Resource: Clone + PartialEq + Serialize + Validate + Printed + Selectable {
    /// Which kind it is.
    const KIND: Kind;
    /// The type on the wire: the same but for a kind that has a form of its own in the engine.
    type Wire: DeserializeOwned + Defaults + Into<Self>;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to change before it is shared.
    fn meta_mut(&mut self) -> &mut ObjectMeta;
    /// As one of all objects.
    fn wrap(this: Rc<Self>) -> Object;
    /// Out of all objects; none if `object` is of another kind.
    fn unwrap(object: &Object) -> Option<&Rc<Self>>;
}

/// The enum over all kinds, and two macros that do the same for each of them.
macro_rules! objects {
    // `$d` is the dollar sign of the macros that this one makes.
    ($d:tt { $($kind:ident => $wire:ty,)+ } documents { $($document:ident,)+ }) => {
        /// An object of any kind, shared.
        #[derive(Clone, Debug)]
        pub enum Object {
            $($kind(Rc<types::$kind>),)+
            Document(Rc<Document>),
        }

        impl PartialEq for Object {
            /// Most that are compared are one and the same.
            fn eq(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$kind(one), Self::$kind(other)) => Rc::ptr_eq(one, other) || one == other,)+
                    (Self::Document(one), Self::Document(other)) => Rc::ptr_eq(one, other) || one == other,
                    _ => false,
                }
            }
        }

        /// Does the same with an object of any kind, and the like with a document:
        /// `each_object!(object, it => show(it), document => document.show())`.
        macro_rules! each_object {
            (
                $d object:expr,
                $d it:ident => $d body:expr,
                $d document:ident => $d other:expr $d (,)?
            ) => {
                match $d object {
                    $($crate::api::Object::$kind($d it) => $d body,)+
                    $crate::api::Object::Document($d document) => $d other,
                }
            };
        }

        /// Does the same for any kind with a type, and the like for a document's:
        /// `each_kind!(kind, T => T::COLUMNS, kind => columns::document(kind))`.
        macro_rules! each_kind {
            (
                $d kind:expr,
                $d of:ident => $d body:expr,
                $d document:ident => $d other:expr $d (,)?
            ) => {
                match $d kind {
                    $($crate::api::Kind::$kind => {
                        type $d of = $crate::api::types::$kind;
                        $d body
                    })+
                    $($crate::api::Kind::$document)|+ | $crate::api::Kind::Custom(_) => {
                        let $d document: $crate::api::Kind = $d kind;
                        $d other
                    }
                }
            };
        }

        $(impl Resource for types::$kind {
            const KIND: Kind = Kind::$kind;
            type Wire = $wire;

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }

            fn wrap(this: Rc<Self>) -> Object {
                Object::$kind(this)
            }

            fn unwrap(object: &Object) -> Option<&Rc<Self>> {
                match object {
                    Object::$kind(object) => Some(object),
                    _ => None,
                }
            }
        })+
    };
}

objects! { $ {
    Pod => wire::Pod,
    Node => types::Node,
    Event => types::Event,
    Lease => types::Lease,
} documents {
    Namespace,
    EventOfEvents,
    ConfigMap,
    Secret,
    ServiceAccount,
    PodTemplate,
    ReplicationController,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Job,
    CronJob,
    Service,
    Endpoints,
    PersistentVolume,
    PersistentVolumeClaim,
    ResourceQuota,
    LimitRange,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerV1,
    EndpointSlice,
    Ingress,
    IngressClass,
    NetworkPolicy,
    PodDisruptionBudget,
    PriorityClass,
    RuntimeClass,
    CSIDriver,
    CSINode,
    CSIStorageCapacity,
    StorageClass,
    VolumeAttachment,
    Role,
    RoleBinding,
    ClusterRole,
    ClusterRoleBinding,
    CustomResourceDefinition,
} }

impl Object {
    /// Reads an object of `kind` from the wire, and fills in its defaults. What comes in a second form of a
    /// kind becomes what is stored.
    ///
    /// # Errors
    ///
    /// A value has the wrong type.
    pub fn from_json(kind: Kind, value: &Value) -> Result<Decoded<Self>, TypeError> {
        if kind.stored() != kind {
            let Decoded { object, unknown } = Document::as_sent(kind, value)?;
            let stored = versions::to_stored(kind, Self::from(object).to_json());
            let Decoded { object, .. } = Self::from_json(kind.stored(), &stored)?;
            return Ok(Decoded { object, unknown });
        }
        each_kind!(
            kind,
            T => typed::<T>(value),
            kind => {
                let Decoded { object, unknown } = Document::from_json(kind, value)?;
                Ok(Decoded { object: Self::Document(Rc::new(object)), unknown })
            },
        )
    }

    /// The object on the wire, with `apiVersion` and `kind`.
    pub fn to_json(&self) -> Value {
        let mut value =
            each_object!(self, object => to_json(&**object), document => document.to_json());
        if self.meta().managed_fields.is_some() {
            managed::unpack(&mut value);
        }
        value
    }

    /// The same of its metadata alone.
    pub fn metadata_json(&self) -> Value {
        let mut whole = Map::new();
        whole.insert("metadata".into(), to_json(self.meta()));
        let mut whole = Value::Object(whole);
        managed::unpack(&mut whole);
        whole.get_mut("metadata").map(Value::take).unwrap_or_default()
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        each_object!(self, object => kind_of(&**object), document => document.kind())
    }

    /// The same object in another version of its kind; as it is, if `kind` is none.
    #[must_use]
    pub fn as_kind(&self, kind: Kind) -> Self {
        if kind.stored() != kind {
            return self.in_second_form(kind).unwrap_or_else(|| self.clone());
        }
        let same = |it: &&Rc<Document>| kind.custom().is_some() && it.kind() == kind;
        match self.document().filter(same) {
            Some(document) => document.as_kind(kind).into(),
            None => self.clone(),
        }
    }

    fn in_second_form(&self, kind: Kind) -> Option<Self> {
        if self.kind() != kind.stored() {
            return None;
        }
        let json = versions::from_stored(kind, self.to_json());
        Document::as_sent(kind, &json).ok().map(|decoded| decoded.object.into())
    }

    /// Its metadata.
    pub fn meta(&self) -> &ObjectMeta {
        each_object!(self, object => &object.metadata, document => &document.metadata)
    }

    /// The same object with other metadata. It is copied only if somebody else has it.
    #[must_use]
    pub fn with_meta(mut self, change: impl FnOnce(&mut ObjectMeta)) -> Self {
        change(each_object!(
            &mut self,
            object => Rc::make_mut(object).meta_mut(),
            document => &mut Rc::make_mut(document).metadata,
        ));
        self
    }

    /// Whether both are the very same shared object, which costs no comparison.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        each_object!(
            self,
            object => is_same(object, other),
            document => other.document().is_some_and(|other| Rc::ptr_eq(document, other)),
        )
    }

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

    /// The value of a field that a field selector may name; none if there is no such field.
    pub fn field(&self, field: &str) -> Option<Cow<'_, str>> {
        match field {
            "metadata.name" => Some(self.name().into()),
            "metadata.namespace" => Some(self.namespace().into()),
            _ => each_object!(
                self,
                object => object.field(field),
                document => fields::of_document(document, field),
            ),
        }
    }

    /// Its cells in the columns of its kind.
    pub fn row(&self, now: Timestamp) -> Vec<Cell> {
        // The columns of all forms are those of what is stored.
        if self.kind().stored() != self.kind()
            && let Ok(stored) = Self::from_json(self.kind(), &self.to_json())
        {
            return stored.object.row(now);
        }
        each_object!(
            self,
            object => object.row(now),
            document => columns::document(document, now),
        )
    }

    /// The document that it is; none if its kind has a type.
    pub fn document(&self) -> Option<&Rc<Document>> {
        if let Self::Document(document) = self { Some(document) } else { None }
    }
}

fn typed<R: Resource>(value: &Value) -> Result<Decoded<Object>, TypeError> {
    let Decoded { mut object, unknown } = decode::<R::Wire>(value)?;
    object.set_defaults();
    let object: R = object.into();
    Ok(Decoded { object: R::wrap(Rc::new(object)), unknown })
}

fn kind_of<R: Resource>(_: &R) -> Kind {
    R::KIND
}

fn is_same<R: Resource>(object: &Rc<R>, other: &Object) -> bool {
    R::unwrap(other).is_some_and(|other| Rc::ptr_eq(object, other))
}

/// A moment as the API writes it, in whole seconds.
pub fn seconds(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}
