//! Provider headers a client may see: limits and hints when to come back, in the names and units of its own vendor.
//!
//! Sources: OpenAI's guide to rate limits (`x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, resets as durations
//! such as `6m0s`); Anthropic's API reference (`anthropic-ratelimit-{requests,tokens,…}-{limit,remaining,reset}`, resets
//! as moments in RFC 3339). Google has no such headers; its clients get OpenAI's.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::date::{rfc3339, seconds_of_rfc3339};
use crate::store::holds::Standing;

/// What both vendors tell of a limit.
const FIELDS: [&str; 3] = ["limit", "remaining", "reset"];

const OPENAI: &str = "x-ratelimit-";
const ANTHROPIC: &str = "anthropic-ratelimit-";

/// What is passed on to a client of this dialect; `now` is Unix time in seconds. Everything else stays here: cookies,
/// server names and account ids are nobody's business.
pub(super) fn passed_on(headers: &HeaderMap, dialect: &str, now: u64) -> HeaderMap {
    const WHOLE: [&str; 4] = ["retry-after", "retry-after-ms", "openai-processing-ms", "openai-version"];
    let own = if dialect.starts_with("anthropic") { ANTHROPIC } else { OPENAI };
    let passes = |name: &HeaderName| WHOLE.contains(&name.as_str()) || name.as_str().starts_with(own);
    let mut passed: HeaderMap = headers
        .iter()
        .filter(|(name, _)| passes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let has =
        |headers: &HeaderMap, prefix: &str| headers.keys().any(|name| name.as_str().starts_with(prefix));
    let other = if own == OPENAI { ANTHROPIC } else { OPENAI };
    if has(&passed, own) || !has(headers, other) {
        return passed;
    }
    for (what, field) in ["requests", "tokens"].into_iter().flat_map(|what| FIELDS.map(|field| (what, field)))
    {
        let (name, value) = match own {
            ANTHROPIC => (anthropic_name(what, field), from_openai(headers, what, field, now)),
            _ => (openai_name(what, field), from_anthropic(headers, what, field, now)),
        };
        let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) else { continue };
        if let Ok(value) = HeaderValue::try_from(value) {
            passed.insert(name, value);
        }
    }
    passed
}

/// The names of a window of requests and of one of tokens, in the order of [`FIELDS`].
type Windows = [[HeaderName; 3]; 2];

const OPENAI_WINDOWS: Windows = [
    [
        HeaderName::from_static("x-ratelimit-limit-requests"),
        HeaderName::from_static("x-ratelimit-remaining-requests"),
        HeaderName::from_static("x-ratelimit-reset-requests"),
    ],
    [
        HeaderName::from_static("x-ratelimit-limit-tokens"),
        HeaderName::from_static("x-ratelimit-remaining-tokens"),
        HeaderName::from_static("x-ratelimit-reset-tokens"),
    ],
];

const ANTHROPIC_WINDOWS: Windows = [
    [
        HeaderName::from_static("anthropic-ratelimit-requests-limit"),
        HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
        HeaderName::from_static("anthropic-ratelimit-requests-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-tokens-reset"),
    ],
];

