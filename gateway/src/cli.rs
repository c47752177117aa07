//! The subcommands as one enum.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::schema::Wanted;
use crate::app::Origin;

mod admin;
mod allowed;
mod bench;
mod check;
mod conform;
mod keys;
mod made;
mod mock;
mod plugin;
mod provider_keys;
mod running;
mod schema;
mod serve;
mod settings;
mod store;
mod targets;
mod teams;
mod tiers;
mod usage;
mod users;

/// Causeway: one road to every model.
#[derive(Debug, Parser)]
#[command(name = "causeway", version, about, long_about = None)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway. Without a file it starts with the built-in mock provider and the keys in the environment.
    ///
    /// Exit status 78: the store cannot be used.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Set a damaged store aside and bring back the last snapshot
        #[arg(long)]
        recover: bool,
    },
    /// Check a configuration file and say everything that is wrong with it. Exit status 2 when something is.
    Check {
        #[command(flatten)]
        place: Place,
        /// Print the problems, or the explanation, as JSON
        #[arg(long)]
        json: bool,
        /// Say which targets a request would get, in which order, and why not the others: `model=gpt-5 key=web
        /// header.x-tier=gold tokens=5000 tools=true`
        #[arg(long, num_args = 1.., value_name = "NAME=VALUE")]
        explain: Vec<String>,
    },
    /// Look at the configuration: its schema, or what is in force.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Run the mock provider: OpenAI, Anthropic and Gemini on one port, for demos, tests and benchmarks.
    #[command(after_help = mock::IN_A_REQUEST)]
    Mock(mock::MockArguments),
    Bench(bench::BenchArguments),
    Conform(conform::ConformArguments),
    Keys(keys::KeysArguments),
    Users(users::UsersArguments),
    TopUp(users::TopUpArguments),
    Teams(teams::TeamsArguments),
    Tiers(tiers::TiersArguments),
    Targets(targets::TargetsArguments),
    Usage(usage::UsageArguments),
    Models(made::ModelsArguments),
    /// Providers and their keys.
    Providers {
        #[command(subcommand)]
        command: provider_keys::ProvidersCommand,
    },
    Store(store::StoreArguments),
    /// Look at adapters.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the JSON Schema of the configuration file, for editors.
    Schema,
    /// Print what was made through the admin API as a file; secrets are `${…}`.
    Export {
        #[command(flatten)]
        place: Place,
        /// Print the whole configuration in force
        #[arg(long)]
        all: bool,
    },
    /// Print the configuration in force, with every default visible and secrets masked.
    Show {
        #[command(flatten)]
        place: Place,
        /// Print instead every key there is, with its default and a comment
        #[arg(long)]
        annotated: bool,
        /// Say for each key where its value comes from
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    /// Say what an adapter is and what it can do: contract, imports, operations, options, size, digest.
    Inspect {
        /// A component file, or the name of a bundled adapter
        file: PathBuf,
    },
}

/// Where the configuration comes from.
#[derive(Clone, Debug, Default, clap::Args)]
struct Place {
    /// The configuration file [default: $CAUSEWAY_CONFIG, ./causeway.toml, /etc/causeway/causeway.toml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set one value over the file's: `--set models.fast.balance=cheapest`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

impl Place {
    fn origin(self) -> Origin {
        let found = self.config.or_else(|| crate::config::find(&|name| std::env::var(name).ok()));
        Origin { path: found, overrides: self.overrides }
    }
}

/// Runs the command line; the exit status is 0 (done), 1 (failed) or 2 (wrong usage or configuration).
pub fn run() -> ExitCode {
    let usual = || Command::Serve { place: Place::default(), recover: false };
    match Arguments::parse().command.unwrap_or_else(usual) {
        Command::Serve { place, recover } => serve::run(place.origin(), recover),
        Command::Check { place, json, explain } if explain.is_empty() => check::run(&place.origin(), json),
        Command::Check { place, json, explain } => check::explain::run(&place.origin(), json, &explain),
        Command::Config { command: ConfigCommand::Schema } => schema::run(Wanted::Schema),
        Command::Config { command: ConfigCommand::Export { place, all } } => {
            settings::export(&place.origin(), all)
        }
        Command::Config { command: ConfigCommand::Show { annotated: true, .. } } => {
            schema::run(Wanted::Annotated)
        }
        Command::Config { command: ConfigCommand::Show { place, origin, .. } } => {
            schema::run(Wanted::Effective { from: &place.origin(), origin })
        }
        Command::Mock(arguments) => mock::run(arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Conform(arguments) => conform::run(&arguments),
        Command::Keys(arguments) => keys::run(arguments),
        Command::Users(arguments) => users::run(arguments),
        Command::TopUp(arguments) => users::top_up(&arguments),
        Command::Teams(arguments) => teams::run(arguments),
        Command::Tiers(arguments) => tiers::run(arguments),
        Command::Targets(arguments) => targets::run(arguments),
        Command::Usage(arguments) => usage::run(arguments),
        Command::Models(arguments) => made::models(arguments),
        Command::Providers { command } => provider_keys::run(command),
        Command::Store(arguments) => store::run(arguments),
        Command::Plugin { command: PluginCommand::Inspect { file } } => plugin::inspect(&file),
    }
}

/// Results go to stdout. A reader that closed it early is no failure.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// What went wrong, one line each, on stderr.
fn complain(problems: &[String]) {
    let mut stderr = std::io::stderr().lock();
    for problem in problems {
        let _ = writeln!(stderr, "causeway: {problem}");
    }
}

fn on_a_terminal() -> bool {
    std::io::stderr().is_terminal()
}
