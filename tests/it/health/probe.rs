//! The gateway itself finds out whether a target is back.

use serde_json::Value;

use super::{Gateway, PATIENCE, Pair, Scripted, ask, ask_well, bad_target, broken, until, until_state, well};

/// The body of one request.
fn body(request: &[u8]) -> Value {
    let at = request.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    serde_json::from_slice(&request[at..]).unwrap()
}

fn configuration(pair: &Pair, probe: &str) -> String {
    pair.configuration("[defaults.model]\nbreaker = { failures = 1, open = \"1h\", longest = \"2h\" }\n")
        .replacen("[providers.bad]\n", &format!("[providers.bad]\nprobe = {probe}\n"), 1)
}

#[tokio::test]
async fn a_probe_closes_the_circuit_without_a_client() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&configuration(&pair, "{ every = \"1s\" }")).await;
    ask_well(&gateway, "m").await;
    assert_eq!(bad_target(&gateway).await["state"], "open");
    // As long as it fails, it stays open.
    until("it was probed", || pair.asked() >= 3).await;
    assert_eq!(bad_target(&gateway).await["state"], "open");
    pair.bad.play(well());
    until_state(&gateway, "closed").await;
    let asked = pair.bad.requests();
    let probe = body(asked.last().unwrap());
    assert_eq!(
        (&probe["model"], probe["messages"].as_array().map(Vec::len)),
        (&"m".into(), Some(1)),
        "{probe}"
    );
    assert_eq!(ask(&gateway, "m").await.text(), super::DONE);
    // One that is well is left in peace.
    let before = pair.asked();
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert_eq!(pair.asked(), before);
}

#[tokio::test]
async fn another_model_of_the_provider_may_stand_for_it() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&configuration(&pair, "{ every = \"1s\", model = \"tiny\" }")).await;
    ask_well(&gateway, "m").await;
    pair.bad.play(well());
    until_state(&gateway, "half-open").await;
    assert_eq!(body(pair.bad.requests().last().unwrap())["model"], "tiny");
    // The next request is the one that shows it.
    assert_eq!(ask(&gateway, "m").await.text(), super::DONE);
    assert_eq!(bad_target(&gateway).await["state"], "closed");
}

#[tokio::test]
async fn always_finds_a_dead_target_before_a_client_does() {
    let pair = Pair { bad: Scripted::start(broken()).await, good: super::upstream::mock() };
    let gateway = Gateway::start(&configuration(&pair, "{ every = \"1s\", when = \"always\" }")).await;
    until_state(&gateway, "open").await;
    let before = pair.good.requests().len();
    tokio::time::timeout(PATIENCE, ask_well(&gateway, "m")).await.unwrap();
    let asked = pair.bad.requests();
    assert!(asked.iter().all(|request| body(request)["messages"][0]["content"] != "hello"));
    assert_eq!(pair.good.requests().len(), before + 1);
}
