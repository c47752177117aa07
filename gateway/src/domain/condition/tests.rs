//! What conditions hold, what is refused and where, and that nothing hostile gets far.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};

use super::{Circumstances, Condition, Fault};
use crate::domain::{Asks, Json, LazyAsks, Operation, RequestHead, VirtualKey};

/// 2026-11-21 is a Saturday; 14:35:07 UTC.
const NOW: u64 = 1_795_271_707;

fn asks() -> Asks {
    Asks {
        operation: Operation::Chat,
        stream: true,
        messages: 12,
        input_tokens: 45_000,
        max_output: Some(1_000),
        body_bytes: 180_000,
        tools: true,
        images: false,
        documents: false,
        audio_input: false,
        audio_output: false,
        reasoning: true,
        json: Json::Schema,
    }
}

/// What an expression says about one request.
fn answer(text: &str) -> Result<bool, String> {
    let condition = Condition::read(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let mut headers = HeaderMap::new();
    headers.insert("x-team", HeaderValue::from_static("search"));
    headers.insert("x-priority", HeaderValue::from_static("7"));
    headers.insert("user-agent", HeaderValue::from_static("curl/8.5.0"));
    let head = RequestHead { method: http::Method::POST, path: "/v1/messages".into(), query: None, headers };
    let tags = vec!["gold".to_owned(), "eu".to_owned()];
    let key = VirtualKey { team: Some("shop".into()), tags, ..VirtualKey::named("web") };
    let lazy: LazyAsks<'_> = LazyLock::new(Box::new(asks));
    condition.holds(&Circumstances {
        model: "claude-fast",
        head: &head,
        key: &key,
        asks: &lazy,
        dialect: "anthropic-messages",
        session: Some("s-1"),
        now: NOW,
    })
}

/// What is wrong with an expression.
fn fault(text: &str) -> Fault {
    match Condition::read(text) {
        Ok(_) => panic!("{text} was taken"),
        Err(fault) => fault,
    }
}

#[test]
fn every_variable_can_be_asked() {
    for text in [
        r#"model == "claude-fast""#,
        r#"headers["x-team"] == "search" && headers["X-Team"] == "search""#,
        r#"headers["x-none"] == "" && !("x-none" in headers) && "x-team" in headers"#,
        "!has(headers.cookie)",
        r#"key.name == "web" && key.team == "shop" && "gold" in key.tags"#,
        "messages == 12 && tokens > 40000 && max_tokens == 1000 && body_bytes >= 180000",
        "tools && !images && !documents && !audio && reasoning && stream",
        r#"json == "schema" && dialect == "anthropic-messages" && operation == "chat" && session == "s-1""#,
        "hour == 14 && minute == 35 && weekday == 6",
        r#"now > timestamp("2026-11-21T14:35:06Z") && now - timestamp("2026-11-21T14:35:00Z") < duration("8s")"#,
        r#"now.getHours("Europe/Berlin") == 15 && now.getHours("-05:00") == 9 && now.getDayOfWeek() == weekday"#,
    ] {
        assert_eq!(answer(text), Ok(true), "{text}");
    }
}

#[test]
fn every_operator_of_other_rule_engines_has_its_form() {
    for (text, holds) in [
        (r#"model == "claude-fast""#, true),
        (r#"model != "claude-fast""#, false),
        ("tokens > 45000", false),
        ("tokens >= 45000", true),
        ("tokens < 45000", false),
        ("tokens <= 45000", true),
        (r#"headers["user-agent"].contains("curl")"#, true),
        (r#"!headers["user-agent"].contains("curl")"#, false),
        (r#"headers["user-agent"].matches("^curl/[0-9]+[.]")"#, true),
        (r#"matches(model, "opus$")"#, false),
        (r#"model in ["claude-fast", "claude-slow"]"#, true),
        (r#"!(model in ["claude-fast"])"#, false),
        (r#""x-team" in headers"#, true),
        (r#"model.startsWith("claude-") || model.endsWith("-mini")"#, true),
        (r#"int(headers["x-priority"]) > 5"#, true),
        (r#"headers["user-agent"].lowerAscii().startsWith("CURL".lowerAscii())"#, true),
        (r#"key.tags.exists(tag, tag.startsWith("go"))"#, true),
        (r#"key.tags.all(tag, size(tag) == 4)"#, false),
        (r#"["eu", "us"].exists_one(region, region in key.tags)"#, true),
        ("(tools ? tokens : max_tokens) == 45000", true),
        ("(tokens - 5000) / 2 == 20000 && tokens % 7 != 1.5", true),
    ] {
        assert_eq!(answer(text), Ok(holds), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, place, part) in [
        (r#"model = "a""#, (1, 7), "="),
        ("tokens > ", (1, 10), "end"),
        ("tokens > 10 &&\n  modle == \"a\"", (2, 3), "did you mean `model`"),
        ("tokens > \"many\"", (1, 8), "`>` is not possible with a number and a text"),
        ("tokens + 1", (1, 8), "it is a number and must be true or false"),
        ("key.tag == \"a\"", (1, 4), "did you mean `key.tags`"),
        ("model.match(\"a\")", (1, 12), "there is no function `match`"),
        ("model.matches(\"(\")", (1, 15), "the pattern is none"),
        ("model.matches(model)", (1, 15), "written out"),
        ("headers[model] == \"\"", (1, 8), "written out"),
        ("headers[\"a b\"] == \"\"", (1, 8), "not the name of a header"),
        ("size(headers) > 2", (1, 6), "headers[\"name\"]"),
        ("now.getHours(\"Europe/Berlim\") > 2", (1, 13), "no time zone"),
        ("now > timestamp(\"yesterday\")", (1, 16), "no time"),
        ("[1, \"a\"] == [2]", (1, 5), "different kinds"),
        ("key.tags.map(t, t) == []", (1, 13), "`exists`, `all` and `exists_one`"),
        ("key.tags.exists(t, key.tags.exists(u, t == u))", (1, 35), "inside another"),
        ("tokens > 5u", (1, 10), "without `u`"),
    ] {
        let fault = fault(text);
        assert!(fault.message.contains(part), "{text}: {}", fault.message);
        assert_eq!(fault.place, Some(place), "{text}: {}", fault.message);
    }
    assert_eq!(fault("tokens >\n").to_string().split(':').next(), Some("line 2, column 1 of the condition"));
    assert_eq!(fault("  ").to_string(), "the condition is empty");
}

#[test]
fn places_count_letters_and_not_bytes() {
    assert_eq!(fault("model == \"größer\" && modle == \"a\"").place, Some((1, 22)));
    assert_eq!(fault("model == \"größer\" & tools").place, Some((1, 19)));
}

#[test]
fn a_failure_while_asking_is_no_panic_and_told_once() {
    for text in [
        r#"int(headers["x-team"]) > 5"#,
        r#"key.tags[7] == "a""#,
        "tokens / (max_tokens - 1000) > 1",
        "tokens * 9223372036854775807 > 1",
        r#"timestamp(headers["x-team"]) < now"#,
    ] {
        let failure = answer(text);
        assert!(failure.is_err(), "{text}: {failure:?}");
    }
    // What decides goes before what fails.
    assert_eq!(answer(r#"tools || int(headers["x-team"]) > 5"#), Ok(true));
    let condition = Condition::read("tools").unwrap_or_else(|fault| panic!("{fault}"));
    assert!(condition.is_first_failure() && !condition.is_first_failure());
}

#[test]
fn hostile_expressions_are_refused() {
    let long = format!("model in [{}\"z\"]", "\"a\", ".repeat(300));
    let giant = format!("model == \"{}\"", "a".repeat(3_000));
    for text in [
        format!("{}tools{}", "(".repeat(900), ")".repeat(900)),
        format!("model{}", ".a".repeat(900)),
        format!("model{} == 1", "[0]".repeat(600)),
        format!("{}1{} == 1", "[".repeat(900), "]".repeat(900)),
        format!("tools{}", " ? tools : tools".repeat(120)),
        long,
        giant,
        "\0".to_owned(),
        "\"".to_owned(),
        "model.matches(\"(a{1000}){1000}\")".to_owned(),
        format!("model.matches(\"{}\")", "a".repeat(600)),
    ] {
        assert!(Condition::read(&text).is_err(), "{}", &text[..text.len().min(40)]);
    }
    // Wide is not deep.
    let wide = format!("tools{}", " || tools".repeat(220));
    assert_eq!(answer(&wide), Ok(true));
}

#[test]
fn patterns_take_linear_time() {
    // An engine that goes back would need longer than there are atoms.
    let text = format!("\"{}!\".matches(\"^(a+)+$\")", "a".repeat(1_000));
    assert_eq!(answer(&text), Ok(false));
}
