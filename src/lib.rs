//! Podflow: Kubernetes in a web page, on virtual time.
//!
//! ```text
//! sim ← api ← {apiserver, client, runtime} ← {scheduler, kubelet} ← cluster ← recording ← share ← {ui, js}
//! ```

mod sim;

mod api;

mod apiserver;
mod client;
mod runtime;

mod platform;
mod ui;

pub use ui::mount;

#[doc(hidden)]
pub mod testing;
