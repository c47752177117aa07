//! Many keys for one provider: who is asked, who rests, what is told, and that no key is ever shown.

use std::time::Duration;

use causeway::domain::Secret;
use causeway::mock::Settings;
use serde_json::{Value, json};

use super::support::gateway::{Folder, good, run};
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, Shape, until};

mod commands;

const GOOD: &str = "sk-good-0123456789abcdef";
const BAD: &str = "sk-bad-0123456789abcdef";
const OTHER: &str = "sk-other-0123456789abcdef";

/// One provider with these lines about its keys, behind `openai/*`.
fn configuration(url: &str, keys: &str) -> String {
    format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n[providers.openai]\nplugin = \"openai\"\nurl = \"{url}\"\n{keys}\n\
         [models.\"openai/*\"]\ntargets = [\"openai/*\"]\nretry = {{ attempts = 1 }}\n"
    )
}

fn two_keys() -> String {
    format!("keys = [\"{BAD}\", \"{GOOD}\"]")
}

async fn ask(gateway: &Gateway, model: &str) -> super::support::client::Reply {
    gateway
        .client()
        .ask(
            Shape::OpenAi,
            &format!("openai/{model}"),
            &json!({ "messages": [{ "role": "user", "content": "hello" }] }),
        )
        .await
}

/// A whole answer of this status with these headers.
fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![
        Step::send(format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )),
        Step::Close,
    ]
}

fn well() -> Vec<Step> {
    answer(
        "200 OK",
        "",
        r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
    )
}

fn too_many(headers: &str) -> Vec<Step> {
    answer(
        "429 Too Many Requests",
        headers,
        r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#,
    )
}

/// How often a key was sent.
fn asked_with(upstream: &Scripted, key: &str) -> usize {
    upstream.requests().iter().filter(|request| String::from_utf8_lossy(request).contains(key)).count()
}

async fn states(gateway: &Gateway) -> Value {
    let reply = gateway.admin().get("/admin/api/provider-keys?provider=openai").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!reply.text().contains("sk-"), "{}", reply.text());
    reply.json()
}

#[track_caller]
fn no_key_is_shown(gateway: &Gateway) {
    for line in gateway.lines() {
        assert!(!line.contains(GOOD) && !line.contains(BAD) && !line.contains(OTHER), "{line}");
    }
}

#[tokio::test]
async fn a_refused_key_is_followed_by_another_and_not_asked_again() {
    let mock = upstream::mock_with(Settings { key: Some(Secret::new(GOOD)), ..Settings::default() });
    let gateway = Gateway::start(&configuration(&upstream::url(&mock), &two_keys())).await;
    for _ in 0..6 {
        good(&ask(&gateway, "gpt-mock").await);
    }
    gateway.until_metric("causeway_attempts_total", &["outcome=\"ok\""], 6.0).await;
    assert_eq!(gateway.metric("causeway_attempts_total", &["outcome=\"invalid_api_key\""]).await, 1.0);
    assert_eq!(gateway.metric("causeway_provider_keys_usable", &["provider=\"openai\""]).await, 1.0);
    assert_eq!(gateway.metric("causeway_provider_keys_resting", &["provider=\"openai\""]).await, 1.0);
    let states = states(&gateway).await;
    let resting: Vec<_> =
        states["keys"].as_array().unwrap().iter().filter(|key| key["state"] == "resting").collect();
    assert_eq!(resting.len(), 1, "{states}");
    assert_eq!((&resting[0]["cause"], &resting[0]["failures"]), (&"refused".into(), &1.into()));
    let requests: Vec<_> = gateway.log().into_iter().filter(|line| line["message"] == "request").collect();
    assert!(requests.iter().all(|line| line["provider_key"].as_str().is_some_and(|id| id.len() == 12)));
    assert!(
        gateway
            .log()
            .iter()
            .any(|line| line["message"] == "provider key rests" && line["provider"] == "openai")
    );
    no_key_is_shown(&gateway);
}

#[tokio::test]
async fn a_rate_limit_rests_a_key_at_its_model_alone() {
    let upstream = Scripted::start(well()).await;
    let gateway =
        Gateway::start(&configuration(&upstream.url(), &format!("{}\nkey_choice = \"fixed\"", two_keys())))
            .await;
    upstream.play_each(vec![too_many("retry-after: 600\r\n"), well()]);
    good(&ask(&gateway, "m").await);
    assert_eq!((asked_with(&upstream, BAD), asked_with(&upstream, GOOD)), (1, 1));
    good(&ask(&gateway, "m").await);
    assert_eq!((asked_with(&upstream, BAD), asked_with(&upstream, GOOD)), (1, 2));
    good(&ask(&gateway, "other").await);
    assert_eq!((asked_with(&upstream, BAD), asked_with(&upstream, GOOD)), (2, 2));
    let states = states(&gateway).await;
    assert_eq!(states["counts"]["limited"], 1, "{states}");
    assert_eq!(states["keys"][0]["models"][0]["model"], "m", "{states}");
    no_key_is_shown(&gateway);
}

