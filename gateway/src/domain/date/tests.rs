//! Leap years and their exceptions.

use super::{rfc3339, seconds_of_rfc3339};

#[test]
fn dates_survive_leap_years() {
    assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(rfc3339(1_735_689_599), "2024-12-31T23:59:59Z");
    assert_eq!(rfc3339(4_107_542_400), "2100-03-01T00:00:00Z");
}

#[test]
fn a_moment_is_read_as_it_is_written() {
    for seconds in [0, 951_782_400, 1_709_164_800, 1_763_711_999, 4_102_444_800] {
        assert_eq!(seconds_of_rfc3339(&rfc3339(seconds)), Some(seconds));
    }
    assert_eq!(seconds_of_rfc3339("1970-01-01T01:00:00.999+01:00"), Some(0));
    assert_eq!(seconds_of_rfc3339("1969-12-31T23:59:30-00:01"), Some(30));
    for nonsense in [
        "",
        "soon",
        "2026-11-20",
        "2026-13-20T00:00:00Z",
        "2026-11-20T00:00:00",
        "1960-01-01T00:00:00Z",
        "2026-11-20T00:00:00+9223372036854775807:00",
    ] {
        assert_eq!(seconds_of_rfc3339(nonsense), None, "{nonsense}");
    }
}
