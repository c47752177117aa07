//! `reuse`: the same request gets the same answer, and nobody else does.

use super::*;

#[tokio::test]
async fn a_kept_answer_is_given_again_to_the_byte() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models("reuse = {}"))).await;
    for api in APIS {
        for target in Shape::ALL {
            for stream in [false, true] {
                let case = format!("{api:?} to {}, streamed: {stream}", target.word());
                let model = format!("{}/mock", target.word());
                mock.clear();
                let first = api.ask(&client(&gateway), &model, stream, "hello").await;
                let again = api.ask(&client(&gateway), &model, stream, "hello").await;
                assert_eq!(complete(&first).header("x-causeway-cache"), "miss", "{case}");
                assert_eq!(complete(&again).header("x-causeway-cache"), "hit", "{case}");
                assert_eq!(again.body, first.body, "{case}");
                assert!(!again.body.is_empty());
                for name in ["content-type", "cache-control", "x-causeway-model", "x-causeway-lossy"] {
                    assert_eq!(again.header(name), first.header(name), "{case}: {name}");
                }
                assert!(
                    again.header("age").parse::<u64>().is_ok() && first.header("age").is_empty(),
                    "{case}"
                );
                assert_ne!(again.header("x-request-id"), first.header("x-request-id"), "{case}");
                assert_eq!(again.header("x-causeway-attempts"), "", "{case}");
                assert_eq!(mock.requests().len(), 1, "{case}");
            }
        }
    }
    gateway.until_metric("causeway_replays_total", &["cache", "hit"], 24.0).await;
    gateway.until_metric("causeway_replays_total", &["cache", "miss"], 24.0).await;
    // Nothing was spent the second time, and both are told what it took.
    assert_eq!(gateway.metric("causeway_attempts_total", &[]).await, 24.0);
    let first = Api::Ollama.ask(&client(&gateway), "openai/mock", false, "the bill").await;
    // It is counted before its line is written.
    let paid = gateway.request_line(first.header("x-request-id")).await;
    let before = gateway.metric("causeway_tokens_total", &[]).await;
    let again = Api::Ollama.ask(&client(&gateway), "openai/mock", false, "the bill").await;
    let free = gateway.request_line(again.header("x-request-id")).await;
    assert_eq!((&free["replay"], &free["reused_from"]), (&json!("cache hit"), &paid["request_id"]));
    assert_eq!((&free["in"], &free["out"], &free["attempts"]), (&paid["in"], &paid["out"], &json!(0)));
    assert!(paid["in"].is_u64() && paid["attempts"] == 1 && paid["reused_from"].is_null(), "{paid}");
    assert_eq!(gateway.metric("causeway_tokens_total", &[]).await, before);
}

#[tokio::test]
async fn what_differs_anywhere_is_asked_for_itself() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models("reuse = {}"))).await;
    let api = Api::Of(Shape::Anthropic);
    let own = client(&gateway);
    let ask = async |client: &Client, model: &str, stream: bool, says: &str| {
        let reply = api.ask(client, model, stream, says).await;
        complete(&reply).header("x-causeway-cache").to_owned()
    };
    assert_eq!(ask(&own, "anthropic/mock", false, "hello").await, "miss");
    let beta = own.clone().with("anthropic-beta", "context-1m-2025-08-07");
    for (client, model, stream, says) in [
        (&own, "anthropic/mock", false, "hello!"),
        (&own, "anthropic/mock", true, "hello"),
        (&own, "anthropic/mock2", false, "hello"),
        (&own, "gemini/mock", false, "hello"),
        (&client_of(&gateway, OTHER), "anthropic/mock", false, "hello"),
        (&client_of(&gateway, MATE), "anthropic/mock", false, "hello"),
        (&beta, "anthropic/mock", false, "hello"),
    ] {
        assert_eq!(ask(client, model, stream, says).await, "miss", "{client:?} {model} {stream} {says}");
        assert_eq!(ask(client, model, stream, says).await, "hit", "{client:?} {model} {stream} {says}");
    }
    // What changes no answer changes nothing here.
    let traced = own.clone().with("traceparent", "00-1-2-3").with("user-agent", "somebody");
    assert_eq!(ask(&traced, "anthropic/mock", false, "hello").await, "hit");
    assert_eq!(mock.requests().len(), 8);
}

#[tokio::test]
async fn a_scope_says_who_shares() {
    for (scope, mate, other) in [("team", "hit", "miss"), ("all", "hit", "hit")] {
        let mock = upstream::mock();
        let settings = models(&format!("reuse = {{ scope = \"{scope}\" }}"));
        let gateway = Gateway::start(&configured(&upstream::url(&mock), &settings)).await;
        let api = Api::Of(Shape::OpenAi);
        for (secret, expected) in [(KEY, "miss"), (MATE, mate), (OTHER, other)] {
            let reply = api.ask(&client_of(&gateway, secret), "openai/mock", true, "hello").await;
            assert_eq!(complete(&reply).header("x-causeway-cache"), expected, "{scope} {secret}");
        }
        // What comes with calls leaves state in the vault, which is each key's own.
        let tools =
            Shape::OpenAi.named(&Shape::OpenAi.with_tools(Shape::OpenAi.says("hi")), "openai/mock", false);
        let reply = client(&gateway).post("/v1/chat/completions", &tools).await;
        assert_eq!(complete(&reply).header("x-causeway-cache"), "bypass", "{scope}");
    }
}

