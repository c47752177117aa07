//! The nouns: plain data, no I/O, no async.

pub mod envelope;
pub mod http;
pub mod id;
pub mod pattern;
pub mod record;
pub mod secret;
pub mod target;
pub mod usage;
pub mod virtual_key;

pub use envelope::{Envelope, Framing, RequestHead};
pub use pattern::Pattern;
pub use record::{Attempt, Record};
pub use secret::Secret;
pub use target::Target;
pub use usage::Usage;
pub use virtual_key::VirtualKey;
