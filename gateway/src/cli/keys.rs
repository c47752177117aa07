//! `causeway keys`: virtual keys of a running gateway.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::in_path;
use super::allowed::{Allowed, Budgets, some};
use super::running::{Change, Running, Told, as_before, body, cell, end, fields, quoted};

/// Virtual keys of a running gateway: make, list, change, rotate, take back.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway keys create web --team shop --requests 600/min --budget 20/month\n  causeway keys rotate web --overlap 24h\n  causeway keys list --json"
)]
pub(super) struct KeysArguments {
    #[command(subcommand)]
    command: KeysCommand,
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// All keys, those of the file too.
    List,
    /// One key.
    Show {
        /// Its name
        name: String,
    },
    /// Make a key; its secret is printed this once.
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
    /// Give it a new secret, printed this once.
    Rotate {
        /// Its name
        name: String,
        /// How long the secret before is good, as in `24h`
        #[arg(long, value_name = "TIME")]
        overlap: Option<String>,
    },
    /// Let nobody in with it until it is enabled.
    Disable {
        /// Its name
        name: String,
    },
    /// Let it in again.
    Enable {
        /// Its name
        name: String,
    },
    /// Take it back for good.
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Default, Args)]
struct Given {
    /// What it is for
    #[arg(long)]
    note: Option<String>,
    /// The id of the user it belongs to
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// The team it belongs to
    #[arg(long)]
    team: Option<String>,
    /// A word that conditions see. Once for each
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
    /// The moment from which it is no good, as in 2027-01-01T00:00:00Z
    #[arg(long, value_name = "MOMENT")]
    expires: Option<String>,
    /// An address or network that it may come from. Once for each
    #[arg(long = "address", value_name = "NETWORK")]
    addresses: Vec<String>,
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
        let mut given = vec![
            ("name", json!(name)),
            ("note", json!(self.note)),
            ("owner", json!(self.owner)),
            ("team", json!(self.team)),
            ("tags", some(&self.tags)),
            ("expires", json!(self.expires)),
            ("addresses", some(&self.addresses)),
            self.budgets.given()?,
        ];
        given.extend(self.allowed.given());
        body(given, self.body.as_deref())
    }
}

pub(super) fn run(arguments: KeysArguments) -> ExitCode {
    let KeysArguments { command, running } = arguments;
    end(done(&running, command))
}

fn done(running: &Running, command: KeysCommand) -> Told {
    let at = |name: &str| format!("/admin/api/keys/{}", in_path(name));
    match command {
        KeysCommand::List => {
            let head = ["name", "state", "from", "owner", "team", "models", "last used"];
            Ok(running.told_all(running.list("/admin/api/keys")?, &head, row))
        }
        KeysCommand::Show { name } => Ok(running.told(&running.look(&at(&name))?, fields)),
        KeysCommand::Create { name, given } => {
            let undo = Ok(format!("causeway keys revoke {}", quoted(&name)));
            let path = "/admin/api/keys".to_owned();
            running
                .change(&Change { method: "POST", path, body: Some(given.body(Some(&name))?), undo }, issued)
        }
        KeysCommand::Change { name, given } => {
            let body = given.body(None)?;
            let before = as_before(&running.look(&at(&name))?, &body);
            let undo =
                format!("causeway keys change {} --body {}", quoted(&name), quoted(&before.to_string()));
            running.change(
                &Change { method: "PATCH", path: at(&name), body: Some(body), undo: Ok(undo) },
                fields,
            )
        }
        KeysCommand::Rotate { name, overlap } => {
            let body = overlap.map(|overlap| json!({ "overlap": overlap }));
            let undo = Err("the secret before is good as long as `overlap` says".to_owned());
            let path = format!("{}/rotate", at(&name));
            running.change(&Change { method: "POST", path, body, undo }, issued)
        }
        KeysCommand::Disable { name } => switched(running, &name, true),
        KeysCommand::Enable { name } => switched(running, &name, false),
        KeysCommand::Revoke { name } => {
            let undo = Err("make another key, or disable one that may come back".to_owned());
            let change = Change { method: "DELETE", path: at(&name), body: None, undo };
            running.change(&change, fields)
        }
    }
}

fn switched(running: &Running, name: &str, disabled: bool) -> Told {
    let back = if disabled { "enable" } else { "disable" };
    let change = Change {
        method: "PATCH",
        path: format!("/admin/api/keys/{}", in_path(name)),
        body: Some(json!({ "disabled": disabled })),
        undo: Ok(format!("causeway keys {back} {}", quoted(name))),
    };
    running.change(&change, fields)
}

/// The secret is all that a script wants of it.
fn issued(answer: &Value) -> String {
    super::complain(&["the secret is shown this once".to_owned()]);
    format!("{}\n", cell(&answer["secret"]))
}

fn row(key: &Value) -> Vec<String> {
    let models = if key["models"].is_null() { "all".to_owned() } else { cell(&key["models"]) };
    let cells = ["name", "state", "source", "owner", "team"].map(|name| cell(&key[name]));
    cells.into_iter().chain([models, cell(&key["last_used"])]).collect()
}
