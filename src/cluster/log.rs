//! The event log: the trace as text.

use std::fmt::Write;

use super::Message;
use crate::sim::Trace;

/// One line a message. A trace that no longer begins at the beginning says so first.
pub(super) fn write(trace: &Trace<Message>) -> String {
    let mut log = String::new();
    if trace.first() > 0 {
        // Writing to a string cannot fail.
        writeln!(log, "# {} earlier messages are no longer kept", trace.first())
            .unwrap_or_default();
    }
    for message in trace.from(0) {
        let Message { id, cause, from, to, sent, arrives, body } = &**message;
        let cause = cause.map_or_else(|| "-".to_owned(), |cause| format!("#{cause}"));
        let label = body.label();
        writeln!(log, "{sent} #{id} {cause} {from} -> {to} {arrives} {label}").unwrap_or_default();
    }
    log
}
