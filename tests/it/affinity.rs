//! One conversation stays on one target, and moves when that fails.

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, provider};
use causeway::mock::Running;

const NAMES: [&str; 3] = ["east", "west", "south"];

/// A model `m` with three targets.
fn configured(urls: &[String], more: &str) -> String {
    let mut text =
        format!("[keys.tests]\nsecret = \"{KEY}\"\n[keys.other]\nsecret = \"cw-other-key-0123456789\"\n");
    for (name, url) in NAMES.iter().zip(urls) {
        text.push_str(&provider(name, Shape::OpenAi, url));
    }
    text.push_str(&format!("[models.m]\ntargets = [\"east/mock\", \"west/mock\", \"south/mock\"]\n{more}\n"));
    text
}

fn urls(mocks: &[Running]) -> Vec<String> {
    mocks.iter().map(upstream::url).collect()
}

/// How many requests each has got.
fn counts(mocks: &[Running]) -> Vec<usize> {
    mocks.iter().map(|mock| mock.requests().len()).collect()
}

/// A turn of a conversation as Claude Code has it: system blocks, a session in header and body, and more messages each
/// time, with a cache mark on the last.
fn turn(session: &str, number: usize) -> Value {
    let mark = json!({ "type": "ephemeral" });
    let mut messages =
        vec![json!({ "role": "user", "content": [{ "type": "text", "text": "fix the bug" }] })];
    for past in 0..number {
        messages.push(
            json!({ "role": "assistant", "content": [{ "type": "text", "text": format!("step {past}") }] }),
        );
        messages.push(json!({ "role": "user", "content": [{ "type": "text", "text": "go on" }] }));
    }
    messages.last_mut().unwrap()["content"][0]["cache_control"] = mark.clone();
    let user = json!({ "device_id": "d", "account_uuid": "", "session_id": session }).to_string();
    json!({ "model": "m", "max_tokens": 64, "metadata": { "user_id": user }, "messages": messages, "system": [
        { "type": "text", "text": format!("x-anthropic-billing-header: cch={number};") },
        { "type": "text", "text": "You are an agent.", "cache_control": mark }] })
}

#[tokio::test]
async fn a_conversation_of_an_agent_stays_on_one_target() {
    let mocks = [upstream::mock(), upstream::mock(), upstream::mock()];
    let gateway = Gateway::start(&configured(&urls(&mocks), "sticky = \"session\"")).await;
    let client = gateway.client().with_key().with("x-claude-code-session-id", "5e55-10");
    for number in 0..100 {
        good(&client.post("/v1/messages?beta=true", &turn("5e55-10", number)).await);
    }
    let mut found = counts(&mocks);
    found.sort_unstable();
    assert_eq!(found, [0, 0, 100]);
    gateway.until_metric("causeway_affinity_total", &["model=\"m\"", "outcome=\"kept\""], 100.0).await;
    // Without the header the body says the same; and another node, or this one after a restart, finds the same place.
    let home = counts(&mocks);
    let again = Gateway::start(&configured(&urls(&mocks), "sticky = \"session\"")).await;
    let reply = again.client().with_key().post("/v1/messages", &turn("5e55-10", 3)).await;
    assert_eq!(again.request_line(reply.header("x-request-id")).await["affinity"], "kept");
    let grown: Vec<_> = home.iter().map(|count| count + count / 100).collect();
    assert_eq!(counts(&mocks), grown);
}

#[tokio::test]
async fn many_conversations_are_spread_and_each_stays() {
    let mocks = [upstream::mock(), upstream::mock(), upstream::mock()];
    let more = "sticky = \"prefix\"\n[routing]\nsession_headers = [\"x-basket\"]";
    let gateway = Gateway::start(&configured(&urls(&mocks), more)).await;
    let mut homes = Vec::new();
    for talk in 0..24 {
        let mut own = Vec::new();
        for number in 0..4 {
            let client = gateway.client().with_key();
            // Every second one names itself in a header of the operator's own; the others begin differently.
            let (client, body) = match talk % 2 {
                0 => (client.with("x-basket", &format!("b-{talk}")), turns(&format!("{number}"), 0)),
                _ => (client, turns(&format!("question {talk}"), number)),
            };
            let before = counts(&mocks);
            good(&client.post("/v1/chat/completions", &body).await);
            let after = counts(&mocks);
            own.push((0..3).find(|at| before[*at] != after[*at]).unwrap());
        }
        assert!(own.iter().all(|home| *home == own[0]), "conversation {talk}: {own:?}");
        homes.push(own[0]);
    }
    for at in 0..3 {
        assert!(homes.contains(&at), "{at} has none of 24: {homes:?}");
    }
}

