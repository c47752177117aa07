//! Cases 12 to 16 and 26 to 30: what a client sets beside its question.

use causeway::error::Kind;
use serde_json::{Value, json};

use crate::support::translation::*;

fn hello(fields: Value) -> Value {
    chat(json!([user("hello")]), fields)
}

#[test]
fn case_12_one_stop_string_becomes_a_list() {
    for (vendor, place) in [
        (ANTHROPIC, "/stop_sequences"),
        (BEDROCK, "/inferenceConfig/stopSequences"),
        (COHERE, "/stop_sequences"),
        (GOOGLE, "/generationConfig/stopSequences"),
        (OLLAMA, "/options/stop"),
    ] {
        let asked = vendor.gets(CHAT, &hello(json!({ "stop": "END" })));
        assert_eq!(asked.body.pointer(place), Some(&json!(["END"])), "{asked:?}");
    }
}

#[test]
fn case_13_without_an_output_cap_a_default_is_sent_where_one_is_required() {
    let asked = ANTHROPIC.gets(CHAT, &hello(json!({})));
    assert!(asked.body["max_tokens"].as_u64().is_some_and(|cap| cap > 0), "{asked:?}");
    let asked = OPENAI.gets(CHAT, &hello(json!({})));
    assert!(!keys(&asked.body).iter().any(|name| name.contains("max_")), "{asked:?}");
}

#[test]
fn case_14_both_names_of_the_output_cap_reach_the_vendors_own() {
    for (vendor, place) in [
        (ANTHROPIC, "/max_tokens"),
        (AZURE, "/max_completion_tokens"),
        (BEDROCK, "/inferenceConfig/maxTokens"),
        (COHERE, "/max_tokens"),
        (GOOGLE, "/generationConfig/maxOutputTokens"),
        (MISTRAL, "/max_tokens"),
        (OLLAMA, "/options/num_predict"),
        (OPENAI, "/max_completion_tokens"),
    ] {
        for name in ["max_tokens", "max_completion_tokens"] {
            let asked = vendor.gets(CHAT, &hello(json!({ name: 321 })));
            assert_eq!(asked.body.pointer(place), Some(&json!(321)), "{name}: {asked:?}");
        }
    }
}

#[test]
fn case_15_a_temperature_that_is_too_high_is_lowered_and_reported() {
    let asked = ANTHROPIC.gets(CHAT, &hello(json!({ "temperature": 1.7 })));
    assert_eq!(asked.body["temperature"].as_f64(), Some(1.0), "{asked:?}");
    assert!(asked.lost("temperature"), "{asked:?}");
}

#[test]
fn case_16_a_temperature_of_zero_is_kept() {
    for (vendor, place) in [
        (ANTHROPIC, "/temperature"),
        (AZURE, "/temperature"),
        (BEDROCK, "/inferenceConfig/temperature"),
        (COHERE, "/temperature"),
        (GOOGLE, "/generationConfig/temperature"),
        (MISTRAL, "/temperature"),
        (OLLAMA, "/options/temperature"),
        (OPENAI, "/temperature"),
    ] {
        let asked = vendor.gets(CHAT, &hello(json!({ "temperature": 0 })));
        assert_eq!(asked.body.pointer(place).and_then(Value::as_f64), Some(0.0), "{asked:?}");
    }
}

#[test]
fn case_26_an_effort_with_a_small_cap_or_a_forced_call_is_still_a_legal_request() {
    let forced = json!({ "tools": [function("weather")], "tool_choice": "required" });
    for fields in [json!({ "max_completion_tokens": 500 }), json!({ "max_completion_tokens": 1500 }), forced]
    {
        let asked = ANTHROPIC.gets(CHAT, &with(hello(json!({ "reasoning_effort": "high" })), fields));
        let thinking = &asked.body["thinking"];
        if thinking["type"] == "enabled" {
            let budget = thinking["budget_tokens"].as_u64().unwrap();
            assert!(budget >= 1024 && budget < asked.body["max_tokens"].as_u64().unwrap(), "{asked:?}");
            assert!(
                !["any", "tool"].contains(&asked.body["tool_choice"]["type"].as_str().unwrap_or("")),
                "{asked:?}"
            );
        } else {
            assert!(asked.lost("reasoning"), "{asked:?}");
        }
    }
}

