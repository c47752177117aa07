//! Opens the keys and people of the store, before the first request.

use std::sync::Arc;

use super::settings::now;
use crate::config::Config;
use crate::domain::VirtualKey;
use crate::people::People;
use crate::seal::{MasterKey, Purpose};
use crate::state;
use crate::store::{self, Store};

/// Reads who there is. Secrets of keys are known by a hash whose key is the store's own.
///
/// # Errors
/// One line that says why the state cannot be read.
pub(super) fn open(
    config: &Config,
    store: &Arc<dyn Store>,
    master: &MasterKey,
    made: Option<&VirtualKey>,
) -> Result<Arc<People>, String> {
    let hash_key = master.derive(Purpose::VirtualKeyHash);
    let people = Arc::new(People::new(Arc::clone(store), hash_key, store::clock()));
    people.adopt(state::in_file(config, made));
    now(people.load())?.map_err(|error| error.to_string())?;
    Ok(people)
}
