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

mod scheduler;

#[doc(hidden)]
pub mod testing;
