//! Podflow.

#[doc(hidden)]
pub mod testing;

mod api;
