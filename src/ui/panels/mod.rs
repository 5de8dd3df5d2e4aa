//! The panels around the stage.

mod bottom;
mod delete;
mod dropped;
mod editor;
mod embed;
mod inspector;
mod manifest_field;
mod objects;
mod popup;
mod scrubber;
mod share;
mod tabs;
mod timeline;

pub use bottom::BottomPanel;
pub use editor::EditorPanel;
pub use embed::Embed;
pub use inspector::InspectorPanel;
pub use share::Share;
