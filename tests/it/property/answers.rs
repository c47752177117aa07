//! An answer that a client sends back is, for its own vendor, the answer it was: the same blocks in the same order.

use serde_json::{Value, json};

use super::generate::{Block, Random};
use super::hold;
use crate::support::translation::*;

const SIGNATURE: &str = "c2lnbmF0dXJl";

#[test]
fn an_answer_sent_back_by_any_client_reaches_its_vendor_as_it_was() {
    hold(&[2], 40, |random| {
        let blocks = spoken(random);
        let texts = blocks.iter().filter(|block| matches!(block, Block::Text(_))).count();
        for (vendor, place) in [
            (ANTHROPIC, "/messages/1/content"),
            (BEDROCK, "/messages/1/content"),
            (GOOGLE_3, "/contents/1/parts"),
        ] {
            let content: Vec<Value> = blocks.iter().map(|block| written(vendor, block)).collect();
            for path in [CHAT, MESSAGES, GEMINI, RESPONSES] {
                let own = [("gemini", GEMINI), ("anthropic", MESSAGES)].contains(&(vendor.adapter, path));
                // A chat client gets all text as one string: what stood between two texts stands behind them.
                if own || path == CHAT && texts > 1 {
                    continue;
                }
                let answered = vendor.answers(path, &request(path, None, &blocks), &answer(vendor, &content));
                let asked = vendor.gets(path, &request(path, Some(&answered), &blocks));
                let back = asked.body.pointer(place).unwrap();
                let back = match back {
                    Value::String(text) => json!([{ "type": "text", "text": text }]),
                    back => back.clone(),
                };
                assert_eq!(back, json!(content), "{} → {path}\n{answered}\n{asked:?}", vendor.adapter);
            }
        }
    });
}

/// Blocks of an answer that ends with its calls, as these vendors' do.
fn spoken(random: &mut Random) -> Vec<Block> {
    let blocks = random.blocks();
    let (calls, mut spoken): (Vec<_>, Vec<_>) =
        blocks.into_iter().partition(|block| matches!(block, Block::Call { .. }));
    // Two texts that met are one.
    spoken.dedup_by(|next, before| std::mem::discriminant(next) == std::mem::discriminant(before));
    if spoken.is_empty() {
        spoken.push(Block::Text("so".into()));
    }
    spoken.extend(calls);
    spoken
}

/// One block in the vendor's own form.
fn written(vendor: Vendor, block: &Block) -> Value {
    match (vendor.adapter, block) {
        ("anthropic", Block::Text(text)) => json!({ "type": "text", "text": text }),
        ("anthropic", Block::Thought(text)) => {
            json!({ "type": "thinking", "thinking": text, "signature": SIGNATURE })
        }
        ("anthropic", Block::Call { id, name, arguments }) => {
            json!({ "type": "tool_use", "id": id, "name": name, "input": arguments })
        }
        ("bedrock", Block::Text(text)) => json!({ "text": text }),
        ("bedrock", Block::Thought(text)) => {
            json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": SIGNATURE } } })
        }
        ("bedrock", Block::Call { id, name, arguments }) => {
            json!({ "toolUse": { "toolUseId": id, "name": name, "input": arguments } })
        }
        (_, Block::Text(text)) => json!({ "text": text }),
        (_, Block::Thought(text)) => json!({ "text": text, "thought": true, "thoughtSignature": SIGNATURE }),
        (_, Block::Call { id, name, arguments }) => {
            json!({ "functionCall": { "id": id, "name": name, "args": arguments }, "thoughtSignature": SIGNATURE })
        }
    }
}