/// A conversation of OpenAI's chat API that begins with this.
fn turns(subject: &str, number: usize) -> Value {
    let mut messages = vec![json!({ "role": "user", "content": subject })];
    for past in 0..number {
        messages.push(json!({ "role": "assistant", "content": format!("answer {past}") }));
        messages.push(json!({ "role": "user", "content": "and then?" }));
    }
    json!({ "model": "m", "messages": messages })
}

#[tokio::test]
async fn answers_that_follow_each_other_are_one_conversation() {
    let mocks = [upstream::mock(), upstream::mock(), upstream::mock()];
    let gateway = Gateway::start(&configured(&urls(&mocks), "sticky = \"session\"")).await;
    let client = gateway.client().with_key();
    for talk in 0..4 {
        let before = counts(&mocks);
        let mut previous = Value::Null;
        for number in 0..5 {
            let input = format!("{talk}.{number}");
            let body = json!({ "model": "m", "input": input, "previous_response_id": previous });
            previous = good(&client.post("/v1/responses", &body).await)["id"].clone();
        }
        let grown: Vec<_> =
            counts(&mocks).iter().zip(&before).map(|(after, before)| after - before).collect();
        assert!(grown.contains(&5), "conversation {talk} went {grown:?}");
    }
}

#[tokio::test]
async fn what_no_conversation_is_known_of_is_balanced() {
    let mocks = [upstream::mock(), upstream::mock(), upstream::mock()];
    let more = "sticky = \"session\"\nbalance = \"round-robin\"";
    let gateway = Gateway::start(&configured(&urls(&mocks), more)).await;
    for _ in 0..6 {
        good(&gateway.client().with_key().post("/v1/chat/completions", &turns("hello", 0)).await);
    }
    assert_eq!(counts(&mocks), [2, 2, 2]);
    gateway.until_metric("causeway_affinity_total", &["outcome=\"unknown\""], 6.0).await;
}

const DONE: &str = "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"done\"},\"finish_reason\":\"stop\"}]}";

fn answers(status: &str, body: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n");
    vec![Step::send(format!("{head}content-length: {}\r\n\r\n{body}", body.len())), Step::Close]
}

#[tokio::test]
async fn a_conversation_moves_when_its_target_fails_and_stays_there() {
    let mut targets = Vec::new();
    for _ in NAMES {
        targets.push(Scripted::start(answers("200 OK", DONE)).await);
    }
    let urls: Vec<_> = targets.iter().map(Scripted::url).collect();
    let more = "sticky = \"session\"\nretry = { attempts = 3, backoff = \"1ms..1ms\" }";
    let gateway = Gateway::start(&configured(&urls, more)).await;
    let client = gateway.client().with_key().with("x-openwebui-chat-id", "c-1");
    // Who answered, and what became of affinity.
    let ask = async |number: usize| {
        let reply = client.post("/v1/chat/completions", &turns("hello", number)).await;
        assert_eq!(good(&reply)["choices"][0]["message"]["content"], "done");
        let line = gateway.request_line(reply.header("x-request-id")).await;
        (line["provider"].as_str().unwrap().to_owned(), line["affinity"].as_str().unwrap().to_owned())
    };
    let (home, kept) = ask(0).await;
    assert_eq!(kept, "kept");
    let failing = &targets[NAMES.iter().position(|name| *name == home).unwrap()];
    failing.play(answers("503 Service Unavailable", "{\"error\":{\"message\":\"down\"}}"));
    let (second, moved) = ask(1).await;
    assert_eq!(moved, "moved");
    assert_ne!(second, home);
    for number in 2..6 {
        assert_eq!(ask(number).await, (second.clone(), "moved".to_owned()), "it stays where it moved to");
    }
}