#[tokio::test]
async fn when_every_key_rests_the_client_is_told_when_to_come_back() {
    let upstream = Scripted::start(too_many("retry-after: 40\r\n")).await;
    let gateway = Gateway::start(&configuration(&upstream.url(), &two_keys())).await;
    for _ in 0..3 {
        let reply = ask(&gateway, "m").await;
        assert_eq!(reply.status, 429, "{}", reply.text());
        let seconds: u64 =
            reply.header("retry-after").parse().unwrap_or_else(|_| panic!("{:?}", reply.headers));
        assert!((30..=40).contains(&seconds), "{seconds}");
        assert!(!reply.text().contains("sk-"));
    }
    assert_eq!(upstream.requests().len(), 2, "resting keys were asked");
    no_key_is_shown(&gateway);
}

#[tokio::test]
async fn with_every_key_at_rest_the_next_target_answers_at_once() {
    let full = Scripted::start(too_many("retry-after: 40\r\n")).await;
    let free = Scripted::start(well()).await;
    let text = configuration(&full.url(), &two_keys()).replace(
        "[models",
        &format!(
            "[providers.second]\nplugin = \"openai\"\nurl = \"{}\"\nkeys = [\"{OTHER}\"]\n[models",
            free.url()
        ),
    );
    let text = text.replace(
        "targets = [\"openai/*\"]\nretry = { attempts = 1 }",
        "targets = [\"openai/*\"]\nfallback = [\"second/m\"]",
    );
    let gateway = Gateway::start(&text).await;
    for _ in 0..4 {
        good(&ask(&gateway, "m").await);
    }
    assert_eq!((full.requests().len(), free.requests().len()), (2, 4));
}

#[tokio::test]
async fn a_key_over_its_own_limit_is_passed_over() {
    let upstream = Scripted::start(well()).await;
    let keys = format!(
        "{}\nkey_choice = \"fixed\"\nkey_limits = {{ requests = [\"2/day\"], models = {{ \"big*\" = {{ tokens = [\"8/day\"] }} }} }}",
        two_keys()
    );
    let gateway = Gateway::start(&configuration(&upstream.url(), &keys)).await;
    for _ in 0..4 {
        good(&ask(&gateway, "m").await);
    }
    assert_eq!((asked_with(&upstream, BAD), asked_with(&upstream, GOOD)), (2, 2));
    let reply = ask(&gateway, "m").await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert!(
        reply.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 3600),
        "{:?}",
        reply.headers
    );
    // Five tokens an answer: two fit below eight, the third goes to the other key.
    for _ in 0..3 {
        good(&ask(&gateway, "big-model").await);
        gateway.until_metric("causeway_inflight", &[], 0.0).await;
    }
    assert_eq!((asked_with(&upstream, BAD), asked_with(&upstream, GOOD)), (4, 3));
}

