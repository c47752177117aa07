//! Settings of the admin API at the start: the master key, what the store holds, and a configuration with both.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use super::Origin;
use crate::config::{Backend, Config, ConfigError, Loaded, Stored, stored};
use crate::seal::{Keys, file};
use crate::state::settings::KeySource;
use crate::state::{self, Settings};
use crate::store::Store;

/// Waits for something before the server's own threads run.
///
/// # Errors
/// When the system gives no threads.
pub fn now<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.map_err(|error| format!("no runtime to read the store: {error}"))?.block_on(future))
}

/// The master keys a configuration means, and where they come from.
///
/// # Errors
/// When they cannot be read.
pub fn keys(config: &Config, folder: Option<&Path>) -> Result<(Keys, KeySource), String> {
    let told = |why: String| format!("store.master_key: {why}");
    match (&config.store.master_key, folder) {
        (Some(current), folder) => {
            let keys = Keys::read(current, &config.store.old_master_keys).map_err(told)?;
            // Who moves the key from the file into the configuration need not copy it.
            let before = folder.map(file::read).transpose()?.flatten();
            let keys = before.into_iter().fold(keys, Keys::and_older);
            Ok((keys, KeySource::Configured))
        }
        (None, Some(folder)) => Ok((file::read_or_make(folder)?, KeySource::Folder(folder.to_owned()))),
        (None, None) => Ok((Keys::random().map_err(|error| error.to_string())?, KeySource::ThisRun)),
    }
}

/// Reads what the store holds of settings. The store's master key must be among those given.
///
/// # Errors
/// One line: it is not, or the store cannot be read.
pub async fn open(
    store: &Arc<dyn Store>,
    (keys, source): (Keys, KeySource),
) -> Result<Arc<Settings>, String> {
    let master = state::master_of(store.as_ref(), keys).await.map_err(|mismatch| mismatch.to_string())?;
    let settings = Settings::open(Arc::clone(store), Arc::new(master), source).await;
    let settings = Arc::new(settings.map_err(|error| error.to_string())?);
    let waiting = settings.sealed_before();
    if waiting > 0 {
        tracing::warn!(
            records = waiting,
            "secrets are sealed with a master key of before; `causeway store rotate-key` seals them with the one of now"
        );
    }
    Ok(settings)
}

/// The settings of a store that no gateway uses, for commands.
///
/// # Errors
/// When it cannot be opened, or its master key is another.
pub fn offline(config: &Config) -> Result<Arc<Settings>, String> {
    let store = super::open_store(config)?;
    let folder = super::storage::folder(config).filter(|_| config.store.backend == Backend::Sled);
    let keys = keys(config, folder.as_deref())?;
    now(open(&store, keys)).flatten()
}

/// The configuration with these settings on top. An entry that does not fit any more is left out, and said: it must
/// not keep everything else from starting.
///
/// # Errors
/// What is wrong with the file itself.
pub(super) fn laid_over(origin: &Origin, stored: &mut Stored) -> Result<Loaded, ConfigError> {
    loop {
        let error = match origin.load_over(Some(stored)) {
            Ok(loaded) => return Ok(loaded),
            Err(error) => error,
        };
        let blamed: Vec<(String, String)> = error
            .problems
            .iter()
            .filter_map(|problem| Some((problem.stored()?.to_owned(), problem.message.clone())))
            .collect();
        if blamed.is_empty() {
            return Err(error);
        }
        for (path, why) in &blamed {
            tracing::error!(
                setting = path,
                why,
                "a setting of the admin API does not fit any more and is not used"
            );
        }
        leave_out(stored, |path| blamed.iter().any(|(blamed, _)| blamed == path));
    }
}

/// Leaves out the entries that these lines blame; false: they blame none.
pub(super) fn without_blamed(stored: &mut Stored, problems: &[String]) -> bool {
    let before = stored.entries.len();
    leave_out(stored, |path| {
        let line = problems.iter().find(|line| line.starts_with(&format!("{path}: ")));
        if let Some(why) = line {
            tracing::error!(
                setting = path,
                why,
                "a setting of the admin API does not fit any more and is not used"
            );
        }
        line.is_some()
    });
    stored.entries.len() < before
}

fn leave_out(stored: &mut Stored, blamed: impl Fn(&str) -> bool) {
    stored.entries.retain(|entry| !blamed(&stored::path_of(entry.section, &entry.name)));
}

#[cfg(test)]
mod tests;
