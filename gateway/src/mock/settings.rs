//! The knobs: for all requests on the command line, for one in its headers or in its model's name.

use std::time::Duration;

use clap::{ArgAction, Args};
use hyper::HeaderMap;

use super::fault::Fault;
use crate::domain::Secret;

/// How the mock answers, for all requests. The arguments of `causeway mock`, without its address.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// Time before the first event of a stream, or before a whole answer: `200ms`, `1.5s`
    #[arg(long, default_value = "0ms", value_parser = duration)]
    pub first_token: Duration,
    /// Pieces of text per second; 0 sends everything at once
    #[arg(long, default_value_t = 0.0, value_parser = rate)]
    pub rate: f64,
    /// Pieces of text per answer; 0 is one per word
    #[arg(long, default_value_t = 0, value_parser = chunks)]
    pub chunks: usize,
    /// Answer with this text instead of the usual one
    #[arg(long)]
    pub text: Option<String>,
    /// Go wrong: `status:500`, `cut:3`, `cut-bytes:100`, `hang`, `hang:2`, `garbage`, `html`, `empty`, `blank`,
    /// `error-event:2`, `close`, `slow:50`, `slow-body`, `trickle:3`
    #[arg(long)]
    pub fault: Option<Fault>,
    /// Share of requests that are answered with status 500, evenly spread: `1%`
    #[arg(long, default_value = "0%", value_parser = share)]
    pub error_rate: f64,
    /// Whether answers say how many tokens they took: `on` or `off`
    #[arg(long, default_value = "on", action = ArgAction::Set, value_parser = switch)]
    pub usage: bool,
    /// Whether a request needs a key (any will do): `on` or `off`
    #[arg(long, default_value = "on", action = ArgAction::Set, value_parser = switch)]
    pub require_key: bool,
    /// The only key that will do
    #[arg(long, value_parser = secret)]
    pub key: Option<Secret>,
    /// Whether requests are refused where the vendor would refuse them: `on` or `off`
    #[arg(long, default_value = "on", action = ArgAction::Set, value_parser = switch)]
    pub strict: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first_token: Duration::ZERO,
            rate: 0.0,
            chunks: 0,
            text: None,
            fault: None,
            error_rate: 0.0,
            usage: true,
            require_key: true,
            key: None,
            strict: true,
        }
    }
}

/// How a model's turn ends when nobody asked for something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Finish {
    /// As usual.
    #[default]
    Usual,
    /// The model refuses.
    Refusal,
    /// The prompt is refused (Gemini has no candidates then; the others treat it as a refusal).
    Blocked,
}

/// How the mock answers one request.
#[derive(Clone, Debug)]
pub(super) struct Knobs {
    pub(super) first_token: Duration,
    pub(super) rate: f64,
    pub(super) chunks: usize,
    /// Bytes of each piece of text; 0 leaves the text as it is.
    pub(super) piece: usize,
    pub(super) text: Option<String>,
    pub(super) fault: Option<Fault>,
    pub(super) usage: bool,
    pub(super) finish: Finish,
}

/// The settings a request may change, as they are spelled in `x-mock-<name>` and `@<name>=`.
const NAMES: [&str; 8] = ["first-token", "rate", "chunks", "piece", "text", "fault", "usage", "finish"];

const MOST_CHUNKS: usize = 100_000;
const MOST_PIECE: usize = 8 << 20;
const MOST_TEXT: usize = 64 << 20;
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

impl Knobs {
    /// The settings, changed by the request's headers, changed by its model's name.
    pub(super) fn of(settings: &Settings, headers: &HeaderMap, model: &str) -> Result<Self, String> {
        let mut knobs = Self {
            first_token: settings.first_token,
            rate: settings.rate,
            chunks: settings.chunks,
            piece: 0,
            text: settings.text.clone(),
            fault: settings.fault,
            usage: settings.usage,
            finish: Finish::Usual,
        };
        for name in NAMES {
            if let Some(value) = headers.get(format!("x-mock-{name}")) {
                let value = value.to_str().map_err(|_| format!("header `x-mock-{name}` is not text"))?;
                knobs.turn(name, value)?;
            }
        }
        for part in model.split('@').skip(1) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            knobs.turn(name, &percent_decoded(value))?;
        }
        if knobs.piece.saturating_mul(knobs.chunks.max(1)) > MOST_TEXT {
            return Err(format!("`chunks` times `piece` is over {MOST_TEXT} bytes"));
        }
        Ok(knobs)
    }

    fn turn(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "first-token" => self.first_token = duration(value)?,
            "rate" => self.rate = rate(value)?,
            "chunks" => self.chunks = chunks(value)?,
            "piece" => self.piece = at_most(value, MOST_PIECE)?,
            "text" => self.text = Some(value.to_owned()),
            "fault" => self.fault = if value == "none" { None } else { Some(value.parse()?) },
            "usage" => self.usage = switch(value)?,
            "finish" => {
                self.finish = match value {
                    "usual" => Finish::Usual,
                    "refusal" => Finish::Refusal,
                    "blocked" => Finish::Blocked,
                    _ => return Err(format!("`{value}` is no finish; there are usual, refusal, blocked")),
                };
            }
            _ => return Err(format!("unknown mock setting `{name}`; there are {}", NAMES.join(", "))),
        }
        Ok(())
    }
}

/// The model's name without the settings behind it.
pub(super) fn bare(model: &str) -> &str {
    model.split('@').next().unwrap_or(model)
}

/// Text with its `%20`s read; what is no such escape stays as it is.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = tail.get(..2).filter(|_| first == b'%');
        let byte = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("ms") => 0.001,
        Some("s") => 1.0,
        Some("m") => 60.0,
        _ => return Err(format!("`{text}` is not a duration such as `200ms`, `1.5s` or `2m`")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("`{digits}` in `{text}` is not a number"))?;
    match Duration::try_from_secs_f64(number * unit) {
        Ok(duration) if duration <= LONGEST_WAIT => Ok(duration),
        _ => Err(format!("`{text}` is not between 0 and one hour")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate >= 0.0 && (rate == 0.0 || rate >= 0.001) => Ok(rate),
        _ => Err(format!("`{text}` is not a rate per second")),
    }
}

fn chunks(text: &str) -> Result<usize, String> {
    at_most(text, MOST_CHUNKS)
}

fn at_most(text: &str, most: usize) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if number <= most => Ok(number),
        _ => Err(format!("`{text}` is not a number between 0 and {most}")),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').and_then(|percent| percent.parse::<f64>().ok());
    match number {
        Some(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err(format!("`{text}` is not a share such as `1%`")),
    }
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(format!("`{text}` is neither `on` nor `off`")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form a value parser has")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}
