//! `events.k8s.io/v1`, in which what the core group says has other names.
//!
//! Mirrors: `pkg/apis/events/v1/conversion.go`.

use super::{Fields, rename};

/// How a field is called in `events.k8s.io`, and in the core group.
const NAMES: [(&str, &str); 7] = [
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedSource", "source"),
    ("note", "message"),
    ("regarding", "involvedObject"),
    ("reportingController", "reportingComponent"),
];

pub(super) fn to_core(fields: &mut Fields) {
    for (own, core) in NAMES {
        rename(fields, own, core);
    }
    // Of the core group's fields this is the one that must be there.
    fields.entry("involvedObject").or_insert_with(|| Fields::new().into());
}

pub(super) fn from_core(fields: &mut Fields) {
    for (own, core) in NAMES {
        rename(fields, core, own);
    }
    fields.entry("eventTime").or_insert_with(Default::default);
}
