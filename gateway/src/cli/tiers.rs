//! `causeway tiers`: how users pay, and how much each of them may ask.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::in_path;
use super::allowed::{Allowed, dollars};
use super::running::{Change, Running, Told, as_before, body, cell, end, fields, quoted};

/// Tiers of a running gateway: how users pay.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway tiers create payg --pay-as-you-go\n  causeway tiers create plus --subscription 50 --requests 600/min\n  causeway tiers create staff --unlimited"
)]
pub(super) struct TiersArguments {
    #[command(subcommand)]
    command: TiersCommand,
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Subcommand)]
enum TiersCommand {
    /// All tiers.
    List,
    /// One tier.
    Show {
        /// Its name
        name: String,
    },
    /// Make a tier.
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
    /// Forget a tier that nobody is in.
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Default, Args)]
struct Given {
    /// From a balance that is topped up; how low it may go [default: 0]
    #[arg(long, value_name = "FLOOR", num_args = 0..=1, default_missing_value = "0", allow_negative_numbers = true, group = "plan")]
    pay_as_you_go: Option<String>,
    /// So many US dollars each calendar month
    #[arg(long, value_name = "USD", group = "plan")]
    subscription: Option<String>,
    /// Nobody counts
    #[arg(long, group = "plan")]
    unlimited: bool,
    /// What it is
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    allowed: Allowed,
    /// Fields for which there is no option, as a JSON object
    #[arg(long, value_name = "JSON")]
    body: Option<String>,
}

impl Given {
    fn plan(&self) -> Result<Value, String> {
        Ok(match (&self.pay_as_you_go, &self.subscription) {
            (Some(floor), _) => json!({ "kind": "pay-as-you-go", "floor_usd": dollars(floor)? }),
            (_, Some(usd)) => json!({ "kind": "subscription", "allowance_usd": dollars(usd)? }),
            _ if self.unlimited => json!({ "kind": "unlimited" }),
            _ => Value::Null,
        })
    }

    fn body(&self, name: Option<&str>) -> Result<Value, String> {
        let mut given = vec![("name", json!(name)), ("note", json!(self.note)), ("plan", self.plan()?)];
        given.extend(self.allowed.given());
        body(given, self.body.as_deref())
    }
}

pub(super) fn run(arguments: TiersArguments) -> ExitCode {
    let TiersArguments { command, running } = arguments;
    end(done(&running, command))
}

fn done(running: &Running, command: TiersCommand) -> Told {
    let at = |name: &str| format!("/admin/api/tiers/{}", in_path(name));
    match command {
        TiersCommand::List => {
            let head = ["name", "plan", "users", "note"];
            Ok(running.told_all(running.list("/admin/api/tiers")?, &head, row))
        }
        TiersCommand::Show { name } => Ok(running.told(&running.look(&at(&name))?, fields)),
        TiersCommand::Create { name, given } => {
            let undo = Ok(format!("causeway tiers remove {}", quoted(&name)));
            let (path, body) = ("/admin/api/tiers".to_owned(), Some(given.body(Some(&name))?));
            running.change(&Change { method: "POST", path, body, undo }, fields)
        }
        TiersCommand::Change { name, given } => {
            let body = given.body(None)?;
            let before = as_before(&running.look(&at(&name))?, &body);
            let undo =
                format!("causeway tiers change {} --body {}", quoted(&name), quoted(&before.to_string()));
            running.change(
                &Change { method: "PATCH", path: at(&name), body: Some(body), undo: Ok(undo) },
                fields,
            )
        }
        TiersCommand::Remove { name } => {
            let undo = Err("make it again".to_owned());
            let change = Change { method: "DELETE", path: at(&name), body: None, undo };
            running.change(&change, |_| format!("{name} is gone\n"))
        }
    }
}

fn row(tier: &Value) -> Vec<String> {
    let plan = cell(&tier["plan"]["kind"]);
    vec![cell(&tier["name"]), plan, cell(&tier["users"]), cell(&tier["note"])]
}
