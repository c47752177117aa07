//! Clients of the other vendors with an Ollama behind the gateway.

use serde_json::{Value, json};

use super::gateway;
use crate::stream::cut::failed;
use crate::support::gateway::good;
use crate::support::said::Said;
use crate::support::{Gateway, Shape, upstream};

/// Asks in every dialect, whole and streamed, and hands over what was said.
async fn each(model: &str, question: impl Fn(Shape) -> Value, check: impl Fn(Said, &str)) {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for dialect in Shape::ALL {
        let asked = format!("ollama/{model}");
        let reply = gateway.client().ask(dialect, &asked, &question(dialect)).await;
        check(dialect.whole(&good(&reply)), &format!("{} whole", dialect.word()));
        let reply = gateway.client().stream(dialect, &asked, &question(dialect)).await.rest().await;
        assert!(reply.status == 200 && reply.complete, "{} {}", reply.status, reply.text());
        check(dialect.streamed(&reply.events()), &format!("{} streamed", dialect.word()));
    }
}

#[tokio::test]
async fn text_calls_thoughts_and_pictures_arrive() {
    let question = |dialect: Shape| dialect.with_system(dialect.says("ahoy ⛵"), "be brief");
    each("mock", question, |said, case| {
        let expected = "You said: \"ahoy ⛵\". The system prompt is: \"be brief\". \
                        — This is Causeway's built-in mock provider. Set OLLAMA_API_KEY to talk to a real model.";
        assert_eq!((said.text.as_str(), said.finish), (expected, "stop"), "{case}");
        assert!(said.tokens.is_some_and(|tokens| tokens.input > 0 && tokens.output > 0), "{case}: {said:?}");
    })
    .await;
    each(
        "mock",
        |dialect| dialect.with_tools(dialect.says("both in parallel")),
        |said, case| {
            let (weather, time) = (json!({ "city": "x", "unit": "celsius" }), json!({ "zone": "y" }));
            assert_eq!(said.called(), [("get_weather", &weather), ("get_time", &time)], "{case}");
            assert_eq!(said.finish, "tools", "{case}");
        },
    )
    .await;
    each(
        "mock-think",
        |dialect| dialect.with_reasoning(dialect.says("hello")),
        |said, case| {
            assert!(said.reasoning.contains("A mock has no thoughts"), "{case}: {said:?}");
            assert!(said.text.starts_with("You said: \"hello\"."), "{case}: {said:?}");
        },
    )
    .await;
    each(
        "mock",
        |dialect| dialect.shows("look", None),
        |said, case| {
            let expected = "You said: \"look\". I see 1 image(s): image/png of 68 bytes.";
            assert!(said.text.starts_with(expected), "{case}: {said:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn limits_stops_and_forms_arrive() {
    each(
        "mock",
        |dialect| dialect.with_limit(dialect.says("hello"), 3),
        |said, case| {
            assert_eq!((said.text.as_str(), said.finish), ("You said: \"h", "length"), "{case}");
        },
    )
    .await;
    each(
        "mock",
        |dialect| dialect.with_stop(dialect.says("hello"), "built-in"),
        |said, case| {
            assert!(said.text.ends_with("This is Causeway's ") && said.finish == "stop", "{case}: {said:?}");
        },
    )
    .await;
    let schema = json!({
        "type": "object", "required": ["city"], "additionalProperties": false,
        "properties": { "city": { "type": "string" } },
    });
    each(
        "mock",
        |dialect| dialect.with_schema(dialect.says("tell me"), &schema),
        |said, case| {
            let answer: Value =
                serde_json::from_str(&said.text).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(answer["city"].is_string(), "{case}: {said:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn results_of_tools_go_back() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for dialect in Shape::ALL {
        let question = dialect.with_tools(dialect.says("both in parallel"));
        let answer = good(&gateway.client().ask(dialect, "ollama/mock-think", &question).await);
        let question = dialect.with_results(question, &answer, &["sunny, 21°", "noon"]);
        let answer = good(&gateway.client().ask(dialect, "ollama/mock-think", &question).await);
        let expected = "The tool get_weather returned: \"sunny, 21°\". The tool get_time returned: \"noon\".";
        assert_eq!(dialect.whole(&answer).text, expected, "{dialect:?}");
    }
}

async fn refused(gateway: &Gateway, dialect: Shape, model: &str, question: &Value) -> u16 {
    let reply = gateway.client().ask(dialect, model, question).await;
    dialect.error(&reply.json());
    reply.status
}

#[tokio::test]
async fn what_ollama_refuses_and_what_breaks_is_told_in_the_clients_words() {
    let mock = upstream::mock();
    let gateway = gateway(&upstream::url(&mock)).await;
    for dialect in Shape::ALL {
        let hello = dialect.says("hi");
        assert_eq!(refused(&gateway, dialect, "ollama/unknown", &hello).await, 404, "{dialect:?}");
        let far = dialect.shows("look", Some("https://example.com/a/ship.png"));
        assert_eq!(refused(&gateway, dialect, "ollama/mock", &far).await, 400, "{dialect:?}");
        assert_eq!(refused(&gateway, dialect, "ollama/mock@fault=status:429", &hello).await, 429);
        for fault in ["cut:4", "error-event:4"] {
            let asked = format!("ollama/mock@chunks=9@fault={fault}");
            let reply = gateway.client().stream(dialect, &asked, &hello).await.rest().await;
            let before = failed(dialect, &reply, &asked);
            assert!(before.starts_with("You said"), "{dialect:?} {asked}: {before:?}");
        }
    }
}
