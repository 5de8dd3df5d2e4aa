//! Real clients against the API server, each as it is: no word of Podflow reaches them.

mod custom;
#[expect(dead_code, reason = "some is for connections, of which there are none here")]
#[path = "../../../examples/apiserver/engine.rs"]
mod engine;
#[expect(dead_code, reason = "the same")]
#[path = "../../../examples/apiserver/forward.rs"]
mod forward;
#[cfg(test)]
mod forwarding;
mod kube_rs;
mod service;
#[path = "../../../examples/apiserver/spdy.rs"]
mod spdy;

pub use service::client;
