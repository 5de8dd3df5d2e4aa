//! Objects as a whole: what all kinds with a spec and a status of their own have around these.

/// The type of a kind's objects. What kind one is was looked at before it is read.
macro_rules! whole {
    ($kind:ident, $name:literal, $spec:ty, $status:ty) => {
        /// An object of the kind, with the parts that are written by themselves.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $kind {
            pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
            pub spec: Option<$spec>,
            pub status: Option<$status>,
        }

        const _: () = {
            use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
            use serde::ser::SerializeStruct as _;
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            /// All that an object may say.
            #[derive(Deserialize)]
            #[serde(rename = $name)]
            struct Sent {
                #[serde(rename = "apiVersion")]
                _api_version: Option<String>,
                #[serde(rename = "kind")]
                _kind: Option<String>,
                #[serde(default)]
                metadata: ObjectMeta,
                spec: Option<$spec>,
                status: Option<$status>,
            }

            impl<'de> Deserialize<'de> for $kind {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let Sent { metadata, spec, status, .. } = Sent::deserialize(deserializer)?;
                    Ok(Self { metadata, spec, status })
                }
            }

            impl Serialize for $kind {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let mut whole = serializer.serialize_struct($name, 5)?;
                    whole.serialize_field("apiVersion", "v1")?;
                    whole.serialize_field("kind", $name)?;
                    whole.serialize_field("metadata", &self.metadata)?;
                    if let Some(spec) = &self.spec {
                        whole.serialize_field("spec", spec)?;
                    }
                    if let Some(status) = &self.status {
                        whole.serialize_field("status", status)?;
                    }
                    whole.end()
                }
            }
        };
    };
}

pub(super) use whole;
