//! `causeway teams`: keys and users that share limits and budgets.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::in_path;
use super::allowed::{Allowed, Budgets};
use super::running::{Change, Running, Told, as_before, body, cell, end, fields, quoted};

/// Teams of a running gateway, which share limits and budgets.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway teams create shop --budget 2000/month --requests 60k/min\n  causeway teams show shop"
)]
pub(super) struct TeamsArguments {
    #[command(subcommand)]
    command: TeamsCommand,
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Subcommand)]
enum TeamsCommand {
    /// All teams, those of the file too.
    List,
    /// One team.
    Show {
        /// Its name
        name: String,
    },
    /// Make a team.
    Create {
        /// Its name, for good
        name: String,
        #[command(flatten)]
        given: Given,
    },
    /// Change what is given; the rest stays.
    Change {
        /// Its name
        name: String,
        #[command(flatten)]
        given: Given,
    },
    /// Forget a team.
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Default, Args)]
struct Given {
    /// What it is
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    allowed: Allowed,
    #[command(flatten)]
    budgets: Budgets,
    /// Fields for which there is no option, as a JSON object
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
}

impl Given {
    fn body(&self, name: Option<&str>) -> Result<Value, String> {
        let mut given = vec![("name", json!(name)), ("note", json!(self.note)), self.budgets.given()?];
        given.extend(self.allowed.given());
        body(given, self.body.as_deref())
    }
}

pub(super) fn run(arguments: TeamsArguments) -> ExitCode {
    let TeamsArguments { command, running } = arguments;
    end(done(&running, command))
}

fn done(running: &Running, command: TeamsCommand) -> Told {
    let at = |name: &str| format!("/admin/api/teams/{}", in_path(name));
    match command {
        TeamsCommand::List => {
            let head = ["name", "from", "members", "keys", "note"];
            Ok(running.told_all(running.list("/admin/api/teams")?, &head, row))
        }
        TeamsCommand::Show { name } => Ok(running.told(&running.look(&at(&name))?, fields)),
        TeamsCommand::Create { name, given } => {
            let undo = Ok(format!("causeway teams remove {}", quoted(&name)));
            let (path, body) = ("/admin/api/teams".to_owned(), Some(given.body(Some(&name))?));
            running.change(&Change { method: "POST", path, body, undo }, fields)
        }
        TeamsCommand::Change { name, given } => {
            let body = given.body(None)?;
            let before = as_before(&running.look(&at(&name))?, &body);
            let undo =
                format!("causeway teams change {} --body {}", quoted(&name), quoted(&before.to_string()));
            running.change(
                &Change { method: "PATCH", path: at(&name), body: Some(body), undo: Ok(undo) },
                fields,
            )
        }
        TeamsCommand::Remove { name } => {
            let undo = Err("make it again; what it spent stays in the ledger".to_owned());
            let change = Change { method: "DELETE", path: at(&name), body: None, undo };
            running.change(&change, |_| format!("{name} is gone\n"))
        }
    }
}

fn row(team: &Value) -> Vec<String> {
    ["name", "source", "members", "keys", "note"].map(|name| cell(&team[name])).to_vec()
}
