//! A second attempt beside a slow one: who answers, who is cancelled, and what is written down of it.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::support::client::Reply;
use super::support::gateway::good;
use super::support::upstream::{Scripted, Step, stream_head};
use super::support::{Gateway, KEY, Shape, provider, until};

/// A stream that says one word.
fn says(word: &str) -> Vec<Step> {
    let chunk = json!({ "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [
        { "index": 0, "delta": { "role": "assistant", "content": word }, "finish_reason": "stop" }] });
    vec![Step::send(stream_head()), Step::send(format!("data: {chunk}\n\ndata: [DONE]\n\n")), Step::Close]
}

/// The same once it is released.
fn says_when(released: &Arc<Semaphore>, word: &str) -> Vec<Step> {
    [vec![Step::Until(Arc::clone(released))], says(word)].concat()
}

fn fails() -> Vec<Step> {
    let body = "{\"error\":{\"message\":\"broken\",\"type\":\"server_error\",\"param\":null,\"code\":null}}";
    let head =
        "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\nconnection: close\r\n";
    vec![Step::send(format!("{head}content-length: {}\r\n\r\n{body}", body.len())), Step::Close]
}

fn released() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(0))
}

/// A gateway whose model `m` asks `one` first and may ask `two` beside it.
struct Pair {
    gateway: Gateway,
    one: Scripted,
    two: Scripted,
}

impl Pair {
    async fn start(one: Vec<Step>, two: Vec<Step>, model: &str) -> Self {
        let (one, two) = (Scripted::start(one).await, Scripted::start(two).await);
        let text = [
            format!("[keys.tests]\nsecret = \"{KEY}\"\n"),
            provider("one", Shape::OpenAi, &one.url()),
            provider("two", Shape::OpenAi, &two.url()),
            "[models.train]\ntargets = [\"one/m\"]\n".to_owned(),
            // In turn, the heavier first: `one` is asked first by the first request.
            "[models.m]\ntargets = [{ to = \"one/m\", weight = 3 }, \"two/m\"]\nbalance = \"round-robin\"\n"
                .to_owned(),
            format!("retry = {{ attempts = 1 }}\n{model}\n"),
        ];
        Self { gateway: Gateway::start(&text.concat()).await, one, two }
    }

    async fn ask(&self, text: &str) -> Reply {
        self.gateway.client().stream(Shape::OpenAi, "m", &Shape::OpenAi.says(text)).await.rest().await
    }

    /// The line of a request in the log.
    async fn line(&self, reply: &Reply) -> Value {
        self.gateway.request_line(reply.header("x-request-id")).await
    }

    /// Waits until one hedge ended like this; there is no other.
    async fn hedged(&self, outcome: &str) {
        let outcome = format!("outcome=\"{outcome}\"");
        self.gateway.until_metric("causeway_hedges_total", &["model=\"m\"", &outcome], 1.0).await;
        assert_eq!(self.gateway.metric("causeway_hedges_total", &[]).await, 1.0);
    }

    async fn attempts(&self, provider: &str, outcome: &str) -> f64 {
        let labels = [format!("provider=\"{provider}\""), format!("outcome=\"{outcome}\"")];
        self.gateway.metric("causeway_attempts_total", &[&labels[0], &labels[1]]).await
    }
}

fn said(reply: &Reply) -> String {
    assert!(reply.status == 200 && reply.complete, "{}", reply.text());
    Shape::OpenAi.streamed(&reply.events()).text
}

const ALWAYS: &str = "hedge = { after = \"1ms\", share = 1 }";

#[tokio::test]
async fn a_second_target_answers_for_one_that_does_not() {
    let pair = Pair::start(vec![Step::Hang], says("two"), ALWAYS).await;
    let reply = pair.ask("hello there, how are you?").await;
    assert_eq!(said(&reply), "two");
    until("the first connection is closed", || pair.one.left() == 1).await;
    let line = pair.line(&reply).await;
    assert_eq!(
        (&line["hedge"], &line["provider"], &line["attempts"]),
        (&json!("won"), &json!("two"), &json!(2))
    );
    assert!(line["hedged_in"].as_u64().is_some_and(|tokens| tokens > 0), "{line}");
    assert!(line["tried"].as_str().is_some_and(|tried| tried.contains("one/m hedged_away")), "{line}");
    pair.hedged("won").await;
    assert_eq!((pair.attempts("one", "hedged_away").await, pair.attempts("two", "ok").await), (1.0, 1.0));
    // Nothing failed, and nobody fell back.
    assert_eq!(pair.gateway.metric("causeway_fallbacks_total", &[]).await, 0.0);
    let counted = ["provider=\"two\"", "route=\"m\""];
    assert_eq!(pair.gateway.metric("causeway_requests_total", &counted).await, 1.0);
}

#[tokio::test]
async fn the_first_target_may_still_be_the_first_to_answer() {
    let release = released();
    let pair = Pair::start(says_when(&release, "one"), vec![Step::Hang], ALWAYS).await;
    let (reply, ()) = tokio::join!(pair.ask("hello"), async {
        until("the second is asked", || pair.two.requests().len() == 1).await;
        release.add_permits(1);
    });
    assert_eq!(said(&reply), "one");
    until("the second connection is closed", || pair.two.left() == 1).await;
    let line = pair.line(&reply).await;
    assert_eq!(
        (&line["hedge"], &line["provider"], &line["attempts"]),
        (&json!("lost"), &json!("one"), &json!(2))
    );
    pair.hedged("lost").await;
    assert_eq!((pair.attempts("one", "ok").await, pair.attempts("two", "hedged_away").await), (1.0, 1.0));
    assert_eq!(pair.gateway.metric("causeway_fallbacks_total", &[]).await, 0.0);
}

