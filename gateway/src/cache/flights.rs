//! The answers that are coming, by what others would have to ask to join them.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::fingerprint::Fingerprint;
use super::flight::{Driver, Flight, Join, Reader};
use super::sink::Sink;

/// All flights that can be joined. Cheap to clone.
#[derive(Clone, Default)]
pub struct Flights {
    listed: Arc<Mutex<HashMap<Fingerprint, Weak<Flight>>>>,
}

/// What a request brings along that may lead.
pub struct Lead {
    /// Its id.
    pub request_id: String,
    /// What it asks: who joins must ask the same.
    pub asked: Fingerprint,
    /// The largest answer that can be joined and kept.
    pub limit: usize,
}

impl Flights {
    /// A flight nobody can join.
    pub fn alone(lead: Lead, make: impl FnOnce(Sink) -> Driver) -> Reader {
        Flight::new(lead.request_id, lead.limit, lead.asked, make, None).lead()
    }

    /// Joins the flight under this name, or begins it. `None`: the flight of that name was asked something else.
    pub fn join_or_lead(
        &self,
        name: Fingerprint,
        lead: Lead,
        make: impl FnOnce(Sink) -> Driver,
    ) -> Option<Reader> {
        // What was found outlives the lock: a flight that ends here takes the lock itself.
        let (_found, reader) = {
            let mut listed = self.listed.lock();
            let found = listed.get(&name).and_then(Weak::upgrade);
            let joined = found.as_ref().and_then(|flight| flight.join(&lead.asked));
            let reader = match joined {
                Some(Join::Reader(reader)) => Some(reader),
                Some(Join::Other) => None,
                None => {
                    let own = Some((self.clone(), name));
                    let flight = Flight::new(lead.request_id, lead.limit, lead.asked, make, own);
                    listed.insert(name, Arc::downgrade(&flight));
                    Some(flight.lead())
                }
            };
            (found, reader)
        };
        reader
    }

    /// Takes a flight that has ended off the list.
    pub(super) fn forget(&self, name: &Fingerprint) {
        let mut listed = self.listed.lock();
        if listed.get(name).is_some_and(|flight| flight.strong_count() == 0) {
            listed.remove(name);
        }
    }

    /// How many are listed.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.listed.lock().len()
    }
}
