//! A new configuration takes the old one's place between two requests, and a broken one never does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::gateway::good;
use super::support::{Gateway, KEY, PATIENCE, Shape, configuration, until, upstream};

const OTHER: &str = "cw-another-key-0123456789abcdef";

/// The configuration of the tests, told apart by what its model `which` answers.
fn numbered(upstream: &str, number: usize) -> String {
    let more = format!("[models.which]\ntargets = [\"openai/mock@text=number-{number}-\"]\n");
    [&configuration(upstream), more.as_str()].concat()
}

/// Files that cannot be used, each for another reason.
fn broken(upstream: &str, number: usize) -> String {
    let whole = numbered(upstream, number);
    match number % 5 {
        0 => "this is no TOML [".to_owned(),
        1 => format!("{whole}\n[nonsense]\nx = 1\n"),
        2 => whole.replace("openai/mock@", "nobody/mock@"),
        3 => whole.replace("plugin = \"anthropic\"", "plugin = \"no-such-plugin\""),
        _ => format!("{whole}\n[keys.unset]\nsecret = \"${{NOT_SET_ANYWHERE}}\"\n"),
    }
}

async fn which(gateway: &Gateway) -> String {
    let reply = gateway.client().ask(Shape::OpenAi, "which", &Shape::OpenAi.says("hello")).await;
    Shape::OpenAi.whole(&good(&reply)).text
}

async fn reload_success(gateway: &Gateway) -> bool {
    gateway.metric("causeway_config_reload_success", &[]).await > 0.5
}

