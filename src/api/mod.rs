//! What the objects of the API are and how they are written, compared, selected and shown.

// First, for its macros over all kinds.
#[macro_use]
mod object;
pub mod caller;
pub mod cel;
pub mod columns;
pub mod cron;
pub mod custom;
pub mod decode;
pub mod defaults;
pub mod document;
pub mod duration;
mod encode;
pub mod exec;
pub mod field;
pub mod fields;
pub mod labels;
pub mod logs;
pub mod managed;
pub mod names;
pub mod page;
pub mod patch;
pub mod phase;
pub mod port_forward;
pub mod pull_policy;
pub mod qos;
pub mod quantity;
pub mod representation;
pub mod request;
pub mod reviews;
pub mod route;
mod scheme;
pub mod status;
pub mod text;
pub mod types;
pub mod validation;
pub mod versions;
pub mod warnings;
pub mod wire;
pub mod words;
pub mod yaml;

pub use document::Document;
pub use encode::{json_object, to_json};
pub use object::{Object, Pod, Resource, seconds};
pub use scheme::{Kind, Kinds, ResourceType};
pub use wire::ObjectMeta;
