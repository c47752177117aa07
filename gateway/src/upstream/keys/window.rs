//! So many requests and tokens per key and window of time, counted in slices.
//!
//! A window is cut into eight slices; the running one and the eight before it are counted. So no window of that length,
//! wherever it begins, ever holds more than the limit, and what was used comes back at most an eighth late.

use super::Millis;
use crate::domain::Rate;

/// Slices of a window.
const SLICES: u64 = 8;
/// Slices that are counted: a window may begin in the middle of one.
const COUNTED: usize = 9;

/// The limits of one key at some models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per window, each of them.
    pub requests: Vec<Rate>,
    /// Tokens per window, prompt and answer together, each of them.
    pub tokens: Vec<Rate>,
}

/// The limits of a provider's keys: for every model, and for some models others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Where no other fits.
    pub default: Limits,
    /// By the model's name, or the beginning of names before a `*`.
    pub models: Vec<(String, Limits)>,
}

impl Rules {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        1 + self.models.len()
    }

    /// Which one counts for a model: its own, else the one with the longest beginning, else the default.
    pub(super) fn of(&self, model: &str) -> usize {
        let fits = |name: &str| match name.strip_suffix('*') {
            Some(front) => model.starts_with(front).then_some(front.len()),
            None => (name == model).then_some(usize::MAX),
        };
        let ranked = self.models.iter().enumerate().filter_map(|(at, (name, _))| Some((fits(name)?, at + 1)));
        ranked.max_by_key(|(length, _)| *length).map_or(0, |(_, at)| at)
    }

    /// The limits of a rule.
    pub(super) fn limits(&self, rule: usize) -> &Limits {
        rule.checked_sub(1).and_then(|at| self.models.get(at)).map_or(&self.default, |(_, limits)| limits)
    }
}

impl Limits {
    /// True when nothing is limited.
    pub(super) fn is_none(&self) -> bool {
        self.requests.is_empty() && self.tokens.is_empty()
    }
}

/// What one key has used, in each window of its limits: requests first, then tokens.
#[derive(Clone, Debug)]
pub(in crate::upstream) struct Used(Box<[Counter]>);

impl Used {
    /// Nothing yet.
    pub(in crate::upstream) fn none(limits: &Limits) -> Self {
        Self(vec![Counter::default(); limits.requests.len() + limits.tokens.len()].into())
    }

    /// From when on there is room in every window.
    pub(in crate::upstream) fn free_at(&self, limits: &Limits, now: Millis) -> Millis {
        let rates = limits.requests.iter().chain(&limits.tokens);
        rates.zip(&self.0).map(|(rate, counter)| counter.free_at(*rate, now)).max().unwrap_or(0)
    }

    /// One request more.
    pub(in crate::upstream) fn request(&mut self, limits: &Limits, now: Millis) {
        for (rate, counter) in limits.requests.iter().zip(&mut self.0) {
            counter.add(*rate, now, 1);
        }
    }

    /// So many tokens more.
    pub(in crate::upstream) fn tokens(&mut self, limits: &Limits, now: Millis, tokens: u64) {
        let counters = self.0.iter_mut().skip(limits.requests.len());
        for (rate, counter) in limits.tokens.iter().zip(counters) {
            counter.add(*rate, now, tokens);
        }
    }
}

/// One window of one key.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    /// The number of the running slice since 1970.
    slice: u64,
    /// The running one first.
    counts: [u32; COUNTED],
}

impl Counter {
    fn add(&mut self, rate: Rate, now: Millis, by: u64) {
        self.advance(now / slice(rate));
        if let Some(first) = self.counts.first_mut() {
            *first = first.saturating_add(u32::try_from(by).unwrap_or(u32::MAX));
        }
    }

    fn free_at(&self, rate: Rate, now: Millis) -> Millis {
        let slice = slice(rate);
        let mut seen = *self;
        seen.advance(now / slice);
        let mut sum: u64 = seen.counts.iter().copied().map(u64::from).sum();
        if sum < rate.count {
            return 0;
        }
        // The oldest slice goes first.
        for (later, count) in (1_u64..).zip(seen.counts.iter().rev()) {
            sum -= u64::from(*count);
            if sum < rate.count {
                return (now / slice + later) * slice;
            }
        }
        now.saturating_add(slice)
    }

    fn advance(&mut self, slice: u64) {
        let by = usize::try_from(slice.saturating_sub(self.slice)).unwrap_or(usize::MAX).min(COUNTED);
        if by > 0 {
            self.counts.rotate_right(by);
            self.counts.iter_mut().take(by).for_each(|count| *count = 0);
            self.slice = slice;
        }
    }
}

/// Milliseconds of a slice.
fn slice(rate: Rate) -> Millis {
    (Millis::try_from(rate.per.as_millis()).unwrap_or(Millis::MAX) / SLICES).max(1)
}
