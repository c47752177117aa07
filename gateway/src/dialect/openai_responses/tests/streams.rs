//! Streams: which events come, in which order, and that they end up as the whole answer would.

use serde_json::{Value, json};

use super::{answered, completion, events, facts, read, request, returned};
use crate::dialect::{Dialect, openai_responses::OpenAiResponses};
use crate::error::{GatewayError, Kind};

fn chunk(delta: Value, finish_reason: Option<&str>) -> String {
    json!({"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "real",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})
    .to_string()
}

fn usage() -> String {
    let mut last = completion(json!({}), "stop");
    last["choices"] = json!([]);
    last.to_string()
}

fn streamed(fields: Value, deltas: &[Value], finish_reason: &str) -> Vec<Value> {
    let envelope = read(&request(fields).to_string()).expect("a legal request");
    let mut writer = OpenAiResponses.stream(&facts(), &envelope);
    let mut out = Vec::new();
    for delta in deltas {
        writer.chunk(chunk(delta.clone(), None).as_bytes(), &mut out).expect("a legal chunk");
    }
    writer.chunk(chunk(json!({}), Some(finish_reason)).as_bytes(), &mut out).expect("a legal chunk");
    writer.chunk(usage().as_bytes(), &mut out).expect("a legal chunk");
    writer.finish(&mut out);
    writer.finish(&mut out);
    writer.chunk(usage().as_bytes(), &mut out).expect("ignored");
    events(&out)
}

fn kinds(events: &[Value]) -> Vec<String> {
    let short =
        |event: &Value| event["type"].as_str().unwrap_or_default().trim_start_matches("response.").to_owned();
    events.iter().map(short).collect()
}

/// The response of the last event; every item must have been told as done in the same words.
fn response(events: &[Value]) -> Value {
    let response = events.last().expect("events")["response"].clone();
    for (index, item) in response["output"].as_array().expect("a list").iter().enumerate() {
        let done = events
            .iter()
            .find(|event| event["type"] == "response.output_item.done" && event["output_index"] == index);
        assert_eq!(done.map(|event| &event["item"]), Some(item));
    }
    response
}

#[test]
fn a_text_comes_in_order() {
    let events = streamed(
        json!({}),
        &[json!({"role": "assistant", "content": ""}), json!({"content": "H\n"}), json!({"content": "i"})],
        "stop",
    );
    assert_eq!(
        kinds(&events),
        [
            "created",
            "in_progress",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(events[0]["response"]["output"], json!([]));
    assert_eq!(
        events[2]["item"],
        json!({"id": "msg_R_0", "type": "message", "role": "assistant", "content": [], "status": "in_progress"})
    );
    assert_eq!(
        events[3]["part"],
        json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []})
    );
    assert_eq!(
        events[4],
        json!({"type": "response.output_text.delta", "sequence_number": 4, "item_id": "msg_R_0",
        "output_index": 0, "content_index": 0, "delta": "H\n", "logprobs": []})
    );
    assert_eq!(events[6]["text"], "H\ni");
    let whole = answered(json!({}), &completion(json!({"content": "H\ni"}), "stop"));
    assert_eq!(response(&events), whole);
}

#[test]
fn what_is_cut_ends_incomplete() {
    let events = streamed(json!({}), &[json!({"role": "assistant"}), json!({"content": "Hi"})], "length");
    assert_eq!(kinds(&events).last().map(String::as_str), Some("incomplete"));
    let response = response(&events);
    assert_eq!(
        (&response["status"], &response["output"][0]["status"]),
        (&json!("incomplete"), &json!("incomplete"))
    );
    assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
}

#[test]
fn interleaved_calls_keep_their_places() {
    let call = |index: usize, id: &str, name: &str| json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]});
    let piece = |index: usize, piece: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]});
    let tools = json!({"tools": [{"type": "custom", "name": "patch"},
        {"type": "namespace", "name": "n", "description": "", "tools": [{"type": "function", "name": "g"}]}]});
    let events = streamed(
        tools,
        &[
            json!({"role": "assistant", "content": "So."}),
            call(0, "a", "f"),
            call(1, "b", "patch"),
            piece(0, "{\"x\""),
            piece(1, "{\"input\":"),
            piece(0, ":1}"),
            piece(1, "\"p\\n\"}"),
            call(2, "c", "n__g"),
        ],
        "tool_calls",
    );
    assert_eq!(
        kinds(&events)[6..],
        [
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.delta",
            "output_item.added",
            "function_call_arguments.done",
            "output_item.done",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "function_call_arguments.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!((&events[10]["output_index"], &events[10]["item_id"]), (&json!(1), &json!("fc_R_1")));
    let output = response(&events)["output"].take();
    assert_eq!(output[1]["arguments"], "{\"x\":1}");
    assert_eq!((&output[2]["type"], &output[2]["input"]), (&json!("custom_tool_call"), &json!("p\n")));
    assert_eq!(
        (&output[3]["namespace"], &output[3]["name"], &output[3]["arguments"]),
        (&json!("n"), &json!("g"), &json!("{}"))
    );
}

#[test]
fn reasoning_and_its_state_come_back() {
    let events = streamed(
        json!({}),
        &[
            json!({"role": "assistant", "reasoning_content": "h", "reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "h", "format": "anthropic"}]}),
            json!({"reasoning_content": "m", "reasoning_details": [{"index": 0, "text": "m"}]}),
            json!({"reasoning_details": [{"index": 0, "signature": "S"}]}),
            json!({"reasoning_details": [{"index": 0, "signature": "T"}]}),
            json!({"reasoning_details": [{"index": 1, "type": "reasoning.encrypted", "data": "D", "format": "anthropic"}]}),
            json!({"content": "x"}),
            json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"s": 1}}}]}),
        ],
        "tool_calls",
    );
    assert_eq!(
        kinds(&events)[2..11],
        [
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "output_item.done"
        ]
    );
    assert_eq!(events[7]["part"], json!({"type": "summary_text", "text": "hm"}));
    let back = returned(&response(&events)["output"]);
    assert_eq!(
        back[0]["reasoning_details"],
        json!([
        {"type": "reasoning.text", "text": "hm", "signature": "ST", "format": "anthropic"},
        {"type": "reasoning.encrypted", "data": "D", "format": "anthropic"}])
    );
    assert_eq!(back[0]["tool_calls"][0]["extra_content"], json!({"google": {"s": 1}}));
    assert_eq!(back[0]["content"], "x");
}

