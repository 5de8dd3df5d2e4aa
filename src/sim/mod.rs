//! The world that the components live in: virtual time, an ordered queue of events, seeded chance,
//! links with latency, and a bounded trace of all that was said. It knows nothing of Kubernetes.

mod chance;
mod chunks;
mod context;
mod growing;
mod link;
mod queue;
pub mod sort;
mod sorted;
mod text;
mod texts;
mod time;
mod trace;

pub use chance::Rng;
pub use chunks::Chunks;
pub use context::{Component, Ctx, Effect, Event};
pub use growing::GrowingMap;
pub use link::{Latency, Links};
pub use queue::Queue;
pub use sorted::{SortedMap, SortedSet};
pub use text::Text;
pub use texts::TextMap;
pub use time::Instant;
pub use trace::Trace;
