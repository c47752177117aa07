//! Moments and the time between them.

use plugin_sdk::Header;

use super::{seconds_of_date, seconds_of_rfc3339, until_reset};

#[test]
fn both_spellings_of_a_moment_agree() {
    let cases = [
        ("1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("2000-02-29T12:00:01Z", "Tue, 29 Feb 2000 12:00:01 GMT", 951_825_601),
        ("2026-11-20T23:59:59.5Z", "Fri, 20 Nov 2026 23:59:59 GMT", 1_795_219_199),
    ];
    for (rfc3339, date, seconds) in cases {
        assert_eq!((seconds_of_rfc3339(rfc3339), seconds_of_date(date)), (Some(seconds), Some(seconds)));
    }
    for odd in ["", "T", "2026-11", "2026-11-20T1:2", "x, y"] {
        assert_eq!((seconds_of_rfc3339(odd), seconds_of_date(odd)), (None, None), "{odd}");
    }
}

#[test]
fn only_exhausted_limits_count() {
    let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
    let headers = [
        header("date", "Fri, 20 Nov 2026 23:59:50 GMT"),
        header("anthropic-ratelimit-requests-remaining", "12"),
        header("anthropic-ratelimit-requests-reset", "2026-11-21T09:00:00Z"),
        header("anthropic-ratelimit-tokens-remaining", "0"),
        header("anthropic-ratelimit-tokens-reset", "2026-11-21T00:00:20Z"),
    ];
    assert_eq!(until_reset(&headers), Some(30_000));
    assert_eq!(until_reset(&headers[..3]), None);
}
