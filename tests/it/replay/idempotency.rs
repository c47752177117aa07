//! `Idempotency-Key`: a request that is sent again gets the answer of the first time.

use super::*;

const PLAIN: &str = "[models.m]\ntargets = [\"openai/m\"]\nretry = { attempts = 1 }\n";

fn named(gateway: &Gateway, name: &str) -> Client {
    client(gateway).with("idempotency-key", name)
}

#[tokio::test]
async fn a_request_sent_again_gets_its_answer_again_also_after_a_restart() {
    let mock = upstream::mock();
    let mut gateway = Gateway::start(&configured(&upstream::url(&mock), &models(""))).await;
    let mut answers = Vec::new();
    for (number, api) in APIS.into_iter().enumerate() {
        for stream in [false, true] {
            let name = format!("\"try-{number}-{stream}\"");
            let first = api.ask(&named(&gateway, &name), "anthropic/mock", stream, "hello").await;
            let again = api.ask(&named(&gateway, &name), "anthropic/mock", stream, "hello").await;
            assert_eq!(complete(&first).header("idempotent-replayed"), "", "{api:?}");
            assert_eq!(complete(&again).header("idempotent-replayed"), "true", "{api:?}");
            assert_eq!(
                (&again.body, again.header("content-type")),
                (&first.body, first.header("content-type"))
            );
            assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
            answers.push((api, stream, name, first.body));
        }
    }
    assert_eq!(mock.requests().len(), 8);
    gateway.until_metric("causeway_replays_total", &["idempotency", "hit"], 8.0).await;
    gateway.restart().await;
    for (api, stream, name, body) in answers {
        let again = api.ask(&named(&gateway, &name), "anthropic/mock", stream, "hello").await;
        assert_eq!(complete(&again).header("idempotent-replayed"), "true", "{api:?}");
        assert_eq!(again.body, body, "{api:?}");
        assert!(again.header("age").parse::<u64>().is_ok());
        let line = gateway.request_line(again.header("x-request-id")).await;
        assert!(line["reused_from"].is_string() && line["in"].is_u64() && line["attempts"] == 0, "{line}");
    }
    assert_eq!(mock.requests().len(), 8);
}

#[tokio::test]
async fn a_name_belongs_to_one_request_of_one_key() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models(""))).await;
    for shape in Shape::ALL {
        let api = Api::Of(shape);
        let name = shape.word();
        complete(&api.ask(&named(&gateway, name), "openai/mock", false, "hello").await);
        let calls = mock.requests().len();
        for (model, stream, says) in [
            ("openai/mock", false, "something else"),
            ("openai/mock", true, "hello"),
            ("gemini/mock", false, "hello"),
        ] {
            let reply = api.ask(&named(&gateway, name), model, stream, says).await;
            assert_eq!(reply.status, 422, "{}", reply.text());
            let (_, message) = shape.error(&reply.json());
            assert!(message.contains("Idempotency-Key"), "{message}");
            assert_eq!(shape.request_id(&reply.json()), reply.header("x-request-id"));
        }
        assert_eq!(mock.requests().len(), calls);
        // Somebody else may call its request the same.
        let theirs = client_of(&gateway, MATE).with("idempotency-key", name);
        let reply = api.ask(&theirs, "openai/mock", false, "something else").await;
        assert_eq!(complete(&reply).header("idempotent-replayed"), "");
        assert_eq!(mock.requests().len(), calls + 1);
    }
    let reply = client(&gateway).with("idempotency-key", "ollama");
    complete(&Api::Ollama.ask(&reply, "openai/mock", false, "hello").await);
    let reply = Api::Ollama.ask(&reply, "openai/mock", false, "else").await;
    assert!(reply.status == 422 && reply.json()["error"].as_str().unwrap().contains("Idempotency-Key"));
}

