//! The API server: the only component that reaches the store.
//!
//! A request's way: [`strategy`] says what it would write, given what is stored; the store takes it
//! if nothing changed meanwhile, else it is worked out again; the store's own watch tells the
//! [`watch_cache`], and that tells whoever watches.

mod admission;
mod aggregation;
mod apply;
mod authentication;
mod authorization;
mod body;
mod bootstrap;
mod collection_end;
mod definitions;
mod deletion;
mod discovery;
mod escalation;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the store is whole; not all of it is asked for yet")
)]
mod etcd;
mod eviction;
mod exec;
mod keys;
mod limit_ranger;
mod logs;
mod namespace_end;
mod node_authorizer;
mod node_restriction;
mod node_taints;
mod openapi;
mod patch;
mod pending;
mod priority;
mod proxied;
mod quota;
mod requests;
mod resize;
mod reviews;
mod runtime_class;
mod scale;
mod server;
mod service_accounts;
mod services;
mod store_server;
mod strategy;
mod templates;
#[cfg(test)]
mod tests;
mod tokens;
mod validity;
mod watch_cache;

pub use server::{ApiServer, ConnectionId, In, Out};
pub use store_server::EtcdServer;
pub use watch_cache::{Changed, Objects};

use crate::api::Object;

/// A call to etcd. Anybody may look at one; only the API server makes one.
pub type EtcdCall = etcd::Call<Object>;
/// What etcd sends.
pub type EtcdOut = etcd::Out<Object>;