#[tokio::test]
async fn rests_survive_a_restart_and_are_lifted_by_hand() {
    let store = Folder::new();
    let upstream = Scripted::start(answer(
        "401 Unauthorized",
        "",
        r#"{"error":{"message":"no","code":"invalid_api_key"}}"#,
    ))
    .await;
    let keys = format!("{}\nkey_choice = \"fixed\"", two_keys());
    let text =
        configuration(&upstream.url(), &keys) + &format!("[store]\npath = \"{}\"\n", store.path().display());
    let mut gateway = Gateway::start(&text).await;
    upstream.play_each(vec![
        answer("402 Payment Required", "", r#"{"error":{"message":"no money","code":"insufficient_quota"}}"#),
        well(),
    ]);
    good(&ask(&gateway, "m").await);
    assert_eq!(asked_with(&upstream, BAD), 1);
    // What is relaxed is on the disk within a tenth of a second.
    tokio::time::sleep(Duration::from_millis(400)).await;
    gateway.crash().await;
    good(&ask(&gateway, "m").await);
    assert_eq!((asked_with(&upstream, BAD), asked_with(&upstream, GOOD)), (1, 2));
    assert_eq!(states(&gateway).await["keys"][0]["cause"], "quota");

    let admin = gateway.admin();
    assert_eq!(admin.get("/admin/api/provider-keys/restore?provider=openai").await.status, 405);
    assert_eq!(admin.send("POST", "/admin/api/provider-keys/restore?provider=nobody", b"").await.status, 404);
    let foreign = admin.clone().with("origin", "http://evil.example");
    assert_eq!(
        foreign.send("POST", "/admin/api/provider-keys/restore?provider=openai", b"").await.status,
        403
    );
    let reply = admin.send("POST", "/admin/api/provider-keys/restore?provider=openai", b"").await;
    assert_eq!(good(&reply)["restored"], 1);
    good(&ask(&gateway, "m").await);
    assert_eq!(asked_with(&upstream, BAD), 2);
    no_key_is_shown(&gateway);
}

#[tokio::test]
async fn a_reload_keeps_rests_and_a_new_key_of_the_file_is_used() {
    let folder = Folder::new();
    let file = folder.path().join("openai.keys");
    std::fs::write(&file, format!("{BAD}  # the old one\n")).unwrap();
    let mock = upstream::mock_with(Settings { key: Some(Secret::new(GOOD)), ..Settings::default() });
    let keys = format!("keys_file = \"{}\"", file.display());
    let gateway = Gateway::start(&configuration(&upstream::url(&mock), &keys)).await;
    assert_eq!(ask(&gateway, "gpt-mock").await.status, 502);
    assert_eq!(states(&gateway).await["keys"][0]["note"], "the old one");
    let aside = folder.path().join("aside");
    std::fs::write(&aside, format!("{BAD}\n# and one more\n{GOOD}\n")).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    // Without a signal: the file is looked at.
    until("the new key is there", || gateway.log().iter().any(|line| line["generation"] == 2)).await;
    for _ in 0..4 {
        good(&ask(&gateway, "gpt-mock").await);
    }
    let states = states(&gateway).await;
    assert_eq!(
        (&states["counts"]["resting"], &states["counts"]["usable"]),
        (&1.into(), &1.into()),
        "{states}"
    );
    no_key_is_shown(&gateway);
}

#[tokio::test]
async fn a_file_of_ten_thousand_keys_works() {
    let folder = Folder::new();
    let file = folder.path().join("openai.keys");
    let lines: String =
        (0..10_000).map(|key| format!("sk-key-{key:05}-0123456789 # number {key}\n")).collect();
    std::fs::write(&file, lines + "sk-key-00000-0123456789\n").unwrap();
    let upstream = Scripted::start(well()).await;
    let gateway =
        Gateway::start(&configuration(&upstream.url(), &format!("keys_file = \"{}\"", file.display()))).await;
    for _ in 0..20 {
        good(&ask(&gateway, "m").await);
    }
    let mut used: Vec<String> = upstream
        .requests()
        .iter()
        .map(|request| {
            let text = String::from_utf8_lossy(request).into_owned();
            text.lines()
                .find(|line| line.to_lowercase().starts_with("authorization"))
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    used.sort();
    used.dedup();
    assert_eq!(used.len(), 20);
    assert_eq!(states(&gateway).await["counts"]["keys"], 10_000);
    assert!(gateway.lines().iter().any(|line| line.contains("1 of the keys in")), "{:?}", gateway.lines());
    // The provider repeats a key it refuses: nobody else gets to see it.
    let said = answer(
        "400 Bad Request",
        "",
        r#"{"error":{"message":"what is sk-key-00020-0123456789?","type":"invalid_request_error"}}"#,
    );
    upstream.play(said);
    let reply = ask(&gateway, "m").await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("***") && !reply.text().contains("sk-key"), "{}", reply.text());
    assert!(gateway.lines().iter().all(|line| !line.contains("sk-key-")));
}

#[tokio::test]
async fn a_refused_key_is_asked_whether_it_is_well_again() {
    let upstream = Scripted::start(well()).await;
    let keys = format!("{}\nkey_rest = {{ first = \"20s\" }}", two_keys());
    let gateway = Gateway::start(&configuration(&upstream.url(), &keys)).await;
    let refused = answer("401 Unauthorized", "", r#"{"error":{"message":"no","code":"invalid_api_key"}}"#);
    upstream.play_each(vec![refused, well()]);
    good(&ask(&gateway, "m").await);
    assert_eq!(states(&gateway).await["counts"]["resting"], 1);
    // Nobody asks anything; the gateway does, past half of the rest.
    until("the key is back", || gateway.log().iter().any(|line| line["message"] == "provider key is back"))
        .await;
    let requests = upstream.requests();
    let last = String::from_utf8_lossy(requests.last().unwrap());
    assert!(last.starts_with("GET /v1/models ") && last.contains(BAD), "{last}");
    assert_eq!(states(&gateway).await["counts"]["resting"], 0);
    no_key_is_shown(&gateway);
}

#[test]
fn a_wrong_line_of_a_file_is_told_by_its_number() {
    let text = configuration(
        "http://127.0.0.1:9",
        "keys_file = \"openai.keys\"\nkey_limits = { models = { \"a*b\" = {} } }",
    );
    let files = [("causeway.toml", text.as_bytes()), ("openai.keys", b"sk-a\nsk-b sk-c\n".as_slice())];
    let output = run(&["check", "-c", "causeway.toml"], &files, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`a*b` is no name of a model"), "{said}");
    let text = text.replace("\"a*b\"", "\"a*\"");
    let files = [("causeway.toml", text.as_bytes()), files[1]];
    let output = run(&["check", "-c", "causeway.toml"], &files, &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("line 2 holds white space") && said.contains("keys_file") && !said.contains("sk-b"),
        "{said}"
    );
    let output = run(&["check", "-c", "causeway.toml"], &files[..1], &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("cannot be read"), "{said}");
}