#[test]
fn plain_reasoning_and_refusals_have_events() {
    let events = streamed(
        json!({}),
        &[
            json!({"role": "assistant", "reasoning_content": "hm"}),
            json!({"refusal": "n"}),
            json!({"refusal": "o"}),
        ],
        "stop",
    );
    assert_eq!(
        kinds(&events)[7..14],
        [
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "refusal.delta",
            "refusal.delta",
            "refusal.done",
            "content_part.done"
        ]
        .map(str::to_owned)[..]
    );
    assert_eq!(events[12]["refusal"], "no");
}

#[test]
fn parts_and_annotations_have_places() {
    let events = streamed(
        json!({}),
        &[
            json!({"role": "assistant", "content": "a"}),
            json!({"content_parts": [{"type": "text", "text": "b", "extra_content": {"google": {}}}]}),
            json!({"content": "c"}),
            json!({"annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}]}),
            json!({"content_parts": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}),
        ],
        "stop",
    );
    let output = response(&events)["output"].take();
    assert_eq!(output[0]["content"][2]["annotations"], json!([{"type": "url_citation", "url": "u"}]));
    let back = returned(&output);
    assert_eq!(
        back[0]["content"],
        json!([
        {"type": "text", "text": "a"}, {"type": "text", "text": "b", "extra_content": {"google": {}}}, {"type": "text", "text": "c"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])
    );
}

#[test]
fn a_failed_stream_says_so_once() {
    let error = GatewayError::upstream(Kind::Malformed, "the stream was cut");
    let envelope = read(&request(json!({})).to_string()).expect("reads");
    let mut writer = OpenAiResponses.stream(&facts(), &envelope);
    let mut out = Vec::new();
    writer.fail(&error, "R", &mut out);
    writer.finish(&mut out);
    assert_eq!(
        events(&out),
        [
            json!({"type": "error", "sequence_number": 0, "code": "upstream_malformed", "message": "the stream was cut", "param": null})
        ]
    );

    let mut writer = OpenAiResponses.stream(&facts(), &envelope);
    let mut out = Vec::new();
    writer
        .chunk(chunk(json!({"role": "assistant", "content": "Hi"}), None).as_bytes(), &mut out)
        .expect("a legal chunk");
    writer.fail(&error, "R", &mut out);
    writer.finish(&mut out);
    let events = events(&out);
    let last = events.last().expect("events");
    assert_eq!((&last["type"], &last["response"]["status"]), (&json!("response.failed"), &json!("failed")));
    assert_eq!(last["response"]["error"], json!({"code": "server_error", "message": "the stream was cut"}));
    assert_eq!(last["response"]["output"][0]["status"], "incomplete");
}

#[test]
fn an_adapters_nonsense_is_its_fault() {
    let envelope = read(&request(json!({})).to_string()).expect("reads");
    for line in [
        "x",
        "[]",
        r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"name":"f"}}]}}]}"#,
    ] {
        let mut writer = OpenAiResponses.stream(&facts(), &envelope);
        assert_eq!(writer.chunk(line.as_bytes(), &mut Vec::new()).expect_err(line).kind, Kind::Adapter);
    }
}
