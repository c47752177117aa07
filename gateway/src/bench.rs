//! The load generator: requests at a fixed rate or as fast as answers come, whole or streamed, with exact percentiles.
//!
//! Blocking sockets, one thread per connection, plain HTTP/1.1. At a fixed rate the loop is open: latency counts from the
//! moment a request was due, so that a gateway that stalls is charged for all who had to wait, and not for the one
//! that was asked. [`Load::run`] never hides an error: what went wrong is counted beside what was answered.
//!
//! [`process`] reads what a process tree took, [`Machine`] says where a figure was made, [`Question`] writes requests.
//! It is the engine of `causeway bench` and of the comparison with other gateways in `benches/`.

mod address;
mod clock;
mod connection;
mod events;
mod framing;
mod held;
mod load;
mod machine;
pub mod process;
mod question;
mod tally;

pub use address::Request;
pub use clock::now;
pub use held::Held;
pub use load::{Load, Pattern};
pub use machine::Machine;
pub use question::{Api, Question};
pub use tally::{Errors, Outcome, Range, Spread};

#[cfg(test)]
mod tests;
