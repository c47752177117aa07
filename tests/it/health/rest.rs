//! Targets that said no rest as long as they said.

use super::{Gateway, KEY, Pair, Scripted, Shape, answer, ask, ask_well, bad_target, broken, well};

const MISSING: &str = "{\"error\":{\"message\":\"no such model\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"model_not_found\"}}";

/// A provider without keys, alone and with another behind it.
fn keyless(pair: &Pair, free: &Scripted) -> String {
    pair.configuration(&format!(
        "[providers.free]\nplugin = \"openai\"\nurl = \"{}\"\ncredential = {{ kind = \"none\" }}\n\
         [models.free]\ntargets = [\"free/m\"]\nfallback = [\"good/mock\"]\nretry = {{ attempts = 1 }}\n\
         [models.only]\ntargets = [\"free/m\"]\nretry = {{ attempts = 1 }}\n",
        free.url()
    ))
}

#[tokio::test]
async fn a_provider_without_keys_rests_after_429_until_it_said() {
    let pair = Pair::start().await;
    let free = Scripted::start(answer("429 Too Many Requests", "retry-after: 600\r\n", super::ERROR)).await;
    let gateway = Gateway::start(&keyless(&pair, &free)).await;
    for _ in 0..5 {
        ask_well(&gateway, "free").await;
    }
    assert_eq!(free.requests().len(), 1);
    // Alone it is not asked either, and the client hears when to come back.
    let reply = ask(&gateway, "only").await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((500..=600).contains(&wait), "{wait}");
    Shape::OpenAi.error(&reply.json());
    assert_eq!(free.requests().len(), 1);
    assert!(!reply.text().contains(KEY));
}

#[tokio::test]
async fn an_overloaded_target_rests_as_long_as_it_says_and_not_for_ever() {
    let pair = Pair::start().await;
    pair.bad.play(answer("503 Service Unavailable", "retry-after: 1000000\r\n", super::ERROR));
    let gateway = Gateway::start(&pair.configuration("")).await;
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    assert_eq!(pair.asked(), 1);
    let target = bad_target(&gateway).await;
    assert_eq!((&target["state"], &target["reason"]), (&"resting".into(), &"overload".into()), "{target}");
    assert!(target["seconds_left"].as_f64() <= Some(60.0), "{target}");
}

#[tokio::test]
async fn a_target_that_knows_no_such_model_rests_unless_it_is_the_only_one() {
    let pair = Pair::start().await;
    pair.bad.play(answer("404 Not Found", "", MISSING));
    let gateway = Gateway::start(&pair.configuration("")).await;
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    assert_eq!((pair.asked(), &bad_target(&gateway).await["reason"]), (1, &"missing".into()));
    for _ in 0..5 {
        let reply = ask(&gateway, "lone").await;
        assert_eq!(reply.status, 404, "{}", reply.text());
    }
    assert_eq!(pair.asked(), 6);
    // Found by the only one who asks, it is back for all.
    pair.bad.play(well());
    ask_well(&gateway, "lone").await;
    assert_eq!((ask(&gateway, "m").await.text().as_str(), pair.asked()), (super::DONE, 8));
}

#[tokio::test]
async fn what_the_client_or_a_key_did_wrong_is_not_held_against_a_target() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&pair.configuration("")).await;
    for status in ["400 Bad Request", "422 Unprocessable Entity", "413 Content Too Large"] {
        pair.bad.play(answer(status, "", super::ERROR));
        for _ in 0..8 {
            ask(&gateway, "lone").await;
        }
        assert_eq!(bad_target(&gateway).await["state"], "closed", "{status}");
    }
    assert_eq!(pair.asked(), 24);
    pair.bad.play(broken());
    ask_well(&gateway, "m").await;
    assert_eq!(bad_target(&gateway).await["failures"], 1);
}
