//! Where rows and sums stand in the store. Days and hours are those of UTC.

use crate::domain::{LedgerRow, rfc3339};
use crate::store::{Key, Space};

/// In milliseconds, as all moments of rows.
pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;

/// A moment, as it stands in keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(String);

impl Moment {
    /// Of Unix time in milliseconds.
    pub(super) fn of(at: u64) -> Self {
        Self(rfc3339(at / 1000))
    }

    /// `2026-11-21`
    pub(super) fn day(&self) -> &str {
        self.0.get(..10).unwrap_or_default()
    }

    /// `09`
    pub(super) fn hour(&self) -> &str {
        self.0.get(11..13).unwrap_or_default()
    }

    /// `30`
    pub(super) fn minute(&self) -> &str {
        self.0.get(14..16).unwrap_or_default()
    }

    /// `2026-11-21T09`
    pub(super) fn day_and_hour(&self) -> &str {
        self.0.get(..13).unwrap_or_default()
    }
}

/// Where a row stands, alone or as the first of several.
pub(super) fn row(row: &LedgerRow) -> Key {
    let at = Moment::of(row.at);
    Space::Usage.key(&[at.day(), at.hour(), at.minute(), &row.id])
}

/// Where the rows of a minute begin.
pub(super) fn minute(at: &Moment) -> Key {
    Space::Usage.key(&[at.day(), at.hour(), at.minute()])
}

/// The two sums a row belongs to: of its day, and of its hour.
pub(super) fn sums(row: &LedgerRow, node: &str) -> [Key; 2] {
    let at = Moment::of(row.at);
    let user = row.user.as_deref().unwrap_or_default();
    let team = row.team.as_deref().unwrap_or_default();
    let of = |unit: &str, when: &str| {
        let parts = [unit, when, &row.key, user, team, &row.model, &row.provider, &row.target, node];
        Space::Sum.key(&parts)
    };
    [of("day", at.day()), of("hour", at.day_and_hour())]
}

/// What was spent of a counter of money. Of one that rolls it is kept by the part of its time.
pub(super) fn budget(place: &str, node: &str, at: u64) -> Key {
    match rolling(place) {
        None => Space::Budget.key(&[place, node]),
        Some(window) => Space::Budget.key(&[place, node, &format!("{:012}", at / part(window))]),
    }
}

/// The window of a counter that rolls, in milliseconds: its name ends in `rolling-` and its seconds.
pub(super) fn rolling(place: &str) -> Option<u64> {
    let (_, turn) = place.rsplit_once('/')?;
    turn.strip_prefix("rolling-")?.parse::<u64>().ok()?.checked_mul(1000)
}

/// What stands at this part of a window that is still of it.
pub(super) fn is_in_window(window: u64, number: u64, now: u64) -> bool {
    let end = number.saturating_add(1).saturating_mul(part(window));
    end > now.saturating_sub(window)
}

/// A window is kept in twenty-four parts.
fn part(window: u64) -> u64 {
    (window / 24).max(1000)
}
