//! `causeway usage`: what was used and what it cost, and costs reckoned again.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::admin::escaped;
use super::running::{Change, Running, Told, body, cell, end, fields, table};

/// The sums, as they are named in an answer and in a table.
const SUMS: [(&str, &str); 9] = [
    ("requests", "requests"),
    ("errors", "errors"),
    ("input", "input"),
    ("output", "output"),
    ("cache_read", "cache read"),
    ("cache_write", "cache write"),
    ("reasoning", "reasoning"),
    ("unpriced", "unpriced"),
    ("cost_usd", "cost usd"),
];

/// What was used and what it cost, by whatever it is asked by.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  causeway usage --by model --since 30d\n  causeway usage --by day,key --since 2026-11-01 --until 2026-12-01 --csv\n  causeway usage reprice --since 7d --dry-run"
)]
pub(super) struct UsageArguments {
    #[command(subcommand)]
    command: Option<UsageCommand>,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Subcommand)]
enum UsageCommand {
    /// Reckon costs again with the prices of now; `--dry-run` only tells the differences.
    Reprice {
        /// From this moment or day, or so long ago, as in `7d`
        #[arg(long, value_name = "WHEN")]
        since: String,
        /// Until before this moment or day [default: now]
        #[arg(long, value_name = "WHEN")]
        until: Option<String>,
        /// Only what this provider answered
        #[arg(long)]
        provider: Option<String>,
        /// Only what was asked for by this model's name
        #[arg(long)]
        model: Option<String>,
        /// Also change what was spent of budgets
        #[arg(long)]
        budgets: bool,
    },
}

#[derive(Debug, Default, Args)]
struct Wanted {
    /// One line for each key, user, team, model, provider, target, day or hour; several as in `day,model` [default: one line]
    #[arg(long)]
    by: Option<String>,
    /// From this moment or day, or so long ago, as in `7d`; the whole of its day, or hour [default: 7d]
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Until before this moment or day; the whole of its day, or hour [default: now]
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only this key
    #[arg(long)]
    key: Option<String>,
    /// Only the user with this id
    #[arg(long)]
    user: Option<String>,
    /// Only this team
    #[arg(long)]
    team: Option<String>,
    /// Only this model, as it is configured
    #[arg(long)]
    model: Option<String>,
    /// Only this provider
    #[arg(long)]
    provider: Option<String>,
    /// Only this model of a provider
    #[arg(long)]
    target: Option<String>,
    /// Print comma-separated values
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Wanted {
    fn path(&self) -> String {
        let given = [
            ("by", &self.by),
            ("from", &self.since),
            ("until", &self.until),
            ("key", &self.key),
            ("user", &self.user),
            ("team", &self.team),
            ("model", &self.model),
            ("provider", &self.provider),
            ("target", &self.target),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let query: Vec<_> = given.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let sign = if query.is_empty() { "" } else { "?" };
        format!("/admin/api/usage{sign}{}", query.join("&"))
    }

    fn told(&self, usage: &Value) -> String {
        let by: Vec<&str> = self.by.as_deref().map(|by| by.split(',').collect()).unwrap_or_default();
        let row = |line: &Value| -> Vec<String> {
            let of = by.iter().map(|by| cell(&line["of"][by]));
            of.chain(SUMS.iter().map(|(name, _)| cell(&line[name]))).collect()
        };
        let lines = usage["lines"].as_array().map_or(&[][..], Vec::as_slice);
        let mut rows: Vec<Vec<String>> = lines.iter().map(row).collect();
        if by.is_empty() {
            rows = vec![row(&usage["total"])];
        }
        if self.csv {
            let names = by.iter().copied().chain(SUMS.iter().map(|(name, _)| *name));
            let head = names.map(str::to_owned).collect();
            return [head].iter().chain(&rows).map(|row| comma_separated(row)).collect();
        }
        let head: Vec<&str> = by.iter().copied().chain(SUMS.iter().map(|(_, word)| *word)).collect();
        if !by.is_empty() {
            let mut total = row(&usage["total"]);
            if let Some(first) = total.first_mut() {
                *first = "total".to_owned();
            }
            rows.push(total);
        }
        table(&head, &rows)
    }
}

/// A line of RFC 4180. What a spreadsheet would take for a formula is made text.
fn comma_separated(row: &[String]) -> String {
    let cell = |text: &String| {
        let number = text.parse::<f64>().is_ok();
        let formula = !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if formula || text.contains(['"', ',', '\r', '\n']) {
            return format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""));
        }
        text.clone()
    };
    format!("{}\r\n", row.iter().map(cell).collect::<Vec<_>>().join(","))
}

pub(super) fn run(arguments: UsageArguments) -> ExitCode {
    let UsageArguments { command, wanted, running } = arguments;
    end(match command {
        None => running.look(&wanted.path()).map(|usage| running.told(&usage, |usage| wanted.told(usage))),
        Some(command) => repriced(&running, command),
    })
}

fn repriced(running: &Running, command: UsageCommand) -> Told {
    let UsageCommand::Reprice { since, until, provider, model, budgets } = command;
    let given = vec![
        ("from", json!(since)),
        ("until", json!(until)),
        ("provider", json!(provider)),
        ("model", json!(model)),
        ("budgets", json!(budgets)),
        ("dry_run", json!(running.is_trial())),
    ];
    let (path, body) = ("/admin/api/usage/reprice".to_owned(), body(given, None)?);
    if running.is_trial() {
        return Ok(running.told(&running.ask(&path, Some(&body))?, fields));
    }
    let undo = Err("set the prices that were, and reckon again".to_owned());
    running.change(&Change { method: "POST", path, body: Some(body), undo }, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_table_breaks_no_spreadsheet() {
        let row = ["=cmd", "a,b", "-0.5", "-x", "say \"a\""].map(str::to_owned);
        assert_eq!(comma_separated(&row), "\"'=cmd\",\"a,b\",-0.5,\"'-x\",\"say \"\"a\"\"\"\r\n");
    }

    #[test]
    fn what_is_not_given_is_not_asked() {
        assert_eq!(Wanted::default().path(), "/admin/api/usage");
        let wanted =
            Wanted { by: Some("day,key".into()), model: Some("a/b".into()), ..Wanted::default() };
        assert_eq!(wanted.path(), "/admin/api/usage?by=day%2Ckey&model=a%2Fb");
    }
}
