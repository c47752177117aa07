//! From when to when, as it is asked: moments, days, or so long ago.

use super::refusal::Refusal;
use crate::domain::{Timespan, date, rfc3339};

const DAY: u64 = 86_400_000;

/// A range of time, Unix time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    /// It ends before this.
    pub(super) until: u64,
}

/// What is wrong, and with which of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    name: &'static str,
    why: String,
}

impl Wrong {
    /// In a query.
    pub(super) fn asked(self) -> Refusal {
        Refusal::malformed(format!("`{}` {}", self.name, self.why)).at(self.name)
    }

    /// In a body.
    pub(super) fn said(self) -> Refusal {
        Refusal::invalid(self.name, self.why)
    }
}

impl Span {
    /// Without an end it is until now, without a beginning it is a week.
    pub(super) fn of(now: u64, from: Option<&str>, until: Option<&str>) -> Result<Self, Wrong> {
        let until = until.map(|until| moment("until", until, now)).transpose()?.unwrap_or(now + 1);
        let from = from.map(|from| moment("from", from, now)).transpose()?;
        let from = from.unwrap_or_else(|| until.saturating_sub(7 * DAY));
        if from >= until {
            return Err(Wrong { name: "from", why: "is not before the end".to_owned() });
        }
        Ok(Self { from, until })
    }

    /// The same, not longer than so many days: each of them is looked at.
    pub(super) fn within(self, days: u64) -> Result<Self, Wrong> {
        if self.until - self.from > days * DAY {
            return Err(Wrong { name: "from", why: format!("is more than {days} days before the end") });
        }
        Ok(self)
    }

    /// The whole of the days, or hours, it touches.
    pub(super) fn whole(self, step: u64) -> Self {
        let step = step.max(1);
        Self { from: self.from / step * step, until: self.until.div_ceil(step).saturating_mul(step) }
    }

    /// As people read it.
    pub(super) fn words(self) -> (String, String) {
        (rfc3339(self.from / 1000), rfc3339(self.until.div_ceil(1000)))
    }
}

/// `2026-11-21T09:00:00Z`, `2026-11-21`, or `7d`: so long ago.
fn moment(name: &'static str, text: &str, now: u64) -> Result<u64, Wrong> {
    let seconds = date::seconds_of_rfc3339(text)
        .or_else(|| date::seconds_of_rfc3339(&format!("{}T00:00:00Z", text.get(..10).filter(|day| *day == text)?)));
    if let Some(millis) = seconds.and_then(|seconds| seconds.checked_mul(1000)) {
        return Ok(millis);
    }
    let ago = text.parse::<Timespan>().ok().and_then(|ago| u64::try_from(ago.get().as_millis()).ok());
    let why = "is no moment in RFC 3339, no day, and no time ago like `7d`";
    ago.map(|ago| now.saturating_sub(ago)).ok_or_else(|| Wrong { name, why: why.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T10:30:00Z.
    const NOW: u64 = 1_795_257_000_000;

    #[test]
    fn a_range_is_said_in_moments_days_and_times_ago() {
        for (from, until, words) in [
            (None, None, ("2026-11-14T10:30:00Z", "2026-11-21T10:30:01Z")),
            (Some("2d"), Some("2026-11-21"), ("2026-11-19T10:30:00Z", "2026-11-21T00:00:00Z")),
            (Some("2026-11-01"), Some("90m"), ("2026-11-01T00:00:00Z", "2026-11-21T09:00:00Z")),
            (Some("2026-11-21T11:00:00+01:00"), None, ("2026-11-21T10:00:00Z", "2026-11-21T10:30:01Z")),
        ] {
            let (first, last) = Span::of(NOW, from, until).unwrap().words();
            assert_eq!((first.as_str(), last.as_str()), words);
        }
        let whole = Span::of(NOW, Some("1h"), None).unwrap().whole(DAY).words();
        assert_eq!(whole, ("2026-11-21T00:00:00Z".to_owned(), "2026-11-22T00:00:00Z".to_owned()));
    }

    #[test]
    fn what_is_no_range_says_where() {
        for (from, until, name) in [
            (Some("yesterday"), None, "from"),
            (Some("2026-11-21é"), None, "from"),
            (None, Some(""), "until"),
            (None, Some("-7d"), "until"),
            (Some("2026-11-21"), Some("2026-11-20"), "from"),
            (Some("1h"), Some("1h"), "from"),
        ] {
            assert_eq!(Span::of(NOW, from, until).unwrap_err().name, name, "{from:?} {until:?}");
        }
        assert!(Span::of(NOW, Some("11d"), None).unwrap().within(10).is_err());
    }
}
