//! Answers that serve more than one request.
//!
//! [`Cache`] keeps answers in memory, least recently used going first, and knows the [`Flight`]s others may join: an
//! answer that is still coming is a buffer, and whoever reads it and finds nothing new pulls the upstream on behalf of
//! all. `idempotency` keeps answers in the store, under what a client calls its request. Which answers may serve which
//! requests is for the caller to say, with a [`Fingerprint`].

mod fingerprint;
mod flight;
mod flights;
mod idempotency;
mod kept;
mod shelf;
mod sink;

use std::sync::Arc;

use parking_lot::Mutex;

pub use self::fingerprint::{Fingerprint, Part, Tenant};
pub use self::flight::{Driver, Flight, Left, Reader};
pub use self::flights::{Flights, Lead};
pub use self::idempotency::{Idempotency, Known, reused};
pub use self::kept::{Form, Kept, Opening, Refusal, Reused};
use self::shelf::Shelf;
pub use self::sink::Sink;
use crate::store::{Clock, Store};

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    shelf: Arc<Mutex<Shelf>>,
    /// Answers that are coming.
    pub flights: Flights,
    /// Answers by the name their client gave them.
    pub idempotency: Idempotency,
    clock: Clock,
}

impl Cache {
    /// An empty one; idempotent answers go to `store`.
    pub fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self {
            shelf: Arc::default(),
            flights: Flights::default(),
            idempotency: Idempotency::new(store),
            clock,
        }
    }

    /// Unix time in milliseconds.
    pub fn now(&self) -> u64 {
        (self.clock)()
    }

    /// The answer kept under this fingerprint.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<Kept> {
        self.shelf.lock().get(fingerprint, self.now())
    }

    /// Keeps an answer until `expires` (Unix time in milliseconds); all together take at most `room` bytes.
    pub fn put(&self, fingerprint: Fingerprint, kept: Kept, expires: u64, room: u64) {
        self.shelf.lock().put(fingerprint, kept, expires, room);
    }
}

#[cfg(test)]
mod tests;
