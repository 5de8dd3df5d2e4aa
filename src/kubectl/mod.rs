//! What `kubectl` does on its side of the wire.

mod apply;
mod manifest;

pub use apply::{Apply, apply};
pub use manifest::{Manifest, ManifestError};