/// Waits until the last reload went well, or did not.
async fn until_reload(gateway: &Gateway, good: bool) {
    let waiting = async {
        while reload_success(gateway).await != good {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("reload_success never became {good}"));
}

/// Waits until the model `which` answers with this number.
async fn until_number(gateway: &Gateway, number: usize) {
    let expected = format!("number-{number}-");
    let waiting = async {
        while which(gateway).await != expected {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never {expected}"));
}

#[tokio::test]
async fn a_new_file_is_in_force_by_itself_and_by_a_signal() {
    let mock = upstream::mock();
    let url = upstream::url(&mock);
    let gateway = Gateway::start(&numbered(&url, 1)).await;
    assert_eq!(which(&gateway).await, "number-1-");
    gateway.rewrite(&numbered(&url, 2));
    until_number(&gateway, 2).await;
    gateway.rewrite(&numbered(&url, 3));
    gateway.hangup();
    until_number(&gateway, 3).await;
    // What has changed is told, and no value of it.
    let log = gateway.lines().join("\n");
    assert!(log.contains("models.which: changed") && !log.contains(KEY), "{log}");
}

#[tokio::test]
async fn a_broken_file_keeps_the_one_before_and_says_why() {
    let mock = upstream::mock();
    let url = upstream::url(&mock);
    let gateway = Gateway::start(&numbered(&url, 1)).await;
    assert!(reload_success(&gateway).await);
    for (number, said) in [
        (10, "TOML"),
        (11, "nonsense"),
        (12, "nobody"),
        (13, "no-such-plugin"),
        (14, "NOT_SET_ANYWHERE"),
    ] {
        let before = gateway.lines().len();
        gateway.rewrite(&broken(&url, number));
        gateway.hangup();
        until_reload(&gateway, false).await;
        assert_eq!(which(&gateway).await, "number-1-");
        until("the reason is told", || gateway.lines()[before..].iter().any(|line| line.contains("stays in force"))).await;
        let lines = gateway.lines()[before..].join("\n");
        assert!(number == 10 || lines.contains(said), "{said}: {lines}");
        gateway.rewrite(&numbered(&url, 1));
        gateway.hangup();
        until_reload(&gateway, true).await;
    }
}

#[tokio::test]
async fn a_key_that_is_gone_no_longer_works_and_a_new_one_does() {
    let mock = upstream::mock();
    let url = upstream::url(&mock);
    let gateway = Gateway::start(&numbered(&url, 1)).await;
    let status = async |key: &str| gateway.client().with("x-api-key", key).get("/v1/models").await.status;
    assert_eq!((status(KEY).await, status(OTHER).await), (200, 401));
    gateway.rewrite(&numbered(&url, 1).replace(KEY, OTHER));
    gateway.hangup();
    let waiting = async {
        while status(OTHER).await != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the new key never works");
    assert_eq!(status(KEY).await, 401);
}

#[tokio::test]
async fn a_running_stream_finishes_on_the_configuration_it_began_with() {
    let mock = upstream::mock();
    let url = upstream::url(&mock);
    let gateway = Gateway::start(&numbered(&url, 1)).await;
    let mut streams = Vec::new();
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock@rate=10@chunks=15", provider.word());
        let mut open = gateway.client().stream(dialect, &model, &dialect.says("hello")).await;
        let first = open.event().await.unwrap();
        streams.push((dialect, vec![first], open));
    }
    // Its key, its models and its providers go, and another one takes their place.
    let next = format!(
        "[keys.other]\nsecret = \"{OTHER}\"\n[providers.only]\nplugin = \"openai\"\nurl = \"{url}\"\n[models.which]\ntargets = [\"only/m\"]\n"
    );
    gateway.rewrite(&next);
    gateway.hangup();
    let waiting = async {
        while gateway.client().with_key().get("/v1/models").await.status != 401 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the new configuration never works");
    for (dialect, mut events, mut open) in streams {
        while let Some(event) = open.event().await {
            events.push(event);
        }
        let said = dialect.streamed(&events);
        assert!(said.finish == "stop" && said.text.ends_with("real model."), "{dialect:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_thousand_requests_during_a_hundred_reloads_do_not_fail() {
    const REQUESTS: usize = 1000;
    const RELOADS: usize = 100;
    let mock = upstream::mock();
    let url = upstream::url(&mock);
    let gateway = Arc::new(Gateway::start(&numbered(&url, 0)).await);
    let (asked, goods) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Clients ask until both the requests and the reloads are through.
    let clients: Vec<_> = (0..4).map(|client| tokio::spawn(ask_on(Arc::clone(&gateway), Arc::clone(&asked), Arc::clone(&goods), client))).collect();
    let mut in_force = 0;
    for number in 1..=RELOADS {
        let bad = number % 3 == 0;
        gateway.rewrite(&if bad { broken(&url, number / 3) } else { numbered(&url, number) });
        gateway.hangup();
        until_reload(&gateway, !bad).await;
        if !bad {
            in_force = number;
        }
        until_number(&gateway, in_force).await;
        goods.store(number, Ordering::SeqCst);
    }
    while asked.load(Ordering::SeqCst) < REQUESTS {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    goods.store(usize::MAX, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    assert!(gateway.metric("causeway_requests_total", &["code=\"200\""]).await >= 1000.0);
    let failed = gateway.log().into_iter().filter(|line| line["status"].is_u64() && line["status"] != 200).count();
    assert_eq!(failed, 0);
}

/// Asks in all dialects, whole and streamed, until it is told that all is done. Nothing may fail.
async fn ask_on(gateway: Arc<Gateway>, asked: Arc<AtomicUsize>, reloads: Arc<AtomicUsize>, client: usize) {
    for turn in client.. {
        if reloads.load(Ordering::SeqCst) == usize::MAX {
            return;
        }
        let (dialect, provider) = Shape::pairs().nth(turn % 9).unwrap();
        let model = format!("{}/mock@chunks=3", provider.word());
        if turn % 2 == 0 {
            let reply = gateway.client().ask(dialect, &model, &dialect.says("hello")).await;
            assert_eq!(reply.status, 200, "{dialect:?}→{provider:?}: {}", reply.text());
            dialect.whole(&good(&reply));
        } else {
            let reply = gateway.client().stream(dialect, &model, &dialect.says("hello")).await.rest().await;
            assert!(reply.status == 200 && reply.complete, "{dialect:?}→{provider:?}: {}", reply.text());
            dialect.streamed(&reply.events());
        }
        asked.fetch_add(1, Ordering::SeqCst);
    }
}