#[test]
fn case_27_cache_marks_reach_anthropic_with_their_ttl_and_nobody_else() {
    let mark = json!({ "type": "ephemeral", "ttl": "1h" });
    let turns = json!([user(json!([{ "type": "text", "text": "hello", "cache_control": mark }]))]);
    let asked = ANTHROPIC.gets(CHAT, &chat(turns.clone(), json!({})));
    assert_eq!(asked.body["messages"][0]["content"][0]["cache_control"], mark, "{asked:?}");
    for vendor in ALL.into_iter().filter(|vendor| vendor.adapter != "anthropic") {
        let asked = vendor.gets(CHAT, &chat(turns.clone(), json!({})));
        assert!(!keys(&asked.body).contains(&"cache_control"), "{asked:?}");
        // Bedrock has marks of its own.
        assert!(asked.lost("cache_control") || asked.body.to_string().contains("cachePoint"), "{asked:?}");
    }
}

#[test]
fn case_28_two_answers_are_two_answers_or_a_refusal() {
    let two = hello(json!({ "n": 2 }));
    assert_eq!(GOOGLE.gets(CHAT, &two).body["generationConfig"]["candidateCount"], 2);
    for (vendor, place) in [(AZURE, "/n"), (MISTRAL, "/n")] {
        assert_eq!(vendor.gets(CHAT, &two).body.pointer(place), Some(&json!(2)));
    }
    for vendor in [ANTHROPIC, BEDROCK, COHERE, OLLAMA] {
        let refused = vendor.asked(CHAT, &two).unwrap_err();
        assert_eq!((refused.kind, refused.param.as_deref()), (Kind::Unsupported, Some("n")), "{vendor:?}");
    }
    let candidate = |index: u64, text: &str| json!({ "index": index, "finishReason": "STOP", "content": { "role": "model", "parts": [{ "text": text }] } });
    let answer = json!({ "candidates": [candidate(0, "one"), candidate(1, "two")], "responseId": "r" });
    let client = GOOGLE.answers(CHAT, &two, &answer);
    let said: Vec<_> =
        client["choices"].as_array().unwrap().iter().map(|choice| &choice["message"]["content"]).collect();
    assert_eq!(said, ["one", "two"]);
}

#[test]
fn case_29_log_probabilities_are_mapped_or_reported_and_never_an_error() {
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &hello(json!({ "logprobs": true, "top_logprobs": 2 })));
        assert!(
            keys(&asked.body).iter().any(|name| name.to_lowercase().contains("logprobs"))
                || asked.lost("logprobs"),
            "{asked:?}"
        );
    }
}

#[test]
fn case_30_usage_is_always_asked_for_and_shown_only_to_those_who_ask() {
    let quiet = hello(json!({ "stream": true }));
    let asking = hello(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    for body in [&quiet, &asking] {
        assert_eq!(AZURE.gets(CHAT, body).body["stream_options"]["include_usage"], true);
    }
    let stream = openai_stream(&["hello"]);
    let with_usage = |events: &[Value]| events.iter().filter(|event| event["usage"].is_object()).count();
    let events = data(&AZURE.streams(CHAT, &quiet, [stream.as_bytes()]));
    assert_eq!(with_usage(&events), 0, "{events:?}");
    let events = data(&AZURE.streams(CHAT, &asking, [stream.as_bytes()]));
    assert_eq!(with_usage(&events), 1, "{events:?}");
    let last = &events[events.len() - 2];
    assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(7)), "{events:?}");
}