#[tokio::test]
async fn who_asks_again_while_the_answer_comes_joins_it() {
    let permits = Arc::new(Semaphore::new(0));
    let scripted = Scripted::start(held(&permits, good_end())).await;
    let gateway = Gateway::start(&configured(&scripted.url(), PLAIN)).await;
    for (number, api) in APIS.into_iter().enumerate() {
        let client = named(&gateway, &format!("name-{number}"));
        let first = api.open(&client, "m", "hello").await;
        let again = api.open(&client, "m", "hello").await;
        assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
        let other = api.ask(&client, "m", true, "something else").await;
        assert_eq!(other.status, 422, "{api:?}: {}", other.text());
        // The one who asked first gives up, as a client does that asks again.
        let id = first.header("x-request-id").to_owned();
        drop(first);
        gateway.request_line(&id).await;
        permits.add_permits(1);
        let joined = again.rest().await;
        let later = api.ask(&client, "m", true, "hello").await;
        assert_eq!(complete(&later).header("idempotent-replayed"), "true", "{api:?}");
        assert_eq!(complete(&joined).body, later.body, "{api:?}");
        assert_eq!(scripted.requests().len(), number + 1, "{api:?}");
    }
}

#[tokio::test]
async fn what_another_try_may_change_is_tried_again_and_what_is_final_is_not() {
    let scripted = Scripted::start(Vec::new()).await;
    let gateway = Gateway::start(&configured(&scripted.url(), PLAIN)).await;
    let refusal =
        "{\"error\":{\"message\":\"not that\",\"type\":\"invalid_request_error\",\"param\":\"top_p\"}}";
    for (status, lasts) in [
        ("500 Internal Server Error", false),
        ("429 Too Many Requests", false),
        ("503 Service Unavailable", false),
        ("400 Bad Request", true),
    ] {
        let before = scripted.requests().len();
        scripted.play_each(vec![whole(status, refusal), whole("200 OK", FINE)]);
        let client = named(&gateway, &status.replace(' ', "-"));
        let first = Api::Of(Shape::Anthropic).ask(&client, "m", false, "hello").await;
        let again = Api::Of(Shape::Anthropic).ask(&client, "m", false, "hello").await;
        assert!(first.status >= 400, "{status}");
        assert_eq!(again.status, if lasts { first.status } else { 200 }, "{status}: {}", again.text());
        assert_eq!(again.header("idempotent-replayed"), if lasts { "true" } else { "" }, "{status}");
        assert_eq!(scripted.requests().len() - before, if lasts { 1 } else { 2 }, "{status}");
        if lasts {
            assert_eq!(Shape::Anthropic.error(&first.json()), Shape::Anthropic.error(&again.json()));
            assert_eq!(Shape::Anthropic.request_id(&again.json()), again.header("x-request-id"));
        }
    }
}

#[tokio::test]
async fn a_name_is_short_and_visible_or_refused() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models(""))).await;
    let long = "x".repeat(256);
    for name in ["", "two words", "caf\u{e9}", &long] {
        let reply = Api::Of(Shape::OpenAi).ask(&named(&gateway, name), "openai/mock", false, "hello").await;
        assert_eq!(reply.status, 400, "{name:?}: {}", reply.text());
        let error = &reply.json()["error"];
        assert_eq!(error["param"], "Idempotency-Key", "{error}");
    }
    let twice = named(&gateway, "one").with("idempotency-key", "two");
    assert_eq!(Api::Of(Shape::OpenAi).ask(&twice, "openai/mock", false, "hello").await.status, 400);
    assert!(mock.requests().is_empty());
    complete(&Api::Of(Shape::OpenAi).ask(&named(&gateway, &long[1..]), "openai/mock", false, "hello").await);
}

#[tokio::test]
async fn where_it_is_switched_off_the_header_means_nothing() {
    let mock = upstream::mock();
    let settings = format!("{}[routing]\nidempotency = {{ enabled = false }}\n", models(""));
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &settings)).await;
    for says in ["hello", "hello", "something else"] {
        let reply = Api::Of(Shape::OpenAi).ask(&named(&gateway, "name"), "openai/mock", false, says).await;
        assert_eq!(complete(&reply).header("idempotent-replayed"), "");
    }
    assert_eq!(mock.requests().len(), 3);
}

#[tokio::test]
async fn a_kept_answer_serves_a_name_too_and_stays_its_own() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models("reuse = {}"))).await;
    let api = Api::Of(Shape::OpenAi);
    let first = api.ask(&client(&gateway), "openai/mock", true, "hello").await;
    for (cache, replayed) in [("hit", ""), ("", "true")] {
        let reply = api.ask(&named(&gateway, "name"), "openai/mock", true, "hello").await;
        assert_eq!(complete(&reply).header("x-causeway-cache"), cache);
        assert_eq!(reply.header("idempotent-replayed"), replayed);
        assert_eq!(reply.body, first.body);
    }
    assert_eq!(mock.requests().len(), 1);
}
