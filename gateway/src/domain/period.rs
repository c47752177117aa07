//! When an allowance began and when it begins again, by the calendar of a time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::{CalendarUnit, Period};

/// One turn of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Names it: `2026-11`, `2026-11-21`, `2026-W47`, `2026-11-21T09:00Z`, `rolling-3600`, `total`.
    pub name: String,
    /// When it began, Unix time in seconds; 0 for what does not begin at once.
    pub from: u64,
    /// When the next one begins; `None`: never, or not at once.
    pub until: Option<u64>,
}

impl Period {
    /// The turn of this moment, Unix time in seconds. A zone that nobody knows is UTC: the configuration was checked.
    pub fn turn(&self, now: u64) -> Turn {
        match self {
            Self::Calendar(unit, zone) => {
                of_calendar(*unit, zone.as_deref(), now).unwrap_or_else(|| always("beyond".to_owned()))
            }
            Self::Rolling(time) => always(format!("rolling-{}", time.as_secs())),
            Self::Total => always("total".to_owned()),
        }
    }

    /// How long its counters are of use after they were touched last, in seconds; `None`: for ever.
    pub fn life(&self) -> Option<u64> {
        const DAY: u64 = 86_400;
        match self {
            Self::Calendar(CalendarUnit::Hour | CalendarUnit::Day, _) => Some(2 * DAY),
            Self::Calendar(CalendarUnit::Week, _) => Some(9 * DAY),
            Self::Calendar(CalendarUnit::Month, _) => Some(33 * DAY),
            Self::Rolling(time) => Some(time.as_secs().saturating_add(DAY)),
            Self::Total => None,
        }
    }
}

/// Whether a time zone of this name is known.
pub fn is_time_zone(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

fn always(name: String) -> Turn {
    Turn { name, from: 0, until: None }
}

fn of_calendar(unit: CalendarUnit, zone: Option<&str>, now: u64) -> Option<Turn> {
    let zone = zone.and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
    let here = Timestamp::from_second(i64::try_from(now).ok()?).ok()?.to_zoned(zone.clone());
    let date = here.date();
    let between = |name: String, first: Date, next: Date| {
        let begins = |date: Date| seconds(&date.to_zoned(zone.clone()).ok()?);
        Some(Turn { name, from: begins(first)?, until: begins(next) })
    };
    match unit {
        CalendarUnit::Hour => {
            let past = u64::from(here.minute().unsigned_abs()) * 60 + u64::from(here.second().unsigned_abs());
            let from = now.saturating_sub(past);
            // By its moment: where the clock is set back, one hour of the day comes twice.
            let begin = Timestamp::from_second(i64::try_from(from).ok()?).ok()?;
            let name = begin.strftime("%Y-%m-%dT%H:%MZ").to_string();
            Some(Turn { name, from, until: Some(from + 3_600) })
        }
        CalendarUnit::Day => between(date.to_string(), date, date.tomorrow().ok()?),
        CalendarUnit::Week => {
            let back = i64::from(date.weekday().to_monday_zero_offset());
            let monday = date.checked_sub(back.days()).ok()?;
            let week = date.iso_week_date();
            let name = format!("{:04}-W{:02}", week.year(), week.week());
            between(name, monday, monday.checked_add(7.days()).ok()?)
        }
        CalendarUnit::Month => {
            let first = date.first_of_month();
            let name = first.strftime("%Y-%m").to_string();
            between(name, first, first.checked_add(1.month()).ok()?)
        }
    }
}

fn seconds(moment: &Zoned) -> Option<u64> {
    u64::try_from(moment.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::date::seconds_of_rfc3339;

    fn at(text: &str) -> u64 {
        seconds_of_rfc3339(text).expect("a moment")
    }

    #[track_caller]
    fn turn(unit: CalendarUnit, zone: Option<&str>, now: &str, expected: (&str, &str, &str)) {
        let turn = Period::Calendar(unit, zone.map(Into::into)).turn(at(now));
        let (name, from, until) = expected;
        assert_eq!(turn, Turn { name: name.to_owned(), from: at(from), until: Some(at(until)) }, "{now}");
    }

    #[test]
    fn periods_begin_with_the_calendar_of_their_zone() {
        use CalendarUnit::{Day, Hour, Month, Week};
        let day = ("2026-11-21", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z");
        turn(Day, None, "2026-11-21T00:00:00Z", day);
        turn(Day, None, "2026-11-21T23:59:59Z", day);
        let berlin = ("2026-11-22", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z");
        turn(Day, Some("Europe/Berlin"), "2026-11-21T23:30:00Z", berlin);
        // The days on which the clocks are changed have 23 and 25 hours.
        let spring = ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
        turn(Day, Some("Europe/Berlin"), "2026-03-29T12:00:00Z", spring);
        let autumn = ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
        turn(Day, Some("Europe/Berlin"), "2026-10-25T12:00:00Z", autumn);
        let week = ("2026-W47", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z");
        turn(Week, None, "2026-11-22T23:59:59Z", week);
        let week = ("2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z");
        turn(Week, None, "2027-01-01T12:00:00Z", week);
        let month = ("2026-12", "2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z");
        turn(Month, Some("Asia/Tokyo"), "2026-11-30T18:00:00Z", month);
        let hour = ("2026-11-21T09:30Z", "2026-11-21T09:30:00Z", "2026-11-21T10:30:00Z");
        turn(Hour, Some("Asia/Kolkata"), "2026-11-21T10:29:59Z", hour);
        // The hour that comes twice is two hours.
        for (now, name) in [("2026-10-25T00:10:00Z", "00"), ("2026-10-25T01:10:00Z", "01")] {
            let turn = Period::Calendar(Hour, Some("Europe/Berlin".into())).turn(at(now));
            assert_eq!(turn.name, format!("2026-10-25T{name}:00Z"));
        }
    }

    #[test]
    fn what_does_not_begin_at_once_has_one_turn() {
        let rolling = Period::Rolling(Duration::from_secs(2_592_000)).turn(5);
        assert_eq!((rolling.name.as_str(), rolling.until), ("rolling-2592000", None));
        assert_eq!(Period::Total.turn(5).name, "total");
        assert!(is_time_zone("Europe/Berlin") && !is_time_zone("Europe/Atlantis"));
        // A moment beyond every calendar is no reason to fail.
        assert_eq!(Period::Calendar(CalendarUnit::Day, None).turn(u64::MAX).name, "beyond");
    }
}
