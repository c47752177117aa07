//! The `provider` object and the `models` list of a request.

use serde_json::{Value, json};

use super::{KEY, Shape, attempts, begin, decided, good, provider, upstream};
use crate::support::Gateway;

const MODEL: &str = "[models.m]\nbalance = \"priority\"\ntargets = [\"a/mock\", \"b/mock\", \"c/mock@fault=status:500\"]\n\
    retry = { attempts = 4, on = [\"5xx\"], backoff = \"1ms..2ms\" }\nbreaker = false\ndegrade = false\n[models.n]\ntargets = [\"b/other\"]\n";

fn wishing(shape: Shape, wishes: &Value) -> Value {
    let mut body = shape.says("hello");
    for (name, value) in wishes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn wishes_are_obeyed_in_every_dialect_and_leave_the_body() {
    let mock = upstream::mock();
    let mut text = [&begin(&mock), MODEL].concat();
    // Passed on as they come, and translated.
    for shape in Shape::ALL {
        text.push_str(&provider(shape.word(), shape, &upstream::url(&mock)));
    }
    text.push_str("[models.any]\nbalance = \"priority\"\ntargets = [\"openai/mock\", \"anthropic/mock\", \"gemini/mock\"]\n");
    let gateway = Gateway::start(&text).await;
    for (shape, own) in Shape::pairs() {
        for stream in [false, true] {
            let wishes = json!({ "provider": { "only": [own.word()] }, "models": ["n"] });
            let body = wishing(shape, &wishes);
            let reply = if stream {
                gateway.client().stream(shape, "any", &body).await.rest().await
            } else {
                gateway.client().ask(shape, "any", &body).await
            };
            assert_eq!(reply.status, 200, "{shape:?} {own:?}: {}", reply.text());
            assert_eq!(reply.header("x-causeway-model"), format!("{}/mock", own.word()), "{shape:?}");
            let lost = reply.header("x-causeway-lossy");
            assert!(!lost.contains("provider") && !lost.contains("models"), "{shape:?} {own:?}: {lost}");
            let sent = mock.requests().pop().unwrap().json();
            assert!(
                sent.get("provider").is_none() && sent.get("models").is_none(),
                "{shape:?} {own:?}: {sent}"
            );
        }
    }
}

#[tokio::test]
async fn the_order_and_the_models_are_the_requests_own() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&[&begin(&mock), MODEL].concat()).await;
    for (wishes, expected) in [
        (json!({ "provider": { "order": ["b"] } }), &["b/mock"][..]),
        (json!({ "provider": { "order": ["c", "b"] } }), &["c/mock@fault=status:500", "b/mock"][..]),
        (json!({ "provider": { "only": ["c"] }, "models": [] }), &["c/mock@fault=status:500"; 4][..]),
        (
            json!({ "provider": { "ignore": ["a", "b"], "allow_fallbacks": false } }),
            &["c/mock@fault=status:500"; 4],
        ),
        (
            json!({ "provider": { "ignore": ["a"], "order": ["c"], "allow_fallbacks": false }, "models": ["n"] }),
            &["c/mock@fault=status:500"; 4],
        ),
    ] {
        let reply = gateway.client().ask(Shape::OpenAi, "m", &wishing(Shape::OpenAi, &wishes)).await;
        let found = attempts(&decided(&gateway, &reply).await);
        assert_eq!(found, expected, "{wishes}");
    }
    // Another model, once the own targets have failed.
    let wishes = json!({ "provider": { "only": ["c", "b/other"] }, "models": ["n"] });
    let reply = gateway.client().ask(Shape::OpenAi, "m", &wishing(Shape::OpenAi, &wishes)).await;
    good(&reply);
    assert_eq!(attempts(&decided(&gateway, &reply).await).last().unwrap(), "b/other");
}

#[tokio::test]
async fn a_wrong_wish_is_refused_with_its_path() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&[&begin(&mock), MODEL].concat()).await;
    for (wishes, part) in [
        (json!({ "provider": { "quantizations": ["fp8"] } }), "provider.quantizations"),
        (json!({ "provider": { "only": ["nobody"] } }), "is what is wished"),
        (json!({ "models": ["unknown"] }), "unknown"),
        (json!({ "provider": { "max_price": { "prompt": 1 } } }), "its price is not known"),
    ] {
        for shape in Shape::ALL {
            let reply = gateway.client().ask(shape, "m", &wishing(shape, &wishes)).await;
            assert!((400..405).contains(&reply.status), "{wishes}: {}", reply.text());
            assert!(reply.text().contains(part), "{shape:?} {wishes}: {}", reply.text());
        }
    }
    assert!(mock.requests().is_empty());
}

/// Without leave the fields are like any other: a provider that knows them gets them.
#[tokio::test]
async fn a_key_that_may_not_wish_speaks_to_the_provider() {
    let mock = upstream::mock();
    let text = [&begin(&mock).replace("preferences = true\n", ""), MODEL].concat();
    let gateway = Gateway::start(&text).await;
    let wishes = json!({ "provider": { "only": ["c"], "zdr": true } });
    let body = Shape::OpenAi.named(&wishing(Shape::OpenAi, &wishes), "m", false);
    let reply = gateway
        .client()
        .with("authorization", &format!("Bearer {KEY}"))
        .post("/v1/chat/completions", &body)
        .await;
    // Nothing was obeyed: the first target was asked, with the field in the body.
    let sent = mock.requests().pop().unwrap().json();
    assert_eq!(sent["provider"], wishes["provider"], "{}", reply.text());
}

/// Nothing may be lost on the way to a provider that speaks another dialect.
#[tokio::test]
async fn parameters_can_be_required() {
    let mock = upstream::mock();
    let mut text = begin(&mock);
    text.push_str(&provider("anthropic", Shape::Anthropic, &upstream::url(&mock)));
    text.push_str("[models.m]\nbalance = \"priority\"\ntargets = [\"anthropic/mock\", \"a/mock\"]\n");
    let gateway = Gateway::start(&text).await;
    for (required, expected) in [(false, "anthropic/mock"), (true, "a/mock")] {
        let mut body = wishing(Shape::OpenAi, &json!({ "provider": { "require_parameters": required } }));
        body["logit_bias"] = json!({ "50256": -100 });
        let reply = gateway.client().ask(Shape::OpenAi, "m", &body).await;
        good(&reply);
        assert_eq!(reply.header("x-causeway-model"), expected, "{required}");
    }
}
