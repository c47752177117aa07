//! The cases without a number: ids, arguments, echoes, server tools, and what errors and usage say.

use causeway::error::Kind;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::support::translation::*;

#[test]
fn also_an_odd_call_id_is_made_legal_the_same_way_on_both_sides() {
    let id = "functions.weather:0 ü";
    let turns = json!([user("go"), calling(json!([call(id, "weather", "{}")])), result(id, "rain")]);
    let body = chat(turns, json!({ "tools": [function("weather")] }));
    let legal = |id: &str| {
        !id.is_empty()
            && id.len() <= 64
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    for (vendor, called, answered) in [
        (ANTHROPIC, "/messages/1/content/0/id", "/messages/2/content/0/tool_use_id"),
        (BEDROCK, "/messages/1/content/0/toolUse/toolUseId", "/messages/2/content/0/toolResult/toolUseId"),
        (MISTRAL, "/messages/1/tool_calls/0/id", "/messages/2/tool_call_id"),
    ] {
        let asked = vendor.gets(CHAT, &body);
        let called = asked.body.pointer(called).and_then(Value::as_str).unwrap();
        assert_eq!(Some(called), asked.body.pointer(answered).and_then(Value::as_str), "{asked:?}");
        assert!(legal(called), "{asked:?}");
        assert!(vendor.adapter != "mistral" || called.len() == 9, "{asked:?}");
    }
}

#[test]
fn also_no_arguments_are_an_empty_object_and_broken_ones_are_the_clients_error() {
    let body = |arguments: &str| {
        let turns =
            json!([user("go"), calling(json!([call("c1", "weather", arguments)])), result("c1", "rain")]);
        chat(turns, json!({ "tools": [function("weather")] }))
    };
    for (vendor, place) in [
        (ANTHROPIC, "/messages/1/content/0/input"),
        (BEDROCK, "/messages/1/content/0/toolUse/input"),
        (GOOGLE, "/contents/1/parts/0/functionCall/args"),
        (OLLAMA, "/messages/1/tool_calls/0/function/arguments"),
    ] {
        let asked = vendor.gets(CHAT, &body(""));
        assert_eq!(asked.body.pointer(place), Some(&json!({})), "{asked:?}");
        let refused = vendor.asked(CHAT, &body("{\"city\":")).unwrap_err();
        assert_eq!(refused.kind, Kind::InvalidRequest, "{vendor:?}");
        assert!(refused.param.is_some_and(|param| param.contains("arguments")), "{vendor:?}");
    }
}

#[test]
fn also_a_history_with_calls_but_without_tools_is_legal() {
    let mut body = two_calls(["call_a", "call_b"]);
    body.as_object_mut().unwrap().remove("tools");
    for vendor in ALL {
        vendor.gets(CHAT, &body);
    }
    // Anthropic and Bedrock want the tools of such a history declared.
    assert_eq!(ANTHROPIC.gets(CHAT, &body).body["tools"].as_array().map(Vec::len), Some(2));
    assert_eq!(BEDROCK.gets(CHAT, &body).body["toolConfig"]["tools"].as_array().map(Vec::len), Some(2));
}

#[test]
fn also_an_sdks_echo_with_nulls_is_taken() {
    let echo = json!({ "role": "assistant", "content": "two", "refusal": null, "annotations": [], "audio": null,
        "function_call": null, "tool_calls": null });
    let body = chat(
        json!([user("one"), echo, user("three")]),
        json!({ "stop": null, "tools": null, "n": null, "temperature": null }),
    );
    for vendor in ALL {
        let asked = vendor.gets(CHAT, &body);
        assert!(asked.losses.is_empty(), "{asked:?}");
        assert!(texts(&asked.body).join(" ").contains("two"), "{asked:?}");
    }
    let block = json!([{ "type": "text", "text": "two", "citations": null }]);
    let body = messages(
        json!([user("one"), { "role": "assistant", "content": block }, user("three")]),
        json!({ "system": null, "tools": null }),
    );
    for vendor in ALL.into_iter().filter(|vendor| vendor.adapter != "anthropic") {
        assert!(texts(&vendor.gets(MESSAGES, &body).body).join(" ").contains("two"), "{vendor:?}");
    }
}

#[test]
fn also_a_server_tool_is_no_call_of_the_clients() {
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [
        { "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "tides" } },
        { "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [] },
        { "type": "text", "text": "low" } ], "stop_reason": "end_turn", "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 2 } });
    let client = ANTHROPIC.answers(CHAT, &chat(json!([user("hello")]), json!({})), &answer);
    let choice = &client["choices"][0];
    assert!(choice["message"]["tool_calls"].as_array().is_none_or(Vec::is_empty), "{client}");
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("stop"), &json!("low")),
        "{client}"
    );
}

#[test]
fn also_a_schema_for_the_answer_comes_through_from_responses() {
    let schema = json!({ "type": "object", "properties": { "level": { "type": "number" } }, "required": ["level"], "additionalProperties": false });
    let format = json!({ "type": "json_schema", "name": "level", "strict": true, "schema": schema });
    let body = json!({ "model": "m", "input": "hello", "text": { "format": format } });
    for (vendor, place) in [
        (ANTHROPIC, "/output_config/format/schema"),
        (AZURE, "/response_format/json_schema/schema"),
        (GOOGLE, "/generationConfig/responseJsonSchema"),
        (OLLAMA, "/format"),
    ] {
        let asked = vendor.gets(RESPONSES, &body);
        assert_eq!(asked.body.pointer(place), Some(&schema), "{asked:?}");
    }
}

#[test]
fn also_an_overloaded_provider_says_so_in_the_clients_own_status() {
    let body = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "too much" } });
    let error = ANTHROPIC.refuses(529, &HeaderMap::new(), &body);
    assert_eq!(error.kind, Kind::Overloaded);
    let status = |id: &str| {
        let dialect = causeway::dialect::ALL.iter().find(|dialect| dialect.id() == id).unwrap();
        dialect.error_status(&error)
    };
    assert_eq!(
        (status("openai-chat"), status("anthropic-messages"), status("gemini-generate")),
        (503, 529, 503)
    );
}

#[test]
fn also_the_time_to_wait_is_known_from_header_and_body() {
    let header = HeaderMap::from_iter([(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"))]);
    let openai = json!({ "error": { "message": "slow", "type": "requests", "code": "rate_limit_exceeded" } });
    let google = json!({ "error": { "code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow", "details": [
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s" } ] } });
    for error in [OPENAI.refuses(429, &header, &openai), GOOGLE.refuses(429, &HeaderMap::new(), &google)] {
        assert_eq!(
            (error.kind, error.retry_after.map(|wait| wait.as_secs())),
            (Kind::RateLimited, Some(7)),
            "{error}"
        );
    }
}

#[test]
fn also_steps_that_are_billed_apart_are_counted() {
    let usage = json!({ "input_tokens": 100, "output_tokens": 10, "iterations": [
        { "type": "compaction", "input_tokens": 1000, "output_tokens": 50 },
        { "type": "message", "input_tokens": 100, "output_tokens": 10 } ] });
    let answer = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [{ "type": "text", "text": "x" }], "stop_reason": "end_turn", "stop_sequence": null, "usage": usage });
    let client = ANTHROPIC.answers(CHAT, &chat(json!([user("hello")]), json!({})), &answer);
    assert_eq!(
        (&client["usage"]["prompt_tokens"], &client["usage"]["completion_tokens"]),
        (&json!(1100), &json!(60)),
        "{client}"
    );
}
