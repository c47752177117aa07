//! A target that fails is left alone, found again, and lifted by hand; what is known of it outlives reloads and restarts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use causeway::mock::Running;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::support::client::Reply;
use super::support::gateway::run;
use super::support::upstream::{self, Scripted, Step};
use super::support::{Gateway, KEY, PATIENCE, Shape, provider, until};

mod admin;
mod probe;
mod rest;

const ERROR: &str = "{\"error\":{\"message\":\"not now\",\"type\":null,\"param\":null,\"code\":null}}";
const DONE: &str = "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"done\"},\"finish_reason\":\"stop\"}]}";

/// An answer of a vendor that speaks OpenAI's dialect.
fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    vec![Step::send(head), Step::send(body), Step::Close]
}

fn broken() -> Vec<Step> {
    answer("500 Internal Server Error", "", ERROR)
}

fn well() -> Vec<Step> {
    answer("200 OK", "", DONE)
}

/// A target with a script, another that answers always, and a gateway before them.
struct Pair {
    bad: Scripted,
    good: Running,
}

impl Pair {
    async fn start() -> Self {
        Self { bad: Scripted::start(broken()).await, good: upstream::mock() }
    }

    /// `m` asks the first target and falls back to the second, `lone` has only the first.
    fn configuration(&self, more: &str) -> String {
        [
            format!("[keys.tests]\nsecret = \"{KEY}\"\n"),
            provider("bad", Shape::OpenAi, &self.bad.url()),
            provider("good", Shape::OpenAi, &upstream::url(&self.good)),
            "[models.m]\ntargets = [\"bad/m\"]\nfallback = [\"good/mock\"]\nretry = { attempts = 1 }\n"
                .to_owned(),
            "[models.lone]\ntargets = [\"bad/m\"]\nretry = { attempts = 1 }\n".to_owned(),
            more.to_owned(),
        ]
        .concat()
    }

    fn asked(&self) -> usize {
        self.bad.requests().len()
    }
}

/// The circuit opens for so long.
fn open_for(time: &str) -> String {
    format!("[defaults.model]\nbreaker = {{ open = \"{time}\", longest = \"2h\" }}\n")
}

async fn ask(gateway: &Gateway, model: &str) -> Reply {
    gateway.client().ask(Shape::OpenAi, model, &Shape::OpenAi.says("hello")).await
}

async fn ask_well(gateway: &Gateway, model: &str) {
    let reply = ask(gateway, model).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// What the admin side tells of the first target.
async fn bad_target(gateway: &Gateway) -> Value {
    let reply = gateway.admin().get("/admin/api/targets").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let targets = reply.json();
    let own = |target: &&Value| target["provider"] == "bad" && target["model"] == "m";
    targets["targets"].as_array().and_then(|targets| targets.iter().find(own).cloned()).expect("it is listed")
}

async fn until_state(gateway: &Gateway, state: &str) {
    let waiting = async {
        while bad_target(gateway).await["state"] != state {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("it is never {state}"));
}

#[tokio::test]
async fn five_failures_in_a_row_and_it_is_left_alone() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&pair.configuration(&open_for("1h"))).await;
    assert_eq!(bad_target(&gateway).await["state"], "closed");
    for _ in 0..15 {
        ask_well(&gateway, "m").await;
    }
    assert_eq!((pair.asked(), pair.good.requests().len()), (5, 15));
    let target = bad_target(&gateway).await;
    assert_eq!((&target["state"], &target["reason"]), (&"open".into(), &"failures".into()), "{target}");
    assert!(target["until"].is_string() && target["seconds_left"].as_f64() > Some(3000.0), "{target}");
    let own = ["provider=\"bad\"", "model=\"m\""];
    assert_eq!(gateway.metric("causeway_target_state", &own).await, 2.0);
    assert_eq!(gateway.metric("causeway_target_state", &["provider=\"good\""]).await, 0.0);
    let failures = ["provider=\"bad\"", "reason=\"failures\""];
    assert_eq!(gateway.metric("causeway_target_rests_total", &failures).await, 1.0);
    let log = gateway.log();
    let told = log.iter().filter(|line| line["message"] == "the target rests").count();
    assert_eq!(told, 1, "{log:?}");
}

#[tokio::test]
async fn fifty_failures_at_once_open_it_once() {
    let pair = Pair::start().await;
    let gate = Arc::new(Semaphore::new(0));
    pair.bad.play([vec![Step::Until(Arc::clone(&gate))], broken()].concat());
    let gateway = Arc::new(Gateway::start(&pair.configuration(&open_for("1h"))).await);
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let gateway = Arc::clone(&gateway);
            tokio::spawn(async move { ask_well(&gateway, "m").await })
        })
        .collect();
    until("all of them ask", || pair.asked() == 50).await;
    gate.add_permits(50);
    for client in clients {
        client.await.unwrap();
    }
    ask_well(&gateway, "m").await;
    assert_eq!(pair.asked(), 50);
    assert_eq!(gateway.metric("causeway_target_rests_total", &["provider=\"bad\""]).await, 1.0);
}

