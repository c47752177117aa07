//! `causeway users` and `causeway top-up`: people, and what they paid.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::{escaped, in_path};
use super::allowed::{Allowed, Budgets, dollars, some};
use super::running::{Change, Running, Told, as_before, body, cell, end, fields, quoted};

/// Users of a running gateway: who they are, and what they may.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway users create ann@example.org --role member --tier payg\n  causeway users list --search ann"
)]
pub(super) struct UsersArguments {
    #[command(subcommand)]
    command: UsersCommand,
    #[command(flatten)]
    running: Running,
}

/// What a user paid: without an amount, all of it; with one, another entry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway top-up u_01H… 20 --reason 'invoice 17' --id inv-17\n  causeway top-up u_01H… --json"
)]
pub(super) struct TopUpArguments {
    /// The user's id
    user: String,
    /// US dollars; below zero it corrects earlier entries
    #[arg(allow_negative_numbers = true)]
    usd: Option<String>,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// The payment's own id: the same one twice counts once
    #[arg(long)]
    id: Option<String>,
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Subcommand)]
enum UsersCommand {
    /// All users.
    List {
        /// Only those whose name, address or id holds this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// One user.
    Show {
        /// The user's id
        id: String,
    },
    /// Make a user.
    Create {
        /// The address, which is also the name to sign in with
        email: String,
        #[command(flatten)]
        given: Given,
    },
    /// Change what is given; the rest stays.
    Change {
        /// The user's id
        id: String,
        #[command(flatten)]
        given: Given,
    },
    /// Let nobody in as this user, nor with the user's keys, until it is enabled.
    Disable {
        /// The user's id
        id: String,
    },
    /// Let the user in again.
    Enable {
        /// The user's id
        id: String,
    },
    /// Make a code with which the user gets a first key.
    Invite {
        /// The user's id
        id: String,
    },
    /// Forget a user.
    Remove {
        /// The user's id
        id: String,
    },
}

#[derive(Debug, Default, Args)]
struct Given {
    /// What the user is called
    #[arg(long)]
    name: Option<String>,
    /// `admin`, `viewer` or `member`
    #[arg(long)]
    role: Option<String>,
    /// How the user pays: a tier's name
    #[arg(long)]
    tier: Option<String>,
    /// A team the user is in. Once for each
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<String>,
    /// What there is to say
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
    fn body(&self, email: Option<&str>) -> Result<Value, String> {
        let mut given = vec![
            ("email", json!(email)),
            ("name", json!(self.name)),
            ("role", json!(self.role)),
            ("tier", json!(self.tier)),
            ("teams", some(&self.teams)),
            ("note", json!(self.note)),
            self.budgets.given()?,
        ];
        given.extend(self.allowed.given());
        body(given, self.body.as_deref())
    }
}

pub(super) fn run(arguments: UsersArguments) -> ExitCode {
    let UsersArguments { command, running } = arguments;
    end(done(&running, command))
}

fn at(id: &str) -> String {
    format!("/admin/api/users/{}", in_path(id))
}

fn done(running: &Running, command: UsersCommand) -> Told {
    match command {
        UsersCommand::List { search } => {
            let search = search.map(|text| format!("?search={}", escaped(&text))).unwrap_or_default();
            let users = running.list(&format!("/admin/api/users{search}"))?;
            let head = ["id", "email", "name", "role", "tier", "teams", "paid"];
            Ok(running.told_all(users, &head, row))
        }
        UsersCommand::Show { id } => Ok(running.told(&running.look(&at(&id))?, fields)),
        UsersCommand::Create { email, given } => {
            let undo = Ok("causeway users remove".to_owned());
            let path = "/admin/api/users".to_owned();
            let body = Some(given.body(Some(&email))?);
            running
                .make(&Change { method: "POST", path, body, undo }, |user| format!("{}\n", cell(&user["id"])))
        }
        UsersCommand::Change { id, given } => {
            let body = given.body(None)?;
            let before = as_before(&running.look(&at(&id))?, &body);
            let undo =
                format!("causeway users change {} --body {}", quoted(&id), quoted(&before.to_string()));
            running
                .change(&Change { method: "PATCH", path: at(&id), body: Some(body), undo: Ok(undo) }, fields)
        }
        UsersCommand::Disable { id } => switched(running, &id, true),
        UsersCommand::Enable { id } => switched(running, &id, false),
        UsersCommand::Invite { id } => {
            let undo = Err("another invitation ends this one".to_owned());
            let path = format!("{}/invite", at(&id));
            running.change(&Change { method: "POST", path, body: None, undo }, fields)
        }
        UsersCommand::Remove { id } => {
            let undo = Err("make the user again, who will have another id".to_owned());
            let change = Change { method: "DELETE", path: at(&id), body: None, undo };
            running.change(&change, |_| format!("{id} is gone\n"))
        }
    }
}

fn switched(running: &Running, id: &str, disabled: bool) -> Told {
    let back = if disabled { "enable" } else { "disable" };
    let undo = Ok(format!("causeway users {back} {}", quoted(id)));
    let body = Some(json!({ "disabled": disabled }));
    running.change(&Change { method: "PATCH", path: at(id), body, undo }, fields)
}

fn row(user: &Value) -> Vec<String> {
    ["id", "email", "name", "role", "tier", "teams", "topped_up_usd"].map(|name| cell(&user[name])).to_vec()
}

pub(super) fn top_up(arguments: &TopUpArguments) -> ExitCode {
    end(topped_up(arguments))
}

fn topped_up(arguments: &TopUpArguments) -> Told {
    let TopUpArguments { user, usd, reason, id, running } = arguments;
    let path = format!("{}/top-ups", at(user));
    let Some(usd) = usd else {
        let head = ["id", "usd", "at", "by", "reason"];
        let row = |entry: &Value| head_cells(entry);
        return Ok(running.told_all(running.list(&path)?, &head, row));
    };
    let given = vec![("usd", dollars(usd)?), ("reason", json!(reason)), ("id", json!(id))];
    let back = usd.strip_prefix('-').map_or_else(|| format!("-{usd}"), str::to_owned);
    let undo = Ok(format!("causeway top-up {} {back} --reason 'taken back'", quoted(user)));
    running.change(&Change { method: "POST", path, body: Some(body(given, None)?), undo }, fields)
}

fn head_cells(entry: &Value) -> Vec<String> {
    ["id", "usd", "at", "by", "reason"].map(|name| cell(&entry[name])).to_vec()
}
