//! The Responses API with its memory: answers that are kept, referred to, shown, forgotten and made shorter.

use serde_json::{Value, json};

use super::support::client::{Client, Reply};
use super::support::gateway::good;
use super::support::{Gateway, KEY, Shape, configuration, upstream};
use causeway::mock::Running;

const OTHER: &str = "cw-the-key-of-somebody-else-0123";
const PATH: &str = "/v1/responses";

fn configured(mock: &Running) -> String {
    let more = format!("[keys.other]\nsecret = \"{OTHER}\"\n[store]\npath = \"state\"\n");
    [configuration(&upstream::url(mock)), more].concat()
}

fn client(gateway: &Gateway) -> Client {
    gateway.client().with_key()
}

fn other(gateway: &Gateway) -> Client {
    gateway.client().with("authorization", &format!("Bearer {OTHER}"))
}

/// The response at the end of a stream, or the whole one.
fn response(reply: &Reply) -> Value {
    if reply.header("content-type").starts_with("application/json") {
        return good(reply);
    }
    assert!(reply.status == 200 && reply.complete, "{}", reply.text());
    let events = reply.events();
    let last = events.last().expect("a stream has events");
    assert_eq!(last.name, "response.completed", "{}", reply.text());
    last.json()["response"].clone()
}

fn text(response: &Value) -> String {
    let output = response["output"].as_array().unwrap();
    let message =
        output.iter().find(|item| item["type"] == "message").unwrap_or_else(|| panic!("{response}"));
    message["content"][0]["text"].as_str().unwrap().to_owned()
}

fn id(response: &Value) -> &str {
    response["id"].as_str().unwrap()
}

#[track_caller]
fn refused(reply: &Reply, status: u16, param: Option<&str>) -> String {
    assert_eq!(reply.status, status, "{}", reply.text());
    let error = &reply.json()["error"];
    assert_eq!(error["type"], "invalid_request_error", "{error}");
    assert_eq!(error["param"].as_str(), param, "{error}");
    assert!(error["message"].is_string(), "{error}");
    error["code"].as_str().unwrap_or_default().to_owned()
}

/// What the provider was sent last, as text.
fn asked(mock: &Running) -> String {
    mock.requests().last().unwrap().json().to_string()
}

#[tokio::test]
async fn a_conversation_goes_on_from_its_last_answer() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    for provider in Shape::ALL {
        for stream in [false, true] {
            let model = format!("{}/mock", provider.word());
            let ask = async |input: &str, previous: Option<&str>| {
                let body = json!({ "model": model, "input": input, "stream": stream, "previous_response_id": previous });
                response(&client(&gateway).post(PATH, &body).await)
            };
            let first = ask("first words", None).await;
            assert_eq!(
                (&first["store"], &first["previous_response_id"]),
                (&json!(true), &Value::Null),
                "{first}"
            );
            let second = ask("second words", Some(id(&first))).await;
            assert_eq!(second["previous_response_id"], first["id"]);
            assert!(text(&second).contains("second words"), "{second}");
            let third = ask("third words", Some(id(&second))).await;
            let sent = asked(&mock);
            let places: Vec<_> = ["first words", "You said", "second words", "third words"]
                .iter()
                .map(|words| sent.find(words).unwrap_or_else(|| panic!("{words}: {sent}")))
                .collect();
            assert!(places.is_sorted(), "{sent}");
            // It may also go on from earlier, and over another provider.
            let body =
                json!({ "model": "openai/mock", "input": "aside", "previous_response_id": id(&first) });
            good(&client(&gateway).post(PATH, &body).await);
            assert!(asked(&mock).contains("first words") && !asked(&mock).contains("second words"));
            assert_eq!(good(&client(&gateway).get(&format!("{PATH}/{}", id(&third))).await), third);
        }
    }
}

#[tokio::test]
async fn a_tool_loop_needs_only_its_results() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let tools = json!([{ "type": "function", "name": "get_weather", "parameters": { "type": "object",
        "properties": { "city": { "type": "string" } }, "required": ["city"], "additionalProperties": false } }]);
    for provider in ["anthropic", "gemini"] {
        for stream in [false, true] {
            let model = format!("{provider}/mock-think");
            let body = json!({ "model": model, "input": "weather?", "tools": tools, "stream": stream,
                "reasoning": { "effort": "low", "summary": "auto" } });
            let first = response(&client(&gateway).post(PATH, &body).await);
            let call = first["output"]
                .as_array()
                .unwrap()
                .iter()
                .find(|item| item["type"] == "function_call")
                .unwrap();
            let mut body = body.clone();
            body["previous_response_id"] = first["id"].clone();
            body["input"] =
                json!([{ "type": "function_call_output", "call_id": call["call_id"], "output": "sunny" }]);
            let second = response(&client(&gateway).post(PATH, &body).await);
            assert!(text(&second).contains("sunny"), "{second}");
            let sent = asked(&mock);
            assert!(sent.contains("\"signature\"") || sent.contains("\"thoughtSignature\""), "{sent}");
            assert!(!sent.contains("causeway:"), "{sent}");
        }
    }
}

