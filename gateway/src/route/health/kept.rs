//! What is known of a target, as it outlives the process: ends by the wall clock.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::circuit::{LONGEST, Rest};
use super::reason::Reason;

/// What the store holds of a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Share of its latest attempts that succeeded.
    pub(super) success: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<KeptRest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<KeptOpen>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptRest {
    /// Milliseconds since 1970.
    until: u64,
    reason: String,
    told: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptOpen {
    /// Milliseconds since 1970; 0: it has ended, and the next request is a probe.
    until: u64,
    /// Failed probes in a row.
    reopened: u32,
}

/// Clocks are read one after the other: what differs by less is the same moment.
const SAME: u64 = 1000;

impl Kept {
    /// `now` and milliseconds since 1970 are the same moment.
    pub(super) fn of(
        rest: Option<Rest>,
        open: Option<(Option<Instant>, u32)>,
        success: f64,
        (now, unix): (Instant, u64),
    ) -> Self {
        let wall = |until: Instant| match until.checked_duration_since(now) {
            Some(ahead) => unix.saturating_add(millis(ahead)),
            None => unix.saturating_sub(millis(now.saturating_duration_since(until))),
        };
        let rest = rest.filter(|rest| rest.until > now).map(|rest| KeptRest {
            until: wall(rest.until),
            reason: rest.reason.as_str().to_owned(),
            told: rest.told,
        });
        let open = open.map(|(until, reopened)| KeptOpen { until: until.map_or(0, wall), reopened });
        Self { success, rest, open }
    }

    /// The same ends by this process's clock. A wall clock that was set back makes no rest longer than any may be.
    pub(super) fn read(&self, (now, unix): (Instant, u64)) -> (Option<Rest>, Option<(Instant, u32)>) {
        let then = |until: u64| now + Duration::from_millis(until.saturating_sub(unix)).min(LONGEST);
        let rest = self.rest.as_ref().and_then(|rest| {
            let reason = Reason::named(&rest.reason)?;
            Some(Rest { until: then(rest.until), reason, told: rest.told })
        });
        let open = self.open.as_ref().map(|open| (then(open.until), open.reopened));
        (rest.filter(|rest| rest.until > now), open)
    }

    /// How long it is worth keeping.
    pub fn life(&self, unix: u64) -> Duration {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let ends = [self.rest.as_ref().map(|rest| rest.until), self.open.as_ref().map(|open| open.until)];
        let longest = ends.into_iter().flatten().max().unwrap_or(unix).saturating_sub(unix);
        DAY + Duration::from_millis(longest)
    }

    /// It says nothing that a new target would not have.
    pub fn is_plain(&self) -> bool {
        self.rest.is_none() && self.open.is_none() && self.success >= 1.0
    }

    pub(super) fn says_the_same(&self, next: &Self) -> bool {
        let near = |one: u64, other: u64| one.abs_diff(other) < SAME;
        let rest = match (&self.rest, &next.rest) {
            (None, None) => true,
            (Some(one), Some(other)) => {
                near(one.until, other.until) && one.reason == other.reason && one.told == other.told
            }
            _ => false,
        };
        let open = match (&self.open, &next.open) {
            (None, None) => true,
            (Some(one), Some(other)) => one.reopened == other.reopened && near(one.until, other.until),
            _ => false,
        };
        // A share drifts back by itself; only what requests have changed is written.
        rest && open && (self.success - next.success).abs() < 0.05
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
