//! What requests cost: told with a whole answer, in the log and in the metrics, exactly; unknown stays unknown.

use serde_json::{Value, json};

use super::support::gateway::good;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, Shape, configuration, provider};

/// 100 tokens in, 40 of them from the cache; 30 out, 10 of them reasoning.
const ANSWER: &str = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":30,"total_tokens":130,"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":10}}}"#;

fn answered() -> Vec<Step> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        ANSWER.len()
    );
    vec![Step::send(head + ANSWER), Step::Close]
}

#[tokio::test]
async fn the_nearest_price_holds_and_every_part_of_the_usage_is_paid() {
    let scripted = Scripted::start(Vec::new()).await;
    let mut text = configuration(&scripted.url());
    text.push_str(&provider("listed", Shape::OpenAi, &scripted.url()));
    text.push_str(
        "prices = \"mock\"\n[models.own]\ntargets = [{ to = \"openai/m\", price = { input = 1, output = 1 } }]\n\
         [models.mock]\ntargets = [\"listed/mock-2026-01-01\"]\n\
         [prices]\n\"openai/m\" = { input = 3, output = 10, cache_read = 0.5, reasoning = 20, request = 0.01 }\n\
         \"openai/e\" = { input = 1, output = 1, currency = \"eur\" }\n\
         \"openai/long\" = { input = 1, output = 1, above = [{ tokens = 99, input = 2, output = 3 }] }\n\
         \"openai/free\" = { input = 0, output = 0 }\n\"gemini/*\" = { input = 1, output = 0 }\n\
         [currencies]\neur = 1.08\n",
    );
    let gateway = Gateway::start(&text).await;
    for (model, cost) in [
        // 60 x 3 + 40 x 0.5 + 20 x 10 + 10 x 20 millionths, and one cent.
        ("openai/m", "0.0106"),
        ("openai/m-2026-01-01", "0.0106"),
        ("openai/e", "0.0001404"),
        ("openai/long", "0.00029"),
        ("openai/free", "0"),
        ("own", "0.00013"),
        // The list's: 60 x 1 + 40 x 0.1 + 30 x 2.
        ("mock", "0.000124"),
    ] {
        scripted.play(answered());
        let reply = gateway.client().ask(Shape::OpenAi, model, &Shape::OpenAi.says("x")).await;
        good(&reply);
        assert_eq!(reply.header("x-causeway-cost"), cost, "{model}");
        let line = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(line["cost_usd"], cost, "{model}: {line}");
    }
    scripted.play(answered());
    let reply = gateway.client().ask(Shape::OpenAi, "openai/m-mini", &Shape::OpenAi.says("x")).await;
    good(&reply);
    assert_eq!(reply.header("x-causeway-cost"), "");
    let line = gateway.request_line(reply.header("x-request-id")).await;
    assert!(line["cost_usd"].is_null(), "{line}");
    gateway.until_metric("causeway_unpriced_total", &["provider=\"openai\""], 1.0).await;
    let sum = 10_600.0 * 2.0 + 140.4 + 290.0 + 130.0;
    gateway.until_metric("causeway_cost_microdollars_total", &["provider=\"openai\""], sum).await;
}

#[tokio::test]
async fn a_stream_and_an_estimate_are_told_in_the_log_alone_and_every_target_that_was_asked_is_paid() {
    let mock = upstream::mock();
    let text = configuration(&upstream::url(&mock)) + "[prices]\n\"openai/*\" = { input = 1, output = 1 }\n";
    let gateway = Gateway::start(&text).await;
    let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
    let whole = gateway.client().ask(Shape::OpenAi, "openai/mock@usage=off", &question).await;
    let stream = gateway.client().stream(Shape::OpenAi, "openai/mock", &question).await.rest().await;
    for reply in [&whole, &stream] {
        assert_eq!((reply.status, reply.header("x-causeway-cost")), (200, ""));
        let line = gateway.request_line(reply.header("x-request-id")).await;
        let tokens = line["in"].as_u64().unwrap() + line["out"].as_u64().unwrap();
        let cost = format!("0.{tokens:06}");
        assert_eq!(line["cost_usd"], cost.trim_end_matches('0'), "{line}");
    }
    let refused = gateway.client().ask(Shape::OpenAi, "openai/mock@status=400", &question).await;
    let line = gateway.request_line(refused.header("x-request-id")).await;
    assert_eq!((refused.status, &line["cost_usd"]), (400, &json!("0")), "{line}");
}

#[tokio::test]
async fn pictures_characters_seconds_and_searches_have_their_price() {
    let mock = upstream::mock();
    let mut text = configuration(&upstream::url(&mock));
    text.push_str(
        "[prices]\n\"openai/*\" = { input = 0, output = 0, image = 0.04, characters = 15, hour = 0.36 }\n",
    );
    let gateway = Gateway::start(&text).await;
    let drawn = json!({"model": "openai/mock", "prompt": "a lighthouse", "n": 3});
    let drawn = gateway.client().with_key().post("/v1/images/generations", &drawn).await;
    good(&drawn);
    assert_eq!(drawn.header("x-causeway-cost"), "0.12");
    let spoken = json!({"model": "openai/mock", "input": "höre!", "voice": "alloy"});
    let spoken = gateway.client().with_key().post("/v1/audio/speech", &spoken).await;
    assert_eq!(spoken.status, 200);
    let form = "--XX\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nopenai/mock\r\n--XX\r\ncontent-disposition: form-data; name=\"response_format\"\r\n\r\nverbose_json\r\n--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\ncontent-type: audio/wav\r\n\r\nRIFF\r\n--XX--\r\n";
    let client = gateway.client().with_key().with("content-type", "multipart/form-data; boundary=XX");
    let heard = client.send("POST", "/v1/audio/transcriptions", form.as_bytes()).await;
    good(&heard);
    for (reply, cost) in [(&drawn, "0.12"), (&spoken, "0.000075"), (&heard, "0.0001")] {
        let line: Value = gateway.request_line(reply.header("x-request-id")).await;
        assert_eq!(line["cost_usd"], cost, "{line}");
    }
}
