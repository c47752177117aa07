//! A request read and written again in its own API is, from then on, the same: nothing more is lost or invented.

use serde_json::{Value, json};

use super::generate::Random;
use super::hold;
use crate::support::translation::*;

#[test]
fn a_request_written_in_its_own_api_reads_as_it_was_written() {
    hold(&[], 40, |random| {
        for (path, vendor) in [(CHAT, AZURE), (MESSAGES, ANTHROPIC), (GEMINI, GOOGLE)] {
            let turns = 1 + 2 * random.below(4);
            let body = match path {
                CHAT => asked_in_chat(random, turns),
                MESSAGES => asked_in_messages(random, turns),
                _ => asked_of_gemini(random, turns),
            };
            let once = vendor.gets(path, &body);
            // Gemini has its model in the path.
            let twice = vendor.gets(path, &once.body);
            assert_eq!(twice.body, once.body, "{path}: {body}");
            assert!(twice.losses.is_empty(), "{path}: {twice:?}");
            let sent = texts(&once.body).join("\n");
            for said in texts(&body).into_iter().filter(|text| text.starts_with('a') && text.ends_with('z')) {
                assert!(sent.contains(said), "{path}: {said:?} is gone: {once:?}");
            }
        }
    });
}

fn some(random: &mut Random, mut fields: Value, percent: usize) -> Value {
    fields.as_object_mut().unwrap().retain(|_, _| random.chance(percent));
    fields
}

fn asked_in_chat(random: &mut Random, turns: usize) -> Value {
    let mut said = Vec::new();
    if random.chance(50) {
        said.push(json!({ "role": "system", "content": random.text() }));
    }
    for turn in 0..turns {
        if turn % 2 == 0 {
            let picture =
                json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0K" } });
            let content = match random.below(2) {
                0 => json!(random.text()),
                _ => json!([{ "type": "text", "text": random.text() }, picture]),
            };
            said.push(user(content));
        } else if random.chance(50) {
            said.push(json!({ "role": "assistant", "content": random.text() }));
        } else {
            let (first, second) = (format!("call_{turn}_a"), format!("call_{turn}_b"));
            let calls = [(&first, "tool_0"), (&second, "tool_1")]
                .map(|(id, name)| call(id, name, &random.arguments().to_string()));
            said.push(calling(json!(calls)));
            said.extend([result(&second, random.text()), result(&first, random.text())]);
        }
    }
    let settings = some(
        random,
        json!({ "temperature": 0, "top_p": 0.5, "stop": ["azure-stop"], "seed": 7, "n": 2, "user": "someone",
            "max_completion_tokens": 99, "parallel_tool_calls": false, "reasoning_effort": "low",
            "response_format": { "type": "json_object" }, "logprobs": true, "top_logprobs": 2 }),
        30,
    );
    with(chat(json!(said), json!({ "tools": [function("tool_0"), function("tool_1")] })), settings)
}

fn asked_in_messages(random: &mut Random, turns: usize) -> Value {
    let mut said = Vec::new();
    let mut results: Vec<Value> = Vec::new();
    for turn in 0..turns {
        if turn % 2 == 0 {
            let mut content = std::mem::take(&mut results);
            content.push(json!({ "type": "text", "text": random.text() }));
            said.push(user(json!(content)));
            continue;
        }
        let mut content = Vec::new();
        if random.chance(30) {
            content.push(json!({ "type": "thinking", "thinking": random.text(), "signature": "c2ln" }));
        }
        content.push(json!({ "type": "text", "text": random.text() }));
        for number in 0..random.below(3) {
            let id = format!("toolu_{turn}_{number}");
            content
                .push(json!({ "type": "tool_use", "id": id, "name": "tool_0", "input": random.arguments() }));
            results.push(json!({ "type": "tool_result", "tool_use_id": id, "content": random.text() }));
        }
        said.push(json!({ "role": "assistant", "content": content }));
    }
    let mark = json!({ "type": "ephemeral", "ttl": "1h" });
    let system = random.text();
    let settings = some(
        random,
        json!({ "system": [{ "type": "text", "text": system, "cache_control": mark }], "temperature": 0,
            "top_k": 5, "stop_sequences": ["halt"], "metadata": { "user_id": "someone" },
            "tool_choice": { "type": "auto", "disable_parallel_tool_use": true } }),
        40,
    );
    let tools = json!({ "tools": [{ "name": "tool_0", "description": "does", "input_schema": { "type": "object" }, "cache_control": mark }] });
    with(messages(json!(said), tools), settings)
}

fn asked_of_gemini(random: &mut Random, turns: usize) -> Value {
    let mut contents = Vec::new();
    let mut results: Vec<Value> = Vec::new();
    for turn in 0..turns {
        if turn % 2 == 0 {
            let answered = std::mem::take(&mut results);
            let parts =
                if answered.is_empty() { json!([{ "text": random.text() }]) } else { json!(answered) };
            contents.push(json!({ "role": "user", "parts": parts }));
            continue;
        }
        let mut parts = vec![json!({ "text": random.text() })];
        for number in 0..random.below(3) {
            let id = format!("call_{turn}_{number}");
            parts.push(json!({ "functionCall": { "id": id, "name": "tool_0", "args": random.arguments() } }));
            results.push(json!({ "functionResponse": { "id": id, "name": "tool_0", "response": { "result": random.text() } } }));
        }
        contents.push(json!({ "role": "model", "parts": parts }));
    }
    let generation = some(
        random,
        json!({ "temperature": 0, "topP": 0.5, "topK": 5, "maxOutputTokens": 99, "stopSequences": ["halt"],
            "candidateCount": 2, "seed": 7, "presencePenalty": 0.5 }),
        40,
    );
    let system = random.text();
    let settings = some(random, json!({ "systemInstruction": { "parts": [{ "text": system }] } }), 50);
    let declared =
        json!([{ "name": "tool_0", "description": "does", "parametersJsonSchema": { "type": "object" } }]);
    with(
        json!({ "contents": contents, "generationConfig": generation, "tools": [{ "functionDeclarations": declared }] }),
        settings,
    )
}
