//! Opens the keys and people of the store, before the first request.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::people::People;
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

/// Reads who there is. `folder` is that of the state, where it has one.
///
/// # Errors
/// One line that says why the state cannot be read.
pub(super) fn open(store: &Arc<dyn Store>, folder: Option<&Path>) -> Result<Arc<People>, String> {
    let hash_key = folder.map_or_else(random, |folder| kept(&folder.join("virtual-keys.key")))?;
    let people = Arc::new(People::new(Arc::clone(store), hash_key, store::clock()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime to read the state with: {error}"))?;
    runtime.block_on(people.load()).map_err(|error| error.to_string())?;
    Ok(people)
}

/// What keys the hashes of secrets: in a file beside the store, made at the first start.
fn kept(file: &Path) -> Result<[u8; 32], String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    match std::fs::read(file) {
        Ok(bytes) => bytes.try_into().map_err(|_| wrong(&"it does not hold the 32 bytes it was made with")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = random()?;
            let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
            let written = made.and_then(|mut made| {
                made.write_all(&key)?;
                made.sync_all()
            });
            written.map(|()| key).map_err(|error| wrong(&error))
        }
        Err(error) => Err(wrong(&error)),
    }
}

fn random() -> Result<[u8; 32], String> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| format!("the system gives no randomness: {error}"))?;
    Ok(key)
}
