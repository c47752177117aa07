//! The nouns: plain data, no I/O, no async.

pub mod date;
pub mod duration;
pub mod envelope;
pub mod event_stream;
pub mod http;
pub mod id;
pub mod model_facts;
pub mod money;
pub mod operation;
pub mod pattern;
pub mod rate;
pub mod record;
pub mod rules;
pub mod secret;
pub mod service_account;
pub mod size;
pub mod target;
pub mod usage;
pub mod virtual_key;

pub use date::rfc3339;
pub use duration::{Timespan, TimespanRange};
pub use envelope::{Edit, Envelope, Framing, RequestHead};
pub use model_facts::{ModelFacts, ModelPrice};
pub use money::Micros;
pub use operation::Operation;
pub use pattern::Pattern;
pub use rate::Rate;
pub use record::{Attempt, Record, Replay};
pub use rules::Rules;
pub use secret::Secret;
pub use service_account::ServiceAccount;
pub use size::ByteSize;
pub use target::Target;
pub use usage::Usage;
pub use virtual_key::VirtualKey;
