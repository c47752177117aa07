//! Which paths lead elsewhere, and which headers are the host's.

use super::*;

#[test]
fn steps_of_dots_climb_and_names_with_dots_do_not() {
    for path in ["/v1/../x", "/..", "/v1/.", "/%2e%2e/x", "/a/.%2E", "/models/../x:generateContent?alt=sse"] {
        assert!(climbs(path), "{path}");
    }
    for path in ["/v1/models/gpt-5.1", "/v1/...", "/v1/a..b", "/v1/x?to=/../y", "/", "/%2e%2e%2e"] {
        assert!(!climbs(path), "{path}");
    }
}

#[test]
fn an_adapter_sets_no_header_of_the_host() {
    for name in ["host", "Content-Length", "authorization", "cookie", "TE"] {
        assert!(foreign_header(name, "1").is_err(), "{name}");
    }
    for value in ["a\r\nb: c", "a\nb", "a\0"] {
        assert!(foreign_header("x-note", value).is_err(), "{value:?}");
    }
    assert!(foreign_header("x-note", "1").is_ok());
}

#[test]
fn what_cannot_change_the_answer_does_not_matter() {
    for (field, matters) in [
        ("messages[0].content[1].cache_control", false),
        ("prompt_cache_key", false),
        ("user", false),
        ("tools[12]", true),
        ("vendor.anthropic", true),
        ("messages[2].reasoning_details", true),
        ("response_format", true),
    ] {
        let loss = Loss { field: field.to_owned(), reason: String::new() };
        assert_eq!(!loss.is_bookkeeping(), matters, "{field}");
    }
}