fn answer(vendor: Vendor, content: &[Value]) -> Value {
    match vendor.adapter {
        "anthropic" => json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
            "content": content, "stop_reason": "end_turn", "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 2 } }),
        "bedrock" => json!({ "output": { "message": { "role": "assistant", "content": content } },
            "stopReason": "end_turn", "usage": { "inputTokens": 1, "outputTokens": 2, "totalTokens": 3 } }),
        _ => json!({ "candidates": [{ "index": 0, "finishReason": "STOP",
            "content": { "role": "model", "parts": content } }], "responseId": "r", "modelVersion": "g" }),
    }
}

/// A request in a dialect; with an answer, it is sent back and every call has its result.
fn request(path: &str, answered: Option<&Value>, blocks: &[Block]) -> Value {
    let calls: Vec<(&str, &str)> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Call { id, name, .. } => Some((id.as_str(), name.as_str())),
            _ => None,
        })
        .collect();
    let names = ["tool_0", "tool_1", "tool_2"];
    let schema = json!({ "type": "object" });
    let done = if calls.is_empty() { vec![user("and now?")] } else { Vec::new() };
    match path {
        CHAT => {
            let mut turns = vec![user("go")];
            turns.extend(answered.map(|answer| answer["choices"][0]["message"].clone()));
            if answered.is_some() {
                turns.extend(calls.iter().map(|(id, _)| result(id, "done")));
                turns.extend(done);
            }
            let tools: Vec<_> = names.iter().map(|name| function(name)).collect();
            chat(json!(turns), json!({ "tools": tools, "reasoning": { "max_tokens": 2048 } }))
        }
        MESSAGES => {
            let mut turns = vec![user("go")];
            if let Some(answer) = answered {
                turns.push(json!({ "role": "assistant", "content": answer["content"] }));
                let results: Vec<_> = calls
                    .iter()
                    .map(|(id, _)| json!({ "type": "tool_result", "tool_use_id": id, "content": "done" }))
                    .collect();
                turns.extend(if calls.is_empty() { done } else { vec![user(json!(results))] });
            }
            let tools: Vec<_> =
                names.iter().map(|name| json!({ "name": name, "input_schema": schema })).collect();
            let thinking = json!({ "type": "enabled", "budget_tokens": 2048 });
            messages(json!(turns), json!({ "tools": tools, "thinking": thinking }))
        }
        RESPONSES => {
            let mut input = vec![user("go")];
            if let Some(answer) = answered {
                input.extend(answer["output"].as_array().unwrap().clone());
                let output =
                    |id: &str| json!({ "type": "function_call_output", "call_id": id, "output": "done" });
                input.extend(calls.iter().map(|(id, _)| output(id)));
                input.extend(done);
            }
            let tools: Vec<_> = names
                .iter()
                .map(|name| json!({ "type": "function", "name": name, "parameters": schema }))
                .collect();
            json!({ "model": "m", "input": input, "tools": tools, "reasoning": { "effort": "medium" } })
        }
        _ => of_gemini(answered, &calls),
    }
}

/// The same in Gemini's API.
fn of_gemini(answered: Option<&Value>, calls: &[(&str, &str)]) -> Value {
    let (names, schema) = (["tool_0", "tool_1", "tool_2"], json!({ "type": "object" }));
    let said = |parts: Value| json!({ "role": "user", "parts": parts });
    let mut contents = vec![said(json!([{ "text": "go" }]))];
    if let Some(answer) = answered {
        contents.push(answer["candidates"][0]["content"].clone());
        let response = |(id, name): &(&str, &str)| json!({ "functionResponse": { "id": id, "name": name, "response": { "result": "done" } } });
        let results: Vec<_> = calls.iter().map(response).collect();
        contents.push(said(if calls.is_empty() { json!([{ "text": "and now?" }]) } else { json!(results) }));
    }
    let tools: Vec<_> =
        names.iter().map(|name| json!({ "name": name, "parametersJsonSchema": schema })).collect();
    json!({ "contents": contents, "tools": [{ "functionDeclarations": tools }],
        "generationConfig": { "thinkingConfig": { "includeThoughts": true, "thinkingBudget": 2048 } } })
}
