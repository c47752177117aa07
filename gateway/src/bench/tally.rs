//! What is counted while a load runs, and what it comes to.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Ten minutes, in nanoseconds.
const LONGEST: u64 = 600_000_000_000;

/// What a load came to. Times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How long it ran.
    pub seconds: f64,
    /// Answers with status 200, complete.
    pub answered: u64,
    pub errors: Errors,
    pub per_second: f64,
    pub connections_opened: u64,
    /// Of all bodies.
    pub bytes: u64,
    /// Events with data.
    pub events: u64,
    /// Events that carry their upstream's time.
    pub marked: u64,
    /// Bytes of an answer.
    pub size: Range,
    /// Events of a stream.
    pub chunks: Range,
    /// The whole answer, from the moment it was due.
    pub latency: Spread,
    /// To the first event of a stream, from the moment it was due.
    pub first_event: Spread,
    /// Between two events of a stream.
    pub between: Spread,
    /// Of an event, from the upstream's writing to our reading.
    pub age: Spread,
}

/// What was no answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    pub count: u64,
    /// By status; "none" where there was no answer, "stream" where one went wrong behind a good status, "late" where a
    /// request was due and never sent.
    pub kinds: BTreeMap<String, u64>,
    /// What the first of them said.
    pub first: Option<String>,
}

/// The least and the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub least: u64,
    pub most: u64,
}

impl Range {
    fn of(value: u64) -> Self {
        Self { least: value, most: value }
    }

    fn join(seen: &mut Option<Self>, other: Option<Self>) {
        *seen = match (*seen, other) {
            (Some(one), Some(other)) => {
                Some(Self { least: one.least.min(other.least), most: one.most.max(other.most) })
            }
            (one, other) => one.or(other),
        };
    }
}

/// Percentiles in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub count: u64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub most: f64,
}

impl Spread {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            count: histogram.len(),
            mean: histogram.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            most: histogram.max() as f64 / 1000.0,
        }
    }
}

/// One thread's counts; times in nanoseconds.
#[derive(Clone)]
pub(super) struct Tally {
    pub(super) answered: u64,
    pub(super) opened: u64,
    pub(super) bytes: u64,
    pub(super) events: u64,
    pub(super) marked: u64,
    errors: Errors,
    size: Option<Range>,
    chunks: Option<Range>,
    pub(super) latency: Times,
    pub(super) first_event: Times,
    pub(super) between: Times,
    pub(super) age: Times,
}

/// Nanoseconds, by how often they came.
#[derive(Clone)]
pub(super) struct Times(Histogram<u64>);

impl Times {
    fn new() -> Result<Self, String> {
        Histogram::new_with_bounds(1, LONGEST, 3).map(Self).map_err(|error| error.to_string())
    }

    pub(super) fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record(nanoseconds.max(1));
    }

    fn add(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.0.add(&other.0);
    }
}

impl Tally {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self {
            answered: 0,
            opened: 0,
            bytes: 0,
            events: 0,
            marked: 0,
            errors: Errors::default(),
            size: None,
            chunks: None,
            latency: Times::new()?,
            first_event: Times::new()?,
            between: Times::new()?,
            age: Times::new()?,
        })
    }

    /// An answer that is complete.
    pub(super) fn answer(&mut self, bytes: u64, chunks: Option<u64>) {
        self.answered += 1;
        Range::join(&mut self.size, Some(Range::of(bytes)));
        Range::join(&mut self.chunks, chunks.map(Range::of));
    }

    pub(super) fn error(&mut self, kind: &str, said: impl FnOnce() -> String) {
        self.errors.count += 1;
        *self.errors.kinds.entry(kind.to_owned()).or_default() += 1;
        if self.errors.first.is_none() {
            self.errors.first = Some(said());
        }
    }

    /// Requests that were due and never sent.
    pub(super) fn late(&mut self, count: u64) {
        if count > 0 {
            self.error("late", || "the rate is not held: requests that were due were never sent".to_owned());
            self.errors.count += count - 1;
            self.errors.kinds.insert("late".to_owned(), count);
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.opened += other.opened;
        self.bytes += other.bytes;
        self.events += other.events;
        self.marked += other.marked;
        self.errors.count += other.errors.count;
        for (kind, count) in other.errors.kinds {
            *self.errors.kinds.entry(kind).or_default() += count;
        }
        self.errors.first = self.errors.first.take().or(other.errors.first);
        Range::join(&mut self.size, other.size);
        Range::join(&mut self.chunks, other.chunks);
        self.latency.add(&other.latency);
        self.first_event.add(&other.first_event);
        self.between.add(&other.between);
        self.age.add(&other.age);
    }

    pub(super) fn outcome(self, seconds: f64) -> Outcome {
        Outcome {
            seconds,
            answered: self.answered,
            per_second: if seconds > 0.0 { self.answered as f64 / seconds } else { 0.0 },
            connections_opened: self.opened,
            bytes: self.bytes,
            events: self.events,
            marked: self.marked,
            errors: self.errors,
            size: self.size.unwrap_or_default(),
            chunks: self.chunks.unwrap_or_default(),
            latency: Spread::of(&self.latency.0),
            first_event: Spread::of(&self.first_event.0),
            between: Spread::of(&self.between.0),
            age: Spread::of(&self.age.0),
        }
    }
}
