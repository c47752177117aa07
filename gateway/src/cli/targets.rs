//! `causeway targets`: how the targets of a running gateway are doing; lift what rests, or let one rest.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Place;
use super::admin::{self, escaped};

/// Look at the targets of a running gateway: who is asked, who is not, and why.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  causeway targets --json\n  causeway targets lift openai/gpt-5\n  causeway targets rest openai/gpt-5 --for 10m"
)]
pub(super) struct TargetsArguments {
    #[command(subcommand)]
    command: Option<TargetsCommand>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum TargetsCommand {
    /// Forget whatever there is against a target: its circuit closes, its rest ends.
    Lift {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Ask a target nothing for a while.
    Rest {
        #[command(flatten)]
        which: Which,
        /// How long
        #[arg(long = "for", value_name = "TIME", default_value = "5m")]
        time: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The target, as in `openai/gpt-5`
    #[arg(value_name = "PROVIDER/MODEL")]
    target: Option<String>,
    /// All targets of this provider
    #[arg(long)]
    provider: Option<String>,
    /// All targets
    #[arg(long)]
    all: bool,
}

impl Which {
    fn query(&self) -> String {
        match (&self.target, &self.provider) {
            (Some(target), _) => format!("target={}", escaped(target)),
            (None, Some(provider)) => format!("provider={}", escaped(provider)),
            (None, None) => "all=true".to_owned(),
        }
    }
}

pub(super) fn run(arguments: TargetsArguments) -> ExitCode {
    let TargetsArguments { command, place: outer, json } = arguments;
    let done = match command {
        None => ask(outer, "GET", "/admin/api/targets").map(|answer| told(&answer, json, table)),
        Some(TargetsCommand::Lift { which, place }) => {
            let path = format!("/admin/api/targets/lift?{}", which.query());
            ask(joined(outer, place), "POST", &path)
                .map(|answer| told(&answer, json, |answer| listed(answer, "lifted")))
        }
        Some(TargetsCommand::Rest { which, time, place }) => {
            let path = format!("/admin/api/targets/rest?{}&for={}", which.query(), escaped(&time));
            ask(joined(outer, place), "POST", &path)
                .map(|answer| told(&answer, json, |answer| listed(answer, "resting")))
        }
    };
    match done {
        Ok(text) => {
            super::say(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            super::complain(&[problem]);
            ExitCode::FAILURE
        }
    }
}

/// The file may be named before or behind the word for what to do.
fn joined(outer: Place, own: Place) -> Place {
    let overrides = outer.overrides.into_iter().chain(own.overrides).collect();
    Place { config: own.config.or(outer.config), overrides }
}

fn told(answer: &Value, json: bool, text: impl Fn(&Value) -> String) -> String {
    if json { format!("{answer:#}\n") } else { text(answer) }
}

fn listed(answer: &Value, what: &str) -> String {
    let names: Vec<_> = answer[what].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() { format!("{what}: none\n") } else { format!("{what}: {}\n", names.join(", ")) }
}

/// One line per target.
fn table(answer: &Value) -> String {
    let mut text = String::new();
    let targets = answer["targets"].as_array().map_or(&[][..], Vec::as_slice);
    let name = |target: &Value| {
        format!(
            "{}/{}",
            target["provider"].as_str().unwrap_or_default(),
            target["model"].as_str().unwrap_or_default()
        )
    };
    let width = targets.iter().map(|target| name(target).chars().count()).max().unwrap_or(0).max(6);
    let _ = writeln!(
        text,
        "{:width$}  {:9}  {:>7}  {:>7}  {:>9}  why",
        "target", "state", "success", "running", "p95"
    );
    for target in targets {
        let success =
            target["success"].as_f64().map_or(String::new(), |share| format!("{:.0} %", share * 100.0));
        let p95 =
            target["first_token_p95_ms"].as_f64().map_or(String::new(), |millis| format!("{millis:.0} ms"));
        let state = match (target["state"].as_str().unwrap_or_default(), target["degraded"] == true) {
            ("closed", true) => "degraded",
            (state, _) => state,
        };
        let line = format!(
            "{:width$}  {state:9}  {success:>7}  {:>7}  {p95:>9}  {}",
            name(target),
            target["in_flight"],
            target["why"].as_str().unwrap_or_default()
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The admin listener is where the configuration says.
fn ask(place: Place, method: &str, path: &str) -> Result<Value, String> {
    let loaded = place.origin().load().map_err(|error| error.to_string())?;
    admin::ask(&loaded.config, method, path)
}
