//! `causeway store export` and `import`: lines of JSON, from any backend into any other.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Cursor, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Outcome, Progress, Readable, movable, now};
use crate::app;
use crate::config::Config;
use crate::store::lines::{self, Export, Import};
use crate::store::{self, Kept, Space};

/// So many records are read ahead of the writing.
const AHEAD: usize = 1024;

pub(super) async fn export(config: &Config, to: &Path) -> Result<Outcome, String> {
    let Readable { store, _copy } = &Readable::open(config)?;
    let aside = to == Path::new("-");
    let named = |error: std::io::Error| format!("{}: {error}", to.display());
    let writer: Box<dyn Write + Send> = if aside {
        Box::new(std::io::stdout())
    } else {
        let mut options = OpenOptions::new();
        // Everything that is secret in the store is in here too.
        Box::new(options.create_new(true).write(true).mode(0o600).open(to).map_err(named)?)
    };
    let mut export = Export::begin(BufWriter::new(writer), now()).map_err(|error| error.to_string())?;
    let progress = Progress::new("exporting");
    let take = &mut |kept: Vec<Kept>| {
        progress.add(kept.len());
        kept.iter().try_for_each(|one| export.take(one))
    };
    let walked = store.walk(&movable(), take).await;
    let ended = walked.and_then(|()| export.end());
    drop(progress);
    let (records, _) = ended.map_err(|error| {
        if !aside {
            let _ = std::fs::remove_file(to);
        }
        error.to_string()
    })?;
    let _ = store.close().await;
    Ok(Outcome {
        text: format!("{records} records were exported"),
        json: json!({ "version": 1, "ok": true, "records": records, "file": to }),
        well: true,
        aside,
    })
}

pub(super) async fn import(config: &Config, from: &Path, merge: bool) -> Result<Outcome, String> {
    let source = Source::of(from)?;
    // All of it is looked at before any of it is written.
    let mut spaces: Vec<Space> = Vec::new();
    source.each(|kept| {
        if let Some(space) = kept.key.space().filter(|space| !spaces.contains(space)) {
            spaces.push(space);
        }
    })?;
    let store = app::open_store(config)?;
    let text = |error: store::StoreError| error.to_string();
    let mut import = Import::into(store.as_ref(), store::clock());
    if !merge && let Some(space) = import.occupied(&spaces).await.map_err(text)? {
        return Err(format!(
            "there are records in `{}` already; `--merge` writes over those of the same key",
            space.name()
        ));
    }
    let progress = Progress::new("importing");
    // Read beside the writing, a few records ahead.
    let (ahead, mut records) = tokio::sync::mpsc::channel(AHEAD);
    let reading = std::thread::spawn(move || source.each(|kept| drop(ahead.blocking_send(kept))));
    while let Some(kept) = records.recv().await {
        progress.add(1);
        import.take(kept).await.map_err(text)?;
    }
    reading.join().map_err(|_| "the thread that reads the lines panicked".to_owned())??;
    let (written, expired) = import.end().await.map_err(text)?;
    drop(progress);
    store.close().await.map_err(text)?;
    Ok(Outcome {
        text: format!("{written} records were imported; {expired} had expired"),
        json: json!({ "version": 1, "ok": true, "records": written, "expired": expired }),
        well: true,
        aside: false,
    })
}

/// Lines that can be read twice.
enum Source {
    File(PathBuf),
    Held(Vec<u8>),
}

impl Source {
    fn of(path: &Path) -> Result<Self, String> {
        if path != Path::new("-") {
            return Ok(Self::File(path.to_owned()));
        }
        let mut held = Vec::new();
        std::io::stdin().lock().read_to_end(&mut held).map_err(|error| format!("standard input: {error}"))?;
        Ok(Self::Held(held))
    }

    fn each(&self, mut take: impl FnMut(Kept)) -> Result<(), String> {
        let (name, reader): (String, Box<dyn BufRead + '_>) = match self {
            Self::File(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
                (name, Box::new(BufReader::new(file)))
            }
            Self::Held(held) => ("standard input".to_owned(), Box::new(Cursor::new(held))),
        };
        let read = lines::read(reader, |kept| {
            take(kept);
            Ok(())
        });
        read.map(|_| ()).map_err(|error| format!("{name}: {error}"))
    }
}