#[tokio::test]
async fn a_client_may_want_a_new_answer_or_none_that_is_kept() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &models("reuse = {}"))).await;
    let ask = async |says: &str, wish: &str| {
        let client = client(&gateway).with("cache-control", wish);
        let reply = Api::Of(Shape::Gemini).ask(&client, "openai/mock", false, says).await;
        complete(&reply).header("x-causeway-cache").to_owned()
    };
    for (says, wish, expected, calls) in [
        ("a", "no-store", "bypass", 1),
        ("a", "max-age=60", "miss", 2),
        ("a", "max-age=60", "hit", 2),
        ("a", "no-cache", "bypass", 3),
        ("a", "MAX-AGE=0", "bypass", 4),
        ("a", "max-age=never", "bypass", 5),
        ("a", "private, no-store", "bypass", 6),
        ("a", "max-stale=5", "hit", 6),
        ("b", "no-cache", "bypass", 7),
        ("b", "private", "hit", 7),
    ] {
        assert_eq!(ask(says, wish).await, expected, "{says} {wish}");
        assert_eq!(mock.requests().len(), calls, "{says} {wish}");
    }
}

#[tokio::test]
async fn only_complete_successful_answers_of_a_fitting_size_are_kept() {
    let mock = upstream::mock();
    let settings = models("reuse = { max_answer = \"2KiB\" }");
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &settings)).await;
    for (fault, stream) in [
        ("fault=status:500", false),
        ("fault=status:400", false),
        ("fault=garbage", false),
        ("fault=cut:3", true),
        ("fault=error-event:2", true),
        ("chunks=64@piece=256", true),
        ("chunks=64@piece=256", false),
    ] {
        mock.clear();
        for calls in 1..=2 {
            let model = format!("openai/mock@{fault}");
            let reply = Api::Of(Shape::OpenAi).ask(&client(&gateway), &model, stream, "hello").await;
            assert_ne!(reply.header("x-causeway-cache"), "hit", "{fault}");
            assert_eq!(mock.requests().len(), calls, "{fault}: {}", reply.text());
        }
    }
}

#[tokio::test]
async fn another_configuration_does_not_give_the_answers_of_the_one_before() {
    let mock = upstream::mock();
    let text = |settings: &str| configured(&upstream::url(&mock), &models(settings));
    let gateway = Gateway::start(&text("reuse = {}")).await;
    let ask = async || {
        let reply = Api::Of(Shape::OpenAi).ask(&client(&gateway), "openai/mock", false, "hello").await;
        complete(&reply).header("x-causeway-cache").to_owned()
    };
    assert_eq!((ask().await, ask().await), ("miss".to_owned(), "hit".to_owned()));
    gateway.rewrite(&text("reuse = {}\nparams = { set = { temperature = 0.5 } }"));
    gateway.hangup();
    let reloaded = || gateway.lines().iter().any(|line| line.contains("the configuration is in force"));
    crate::support::until("the configuration is in force", reloaded).await;
    assert_eq!((ask().await, ask().await), ("miss".to_owned(), "hit".to_owned()));
}

#[tokio::test]
async fn what_is_kept_for_its_asker_is_not_shared() {
    let mock = upstream::mock();
    let gateway =
        Gateway::start(&configured(&upstream::url(&mock), &models("reuse = {}\nsingle_flight = true"))).await;
    let ask = async |body: Value| {
        let reply = client(&gateway).post("/v1/responses", &body).await;
        complete(&reply).clone()
    };
    let stored = json!({ "model": "openai/mock", "input": "hello" });
    let (one, two) = (ask(stored.clone()).await, ask(stored).await);
    assert_eq!((one.header("x-causeway-cache"), two.header("x-causeway-cache")), ("bypass", "bypass"));
    assert_ne!(one.json()["id"], two.json()["id"]);
    let after = json!({ "model": "openai/mock", "input": "on", "previous_response_id": one.json()["id"], "store": false });
    assert_eq!(ask(after).await.header("x-causeway-cache"), "bypass");
    let alone = json!({ "model": "openai/mock", "input": "hello", "store": false });
    assert_eq!(ask(alone.clone()).await.header("x-causeway-cache"), "miss");
    assert_eq!(ask(alone).await.header("x-causeway-cache"), "hit");
    let embeddings = json!({ "model": "openai/mock", "input": ["one", "two"] });
    for expected in ["miss", "hit"] {
        let reply = client(&gateway).post("/v1/embeddings", &embeddings).await;
        assert_eq!(complete(&reply).header("x-causeway-cache"), expected);
    }
}

#[tokio::test]
async fn what_was_not_asked_of_a_provider_does_not_count_against_its_limits() {
    let mock = upstream::mock();
    // Each answer of the mock takes some thirty tokens.
    let limited = format!(
        "{}limits = {{ tokens = \"100/h\" }}\n\
         [models.narrow]\ntargets = [\"narrow/mock\"]\nreuse = {{}}\nretry = {{ attempts = 1 }}\n",
        provider("narrow", Shape::OpenAi, &upstream::url(&mock))
    );
    let gateway = Gateway::start(&configured(&upstream::url(&mock), &limited)).await;
    for stream in [false, true] {
        for _ in 0..6 {
            let kept = Api::Ollama.ask(&client(&gateway), "narrow", stream, "hello").await;
            complete(&kept);
        }
    }
    let other = Api::Ollama.ask(&client(&gateway), "narrow", false, "something else").await;
    assert_eq!(complete(&other).header("x-causeway-cache"), "miss");
    assert_eq!(mock.requests().len(), 3);
}
