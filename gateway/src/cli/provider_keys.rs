//! `causeway providers keys`: the keys of one provider, from one to a hundred thousand.
//!
//! `file` changes the provider's file of keys, `live` talks to a gateway that runs, `test` asks the provider itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Place, made};
use crate::app::Origin;
use crate::config::{self, Config};

mod file;
mod live;
mod show;
mod test;

/// Look at providers.
#[derive(Debug, Subcommand)]
pub(super) enum ProvidersCommand {
    #[command(flatten)]
    Made(made::ProviderCommand),
    /// The keys of a provider: import, list, test, restore, note, remove, export.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

/// What can be done with the keys of a provider.
#[derive(Debug, Subcommand)]
pub(super) enum KeysCommand {
    /// Add keys to the provider's `keys_file`: one per line, a note behind ` #`. Those that are there already are left out.
    #[command(
        after_help = "Example:\n  causeway providers keys import openai new-keys.txt\n  pass show openai | causeway providers keys import openai -"
    )]
    Import {
        #[command(flatten)]
        which: Which,
        /// The file to read, or `-` for standard input
        file: PathBuf,
    },
    /// List the keys by id, with note and state; the state comes from the running gateway.
    #[command(after_help = "Example:\n  causeway providers keys list openai --json")]
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Ask the provider about every key, with the question for its models. Exit status 1 when one is refused.
    #[command(after_help = "Example:\n  causeway providers keys test openai --parallel 16 --remove")]
    Test {
        #[command(flatten)]
        which: Which,
        /// So many keys at the same time
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
        parallel: u8,
        /// Take keys that are refused out of the provider's `keys_file`
        #[arg(long)]
        remove: bool,
    },
    /// Lift the rests of all keys in the running gateway, or of one.
    #[command(after_help = "Example:\n  causeway providers keys restore openai 3f9a12cc04d7")]
    Restore {
        #[command(flatten)]
        which: Which,
        /// The id of the key. Default: all that rest
        id: Option<String>,
    },
    /// Write a note behind a key of the `keys_file`; without a text the note goes.
    #[command(
        after_help = "Example:\n  causeway providers keys note openai 3f9a12cc04d7 \"team shop, until June\""
    )]
    Note {
        #[command(flatten)]
        which: Which,
        /// The id of the key
        id: String,
        /// The note
        text: Option<String>,
    },
    /// Take keys out of the `keys_file`.
    #[command(after_help = "Example:\n  causeway providers keys remove openai 3f9a12cc04d7")]
    Remove {
        #[command(flatten)]
        which: Which,
        /// The ids of the keys
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Print the keys themselves, in the form `import` reads.
    #[command(after_help = "Example:\n  causeway providers keys export openai --reveal > copy.txt")]
    Export {
        #[command(flatten)]
        which: Which,
        /// Yes, print the secrets
        #[arg(long)]
        reveal: bool,
    },
}

/// Which provider, and how to answer.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The provider's name in the configuration
    provider: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What stands in the configuration about the keys of one provider.
struct Known {
    config: Config,
    name: String,
    json: bool,
}

/// An outcome: what to print, and whether it went well.
struct Outcome {
    text: String,
    good: bool,
}

impl Outcome {
    fn good(text: String) -> Self {
        Self { text, good: true }
    }
}

pub(super) fn run(command: ProvidersCommand) -> ExitCode {
    let command = match command {
        ProvidersCommand::Made(command) => return made::providers(command),
        ProvidersCommand::Keys { command } => command,
    };
    let outcome = match command {
        KeysCommand::Import { which, file } => known(which).and_then(|known| file::import(&known, &file)),
        KeysCommand::List { which } => known(which).and_then(|known| show::list(&known)),
        KeysCommand::Test { which, parallel, remove } => {
            let origin = which.place.clone().origin();
            known(which).and_then(|known| test::run(&known, &origin, usize::from(parallel), remove))
        }
        KeysCommand::Restore { which, id } => {
            known(which).and_then(|known| live::restore(&known, id.as_deref()))
        }
        KeysCommand::Note { which, id, text } => {
            known(which).and_then(|known| file::note(&known, &id, text.as_deref()))
        }
        KeysCommand::Remove { which, ids } => known(which).and_then(|known| file::remove(&known, &ids)),
        KeysCommand::Export { which, reveal } => known(which).and_then(|known| show::export(&known, reveal)),
    };
    match outcome {
        Ok(outcome) => {
            super::say(&outcome.text);
            if outcome.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            super::complain(&[problem]);
            ExitCode::from(2)
        }
    }
}

/// The configuration; its files of keys need not be there yet.
fn known(which: Which) -> Result<Known, String> {
    let origin: Origin = which.place.origin();
    let loaded = origin.load_without_keys().map_err(|error| error.to_string())?;
    let config = loaded.config;
    if !config.providers.contains_key(&which.provider) {
        let names: Vec<_> = config.providers.keys().map(String::as_str).collect();
        return Err(format!("there is no provider `{}`; there are {}", which.provider, names.join(", ")));
    }
    Ok(Known { config, name: which.provider, json: which.json })
}

impl Known {
    fn provider(&self) -> Result<&config::Provider, String> {
        self.config.providers.get(&self.name).ok_or_else(|| "there is no such provider".to_owned())
    }

    /// The file of keys, which only these commands and the operator write.
    fn keys_file(&self) -> Result<&std::path::Path, String> {
        self.provider()?.keys_file.as_deref().ok_or_else(|| {
            let name = &self.name;
            format!("provider `{name}` has no file of keys; add `keys_file = \"{name}.keys\"` to [providers.{name}]")
        })
    }
}
