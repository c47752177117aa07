//! `causeway models` and `causeway providers`: those of a running gateway's file, and those made in it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::in_path;
use super::allowed::some;
use super::running::{Change, Running, Told, body, cell, end, fields, quoted};

/// Models of a running gateway: list, add, remove.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway models list\n  causeway models add fast --target openai/gpt-5-mini --target groq/llama\n  causeway models add fast --body '{\"targets\":[\"openai/gpt-5\"],\"balance\":\"cheapest\"}'"
)]
pub(super) struct ModelsArguments {
    #[command(subcommand)]
    command: ModelCommand,
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// All models, those of the file too.
    List,
    /// Add a model to the running gateway.
    Add {
        /// Its name
        name: String,
        /// Who answers, as `provider/model`. Once for each
        #[arg(long = "target", value_name = "TARGET")]
        targets: Vec<String>,
        /// What else the file would say of it, as a JSON object
        #[arg(long, value_name = "JSON")]
        body: Option<String>,
    },
    /// Remove a model that was added.
    Remove {
        /// Its name
        name: String,
    },
}

/// What can be done with providers of a running gateway.
#[derive(Debug, Subcommand)]
pub(super) enum ProviderCommand {
    /// All providers, those of the file too.
    List {
        #[command(flatten)]
        running: Running,
    },
    /// Add a provider to the running gateway.
    #[command(after_help = "Example:\n  pass show groq | causeway providers add groq --preset groq --keys -")]
    Add {
        /// Its name
        name: String,
        /// A vendor that is known: its adapter and its address
        #[arg(long)]
        preset: Option<String>,
        /// The adapter that speaks with it
        #[arg(long)]
        plugin: Option<String>,
        /// Where it is
        #[arg(long)]
        url: Option<String>,
        /// A file with its keys, one in a line, or `-` for standard input
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
        /// What else the file would say of it, as a JSON object
        #[arg(long, value_name = "JSON")]
        body: Option<String>,
        #[command(flatten)]
        running: Running,
    },
    /// Remove a provider that was added, with its keys.
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        running: Running,
    },
    /// Ask a provider whether it takes its keys. Exit status 1 when it does not.
    Test {
        /// Its name
        name: String,
        #[command(flatten)]
        running: Running,
    },
}

pub(super) fn models(arguments: ModelsArguments) -> ExitCode {
    let ModelsArguments { command, running } = arguments;
    end(match command {
        ModelCommand::List => listed(&running, "models", |settings| cell(&settings["targets"])),
        ModelCommand::Add { name, targets, body: more } => {
            body(vec![("targets", some(&targets))], more.as_deref())
                .and_then(|settings| added(&running, "models", json!({ "name": name, "settings": settings })))
        }
        ModelCommand::Remove { name } => removed(&running, "models", &name),
    })
}

pub(super) fn providers(command: ProviderCommand) -> ExitCode {
    end(match command {
        ProviderCommand::List { running } => listed(&running, "providers", |settings| cell(&settings["url"])),
        ProviderCommand::Add { name, preset, plugin, url, keys, body: more, running } => {
            let given = vec![("preset", json!(preset)), ("plugin", json!(plugin)), ("url", json!(url))];
            let settings = body(given, more.as_deref());
            settings.and_then(|settings| {
                let keys = keys.as_deref().map(read).transpose()?.unwrap_or_default();
                added(&running, "providers", json!({ "name": name, "settings": settings, "keys": keys }))
            })
        }
        ProviderCommand::Remove { name, running } => removed(&running, "providers", &name),
        ProviderCommand::Test { name, running } => tested(&running, &name),
    })
}

fn listed(running: &Running, section: &str, about: fn(&Value) -> String) -> Told {
    let items = running.list(&format!("/admin/api/{section}"))?;
    if running.is_json() {
        return Ok(running.told_all(items, &[], |_| Vec::new()));
    }
    let row = |item: &Value| vec![cell(&item["name"]), cell(&item["source"]), about(&item["settings"])];
    let rows: Vec<_> = items.iter().map(row).collect();
    let last = if section == "models" { "targets" } else { "url" };
    Ok(super::running::table(&["name", "from", last], &rows))
}

fn added(running: &Running, section: &str, mut body: Value) -> Told {
    if running.is_trial() {
        // What is only looked at is printed.
        for key in body["keys"].as_array_mut().into_iter().flatten() {
            *key = json!({ "key": "***" });
        }
    }
    let undo = Ok(format!("causeway {section} remove {}", quoted(&cell(&body["name"]))));
    let path = format!("/admin/api/{section}");
    running.change(&Change { method: "POST", path, body: Some(body), undo }, fields)
}

fn removed(running: &Running, section: &str, name: &str) -> Told {
    let path = format!("/admin/api/{section}/{}", in_path(name));
    let undo = match running.look(&path)? {
        // Its keys are gone for good: nobody reads them again.
        before
            if section == "providers"
                && before["typed_keys"].as_array().is_some_and(|keys| !keys.is_empty()) =>
        {
            Err("its keys are gone; add it again, with its keys".to_owned())
        }
        before => {
            let settings = quoted(&before["settings"].to_string());
            Ok(format!("causeway {section} add {} --body {settings}", quoted(name)))
        }
    };
    running.change(&Change { method: "DELETE", path, body: None, undo }, |_| format!("{name} is gone\n"))
}

fn tested(running: &Running, name: &str) -> Told {
    let answer = running.ask(&format!("/admin/api/providers/{}/test", in_path(name)), None)?;
    let keys = answer["keys"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<_> =
        keys.iter().map(|key| ["id", "verdict", "why"].map(|name| cell(&key[name])).to_vec()).collect();
    let text = running.told(&answer, |_| super::running::table(&["key", "verdict", "why"], &rows));
    if answer["good"] == true {
        return Ok(text);
    }
    super::say(&text);
    Err(format!("provider `{name}` did not take every key"))
}

/// Keys never stand in the command line, where everybody on the machine reads them.
fn read(file: &Path) -> Result<Vec<Value>, String> {
    let mut text = String::new();
    let done = match file.to_str() {
        Some("-") => std::io::stdin().read_to_string(&mut text).map(|_| ()),
        _ => std::fs::read_to_string(file).map(|read| text = read),
    };
    done.map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(|key| json!({ "key": key })).collect())
}
