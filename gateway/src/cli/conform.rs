//! `causeway conform`: what survives translation between every client API and every adapter.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::adapter::{Registry, Source};
use crate::conform::{self, Ground, Table, Verdict, Wanted};

const MARKDOWN: &str = "CONFORMANCE.md";
const JSON: &str = "conformance.json";

/// Check what survives translation, feature by feature: every client API with every adapter, without a network
#[derive(Debug, Args)]
pub(super) struct ConformArguments {
    /// A component file or the name of a bundled adapter [default: all bundled ones]
    adapter: Option<PathBuf>,
    /// The features and the client APIs' fixtures
    #[arg(long, value_name = "DIR", default_value = "tests/conformance")]
    fixtures: PathBuf,
    /// Where adapters have their fixtures: `<DIR>/<name>/conformance`
    #[arg(long, value_name = "DIR", default_value = "plugins")]
    plugins: PathBuf,
    /// One adapter's own fixtures [default: `conformance` beside the component file]
    #[arg(long, value_name = "DIR", requires = "adapter")]
    own: Option<PathBuf>,
    /// Only features whose name holds this; may be given several times
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// Write the table into the plugins' folder
    #[arg(long, conflicts_with_all = ["check", "only", "adapter"])]
    write: bool,
    /// Fail when a cell fails or the written table is not what comes out now
    #[arg(long, conflicts_with_all = ["only", "adapter"])]
    check: bool,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

/// Runs it; exit status 1 when a cell fails or the written table is stale.
pub(super) fn run(arguments: &ConformArguments) -> ExitCode {
    let ground = Ground {
        fixtures: arguments.fixtures.clone(),
        adapters: adapters(arguments),
        only: arguments.only.clone(),
        compiled: crate::app::compiled_at_home(),
    };
    let table = match conform::run(&ground) {
        Ok(table) => table,
        Err(problems) => {
            super::complain(&problems);
            return ExitCode::FAILURE;
        }
    };
    let mut problems = table.failures();
    if arguments.write {
        problems.extend(write(&arguments.plugins, &table).err());
    } else if arguments.check {
        problems.extend(stale(&arguments.plugins, &table));
    } else if arguments.json {
        super::say(&conform::json(&table));
    } else if arguments.only.is_empty() {
        super::say(&conform::markdown(&table));
    } else {
        super::say(&listed(&table));
    }
    if arguments.check || arguments.write {
        super::say(&counted(&table));
    }
    super::complain(&problems);
    if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn adapters(arguments: &ConformArguments) -> Vec<Wanted> {
    let beside = |name: &str| arguments.plugins.join(name).join("conformance");
    let bundled = |name: &str| Wanted {
        name: name.to_owned(),
        source: Source::Bundled,
        fixtures: arguments.own.clone().unwrap_or_else(|| beside(name)),
    };
    let Some(file) = &arguments.adapter else {
        return Registry::bundled().map(bundled).collect();
    };
    if let Some(name) = Registry::bundled().find(|name| Path::new(name) == file) {
        return vec![bundled(name)];
    }
    let name = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("adapter");
    let own = || file.parent().unwrap_or(Path::new("")).join("conformance");
    vec![Wanted {
        name: name.to_owned(),
        source: Source::File { path: file.clone(), digest: None },
        fixtures: arguments.own.clone().unwrap_or_else(own),
    }]
}

fn files(plugins: &Path, table: &Table) -> [(PathBuf, String); 2] {
    [(plugins.join(MARKDOWN), conform::markdown(table)), (plugins.join(JSON), conform::json(table))]
}

fn write(plugins: &Path, table: &Table) -> Result<(), String> {
    for (file, text) in files(plugins, table) {
        std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(())
}

fn stale(plugins: &Path, table: &Table) -> Vec<String> {
    files(plugins, table)
        .into_iter()
        .filter(|(file, text)| std::fs::read_to_string(file).ok().as_ref() != Some(text))
        .map(|(file, _)| format!("{} is stale; run `causeway conform --write`", file.display()))
        .collect()
}

/// One line a cell.
fn listed(table: &Table) -> String {
    table
        .each()
        .map(|(dialect, provider, row, verdict)| format!("{dialect} → {provider}, {row}: {verdict}\n"))
        .collect()
}

fn counted(table: &Table) -> String {
    let count = |word: &str| table.each().filter(|(.., verdict)| Verdict::word(verdict) == word).count();
    let words = ["untouched", "works", "lossy", "impossible", "unsaid", "silent", "FAIL"];
    let counts: Vec<String> = words.iter().map(|word| format!("{} {word}", count(word))).collect();
    format!("{} cells: {}\n", table.each().count(), counts.join(", "))
}
