//! Objects as a whole: what all kinds with a type of their own have around what is their own.

/// The type of a kind's objects: the fields that are always there, then those that may be absent, each
/// with its name on the wire. What kind one is was looked at before it is read.
macro_rules! whole {
    (
        $version:literal, $kind:ident, $name:literal,
        { $($always:ident: $always_of:ty = $always_name:literal),* $(,)? },
        { $($field:ident: $of:ty = $field_name:literal),* $(,)? } $(,)?
    ) => {
        /// An object of the kind, with the parts that are written by themselves.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $kind {
            pub metadata: $crate::api::ObjectMeta,
            $(pub $always: $always_of,)*
            $(pub $field: Option<$of>,)*
        }

        const _: () = {
            use $crate::api::ObjectMeta;
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
                $(#[serde(default, rename = $always_name)] $always: $always_of,)*
                $(#[serde(rename = $field_name)] $field: Option<$of>,)*
            }

            impl<'de> Deserialize<'de> for $kind {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let Sent { metadata, $($always,)* $($field,)* .. } =
                        Sent::deserialize(deserializer)?;
                    Ok(Self { metadata, $($always,)* $($field,)* })
                }
            }

            impl Serialize for $kind {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    // A hint for formats that say how long something is; JSON does not.
                    let mut whole = serializer.serialize_struct($name, 0)?;
                    whole.serialize_field("apiVersion", $version)?;
                    whole.serialize_field("kind", $name)?;
                    whole.serialize_field("metadata", &self.metadata)?;
                    $(whole.serialize_field($always_name, &self.$always)?;)*
                    $(if let Some(value) = &self.$field {
                        whole.serialize_field($field_name, value)?;
                    })*
                    whole.end()
                }
            }
        };
    };
}

pub(super) use whole;