#[tokio::test]
async fn without_a_budget_nobody_is_asked_twice() {
    let slow = [vec![Step::Wait(std::time::Duration::from_millis(200))], says("one")].concat();
    let pair = Pair::start(slow, says("two"), "hedge = { after = \"1ms\", share = 0 }").await;
    let reply = pair.ask("hello").await;
    assert_eq!(said(&reply), "one");
    assert_eq!((pair.line(&reply).await["hedge"].clone(), pair.two.requests().len()), (json!("denied"), 0));
    pair.hedged("denied").await;
}

#[tokio::test]
async fn when_the_first_fails_the_second_is_waited_for() {
    let (fail, release) = (released(), released());
    let one = [vec![Step::Until(Arc::clone(&fail))], fails()].concat();
    let pair = Pair::start(one, says_when(&release, "two"), ALWAYS).await;
    let (reply, ()) = tokio::join!(pair.ask("hello"), async {
        until("the second is asked", || pair.two.requests().len() == 1).await;
        fail.add_permits(1);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        release.add_permits(1);
    });
    assert_eq!(said(&reply), "two");
    assert_eq!((pair.one.requests().len(), pair.two.requests().len()), (1, 1));
    pair.hedged("won").await;
    assert_eq!((pair.attempts("one", "upstream_error").await, pair.attempts("two", "ok").await), (1.0, 1.0));
    assert_eq!(pair.gateway.metric("causeway_fallbacks_total", &["from=\"one\"", "to=\"two\""]).await, 1.0);
}

#[tokio::test]
async fn when_the_second_fails_the_first_is_waited_for() {
    let release = released();
    let pair = Pair::start(says_when(&release, "one"), fails(), ALWAYS).await;
    let (reply, ()) = tokio::join!(pair.ask("hello"), async {
        until("the second is asked", || pair.two.requests().len() == 1).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        release.add_permits(1);
    });
    assert_eq!(said(&reply), "one");
    pair.hedged("lost").await;
    assert_eq!(pair.line(&reply).await["provider"], "one");
}

#[tokio::test]
async fn when_both_fail_the_plan_goes_on() {
    let (fail, more) = (released(), "fallback = [\"two/spare\"]");
    let one = [vec![Step::Until(Arc::clone(&fail))], fails()].concat();
    let pair = Pair::start(one, fails(), &format!("{more}\n{ALWAYS}")).await;
    pair.two.play_each(vec![fails(), says("spare")]);
    let (reply, ()) = tokio::join!(pair.ask("hello"), async {
        until("the second is asked", || pair.two.requests().len() == 1).await;
        fail.add_permits(1);
    });
    assert_eq!(said(&reply), "spare");
    assert_eq!(pair.line(&reply).await["attempts"], 3);
    pair.hedged("lost").await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_both() {
    let pair = Pair::start(vec![Step::Hang], vec![Step::Hang], ALWAYS).await;
    let body = Shape::OpenAi.named(&Shape::OpenAi.says("hello"), "m", true).to_string();
    let client = pair.gateway.client().with_key();
    let mut open = client.connect().await;
    open.write(&client.request("POST", &Shape::OpenAi.path("m", true), body.as_bytes())).await;
    until("both are asked", || (pair.one.requests().len(), pair.two.requests().len()) == (1, 1)).await;
    drop(open);
    until("both are left", || (pair.one.left(), pair.two.left()) == (1, 1)).await;
    pair.gateway.until_metric("causeway_attempts_total", &["outcome=\"client_gone\""], 2.0).await;
}

#[tokio::test]
async fn the_wait_is_the_targets_own_percentile() {
    let hedge = "hedge = { after = \"p95\", share = 1, floor = \"1ms\" }";
    let pair = Pair::start(says("one"), says("two"), hedge).await;
    for _ in 0..40 {
        let trained =
            pair.gateway.client().stream(Shape::OpenAi, "train", &Shape::OpenAi.says("hello")).await;
        assert_eq!(said(&trained.rest().await), "one");
    }
    pair.one.play(vec![Step::Hang]);
    assert_eq!(said(&pair.ask("hello").await), "two");
    pair.hedged("won").await;
}

#[tokio::test]
async fn a_whole_answer_is_hedged_only_after_a_time_of_its_own() {
    let body = "{\"id\":\"1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\
        \"message\":{\"role\":\"assistant\",\"content\":\"two\"},\"finish_reason\":\"stop\"}]}";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let whole = vec![Step::send(format!("{head}content-length: {}\r\n\r\n{body}", body.len())), Step::Close];
    let pair = Pair::start(vec![Step::Hang], whole, ALWAYS).await;
    let reply = pair.gateway.client().ask(Shape::OpenAi, "m", &Shape::OpenAi.says("hello")).await;
    assert_eq!(Shape::OpenAi.whole(&good(&reply)).text, "two");
    until("the first connection is closed", || pair.one.left() == 1).await;
}

#[tokio::test]
async fn a_large_prompt_stays_with_its_warm_cache() {
    let slow = |word| [vec![Step::Wait(std::time::Duration::from_millis(200))], says(word)].concat();
    let sticky = "sticky = \"prefix\"\nhedge = { after = \"1ms\", share = 1, warm = 1000 }";
    let pair = Pair::start(slow("one"), slow("two"), sticky).await;
    let asked = || pair.one.requests().len() + pair.two.requests().len();
    let large = pair.ask(&"a word ".repeat(1000)).await;
    assert_eq!((pair.line(&large).await["hedge"].clone(), asked()), (json!("denied"), 1));
    let small = pair.ask("a word").await;
    said(&small);
    assert_eq!(asked(), 3, "a small one is asked twice");
}
