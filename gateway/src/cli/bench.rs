//! `causeway bench`: how fast a gateway answers, and what it adds to its provider.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use self::compare::{Side, Verdict};
use super::{complain, on_a_terminal, say};
use crate::bench::{Api, Load, Machine, Outcome, Pattern, Question, Request, process};
use crate::domain::{Secret, Timespan};

mod compare;
mod page;

const EXAMPLES: &str = "\
Examples:
  causeway bench http://127.0.0.1:8080 --model mock --key $KEY                        as fast as answers come
  causeway bench http://127.0.0.1:8080 --model mock --key $KEY --rps 500 --stream     at a fixed rate
  causeway bench http://127.0.0.1:8080 --model mock --key $KEY --compare http://127.0.0.1:9999 --compare-key any

Compare with the provider that stands behind the gateway, and what the gateway costs is told: with minus without.
Exit status 1: there were errors, or the two cannot be compared; then there is no figure. Only `http` is measured.";

/// Send requests to a gateway and say how fast they are answered; with `--compare`, what it adds to its provider
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct BenchArguments {
    /// Where to ask: `http://host:port`, or the whole address of an endpoint
    url: String,
    /// So many requests a second, evenly, whether answers come or not [default: as fast as answers come]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rps: Option<f64>,
    /// Connections; each asks one thing at a time
    #[arg(short, long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// How long a round lasts
    #[arg(long, default_value = "10s")]
    duration: Timespan,
    /// Rounds; where two are compared they take turns, and medians count [default: 1, or 3 with `--compare`]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// Ask for streams
    #[arg(long)]
    stream: bool,
    /// The API to ask in: `openai`, `anthropic` or `gemini`
    #[arg(long, default_value = "openai")]
    dialect: Api,
    /// The model to ask for
    #[arg(long, default_value = "mock")]
    model: String,
    /// The key to ask with [default: $CAUSEWAY_KEY]
    #[arg(long, value_parser = secret)]
    key: Option<Secret>,
    /// About so many bytes has a request
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=64 << 20))]
    bytes: u32,
    /// Another place, usually the provider behind the gateway, to take its figures off
    #[arg(long, value_name = "URL")]
    compare: Option<String>,
    /// The key for that one [default: the same]
    #[arg(long, value_name = "KEY", requires = "compare", value_parser = secret)]
    compare_key: Option<Secret>,
    /// The model for that one [default: the same]
    #[arg(long, value_name = "MODEL", requires = "compare")]
    compare_model: Option<String>,
    /// Also tell the CPU time and memory of this process and its children (of the gateway, on this machine)
    #[arg(long, value_name = "PROCESS")]
    pid: Option<u32>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    /// Of this form.
    version: u32,
    client: &'static str,
    machine: Machine,
    setup: Setup,
    rounds: Vec<Round>,
    with: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<Side>,
    /// With minus without.
    #[serde(skip_serializing_if = "Option::is_none")]
    overhead: Option<Side>,
}

/// How it was asked.
#[derive(Debug, Serialize)]
struct Setup {
    url: String,
    compared_with: Option<String>,
    dialect: String,
    model: String,
    stream: bool,
    request_bytes: u32,
    rate: Option<f64>,
    connections: u16,
    seconds: f64,
}

/// The raw figures of one round.
#[derive(Debug, Serialize)]
struct Round {
    with: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<Outcome>,
    /// Microseconds of CPU for a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
}

