//! The event log is the same bytes for the same inputs, here and in the page: `tests/browser/log.test.mjs`
//! plays the same inputs there and compares with the same file.
//!
//! `PODFLOW_WRITE=1 cargo test --test it the_log` writes the file anew after a change that is meant.

use std::time::Duration;
use std::{env, fs};

use podflow::testing::cluster::{HttpCall, Setup};
use podflow::testing::recording::Session;
use podflow::testing::sim::Instant;
use serde_json::Value;

const INPUTS: &str = include_str!("../data/log/inputs.json");
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/log/log.txt");

/// A session to which everything in the file of inputs was sent.
fn played() -> Session {
    let inputs: Value = serde_json::from_str(INPUTS).unwrap();
    let setup = Setup::new(inputs["seed"].as_u64().unwrap(), 3);
    let mut session = Session::new(setup);
    for input in inputs["inputs"].as_array().unwrap() {
        let at = Duration::from_secs(input["at"].as_u64().unwrap());
        session.run_until(Instant::ZERO + at);
        let (method, path) = (input["method"].as_str().unwrap(), input["path"].as_str().unwrap());
        session.submit(HttpCall::new(method, path, input.get("body").cloned()));
    }
    session.run_until(Instant::ZERO + Duration::from_secs(inputs["until"].as_u64().unwrap()));
    session
}

#[test]
fn the_log_is_what_it_was() {
    let mut session = played();
    let log = session.cluster().log();
    if env::var_os("PODFLOW_WRITE").is_some() {
        fs::write(LOG, &log).unwrap();
    }
    assert!(fs::read_to_string(LOG).unwrap() == log, "the log differs from tests/data/log/log.txt");
    let end = session.now();
    session.seek(Instant::ZERO + Duration::from_secs(7));
    session.run_until(end);
    assert!(session.cluster().log() == log, "after going back and on again the log differs");
}
