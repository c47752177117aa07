//! Two set-ups side by side: whether they may be compared, and what one adds to the other.

use serde::Serialize;

use super::Round;
use crate::bench::{Outcome, Spread};

/// Answers may differ by this share of their bytes: ids and dates are not all of one length.
const ALIKE: f64 = 0.05;

/// Whether figures may be told.
pub(super) enum Verdict {
    Sound,
    /// Why not.
    Refused(Vec<String>),
}

/// What is wrong with the rounds; the two sides are named as they were asked.
pub(super) fn problems(rounds: &[Round], with: &str, without: Option<&str>) -> Verdict {
    let mut found = Vec::new();
    let others = rounds.iter().filter_map(|round| round.without.as_ref());
    errors(rounds.iter().map(|round| &round.with), with, &mut found);
    errors(others.clone(), without.unwrap_or_default(), &mut found);
    if found.is_empty() {
        for round in rounds {
            found.extend(round.without.as_ref().and_then(|without| unequal(&round.with, without)));
        }
        found.truncate(1);
    }
    if found.is_empty() { Verdict::Sound } else { Verdict::Refused(found) }
}

fn errors<'o>(outcomes: impl Iterator<Item = &'o Outcome>, url: &str, found: &mut Vec<String>) {
    let (mut errors, mut asked, mut first) = (0, 0, None);
    for outcome in outcomes {
        errors += outcome.errors.count;
        asked += outcome.errors.count + outcome.answered;
        first = first.or(outcome.errors.first.as_deref());
    }
    if let (Some(first), true) = (first, errors > 0) {
        let first = first.trim().escape_debug();
        found.push(format!("no figure: {errors} of {asked} requests to {url} failed; the first: {first}"));
    }
}

/// Why the two did not do the same work.
fn unequal(with: &Outcome, without: &Outcome) -> Option<String> {
    if with.answered == 0 || without.answered == 0 {
        return Some("nothing was answered in the time of a round".to_owned());
    }
    if with.chunks != without.chunks {
        let told = |outcome: &Outcome| match (outcome.chunks.least, outcome.chunks.most) {
            (least, most) if least == most => most.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        return Some(format!(
            "not comparable: a stream has {} events with the gateway and {} without it",
            told(with),
            told(without)
        ));
    }
    let mean = |outcome: &Outcome| outcome.bytes as f64 / outcome.answered as f64;
    let (one, other) = (mean(with), mean(without));
    ((one - other).abs() > ALIKE * one.max(other)).then(|| {
        format!("not comparable: an answer has {one:.0} bytes with the gateway and {other:.0} without it")
    })
}

/// Medians over all rounds; what does not apply is none. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Side {
    pub(super) per_second: f64,
    pub(super) latency: Times,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_event: Option<Times>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) between_events: Option<Times>,
}

/// Percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Times {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

impl Side {
    /// The side of each round that `outcome` names; none where it is in no round.
    pub(super) fn of(
        rounds: &[Round],
        stream: bool,
        outcome: &dyn Fn(&Round) -> Option<&Outcome>,
    ) -> Option<Self> {
        let outcomes: Vec<&Outcome> = rounds.iter().filter_map(outcome).collect();
        let times = |spread: fn(&Outcome) -> &Spread| {
            let median = |figure: fn(&Spread) -> f64| {
                median(outcomes.iter().map(|outcome| figure(spread(outcome))).collect())
            };
            let (p50, p90) = (median(|spread| spread.p50)?, median(|spread| spread.p90)?);
            Some(Times { p50, p90, p99: median(|spread| spread.p99)?, p999: median(|spread| spread.p999)? })
        };
        Some(Self {
            per_second: median(outcomes.iter().map(|outcome| outcome.per_second).collect())?,
            latency: times(|outcome| &outcome.latency)?,
            first_event: times(|outcome| &outcome.first_event).filter(|_| stream),
            between_events: times(|outcome| &outcome.between).filter(|_| stream),
        })
    }

    /// What it has more than `without`.
    pub(super) fn over(&self, without: &Self) -> Self {
        let both =
            |one: Option<Times>, other: Option<Times>| one.zip(other).map(|(one, other)| one.over(other));
        Self {
            per_second: self.per_second - without.per_second,
            latency: self.latency.over(without.latency),
            first_event: both(self.first_event, without.first_event),
            between_events: both(self.between_events, without.between_events),
        }
    }
}

impl Times {
    fn over(self, without: Self) -> Self {
        Self {
            p50: self.p50 - without.p50,
            p90: self.p90 - without.p90,
            p99: self.p99 - without.p99,
            p999: self.p999 - without.p999,
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied()?;
    let lower =
        if values.len().is_multiple_of(2) { values.get(middle.checked_sub(1)?).copied()? } else { upper };
    Some(f64::midpoint(lower, upper))
}