/// Measures and prints; errors are printed instead of figures.
pub(super) fn run(arguments: &BenchArguments) -> ExitCode {
    match measure(arguments) {
        Ok(report) => {
            let text = if arguments.json { page::json(&report) } else { page::text(&report) };
            say(&text);
            ExitCode::SUCCESS
        }
        Err(problems) => {
            complain(&problems);
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &BenchArguments) -> Result<Report, Vec<String>> {
    let one = |problem: String| vec![problem];
    let key = arguments.key.clone().or_else(|| std::env::var("CAUSEWAY_KEY").ok().map(Secret::new));
    let with = load(arguments, &arguments.url, &arguments.model, key.as_ref()).map_err(one)?;
    let without = arguments.compare.as_ref().map(|url| {
        let model = arguments.compare_model.as_ref().unwrap_or(&arguments.model);
        load(arguments, url, model, arguments.compare_key.as_ref().or(key.as_ref()))
    });
    let without = without.transpose().map_err(one)?;
    // Before minutes are spent on what cannot be compared.
    for (load, url) in sides(arguments, &with, without.as_ref()) {
        first(load, url).map_err(one)?;
        warm(load).map_err(one)?;
    }
    let usual = if without.is_some() { 3 } else { 1 };
    let mut rounds = Vec::new();
    for number in 1..=arguments.rounds.unwrap_or(usual) {
        if on_a_terminal() {
            complain(&[format!("bench: round {number}")]);
        }
        rounds.push(round(arguments, &with, without.as_ref()).map_err(one)?);
    }
    let problems = compare::problems(&rounds, &arguments.url, arguments.compare.as_deref());
    if let Verdict::Refused(problems) = problems {
        return Err(problems);
    }
    let side = |outcome: &dyn Fn(&Round) -> Option<&Outcome>| Side::of(&rounds, arguments.stream, outcome);
    let (with, without) = (side(&|round| Some(&round.with)), side(&|round| round.without.as_ref()));
    let with = with.ok_or_else(|| one("nothing was answered".to_owned()))?;
    Ok(Report {
        version: 1,
        client: concat!("causeway bench ", env!("CARGO_PKG_VERSION")),
        machine: Machine::here(),
        setup: setup(arguments),
        overhead: without.as_ref().map(|without| with.over(without)),
        with,
        without,
        rounds,
    })
}

fn sides<'a>(
    arguments: &'a BenchArguments,
    with: &'a Load,
    without: Option<&'a Load>,
) -> impl Iterator<Item = (&'a Load, &'a str)> {
    let other = without.zip(arguments.compare.as_deref());
    std::iter::once((with, arguments.url.as_str())).chain(other)
}

fn load(arguments: &BenchArguments, url: &str, model: &str, key: Option<&Secret>) -> Result<Load, String> {
    let (api, stream) = (arguments.dialect, arguments.stream);
    let question =
        Question { api, model, stream, bytes: usize::try_from(arguments.bytes).unwrap_or_default() };
    let headers = api.headers(key.map(Secret::expose).unwrap_or_default());
    let request = Request::post(&endpoint(url, api, model, stream), &headers, &question.body())?;
    Ok(Load {
        request,
        pattern: arguments.rps.map_or(Pattern::Saturate, Pattern::Rate),
        connections: usize::from(arguments.connections),
        duration: Duration::from(arguments.duration),
        stream,
    })
}

/// The API's own path, where the URL names only a place.
fn endpoint(url: &str, api: Api, model: &str, stream: bool) -> String {
    let trimmed = url.trim_end_matches('/');
    let place = trimmed.strip_suffix("/v1").unwrap_or(trimmed);
    let names_only_a_place = place.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
    if names_only_a_place { format!("{place}{}", api.path(model, stream)) } else { url.to_owned() }
}

/// One request, so that a wrong key or model is told at once.
fn first(load: &Load, url: &str) -> Result<(), String> {
    match load.request.ask() {
        Ok((200, _)) => Ok(()),
        Ok((status, body)) => {
            let said: String = String::from_utf8_lossy(&body).chars().take(300).collect();
            Err(format!("no figure: {url} answers status {status}: {}", said.trim().escape_debug()))
        }
        Err(error) => Err(format!("no figure: {url}: {error}")),
    }
}

/// Connections and code are warm after it; what fails in it fails again where it is counted.
fn warm(load: &Load) -> Result<(), String> {
    let duration = (load.duration / 10).min(Duration::from_secs(1));
    Load { duration, ..load.clone() }.run().map(|_| ())
}

fn round(arguments: &BenchArguments, with: &Load, without: Option<&Load>) -> Result<Round, String> {
    // What is measured first may find a colder machine; who is compared is therefore asked first.
    let without = without.map(Load::run).transpose()?;
    let before = arguments.pid.map(process::cpu);
    let with = with.run()?;
    let after = arguments.pid.map(process::cpu);
    let taken = after.zip(before).map(|(after, before)| (after - before).sum());
    let answered = with.answered.max(1) as f64;
    let memory_bytes = arguments.pid.map(process::memory);
    Ok(Round { cpu: taken.map(|seconds| seconds * 1e6 / answered), memory_bytes, with, without })
}

fn setup(arguments: &BenchArguments) -> Setup {
    Setup {
        url: arguments.url.clone(),
        compared_with: arguments.compare.clone(),
        dialect: arguments.dialect.to_string(),
        model: arguments.model.clone(),
        stream: arguments.stream,
        request_bytes: arguments.bytes,
        rate: arguments.rps,
        connections: arguments.connections,
        seconds: Duration::from(arguments.duration).as_secs_f64(),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.1..=1e6).contains(&rate) => Ok(rate),
        _ => Err(format!("`{text}` is not a rate between 0.1 and 1,000,000 a second")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form a value parser has")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests;
