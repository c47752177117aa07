//! When to come back, from Anthropic's rate-limit headers. They name a moment; what time it is there stands in
//! `date`, so no clock is needed.

use plugin_sdk::Header;

const LIMITS: [&str; 4] = ["requests", "tokens", "input-tokens", "output-tokens"];

/// Milliseconds until the last of the exhausted limits is reset.
pub(super) fn until_reset(headers: &[Header]) -> Option<u64> {
    let value =
        |name: &str| headers.iter().find(|header| header.name == name).map(|header| header.value.trim());
    let now = seconds_of_date(value("date")?)?;
    let resets = LIMITS.iter().filter_map(|limit| {
        let remaining = value(&format!("anthropic-ratelimit-{limit}-remaining"))?;
        let reset = value(&format!("anthropic-ratelimit-{limit}-reset"))?;
        (remaining == "0").then(|| seconds_of_rfc3339(reset))?
    });
    let seconds = resets.max()?.checked_sub(now)?;
    u64::try_from(seconds).ok()?.checked_mul(1000)
}

/// `2026-11-20T08:49:37Z`, seconds since 1970.
fn seconds_of_rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    // Fractions and the offset stand behind the seconds; Anthropic writes UTC.
    Some(days(year, month, day) * 86_400 + seconds_of_day(time.get(..8)?)?)
}

/// `Fri, 20 Nov 2026 08:49:37 GMT`, seconds since 1970.
fn seconds_of_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year = words.next()?.parse().ok()?;
    Some(days(year, i64::try_from(month).ok()? + 1, day) * 86_400 + seconds_of_day(words.next()?)?)
}

fn seconds_of_day(time: &str) -> Option<i64> {
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    Some(parts.next()?? * 3600 + parts.next()?? * 60 + parts.next()??)
}

/// Days since 1970 of the Gregorian calendar; years begin in March so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year.clamp(0, 9999) - i64::from(month <= 2);
    let month = (month + 9) % 12;
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests;
