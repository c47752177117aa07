//! The admin side: health, readiness, metrics; and the end of the process.

use std::time::{Duration, Instant};

use super::support::{Gateway, KEY, PATIENCE, Shape, configuration, until, upstream};

/// Names of OBSERVE.md that this version fills, each with a part of a sample that traffic leaves.
const METRICS: [(&str, &str); 16] = [
    ("causeway_requests_total", "route=\"openai/*\""),
    ("causeway_request_duration_seconds_count", ""),
    ("causeway_overhead_seconds_bucket", "le=\"0.00005\""),
    ("causeway_time_to_first_token_seconds_count", "stream=\"true\""),
    ("causeway_tokens_total", "type=\"input\""),
    ("causeway_tokens_total", "type=\"output\""),
    ("causeway_tokens_total", "type=\"reasoning\""),
    ("causeway_attempts_total", "outcome=\"ok\""),
    ("causeway_fallbacks_total", "to=\"anthropic\""),
    ("causeway_inflight", ""),
    ("causeway_plugin_calls_total", "func=\"translate-request\""),
    ("causeway_plugin_call_seconds_count", ""),
    ("causeway_config_reload_success", ""),
    ("causeway_config_reload_timestamp_seconds", ""),
    ("causeway_build_info", "version="),
    ("causeway_losses_total", ""),
];

#[tokio::test]
async fn metrics_tell_of_the_traffic_in_names_that_do_not_change() {
    let mock = upstream::mock();
    let more = "[models.m]\ntargets = [\"openai/mock@fault=status:500\"]\nfallback = [\"anthropic/mock\"]\nretry = { attempts = 1 }\n";
    let gateway = Gateway::start(&[&configuration(&upstream::url(&mock)), more].concat()).await;
    for (dialect, provider) in Shape::pairs() {
        let model = format!("{}/mock-think", provider.word());
        let question = dialect.with_reasoning(dialect.says("hello"));
        assert_eq!(gateway.client().ask(dialect, &model, &question).await.status, 200);
        assert!(gateway.client().stream(dialect, &model, &question).await.rest().await.complete);
    }
    let mut lossy = Shape::OpenAi.says("hello");
    lossy["logit_bias"] = serde_json::json!({ "50256": -100 });
    let reply = gateway.client().ask(Shape::OpenAi, "m", &lossy).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.header("x-causeway-lossy").contains("logit_bias"), "{:?}", reply.headers);
    // Names a client makes up never become labels.
    gateway.client().ask(Shape::OpenAi, "made-up-by-a-client", &Shape::OpenAi.says("hello")).await;
    gateway.client().ask(Shape::OpenAi, "openai/made-up-too", &Shape::OpenAi.says("hello")).await;
    let metrics = gateway.metrics().await;
    for (name, part) in METRICS {
        let found = metrics.lines().any(|line| line.starts_with(name) && line.contains(part));
        assert!(found, "no {name} with {part}:\n{metrics}");
    }
    assert!(!metrics.contains("made-up"), "{metrics}");
    assert!(metrics.lines().any(|line| line == "causeway_inflight 0"), "{metrics}");
}

#[tokio::test]
async fn health_and_readiness_are_told_and_nothing_else_is_there() {
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let admin = gateway.stranger();
    for (method, path, status) in [
        ("GET", "/healthz", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/metrics", 200),
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "//metrics", 404),
        ("GET", "/./metrics", 404),
        ("POST", "/metrics", 405),
        ("GET", "/v1/models", 404),
    ] {
        let mut open = admin.open(method, path, b"").await;
        assert_eq!(open.status, status, "{method} {path}");
        let body = open.next().await;
        assert_eq!(body.is_none(), method == "HEAD", "{method} {path}: {body:?}");
    }
    // The admin side is not on the clients' port.
    for path in ["/metrics", "/healthz", "/readyz"] {
        let reply = gateway.client().with_key().get(path).await;
        assert!(!reply.text().contains("causeway_requests_total"), "{path}");
    }
}

#[tokio::test]
async fn metrics_on_an_open_address_want_the_password() {
    const PASSWORD: &str = "a-long-admin-password";
    let mock = upstream::mock();
    let port = super::support::gateway::free_address().rsplit_once(':').unwrap().1.to_owned();
    let admin = format!("[admin]\nlisten = \"0.0.0.0:{port}\" # {{admin}}\npassword = \"{PASSWORD}\"\n");
    let text = [admin, configuration(&upstream::url(&mock))].concat();
    let gateway = Gateway::start_at(&text, &format!("127.0.0.1:{port}")).await;
    let admin = gateway.stranger();
    let basic = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    for (value, status) in [
        (String::new(), 401),
        (format!("Bearer {PASSWORD}"), 200),
        (basic(&format!("anyone:{PASSWORD}")), 200),
        (basic("anyone:wrong"), 401),
        // A client, who may look at themselves only.
        (format!("Bearer {KEY}"), 403),
        ("Bearer".to_owned(), 401),
        ("Basic %%%".to_owned(), 401),
    ] {
        let client =
            if value.is_empty() { admin.clone() } else { admin.clone().with("authorization", &value) };
        assert_eq!(client.get("/metrics").await.status, status, "{value}");
        assert_eq!(client.get("/healthz").await.status, 200, "{value}");
    }
}

#[tokio::test]
async fn a_gateway_that_is_told_to_stop_finishes_what_runs_and_takes_nothing_new() {
    let mock = upstream::mock();
    let mut gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    let model = "anthropic/mock@rate=10@chunks=20";
    let mut streams = Vec::new();
    for dialect in Shape::ALL {
        let mut open = gateway.client().stream(dialect, model, &dialect.says("hello")).await;
        let first = open.event().await.unwrap();
        streams.push((dialect, vec![first], open));
    }
    gateway.terminate();
    let refusing = async {
        loop {
            match gateway.admin().try_get("/readyz").await {
                Some(reply) if reply.status == 200 => tokio::time::sleep(Duration::from_millis(10)).await,
                _ => return,
            }
        }
    };
    tokio::time::timeout(PATIENCE, refusing).await.expect("it is still ready");
    for (dialect, mut events, mut open) in streams {
        while let Some(event) = open.event().await {
            events.push(event);
        }
        assert!(dialect.is_ended(&events), "{dialect:?}: {events:?}");
        dialect.streamed(&events);
    }
    let start = Instant::now();
    until("the process ends", || gateway.ended().is_some()).await;
    assert!(
        gateway.ended().unwrap().success() && start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    assert!(gateway.client().try_get("/").await.is_none());
}

#[tokio::test]
async fn a_gateway_with_nothing_to_do_stops_at_once() {
    let mock = upstream::mock();
    let mut gateway = Gateway::start(&configuration(&upstream::url(&mock))).await;
    gateway.terminate();
    let start = Instant::now();
    until("the process ends", || gateway.ended().is_some()).await;
    assert!(gateway.ended().unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_drain_has_its_end() {
    let mock = upstream::mock();
    let server = "[server]\nlisten = [\"{listen}\"]\ndrain = \"1s\"\n";
    let mut gateway = Gateway::start(&[server, &configuration(&upstream::url(&mock))].concat()).await;
    let mut open = gateway
        .client()
        .stream(Shape::OpenAi, "openai/mock@fault=hang:4", &Shape::OpenAi.says("hello"))
        .await;
    open.event().await.unwrap();
    gateway.terminate();
    until("the process ends", || gateway.ended().is_some()).await;
    let rest = open.rest().await;
    assert!(!rest.complete && !rest.text().contains("[DONE]"), "{}", rest.text());
}
