//! `causeway store`: look after the state: check, backup, restore, salvage, export, import.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::Value;

use self::progress::Progress;
use super::Place;
use crate::app;
use crate::config::Config;
use crate::store::sled::Copy;
use crate::store::{self, Sled, Space, Store};

mod check;
mod move_lines;
mod progress;
mod save;

/// Look after the state: what is in it, copies of it, and what to do when it is damaged.
///
/// check, backup, export and salvage read a copy of the files, so a gateway may be running; restore and import want
/// the store for themselves. Exit status 1: it was not done, or the store is damaged; 2: wrong usage or configuration.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway store check\n  causeway store backup /mnt/backup/before-the-move.snapshot\n  \
                  causeway store restore\n  causeway store export --to state.jsonl\n  \
                  causeway store import -c cluster.toml --from state.jsonl"
)]
pub(super) struct StoreArguments {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Read every record and say what is there and what is damaged.
    Check {
        #[command(flatten)]
        asked: Asked,
        /// When every record is whole, take the store as it is, whatever the manifest beside it says
        #[arg(long)]
        accept: bool,
    },
    /// Write a snapshot: what the gateway writes every quarter of an hour by itself.
    Backup {
        #[command(flatten)]
        asked: Asked,
        /// The file [default: a new one in the folder of the snapshots]
        file: Option<PathBuf>,
        /// Also conversations, kept answers and counters
        #[arg(long)]
        all: bool,
    },
    /// Set the store aside and put a snapshot, or an export, in its place. No gateway may be using it.
    Restore {
        #[command(flatten)]
        asked: Asked,
        /// The file [default: the newest snapshot that is whole]
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
    /// Write everything that can still be read out of a damaged store, as lines of JSON, and say what cannot.
    Salvage {
        #[command(flatten)]
        asked: Asked,
        /// The file, for `causeway store restore --from`
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Write everything as lines of JSON, to be imported into any backend.
    Export {
        #[command(flatten)]
        asked: Asked,
        /// The file, or - for standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        to: PathBuf,
    },
    /// Seal every secret in the store with the newest master key. A gateway may be running: it does it. What was
    /// interrupted goes on.
    RotateKey {
        #[command(flatten)]
        asked: Asked,
    },
    /// Read what `export` wrote into the store of this configuration. Nothing is written unless all of it is whole.
    Import {
        #[command(flatten)]
        asked: Asked,
        /// The file, or - for standard input
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Write over what is there already
        #[arg(long)]
        merge: bool,
    },
}

#[derive(Clone, Debug, Args)]
struct Asked {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a command found or did.
struct Outcome {
    /// For people.
    text: String,
    /// For programs.
    json: Value,
    /// Whether all is well.
    well: bool,
    /// It was written to standard output, which therefore takes nothing else.
    aside: bool,
}

pub(super) fn run(StoreArguments { command }: StoreArguments) -> ExitCode {
    let asked = match &command {
        StoreCommand::Check { asked, .. }
        | StoreCommand::Backup { asked, .. }
        | StoreCommand::Restore { asked, .. }
        | StoreCommand::Salvage { asked, .. }
        | StoreCommand::Export { asked, .. }
        | StoreCommand::RotateKey { asked }
        | StoreCommand::Import { asked, .. } => asked.clone(),
    };
    let loaded = match asked.place.origin().load_without_keys() {
        Ok(loaded) => loaded,
        Err(error) => {
            super::check::tell(&error);
            return ExitCode::from(2);
        }
    };
    let outcome = perform(command, &loaded.config);
    match outcome {
        Ok(outcome) => {
            let text = if asked.json {
                format!("{:#}\n", outcome.json)
            } else {
                format!("{}\n", outcome.text.trim_end())
            };
            if outcome.aside {
                super::complain(&[outcome.text]);
            } else {
                super::say(&text);
            }
            if outcome.well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) if asked.json => {
            super::say(&format!(
                "{:#}\n",
                serde_json::json!({ "version": 1, "ok": false, "error": problem })
            ));
            ExitCode::FAILURE
        }
        Err(problem) => {
            super::complain(&[problem]);
            ExitCode::FAILURE
        }
    }
}

fn perform(command: StoreCommand, config: &Config) -> Result<Outcome, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    match command {
        StoreCommand::Check { accept, .. } => check::run(&app::place_of(config)?, accept),
        StoreCommand::Backup { file, all, .. } => runtime.block_on(save::backup(config, file, all)),
        StoreCommand::Restore { from, .. } => runtime.block_on(save::restore(config, from.as_deref())),
        StoreCommand::Salvage { to, .. } => check::salvage(&app::place_of(config)?, &to),
        StoreCommand::Export { to, .. } => runtime.block_on(move_lines::export(config, &to)),
        StoreCommand::RotateKey { .. } => {
            let json = super::settings::rotate(config)?;
            let count = &json["sealed_anew"];
            let text = format!("master key {} seals now; {count} records were sealed anew", json["key"]);
            Ok(Outcome { text, json, well: true, aside: false })
        }
        StoreCommand::Import { from, merge, .. } => {
            runtime.block_on(move_lines::import(config, &from, merge))
        }
    }
}

/// A store to read: on disk a copy of the files, so that a gateway may be using them; else the store itself.
struct Readable {
    store: Arc<dyn Store>,
    // Declared behind the store: it must be closed before its files go.
    _copy: Option<Copy>,
}

impl Readable {
    fn open(config: &Config) -> Result<Self, String> {
        if config.store.backend != crate::config::Backend::Sled {
            let store = app::open_store(config)?;
            return Ok(Self { store, _copy: None });
        }
        let copy = Copy::of(&app::place_of(config)?).map_err(|error| error.to_string())?;
        let store = Sled::open_at(copy.place(), store::clock()).map_err(|error| error.to_string())?;
        Ok(Self { store: Arc::new(store), _copy: Some(copy) })
    }
}

fn now() -> u64 {
    store::clock()() / 1000
}

/// Everything but what belongs to one store alone.
fn movable() -> Vec<Space> {
    Space::ALL.into_iter().filter(|space| !space.is_own()).collect()
}
