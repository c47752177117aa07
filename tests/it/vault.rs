//! Reasoning state goes back to its owner through clients that drop it, and never to anybody else.

use serde_json::{Value, json};

use super::support::client::Client;
use super::support::gateway::good;
use super::support::{Gateway, KEY, Shape, configuration, upstream};
use causeway::mock::Running;

const OTHER: &str = "cw-the-key-of-somebody-else-0123";

/// Three providers, two keys, a store on disk.
fn configured(mock: &Running) -> String {
    let second = format!("[keys.other]\nsecret = \"{OTHER}\"\n[store]\npath = \"state\"\n");
    [configuration(&upstream::url(mock)), second].concat()
}

/// What a client sends back that keeps nothing but what OpenAI's API names.
fn bare(message: &Value) -> Value {
    let calls = message["tool_calls"].as_array().unwrap().iter().map(|call| {
        json!({ "id": call["id"], "type": "function",
            "function": { "name": call["function"]["name"], "arguments": call["function"]["arguments"] } })
    });
    json!({ "role": "assistant", "content": message["content"], "tool_calls": calls.collect::<Vec<_>>() })
}

/// The message of a stream, put together by a client that knows nothing else.
fn gathered(events: &[super::support::sse::Event]) -> Value {
    let (mut content, mut calls) = (String::new(), Vec::new());
    for event in events {
        let delta = &event.json()["choices"][0]["delta"];
        content.push_str(delta["content"].as_str().unwrap_or_default());
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(piece["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                calls.push(json!({ "id": piece["id"], "function": { "name": piece["function"]["name"], "arguments": "" } }));
            }
            let arguments = calls[index]["function"]["arguments"].as_str().unwrap().to_owned();
            let more = piece["function"]["arguments"].as_str().unwrap_or_default();
            calls[index]["function"]["arguments"] = json!(arguments + more);
        }
    }
    let content = if content.is_empty() { Value::Null } else { json!(content) };
    json!({ "content": content, "tool_calls": calls })
}

fn question(text: &str) -> Value {
    Shape::OpenAi.with_reasoning(Shape::OpenAi.with_tools(Shape::OpenAi.says(text)))
}

/// The question, the calls as a bare client gives them back, and their results.
fn answered(mut question: Value, message: &Value) -> Value {
    let message = bare(message);
    let ids: Vec<Value> =
        message["tool_calls"].as_array().unwrap().iter().map(|call| call["id"].clone()).collect();
    let messages = question["messages"].as_array_mut().unwrap();
    messages.push(message);
    messages
        .extend(ids.into_iter().map(|id| json!({ "role": "tool", "tool_call_id": id, "content": "sunny" })));
    question
}

