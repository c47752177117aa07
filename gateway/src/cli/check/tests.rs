//! What an operator sees.

use super::*;
use crate::config;

#[test]
fn a_problem_is_drawn_under_its_place() {
    let text = "[providers.openai]\n[models.smart]\ntargets = [\n  { to = \"opneai/gpt-5-mini\", weight = 30 },\n]\n";
    let error = config::parse(text, "a.toml", &[], &|_| None).expect_err("a refusal");
    let drawn = report(&error, GraphicalTheme::unicode_nocolor());
    let expected = "  × model `smart` points at provider `opneai`, which is not configured
   ╭─[a.toml:4:10]
 3 │ targets = [
 4 │   { to = \"opneai/gpt-5-mini\", weight = 30 },
   ·          ─────────┬─────────
   ·                   ╰── no such provider
 5 │ ]
   ╰────
  help: did you mean `openai`?

a.toml: 1 problem
";
    assert_eq!(drawn, expected);
}

#[test]
fn every_problem_is_drawn_and_a_secret_is_not() {
    let text = "[keys.a]\nsecret = \"hunter2hunter2hunter2\"\nteam = \"b\"\n";
    let error = config::parse(text, "a.toml", &[], &|_| None).expect_err("a refusal");
    let drawn = report(&error, GraphicalTheme::none());
    assert!(drawn.contains("a.toml: no provider is configured"), "{drawn}");
    assert!(drawn.contains("belongs to team `b`"), "{drawn}");
    assert!(drawn.contains("2 problems") && !drawn.contains("hunter2"), "{drawn}");
}

#[test]
fn json_tells_line_and_column() {
    let error = config::parse("serve = 1\n", "a.toml", &[], &|_| None).expect_err("a refusal");
    let told = as_json(&error, &error.problems[0]);
    assert_eq!((told["line"].as_u64(), told["column"].as_u64()), (Some(1), Some(1)));
    assert_eq!(told["help"], "did you mean `server`?");
}
