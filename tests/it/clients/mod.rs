//! Real clients against the API server, each as it is: no word of Podflow reaches them.

mod custom;
#[path = "../../../examples/apiserver/engine.rs"]
mod engine;
mod kube_rs;
mod service;

pub use service::client;