/// A limit of the gateway's own, of requests or else of tokens, as a client of this dialect reads it; `now` is Unix time in
/// seconds.
pub(super) fn own(
    dialect: &str,
    of_requests: bool,
    (standing, reset): (&Standing, Duration),
    now: u64,
) -> [(HeaderName, HeaderValue); 3] {
    let seconds = u64::try_from(reset.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
    let (windows, reset) = if dialect.starts_with("anthropic") {
        (ANTHROPIC_WINDOWS, rfc3339(now.saturating_add(seconds)))
    } else {
        (OPENAI_WINDOWS, duration(seconds))
    };
    let [requests, tokens] = windows;
    let [limit, remaining, until] = if of_requests { requests } else { tokens };
    // Digits and letters are always legal.
    let reset = HeaderValue::try_from(reset).unwrap_or(HeaderValue::from_static("0s"));
    [(limit, standing.limit.max(0).into()), (remaining, standing.left().into()), (until, reset)]
}

/// When to come back, where `retry-after` is a date (RFC 9110, section 10.2.3) or missing: when the limit that is used up is
/// set back.
pub(super) fn back_in(headers: &HeaderMap, now: u64) -> Option<Duration> {
    if let Some(moment) = text(headers, "retry-after").and_then(seconds_of_http_date) {
        return Some(Duration::from_secs(moment.saturating_sub(now)));
    }
    let resets = ["requests", "tokens", "input-tokens", "output-tokens"].into_iter().filter_map(|what| {
        if text(headers, &openai_name(what, "remaining")) == Some("0") {
            return text(headers, &openai_name(what, "reset"))
                .and_then(milliseconds)
                .map(Duration::from_millis);
        }
        let used_up = text(headers, &anthropic_name(what, "remaining")) == Some("0");
        let reset = used_up.then(|| text(headers, &anthropic_name(what, "reset"))).flatten()?;
        Some(Duration::from_secs(seconds_of_rfc3339(reset)?.saturating_sub(now)))
    });
    resets.max()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn seconds_of_http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = date.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    seconds_of_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z"))
}

fn openai_name(what: &str, field: &str) -> String {
    format!("{OPENAI}{field}-{what}")
}

fn anthropic_name(what: &str, field: &str) -> String {
    format!("{ANTHROPIC}{what}-{field}")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn from_openai(headers: &HeaderMap, what: &str, field: &str, now: u64) -> Option<String> {
    let value = text(headers, &openai_name(what, field))?;
    if field != "reset" {
        return value.parse::<u64>().ok().map(|count| count.to_string());
    }
    // A client that comes a moment too early is refused again.
    Some(rfc3339(now.checked_add(milliseconds(value)?.div_ceil(1000))?))
}

fn from_anthropic(headers: &HeaderMap, what: &str, field: &str, now: u64) -> Option<String> {
    // Some accounts have limits of input tokens only.
    let value = text(headers, &anthropic_name(what, field)).or_else(|| {
        let input = (what == "tokens").then(|| anthropic_name("input-tokens", field))?;
        text(headers, &input)
    })?;
    if field != "reset" {
        return value.parse::<u64>().ok().map(|count| count.to_string());
    }
    Some(duration(seconds_of_rfc3339(value)?.saturating_sub(now)))
}

/// Go's notation, as OpenAI writes it: `1h0m5s`, `6m0s`, `0s`.
fn duration(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// The same read: `2ms`, `6m0s`, `1.5s`, `1d2h`.
fn milliseconds(text: &str) -> Option<u64> {
    let mut sum = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let unit = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
        sum += number
            * match rest.get(..unit)? {
                "ms" => 1.0,
                "s" => 1e3,
                "m" => 6e4,
                "h" => 3.6e6,
                "d" => 8.64e7,
                _ => return None,
            };
        rest = rest.get(unit..)?;
    }
    // A longer wait than a hundred years is none; nor is nothing.
    (!text.is_empty() && sum < 3.2e12).then(|| sum.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_used_up_tells_when_to_come_back() {
        const NOW: u64 = 784_111_777;
        type Headers = &'static [(&'static str, &'static str)];
        let cases: [(Headers, Option<u64>); 6] = [
            (&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")], Some(0)),
            (
                &[
                    ("x-ratelimit-remaining-requests", "7"),
                    ("x-ratelimit-reset-requests", "8h"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "1m30s"),
                ],
                Some(90),
            ),
            (
                &[
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "1994-11-06T08:51:37Z"),
                ],
                Some(120),
            ),
            (&[("x-ratelimit-reset-requests", "8h")], None),
            (&[("retry-after", "soon")], None),
        ];
        for (told, seconds) in cases {
            assert_eq!(back_in(&headers(told), NOW), seconds.map(Duration::from_secs), "{told:?}");
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn durations_become_moments_and_the_other_way_round() {
        let now = seconds_of_rfc3339("2026-11-20T08:00:00Z").expect("a moment");
        let openai = headers(&[
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "499"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-reset-tokens", "6m0s"),
            ("x-ratelimit-limit-tokens", "many"),
            ("x-ratelimit-limit-req-minute", "7"),
            ("set-cookie", "a=b"),
            ("retry-after", "3"),
        ]);
        let expected = headers(&[
            ("retry-after", "3"),
            ("anthropic-ratelimit-requests-limit", "500"),
            ("anthropic-ratelimit-requests-remaining", "499"),
            ("anthropic-ratelimit-requests-reset", "2026-11-20T08:00:01Z"),
            ("anthropic-ratelimit-tokens-reset", "2026-11-20T08:06:00Z"),
        ]);
        assert_eq!(passed_on(&openai, "anthropic-messages", now), expected);
        let anthropic = headers(&[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-reset", "2026-11-20T09:01:05.25Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "8"),
            ("anthropic-ratelimit-input-tokens-reset", "2026-11-20T07:00:00Z"),
            ("anthropic-organization-id", "secret"),
        ]);
        let expected = headers(&[
            ("x-ratelimit-limit-requests", "50"),
            ("x-ratelimit-reset-requests", "1h1m5s"),
            ("x-ratelimit-remaining-tokens", "8"),
            ("x-ratelimit-reset-tokens", "0s"),
        ]);
        for dialect in ["openai-chat", "openai-responses", "gemini-generate"] {
            assert_eq!(passed_on(&anthropic, dialect, now), expected, "{dialect}");
        }
    }

    #[test]
    fn ones_own_headers_pass_as_they_are() {
        let own = headers(&[("x-ratelimit-reset-tokens", "soon"), ("x-ratelimit-limit-req-minute", "7")]);
        assert_eq!(passed_on(&own, "openai-chat", 0), own);
        assert!(passed_on(&own, "anthropic-messages", 0).is_empty());
    }

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("2ms", Some(2)),
            ("0s", Some(0)),
            ("6m0s", Some(360_000)),
            ("1.5s", Some(1500)),
            ("1d1h1m1s1ms", Some(90_061_001)),
            ("", None),
            ("12", None),
            ("soon", None),
            ("1y", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