#[tokio::test]
async fn one_request_at_a_time_tries_whether_it_is_back() {
    let pair = Pair::start().await;
    let gateway = Arc::new(Gateway::start(&pair.configuration(&open_for("300ms"))).await);
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    // The first that may go there is kept waiting, and all others go elsewhere meanwhile.
    let gate = Arc::new(Semaphore::new(0));
    pair.bad.play([vec![Step::Until(Arc::clone(&gate))], well()].concat());
    let asking = {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let start = Instant::now();
            let mut answers = Vec::new();
            while start.elapsed() < PATIENCE {
                let answer = ask(&gateway, "m").await.text();
                let ended = answer == DONE;
                answers.push(answer);
                if ended {
                    break;
                }
            }
            answers
        })
    };
    until("a probe is there", || pair.asked() == 6).await;
    for _ in 0..10 {
        ask_well(&gateway, "m").await;
    }
    assert_eq!((pair.asked(), &bad_target(&gateway).await["state"]), (6, &"half-open".into()));
    assert_eq!(gateway.metric("causeway_target_state", &["provider=\"bad\""]).await, 1.0);
    gate.add_permits(1);
    assert_eq!(asking.await.unwrap().last().map(String::as_str), Some(DONE));
    pair.bad.play(well());
    for _ in 0..10 {
        assert_eq!(ask(&gateway, "m").await.text(), DONE);
    }
    assert_eq!(bad_target(&gateway).await["state"], "closed");
}

#[tokio::test]
async fn a_client_that_leaves_does_not_keep_the_probes_place() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&pair.configuration(&open_for("200ms"))).await;
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    pair.bad.play(vec![Step::Hang]);
    let start = Instant::now();
    while pair.asked() == 5 && start.elapsed() < PATIENCE {
        let asking = ask(&gateway, "m");
        let _ = tokio::time::timeout(Duration::from_millis(100), asking).await;
    }
    until("the probe was left", || pair.bad.left() == 1).await;
    pair.bad.play(well());
    let waiting = async { while ask(&gateway, "m").await.text() != DONE {} };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is never asked again");
}

#[tokio::test]
async fn what_is_known_outlives_a_reload_and_a_restart() {
    let pair = Pair::start().await;
    let more = format!("{}[store]\npath = \"state\"\n", open_for("1h"));
    let mut gateway = Gateway::start(&pair.configuration(&more)).await;
    for _ in 0..5 {
        ask_well(&gateway, "m").await;
    }
    let other = format!("{more}[models.other]\ntargets = [\"good/mock\"]\n");
    gateway.rewrite(&pair.configuration(&other));
    gateway.hangup();
    let waiting = async { while ask(&gateway, "other").await.status != 200 {} };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the new configuration never works");
    ask_well(&gateway, "m").await;
    assert_eq!(pair.asked(), 5);
    gateway.restart().await;
    ask_well(&gateway, "m").await;
    let target = bad_target(&gateway).await;
    assert_eq!((pair.asked(), &target["state"]), (5, &"open".into()), "{target}");
    let left = target["seconds_left"].as_f64().unwrap();
    assert!((3000.0..3600.0).contains(&left), "{target}");
    // What was lifted is not remembered.
    let reply = gateway.admin().send("POST", "/admin/api/targets/lift?target=bad/m", b"").await;
    assert_eq!(reply.json()["lifted"], serde_json::json!(["bad/m"]));
    gateway.restart().await;
    assert_eq!(bad_target(&gateway).await["state"], "closed");
}

#[tokio::test]
async fn a_lone_target_is_asked_on_but_not_hammered() {
    let pair = Pair::start().await;
    let gateway = Gateway::start(&pair.configuration(&open_for("1h"))).await;
    let start = Instant::now();
    let mut refused = None;
    for _ in 0..60 {
        let reply = ask(&gateway, "lone").await;
        assert!(reply.status >= 500, "{}", reply.text());
        if reply.status == 503 {
            refused = Some(reply);
        }
    }
    // Five open the circuit, twenty may try at once, and then one a second.
    let most = 26 + usize::try_from(start.elapsed().as_secs()).unwrap();
    assert!((25..=most).contains(&pair.asked()), "{} asked in {:?}", pair.asked(), start.elapsed());
    let refused = refused.expect("some are not sent");
    Shape::OpenAi.error(&refused.json());
    let wait: f64 = refused.header("retry-after").parse().unwrap();
    assert!((3000.0..=3600.0).contains(&wait), "{wait}");
    pair.bad.play(well());
    let waiting = async { while ask(&gateway, "lone").await.status != 200 {} };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is never found again");
    for _ in 0..20 {
        ask_well(&gateway, "lone").await;
    }
}

#[tokio::test]
async fn one_that_fails_often_goes_behind_the_others() {
    let pair = Pair::start().await;
    let more = "[models.both]\ntargets = [{ to = \"bad/m\", weight = 1000 }, \"good/mock\"]\nretry = { backoff = \"1ms..2ms\" }\n\
                breaker = false\ndegrade = { samples = 4, rate = 0.5 }\n";
    let gateway = Gateway::start(&pair.configuration(more)).await;
    let start = Instant::now();
    while pair.asked() < 4 && start.elapsed() < PATIENCE {
        ask_well(&gateway, "both").await;
    }
    assert_eq!(bad_target(&gateway).await["degraded"], true);
    let before = pair.asked();
    for _ in 0..20 {
        ask_well(&gateway, "both").await;
    }
    assert_eq!(pair.asked(), before);
}

#[tokio::test]
async fn without_a_breaker_it_is_asked_each_time() {
    let pair = Pair::start().await;
    let gateway =
        Gateway::start(&pair.configuration("[defaults.model]\nbreaker = false\ndegrade = false\n")).await;
    for _ in 0..20 {
        ask_well(&gateway, "m").await;
    }
    assert_eq!(pair.asked(), 20);
}
