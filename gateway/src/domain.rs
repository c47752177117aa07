//! The nouns: plain data, no I/O, no async.

pub mod duration;
pub mod envelope;
pub mod money;
pub mod rate;
pub mod secret;
pub mod size;
pub mod usage;

pub use duration::{Timespan, TimespanRange};
pub use envelope::{Envelope, Framing, RequestHead};
pub use money::Micros;
pub use rate::Rate;
pub use secret::Secret;
pub use size::ByteSize;
pub use usage::Usage;