#[tokio::test]
async fn what_was_not_kept_and_what_is_anothers_does_not_exist() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let client = client(&gateway);
    let kept = good(&client.post(PATH, &json!({ "model": "openai/mock", "input": "x" })).await);
    let body = json!({ "model": "openai/mock", "input": "x", "store": false });
    let fleeting = good(&client.post(PATH, &body).await);
    assert_eq!(fleeting["store"], false);
    let nowhere = "resp_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let cases = [
        (&client, id(&fleeting)),
        (&client, nowhere),
        (&client, "resp_68af4030592c81938ec0a5fbab4a3e9f"),
        (&other(&gateway), id(&kept)),
    ];
    for (who, id) in cases {
        let body = json!({ "model": "anthropic/mock", "input": "x", "previous_response_id": id });
        let code = refused(&who.post(PATH, &body).await, 400, Some("previous_response_id"));
        assert_eq!(code, "previous_response_not_found");
        for (method, path) in [("GET", ""), ("DELETE", ""), ("GET", "/input_items")] {
            refused(&who.send(method, &format!("{PATH}/{id}{path}"), b"").await, 404, None);
        }
    }
    for (field, value) in
        [("conversation", json!("conv_1")), ("background", json!(true)), ("prompt", json!({ "id": "p" }))]
    {
        let body = json!({ "model": "openai/mock", "input": "x", field: value });
        refused(&client.post(PATH, &body).await, 400, Some(field));
    }
    // A client's own request id, used twice, names two answers.
    let same = client.clone().with("x-request-id", "the-same");
    let one = good(&same.post(PATH, &json!({ "model": "openai/mock", "input": "one" })).await);
    let two = good(&same.post(PATH, &json!({ "model": "openai/mock", "input": "two" })).await);
    assert_ne!(one["id"], two["id"]);
    assert!(text(&good(&client.get(&format!("{PATH}/{}", id(&one))).await)).contains("one"));
}

#[tokio::test]
async fn what_is_kept_is_shown_and_forgotten() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let client = client(&gateway);
    let first = good(&client.post(PATH, &json!({ "model": "anthropic/mock", "input": "one" })).await);
    let input = json!([{ "role": "user", "content": "two" }, { "role": "user", "content": "three", "id": "msg_mine" }]);
    let body = json!({ "model": "gemini/mock", "input": input, "previous_response_id": id(&first) });
    let second = good(&client.post(PATH, &body).await);
    let path = format!("{PATH}/{}", id(&second));
    assert_eq!(good(&client.get(&path).await), second);
    let page = good(&client.get(&format!("{path}/input_items?order=asc&limit=3")).await);
    let data = page["data"].as_array().unwrap();
    assert_eq!((data.len(), &page["object"], &page["has_more"]), (3, &json!("list"), &json!(true)), "{page}");
    assert_eq!(data[0]["content"][0]["text"], "one");
    assert_eq!(data[1], first["output"][0]);
    assert_eq!((&page["first_id"], &page["last_id"]), (&data[0]["id"], &data[2]["id"]));
    let rest = format!("{path}/input_items?order=asc&after={}", page["last_id"].as_str().unwrap());
    let rest = good(&client.get(&rest).await);
    assert_eq!((&rest["data"][0]["id"], &rest["has_more"]), (&json!("msg_mine"), &json!(false)), "{rest}");
    let newest = good(&client.get(&format!("{path}/input_items?limit=1")).await);
    assert_eq!(newest["data"][0]["id"], "msg_mine");
    refused(&client.get(&format!("{path}/input_items?limit=0")).await, 400, Some("limit"));
    refused(&client.post(&format!("{path}/cancel"), &json!({})).await, 400, None);
    assert_eq!(client.send("PUT", &path, b"").await.status, 405);

    let gone = good(&client.send("DELETE", &path, b"").await);
    assert_eq!(gone, json!({ "id": id(&second), "object": "response", "deleted": true }));
    refused(&client.get(&path).await, 404, None);
    refused(&client.send("DELETE", &path, b"").await, 404, None);
    assert_eq!(client.get(&format!("{PATH}/{}", id(&first))).await.status, 200);
}

