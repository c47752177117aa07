//! Which names fit which patterns.

use super::Pattern;

#[test]
fn a_star_stands_for_any_run_of_characters() {
    for (pattern, name, fits) in [
        ("gpt-5", "gpt-5", true),
        ("gpt-5", "gpt-5x", false),
        ("claude-*", "claude-opus", true),
        ("claude-*", "gpt", false),
        ("*", "", true),
        ("*-mini", "gpt-5-mini", true),
        ("a*b*c", "a1b2c", true),
        ("a*b*c", "abc", true),
        ("a*b*c", "acb", false),
        ("ab*ba", "aba", false),
        ("*é*", "caféx", true),
    ] {
        assert_eq!(Pattern::new(pattern).matches(name), fits, "{pattern} {name}");
    }
}
