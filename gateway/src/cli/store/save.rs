//! `causeway store backup` and `restore`.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Outcome, Readable, movable, now};
use crate::app;
use crate::config::Config;
use crate::store::sled::restore as put_back;
use crate::store::{self, Space, snapshot};

pub(super) async fn backup(config: &Config, file: Option<PathBuf>, all: bool) -> Result<Outcome, String> {
    let Readable { store, _copy } = &Readable::open(config)?;
    let seconds = now();
    let path = match file {
        Some(file) => file,
        None => usual(config, seconds, &store.mark().unwrap_or_default())?,
    };
    if path.exists() {
        return Err(format!("{}: this file is there already", path.display()));
    }
    let mut spaces = movable();
    spaces.retain(|space| all || space.is_in_snapshots());
    let written = snapshot::write(store.as_ref(), &path, &spaces, seconds).await;
    let records = written.map_err(|error| error.to_string())?.records;
    // What cannot be read again is no backup.
    snapshot::verify(&path).map_err(|error| error.to_string())?;
    let _ = store.close().await;
    Ok(Outcome {
        text: format!("{}: {records} records", path.display()),
        json: json!({
            "version": 1, "ok": true, "file": path, "records": records,
            "spaces": spaces.into_iter().map(Space::name).collect::<Vec<_>>(),
        }),
        well: true,
        aside: false,
    })
}

fn usual(config: &Config, seconds: u64, mark: &store::Mark) -> Result<PathBuf, String> {
    let place = app::place_of(config).map_err(|_| "name the file of the backup".to_owned())?;
    let folder = place.snapshots.ok_or("name the file of the backup")?;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder.join(snapshot::name(seconds, mark)))
}

pub(super) async fn restore(config: &Config, from: Option<&Path>) -> Result<Outcome, String> {
    let place = app::place_of(config)?;
    let restored = put_back(&place, from, &store::clock()).map_err(|error| error.to_string())?;
    let replayed = app::replay(config).await;
    let mut text = String::new();
    for skipped in &restored.skipped {
        text.push_str(&format!("not used: {skipped}\n"));
    }
    let made = restored.made.as_deref().map(|made| format!(" of {made}")).unwrap_or_default();
    text.push_str(&format!("{}{made}: {} records are back\n", restored.from.display(), restored.records));
    if restored.expired > 0 {
        text.push_str(&format!("{} had expired since\n", restored.expired));
    }
    match &replayed {
        Ok(rows) => text.push_str(&format!("{rows} rows of the ledger came back from the usage journal\n")),
        Err(error) => text.push_str(&format!(
            "rows of the ledger that came later are still in the usage journal, and the next start books them: {error}\n"
        )),
    }
    if let Some(aside) = &restored.aside {
        text.push_str(&format!("what was there before is in {}\n", aside.display()));
    }
    Ok(Outcome {
        text,
        json: json!({
            "version": 1, "ok": true, "from": restored.from, "made": restored.made, "records": restored.records,
            "expired": restored.expired, "rows": replayed.ok(), "aside": restored.aside,
            "skipped": restored.skipped,
        }),
        well: true,
        aside: false,
    })
}