#[tokio::test]
async fn an_item_may_be_referred_to() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let client = client(&gateway);
    let first = good(&client.post(PATH, &json!({ "model": "openai/mock", "input": "remember me" })).await);
    let asked_item =
        good(&client.get(&format!("{PATH}/{}/input_items", id(&first))).await)["data"][0]["id"].clone();
    let said_item = first["output"][0]["id"].clone();
    let input = json!([{ "type": "item_reference", "id": asked_item }, { "id": said_item }, { "role": "user", "content": "go on" }]);
    let body = json!({ "model": "anthropic/mock", "input": input });
    good(&client.post(PATH, &body).await);
    let sent = mock.requests().last().unwrap().json();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 3, "{sent}");
    assert!(
        sent["messages"][0].to_string().contains("remember me") && sent["messages"][1]["role"] == "assistant",
        "{sent}"
    );
    refused(&other(&gateway).post(PATH, &body).await, 400, Some("input[0].id"));
    let body = json!({ "model": "openai/mock", "input": [{ "role": "user", "content": "x" }, { "type": "item_reference", "id": "msg_no" }] });
    refused(&client.post(PATH, &body).await, 400, Some("input[1].id"));
}

#[tokio::test]
async fn a_conversation_is_made_shorter_and_goes_on() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&mock)).await;
    let client = client(&gateway);
    let first =
        good(&client.post(PATH, &json!({ "model": "anthropic/mock", "input": "the first thing" })).await);
    let body = json!({ "model": "gemini/mock@text=all-in-short", "previous_response_id": id(&first),
        "input": [{ "role": "user", "content": "the second thing" }], "instructions": "be exact" });
    let short = good(&client.post(&format!("{PATH}/compact"), &body).await);
    assert_eq!(short["object"], "response.compaction", "{short}");
    assert!(short["usage"]["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{short}");
    let sent = asked(&mock);
    assert!(
        sent.contains("the first thing") && sent.contains("summary") && sent.contains("be exact"),
        "{sent}"
    );
    let output = short["output"].as_array().unwrap();
    let kinds: Vec<_> = output.iter().map(|item| item["type"].as_str().unwrap_or("message")).collect();
    assert_eq!(kinds, ["message", "message", "compaction"], "{short}");
    assert!(output.iter().all(|item| !item.to_string().contains("Write a summary")), "{short}");

    let mut input = output.clone();
    input.push(json!({ "role": "user", "content": "and now" }));
    for model in ["openai/mock", "anthropic/mock"] {
        let next = good(&client.post(PATH, &json!({ "model": model, "input": input })).await);
        assert!(text(&next).contains("and now"), "{next}");
        let sent = asked(&mock);
        assert!(sent.contains("the second thing") && sent.contains("all-in-short"), "{sent}");
        assert!(!sent.contains("causeway:") && !sent.contains("You said: \\\"the first"), "{sent}");
    }
    let foreign =
        json!({ "model": "openai/mock", "input": [{ "type": "compaction", "encrypted_content": "gAAAA" }] });
    refused(&client.post(PATH, &foreign).await, 400, Some("input[0].type"));
    refused(
        &client.post(&format!("{PATH}/compact"), &json!({ "model": "openai/mock" })).await,
        400,
        Some("input"),
    );
}

#[tokio::test]
async fn an_acknowledged_answer_outlives_a_crash() {
    let mock = upstream::mock();
    let mut gateway = Gateway::start(&configured(&mock)).await;
    let mut kept: Vec<Value> = Vec::new();
    for round in 0..3 {
        for stream in [false, true] {
            let body = json!({ "model": "anthropic/mock", "input": format!("round {round} {stream}"), "stream": stream,
                "previous_response_id": kept.last().map(|last| last["id"].clone()) });
            kept.push(response(&client(&gateway).post(PATH, &body).await));
        }
        gateway.crash().await;
        for one in &kept {
            assert_eq!(good(&client(&gateway).get(&format!("{PATH}/{}", id(one))).await), *one);
        }
    }
    let body =
        json!({ "model": "openai/mock", "input": "last", "previous_response_id": id(kept.last().unwrap()) });
    good(&client(&gateway).post(PATH, &body).await);
    let sent = asked(&mock);
    for round in 0..3 {
        assert!(
            sent.contains(&format!("round {round} false")) && sent.contains(&format!("round {round} true")),
            "{sent}"
        );
    }
    assert!(gateway.lines().iter().all(|line| !line.contains(KEY)));
}

#[tokio::test]
async fn without_a_folder_state_lives_as_long_as_the_process() {
    let mock = upstream::mock();
    let configuration = format!("{}[store]\nbackend = \"memory\"\n", configuration(&upstream::url(&mock)));
    let mut gateway = Gateway::start(&configuration).await;
    let first = good(&client(&gateway).post(PATH, &json!({ "model": "openai/mock", "input": "x" })).await);
    let path = format!("{PATH}/{}", id(&first));
    assert_eq!(client(&gateway).get(&path).await.status, 200);
    assert!(gateway.lines().iter().any(|line| line.contains("in memory")), "{:?}", gateway.lines());
    gateway.crash().await;
    assert_eq!(client(&gateway).get(&path).await.status, 404);
}
