//! The nouns: plain data, no I/O, no async.

pub mod envelope;
pub mod secret;
pub mod usage;

pub use envelope::{Envelope, Framing, RequestHead};
pub use secret::Secret;
pub use usage::Usage;
