//! Opens the keys and people of the store, before the first request.

use std::sync::Arc;
use std::time::Duration;

use super::settings::now;
use crate::people::People;
use crate::seal::{MasterKey, Purpose};
use crate::store::{self, Store};

/// How often keys and people are looked at that another node may have changed.
const LOOKED_AT: Duration = Duration::from_millis(500);

/// Takes over what other nodes change of keys and people, for ever.
pub(super) async fn meet(people: &People) {
    let mut looking = tokio::time::interval(LOOKED_AT);
    looking.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failed = false;
    loop {
        looking.tick().await;
        let refreshed = people.refresh().await;
        // Once, not twice a second.
        if let Err(error) = refreshed.as_ref().map_err(|error| error.to_string())
            && !failed
        {
            tracing::error!(error, "what other nodes change of keys and people cannot be seen");
        }
        failed = refreshed.is_err();
    }
}

/// Reads who there is. Secrets of keys are known by a hash whose key is the store's own.
///
/// # Errors
/// One line that says why the state cannot be read.
pub(super) fn open(store: &Arc<dyn Store>, master: &MasterKey) -> Result<Arc<People>, String> {
    let hash_key = master.derive(Purpose::VirtualKeyHash);
    let people = Arc::new(People::new(Arc::clone(store), hash_key, store::clock()));
    now(people.load())?.map_err(|error| error.to_string())?;
    Ok(people)
}
