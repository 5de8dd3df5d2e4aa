//! How a scheduler would be elected among several.
//!
//! Mirrors: `component-base/config/validation` and `NewLeaderElector` of `client-go/tools/leaderelection`.

use jiff::SignedDuration;
use serde_json::Value;

use super::ConfigurationError;
use crate::api::document::Part;
use crate::api::duration::{from_go, to_go};
use crate::api::field::{FieldError, Path};

const LEASE_DURATION: (&str, i64) = ("leaseDuration", 15);
const RENEW_DEADLINE: (&str, i64) = ("renewDeadline", 10);
const RETRY_PERIOD: (&str, i64) = ("retryPeriod", 2);

/// A duration; the default, in seconds, where it is nothing.
fn duration(election: Part<'_>, (field, default): (&str, i64)) -> SignedDuration {
    let given = from_go(election.at(field).text()).ok().filter(|given| !given.is_zero());
    given.unwrap_or(SignedDuration::from_secs(default))
}

fn is_held(election: Part<'_>) -> bool {
    election.at("leaderElect").value() != &Value::Bool(false)
}

/// Adds what is wrong with it, if there is one.
pub(super) fn mistakes(wrong: &mut Vec<FieldError>, election: Part<'_>) {
    if !is_held(election) {
        return;
    }
    let path = Path::new("leaderElection");
    for field in [LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD] {
        let given = duration(election, field);
        if !given.is_positive() {
            let path = path.child(field.0);
            wrong.push(FieldError::invalid(&path, to_go(given), "must be greater than zero"));
        }
    }
    let renew = duration(election, RENEW_DEADLINE);
    if duration(election, LEASE_DURATION) <= renew {
        let (path, detail) = (path.child("leaseDuration"), "must be greater than `RenewDeadline`");
        wrong.push(FieldError::invalid(&path, to_go(renew), detail));
    }
    let lock = election.at("resourceLock").text();
    if !["", "leases"].contains(&lock) {
        let detail = "resourceLock value must be \"leases\"";
        wrong.push(FieldError::invalid(&path.child("resourceLock"), lock, detail));
    }
}

/// Whether a leader can be elected that way, of a configuration that has no mistakes.
///
/// # Errors
///
/// The scheduler would lose what it holds before it has tried again.
pub(super) fn check(election: Part<'_>) -> Result<(), ConfigurationError> {
    let renew = duration(election, RENEW_DEADLINE).as_nanos();
    let retry = duration(election, RETRY_PERIOD).as_nanos();
    // Tries are up to a fifth further apart than said.
    if is_held(election) && renew * 5 <= retry * 6 {
        let words = "couldn't create leader elector: renewDeadline must be greater than \
                     retryPeriod*JitterFactor";
        return Err(ConfigurationError::at("leaderElection.renewDeadline", words));
    }
    Ok(())
}
