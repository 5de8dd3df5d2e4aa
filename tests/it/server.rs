//! A server to send requests to.

use std::time::Duration;

use podflow::testing::cluster::{Cluster, HttpCall, HttpReply, Setup};
use serde_json::Value;

/// A cluster without nodes, asked from outside.
pub struct Server(pub Cluster);

impl Server {
    pub fn new() -> Self {
        let mut cluster = Cluster::new(&Setup::new(1, 0));
        cluster.run_for(Duration::from_secs(2));
        Self(cluster)
    }

    /// The answer to a call, after a second.
    pub fn send(&mut self, call: &HttpCall) -> HttpReply {
        let id = self.0.submit(call);
        self.0.run_for(Duration::from_secs(1));
        self.0.reply(id).expect("an answer")
    }

    /// As [`Server::send`], of JSON that is null if there is no body.
    pub fn call(&mut self, method: &str, path: &str, body: Value) -> HttpReply {
        let body = Some(body).filter(|body| !body.is_null());
        self.send(&HttpCall::new(method, path, body))
    }

    /// The code and the body of an answer; a PATCH is merged.
    pub fn ask(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut call = HttpCall::new(method, path, body);
        if method == "PATCH" {
            call.content_type = "application/merge-patch+json".into();
        }
        let reply = self.send(&call);
        (reply.code, serde_json::from_str(&reply.body).unwrap())
    }

    /// The body of an answer that has this code.
    #[track_caller]
    pub fn expect(&mut self, code: u16, method: &str, path: &str, body: Value) -> Value {
        let reply = self.call(method, path, body);
        assert_eq!(reply.code, code, "{method} {path}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap_or_else(|_| reply.body.into())
    }
}
