//! Which conversation a request belongs to, where it stays, and who moves when a target goes.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{Affinity, Clues, Conversation, Place};
use crate::config::Sticky;
use crate::domain::RequestHead;

fn conversation(number: u64) -> Conversation {
    Conversation { number, told_by: "a test" }
}

const NAMES: [&str; 5] = ["one", "two", "three", "four", "five"];

fn places(weights: &[u32]) -> Vec<Place<'static>> {
    let place = |(provider, weight): (&&'static str, &u32)| Place {
        provider,
        model: "m",
        weight: *weight,
        in_flight: 0,
    };
    NAMES.iter().zip(weights).map(place).collect()
}

fn first(number: u64, places: &[Place<'_>]) -> &'static str {
    let order = conversation(number).order(places);
    assert_eq!(order.len(), places.len());
    NAMES.into_iter().find(|name| *name == places[order[0]].provider).expect("it is one of them")
}

#[test]
fn conversations_are_shared_by_weight() {
    let places = places(&[1, 2, 3, 4]);
    let mut counts = [0_u32; 4];
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..10_000 {
        let order = conversation(random.u64(..)).order(&places);
        counts[order[0]] += 1;
    }
    let chi_squared: f64 = counts
        .iter()
        .zip(1..)
        .map(|(count, weight)| {
            let expected = 1000.0 * f64::from(weight);
            (f64::from(*count) - expected).powi(2) / expected
        })
        .sum();
    // Three degrees of freedom: one seed in a thousand is above.
    assert!(chi_squared < 16.27, "{counts:?}");
}

#[test]
fn when_a_target_goes_only_its_conversations_move() {
    let all = places(&[1, 1, 3, 1, 2]);
    let without: Vec<_> = all.iter().filter(|place| place.provider != "three").copied().collect();
    let mut moved = 0;
    for number in 0..5000 {
        let (before, after) = (first(number, &all), first(number, &without));
        if before == "three" {
            moved += 1;
            // They go where they would have gone next anyway.
            assert_eq!(all[conversation(number).order(&all)[1]].provider, after);
        } else {
            assert_eq!(before, after, "{number}");
        }
    }
    assert!(moved > 1000, "{moved}");
}

#[test]
fn more_weight_for_a_target_only_draws_conversations_to_it() {
    let (before, after) = (places(&[1, 1, 1, 1, 1]), places(&[1, 1, 4, 1, 1]));
    for number in 0..2000 {
        let (was, is) = (first(number, &before), first(number, &after));
        assert!(is == was || is == "three", "{number}: {was} → {is}");
    }
}

#[test]
fn nobody_has_more_than_a_quarter_above_its_share() {
    let mut places = places(&[1, 1, 1, 1, 1]);
    // All requests of one conversation, and none of them ends.
    for running in 0_u32..1000 {
        let order = conversation(7).order(&places);
        places[order[0]].in_flight += 1;
        let busiest = places.iter().map(|place| place.in_flight).max().expect("five");
        let bound = f64::from(running + 1) / 5.0 * 1.25;
        assert!(f64::from(busiest) <= bound.ceil().max(4.0), "{busiest} of {}", running + 1);
    }
    // While it is busy the next in the same order stands in for it.
    for place in &mut places {
        place.in_flight = 0;
    }
    let idle = conversation(7).order(&places);
    places[idle[0]].in_flight = 1000;
    assert_eq!(conversation(7).order(&places)[0], idle[1]);
}

#[test]
fn a_few_parallel_requests_stay_together() {
    let mut places = places(&[1, 1]);
    let home = conversation(3).order(&places)[0];
    for running in 0..4 {
        places[home].in_flight = running;
        assert_eq!(conversation(3).order(&places)[0], home);
    }
}

#[test]
fn home_is_the_same_while_it_is_busy_or_gone() {
    let mut places = places(&[1, 2, 1, 3, 1]);
    for number in 0..100 {
        let at = conversation(number).order(&places)[0];
        places[at].in_flight = 500;
        assert_eq!(conversation(number).home(places.iter().copied()), Some(at));
        let name = format!("{}/m", places[at].provider);
        let affinity = Affinity::Known { conversation: conversation(number), home: name.clone() };
        assert_eq!((affinity.outcome(&name), affinity.outcome("other/m")), ("kept", "moved"));
        places[at].in_flight = 0;
    }
    assert_eq!(Affinity::Unknown.outcome("one/m"), "unknown");
}

fn head(headers: &[(&'static str, &str)]) -> RequestHead {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")))
        .collect();
    RequestHead { method: http::Method::POST, path: "/v1/x".to_owned(), query: None, headers }
}

/// What a request with this head and body says of its conversation.
fn known(sticky: Sticky, key: &str, headers: &[(&'static str, &str)], body: &Value) -> Option<Conversation> {
    let body = body.to_string();
    let own = [HeaderName::from_static("x-shop-basket")];
    let clues = Clues { body: body.as_bytes(), first_answer: None, headers: &own };
    clues.conversation(key, &head(headers), sticky)
}

#[test]
fn headers_and_fields_name_a_conversation() {
    let hello = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    let by_header = |name, value: &str| known(Sticky::Session, "k", &[(name, value)], &hello);
    let by_body = |body: Value| known(Sticky::Session, "k", &[], &body);
    let expected = by_header("session-id", "s-1").expect("known");
    let session = "{\"device_id\":\"d\",\"account_uuid\":\"\",\"session_id\":\"s-1\"}";
    for (what, found) in [
        ("claude code", by_header("x-claude-code-session-id", "s-1")),
        ("codex", by_header("thread-id", " s-1 ")),
        ("open webui", by_header("x-openwebui-chat-id", "s-1")),
        ("own", by_header("x-shop-basket", "s-1")),
        ("cache key", by_body(json!({ "prompt_cache_key": "s-1" }))),
        ("session", by_body(json!({ "session_id": "s-1" }))),
        ("conversation", by_body(json!({ "conversation": "s-1" }))),
        ("conversation object", by_body(json!({ "conversation": { "id": "s-1" } }))),
        ("metadata", by_body(json!({ "metadata": { "session_id": "s-1" } }))),
        ("claude code's body", by_body(json!({ "metadata": { "user_id": session } }))),
        ("older", by_body(json!({ "metadata": { "user_id": "user_77_account__session_s-1" } }))),
        ("gemini's cache", by_body(json!({ "cachedContent": "s-1" }))),
        ("user", by_body(json!({ "user": "s-1" }))),
        ("user id", by_body(json!({ "metadata": { "user_id": "s-1" } }))),
        ("first of many", by_body(json!({ "user": "u", "prompt_cache_key": "s-1", "conversation": "c" }))),
    ] {
        assert_eq!(found.map(|found| found.number), Some(expected.number), "{what}");
    }
    let two = known(Sticky::Session, "k", &[("session-id", "s-1"), ("x-shop-basket", "b")], &hello);
    assert_ne!(two.expect("known").number, expected.number, "the operator's own header goes first");
    assert_ne!(known(Sticky::Session, "other", &[("session-id", "s-1")], &hello), Some(expected));
    for nothing in [
        hello.clone(),
        json!({ "user": "", "prompt_cache_key": 7, "conversation": {}, "metadata": [] }),
        json!([1, 2]),
    ] {
        assert_eq!(by_body(nothing.clone()), None, "{nothing}");
    }
    assert_eq!(known(Sticky::Off, "k", &[("session-id", "s-1")], &hello), None);
    let head = head(&[]);
    let answers = Clues { first_answer: Some("s-1"), ..Clues::default() };
    let found = answers.conversation("k", &head, Sticky::Session).expect("known");
    assert_eq!((found.number, found.told_by), (expected.number, "the answers before it"));
}

/// Three turns of one conversation in one dialect: cache marks move, texts become parts, messages are added.
fn turns(dialect: &str, subject: &str) -> [Value; 3] {
    let mark = json!({ "type": "ephemeral" });
    match dialect {
        "openai-chat" | "cohere" | "ollama-chat" => [
            json!({ "model": "m", "messages": [
                { "role": "system", "content": "be brief" }, { "role": "user", "content": subject }] }),
            json!({ "messages": [
                { "role": "system", "content": [{ "type": "text", "text": "be brief", "cache_control": mark }] },
                { "role": "user", "content": subject }, { "role": "assistant", "content": "ok" },
                { "role": "user", "content": "go on" }], "temperature": 1 }),
            json!({ "messages": [
                { "content": "be brief", "role": "system" },
                { "content": [{ "type": "text", "text": subject }], "role": "user" },
                { "role": "assistant", "tool_calls": [{ "id": "c", "function": { "name": "f" } }] },
                { "role": "tool", "content": "5", "tool_call_id": "c" }] }),
        ],
        "anthropic" => [
            json!({ "system": "be brief", "messages": [{ "role": "user", "content": subject }] }),
            json!({ "messages": [
                { "role": "user", "content": [{ "type": "text", "text": subject, "cache_control": mark }] },
                { "role": "assistant", "content": "ok" }, { "role": "user", "content": "go on" }],
                "system": [{ "type": "text", "text": "x-anthropic-billing-header: cch=1" },
                    { "type": "text", "text": "be brief", "cache_control": mark }] }),
            json!({ "system": [{ "type": "text", "text": "x-anthropic-billing-header: cch=2" },
                    { "type": "text", "text": "be brief" }], "messages": [
                { "role": "user", "content": [{ "type": "text", "text": subject }] },
                { "role": "assistant", "content": [{ "type": "text", "text": "ok", "cache_control": mark }] }] }),
        ],
        "openai-responses" => [
            json!({ "instructions": "be brief", "input": subject }),
            json!({ "instructions": "be brief", "input": [
                { "type": "message", "role": "user", "content": [{ "type": "input_text", "text": subject }] },
                { "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": "ok" }] },
                { "role": "user", "content": "go on" }] }),
            json!({ "input": [
                { "id": "in_1", "status": "completed", "type": "message", "role": "user",
                  "content": [{ "type": "input_text", "text": subject }] },
                { "type": "reasoning", "encrypted_content": "x" }], "instructions": "be brief" }),
        ],
        "gemini" => [
            json!({ "systemInstruction": { "parts": [{ "text": "be brief" }] },
                "contents": [{ "parts": [{ "text": subject }] }] }),
            json!({ "system_instruction": { "role": "system", "parts": [{ "text": "be brief" }] }, "contents": [
                { "role": "user", "parts": [{ "text": subject }] }, { "role": "model", "parts": [{ "text": "ok" }] },
                { "role": "user", "parts": [{ "text": "go on" }] }] }),
            json!({ "contents": [{ "role": "user", "parts": [{ "text": subject }] }, { "role": "model", "parts": [] }],
                "systemInstruction": { "parts": [{ "text": "be brief" }] } }),
        ],
        "bedrock" => [
            json!({ "system": [{ "text": "be brief" }],
                "messages": [{ "role": "user", "content": [{ "text": subject }] }] }),
            json!({ "system": [{ "text": "be brief" }, { "cachePoint": { "type": "default" } }], "messages": [
                { "role": "user", "content": [{ "text": subject }] },
                { "role": "assistant", "content": [{ "text": "ok" }] }] }),
            json!({ "system": [{ "text": "be brief" }], "messages": [
                { "role": "user", "content": [{ "text": subject }, { "cachePoint": { "type": "default" } }] },
                { "role": "assistant", "content": [{ "text": "ok" }, { "cachePoint": { "type": "default" } }] }] }),
        ],
        "completions" => [
            json!({ "prompt": format!("be brief: {subject}\nUser: a\n") }),
            json!({ "prompt": format!("be brief: {subject}\nUser: a\nBot: b\n") }),
            json!({ "prompt": format!("be brief: {subject}\nUser: a\nBot: b\nUser: c\n"), "max_tokens": 5 }),
        ],
        _ => panic!("{dialect}"),
    }
}

#[test]
fn a_prompt_keeps_its_beginning_while_it_grows() {
    const DIALECTS: [&str; 8] = [
        "openai-chat",
        "cohere",
        "ollama-chat",
        "anthropic",
        "openai-responses",
        "gemini",
        "bedrock",
        "completions",
    ];
    for dialect in DIALECTS {
        let number = |body: &Value| {
            let found = known(Sticky::Prefix, "k", &[], body).unwrap_or_else(|| panic!("{dialect}: {body}"));
            assert_eq!(found.told_by, "the prompt's beginning");
            found.number
        };
        let [one, two, three] = turns(dialect, "why is the sky blue?");
        assert_eq!((number(&one), number(&one)), (number(&two), number(&three)), "{dialect}");
        let [other, ..] = turns(dialect, "why is the sea blue?");
        assert_ne!(number(&one), number(&other), "{dialect}");
        assert_eq!(known(Sticky::Session, "k", &[], &one), None, "{dialect}");
    }
}

#[test]
fn the_beginning_goes_before_the_user_and_a_session_before_both() {
    let told_by = |body: Value| known(Sticky::Prefix, "k", &[], &body).map(|found| found.told_by);
    let messages = json!([{ "role": "user", "content": "hello" }]);
    assert_eq!(
        told_by(json!({ "user": "u", "messages": messages })),
        Some("the prompt's beginning"),
        "one busy user has many conversations"
    );
    let body = json!({ "user": "u", "prompt_cache_key": "p", "messages": messages });
    assert_eq!(told_by(body), Some("a field of the body"));
    assert_eq!(told_by(json!({ "user": "u", "messages": [] })), Some("the end user"));
    assert_eq!(told_by(json!({ "messages": [{ "role": "user", "content": "" }] })), None);
    assert_eq!(told_by(json!({ "messages": 7, "input": null, "prompt": [1, 2] })), None);
}
