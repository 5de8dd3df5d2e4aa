//! What the objects of the API are and how they are written, compared, selected and shown.

pub mod field;
pub mod text;
