//! What came of one feature in one direction, and the table of all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::adapter::Step;
use crate::domain::http::Loss;
use crate::error::{GatewayError, Kind};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The bytes pass through: both sides speak the same API.
    Untouched,
    /// Everything is in its place.
    Works,
    /// Some of it is not, and a loss says so.
    Lossy(String),
    /// Refused by name, by the dialect or the adapter.
    Impossible(String),
    /// One of the two APIs has no words for it.
    Unsaid(String),
    /// The client's API has no place for it, and nobody is told.
    Silent(String),
    /// Something is gone and nobody says so.
    Fail(String),
}

impl Verdict {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Works => "works",
            Self::Lossy(_) => "lossy",
            Self::Impossible(_) => "impossible",
            Self::Unsaid(_) => "unsaid",
            Self::Silent(_) => "silent",
            Self::Fail(_) => "FAIL",
        }
    }

    /// Why, where there is more to say.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Untouched | Self::Works => None,
            Self::Lossy(why)
            | Self::Impossible(why)
            | Self::Unsaid(why)
            | Self::Silent(why)
            | Self::Fail(why) => Some(why),
        }
    }

    /// A refusal: by name it is an honest one, anything else is a failure.
    pub(super) fn refused(error: &GatewayError) -> Self {
        match error.kind {
            Kind::InvalidRequest | Kind::Unsupported => Self::Impossible(match &error.param {
                Some(param) if !error.message.starts_with(param) => {
                    format!("{}: {}", without_places(param), error.message)
                }
                _ => without_places(&error.message),
            }),
            _ => Self::Fail(error.to_string()),
        }
    }

    /// Everything is there; losses say what was changed on the way.
    pub(super) fn complete(losses: &[Loss]) -> Self {
        if losses.is_empty() { Self::Works } else { Self::Lossy(told(losses)) }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())?;
        self.reason().map_or(Ok(()), |why| write!(formatter, ": {why}"))
    }
}

/// Losses in one line, each once; places in lists count as one.
pub(super) fn told(losses: &[Loss]) -> String {
    let lines: BTreeSet<String> =
        losses.iter().map(|loss| format!("{}: {}", without_places(&loss.field), loss.reason)).collect();
    lines.into_iter().collect::<Vec<_>>().join("; ")
}

/// `messages[3].name` is `messages[].name`.
pub(super) fn without_places(field: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(field.len());
    for letter in field.chars() {
        inside &= letter != ']';
        if !inside || !letter.is_ascii_digit() {
            out.push(letter);
        }
        inside |= letter == '[';
    }
    out
}

/// Steps add up to one.
pub(super) fn add(all: &mut Step, step: Step) {
    all.chunks.extend(step.chunks);
    all.losses.extend(step.losses);
    all.usage = step.usage.or(all.usage);
    all.ending = step.ending.or(all.ending.take());
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `request/tools`, `stream/text`.
    pub id: String,
    /// What it is about.
    pub about: String,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The client's API.
    pub dialect: String,
    /// The adapter.
    pub provider: String,
    /// Which row.
    pub row: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// All cells.
#[derive(Debug)]
pub struct Table {
    /// In the order of the catalogue.
    pub rows: Vec<Row>,
    /// Dialect, provider, row.
    pub cells: BTreeMap<String, BTreeMap<String, BTreeMap<String, Verdict>>>,
}

impl Table {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { rows, cells: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, cell: Cell) {
        let column = self.cells.entry(cell.dialect).or_default().entry(cell.provider).or_default();
        column.insert(cell.row, cell.verdict);
    }

    /// All cells with their names, in order.
    pub fn each(&self) -> impl Iterator<Item = (&str, &str, &str, &Verdict)> {
        self.cells.iter().flat_map(|(dialect, providers)| {
            providers.iter().flat_map(move |(provider, rows)| {
                rows.iter()
                    .map(move |(row, verdict)| (dialect.as_str(), provider.as_str(), row.as_str(), verdict))
            })
        })
    }

    /// One line for each cell that fails.
    pub fn failures(&self) -> Vec<String> {
        self.each()
            .filter_map(|(dialect, provider, row, verdict)| match verdict {
                Verdict::Fail(why) => Some(format!("{dialect} → {provider}, {row}: {why}")),
                _ => None,
            })
            .collect()
    }
}