/// The signatures in the last request that a provider got.
fn signatures(mock: &Running) -> Vec<String> {
    fn gather(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| match (name.as_str(), value) {
                ("signature" | "thoughtSignature", Value::String(text)) => found.push(text.clone()),
                _ => gather(value, found),
            }),
            Value::Array(list) => list.iter().for_each(|value| gather(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(&mock.requests().last().unwrap().json(), &mut found);
    // The word that stands in for a signature is none.
    found.retain(|signature| !signature.starts_with("c2tpcF90"));
    found
}

async fn first_turn(client: &Client, model: &str, question: &Value, streamed: bool) -> Value {
    if streamed {
        let reply = client.stream(Shape::OpenAi, model, question).await.rest().await;
        assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        return gathered(&reply.events());
    }
    good(&client.ask(Shape::OpenAi, model, question).await)["choices"][0]["message"].clone()
}

#[tokio::test]
async fn a_client_that_drops_signatures_gets_them_back_to_their_owner() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    for provider in [Shape::Anthropic, Shape::Gemini] {
        for (text, streamed) in
            [("weather?", false), ("weather?", true), ("both in parallel", false), ("both in parallel", true)]
        {
            let model = format!("{}/mock-think", provider.word());
            let case = format!("{model} {text} streamed: {streamed}");
            let question = question(text);
            let message = first_turn(&gateway.client(), &model, &question, streamed).await;
            let back = answered(question, &message);
            let reply = gateway.client().ask(Shape::OpenAi, &model, &back).await;
            assert_eq!(reply.status, 200, "{case}: {}", reply.text());
            assert!(!signatures(&mock).is_empty(), "{case}: {}", mock.requests().last().unwrap().json());
            assert!(Shape::OpenAi.whole(&good(&reply)).text.contains("sunny"), "{case}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn nobody_else_gets_them() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let question = question("weather?");
    let message = first_turn(&gateway.client(), "anthropic/mock-think", &question, false).await;
    let back = answered(question, &message);
    // Another vendor, and another model of the same one.
    for model in ["gemini/mock-think", "openai/mock-think", "anthropic/mock"] {
        let reply = gateway.client().ask(Shape::OpenAi, model, &back).await;
        assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        assert!(signatures(&mock).is_empty(), "{model}");
    }
    // Another key that knows everything the first client said.
    let named = Shape::OpenAi.named(&back, "anthropic/mock-think", false);
    let other = gateway.client().with("authorization", &format!("Bearer {OTHER}"));
    let reply = other.post("/v1/chat/completions", &named).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(signatures(&mock).is_empty());
    let reply = gateway.client().ask(Shape::OpenAi, "anthropic/mock-think", &back).await;
    assert_eq!((reply.status, signatures(&mock).len()), (200, 1), "{}", reply.text());
}

#[tokio::test]
async fn they_outlive_a_crash() {
    let mock = upstream::mock();
    let mut gateway = Gateway::start(&configured(&mock)).await;
    let question = question("weather?");
    let message = first_turn(&gateway.client(), "anthropic/mock-think", &question, true).await;
    // What is acknowledged as durable takes everything written before it along.
    let durable = json!({ "model": "openai/mock", "input": "keep this" });
    let reply = gateway.client().with_key().post("/v1/responses", &durable).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    gateway.crash().await;
    let back = answered(question, &message);
    let reply = gateway.client().ask(Shape::OpenAi, "anthropic/mock-think", &back).await;
    assert_eq!((reply.status, signatures(&mock).len()), (200, 1), "{}", reply.text());
}

/// Every dialect's client takes a tool loop from every provider to every other, with everything it was given. The mock
/// refuses signatures that are not its own and, as OpenAI does, fields it does not know.
#[tokio::test]
async fn what_was_sealed_never_reaches_another_vendor() {
    const SEALS: [&str; 2] = ["causeway:", "Y2F1c2V3YXk6"];
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let mut sealed = 0;
    for dialect in Shape::ALL {
        for (from, to) in Shape::pairs() {
            let case = format!("{} from {} to {}", dialect.word(), from.word(), to.word());
            let question = dialect.with_reasoning(dialect.with_tools(dialect.says("both in parallel")));
            let answer =
                good(&gateway.client().ask(dialect, &format!("{}/mock-think", from.word()), &question).await);
            let text = answer.to_string();
            sealed += usize::from(SEALS.iter().any(|seal| text.contains(seal)));
            let back = dialect.with_results(question, &answer, &["sunny", "noon"]);
            let reply = gateway.client().ask(dialect, &format!("{}/mock-think", to.word()), &back).await;
            assert_eq!(reply.status, 200, "{case}: {}\n{back}", reply.text());
            assert!(dialect.whole(&good(&reply)).text.contains("sunny"), "{case}: {}", reply.text());
            let asked = mock.requests().last().unwrap().json();
            let asked = asked.to_string();
            assert!(SEALS.iter().all(|seal| !asked.contains(seal)), "{case}: {asked}");
            if from == to && from != Shape::OpenAi {
                assert!(!signatures(&mock).is_empty(), "{case}: {asked}");
            }
        }
    }
    assert!(sealed > 3, "only {sealed} answers had something sealed in them");
}

/// The bytes around what is taken out are the client's own.
#[tokio::test]
async fn a_passage_changes_nothing_but_what_was_sealed() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let send = async |block: &str| {
        let body = format!(
            "{{ \"model\" : \"anthropic/mock\",\n\"max_tokens\":  9.9e1 , \"x\":1,\"messages\":[ {{\"role\":\"user\", \"content\":\"a\\u0062c\"}},\
             {{\"content\":[{block}{{ \"type\":\"text\" , \"text\":\"t\"}}],\"role\":\"assistant\"}}, {{\"role\":\"user\",\"content\":\"z\"}} ] }}"
        )
        .replace("\"x\":1,", "")
        .replace("9.9e1", "99");
        let reply = gateway.client().with_key().send("POST", "/v1/messages", body.as_bytes()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        String::from_utf8(mock.requests().last().unwrap().body.to_vec()).unwrap()
    };
    let plain = send("").await;
    assert!(plain.contains("{ \"model\" : \"mock\",\n\"max_tokens\":  99 , \"messages\":[ {"), "{plain}");
    for block in [
        r#"{"type":"thinking","thinking":"t","signature":"causeway:gemini:abc"},"#,
        r#"{"type":"thinking","thinking":"plain","signature" : ""}, "#,
        r#"{"type":"redacted_thinking","data":"causeway:bound:{}"},{"type":"redacted_thinking","data":"causeway:openai:x"},"#,
    ] {
        assert_eq!(send(block).await, plain, "{block}");
    }
    assert!(gateway.lines().iter().all(|line| !line.contains(KEY)));
}
