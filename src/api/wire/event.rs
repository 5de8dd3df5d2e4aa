//! What happens to objects. Mirrors: `api/core/v1.Event`.
//!
//! Each is copied where it is stored and where it gets its version, so that copies share what it is about.

use std::rc::Rc;

use k8s_openapi::api::core::v1::{EventSeries, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, Time};

use super::whole::whole;

whole!(
    "v1", Event, "Event",
    { involved_object: Rc<ObjectReference> = "involvedObject" },
    {
        action: String = "action",
        count: i32 = "count",
        event_time: MicroTime = "eventTime",
        first_timestamp: Time = "firstTimestamp",
        last_timestamp: Time = "lastTimestamp",
        message: String = "message",
        reason: String = "reason",
        related: Rc<ObjectReference> = "related",
        reporting_component: String = "reportingComponent",
        reporting_instance: String = "reportingInstance",
        series: Rc<EventSeries> = "series",
        source: Rc<EventSource> = "source",
        type_: String = "type",
    },
);
