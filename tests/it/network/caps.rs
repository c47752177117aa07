//! Never more requests at a time than a provider is to get: the next target, the queue, and who is refused.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::super::support::client::Reply;
use super::super::support::gateway::good;
use super::super::support::{Gateway, KEY, Shape, until};

/// A provider that answers when it is told to.
struct Provider {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

struct Seen {
    /// What was asked, in order.
    questions: Mutex<Vec<String>>,
    running: Mutex<Running>,
    answers: Semaphore,
}

#[derive(Default)]
struct Running {
    now: usize,
    most: usize,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen {
            questions: Mutex::default(),
            running: Mutex::default(),
            answers: Semaphore::new(0),
        });
        let serving = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { address, seen, task }
    }

    fn running(&self) -> usize {
        self.seen.running.lock().now
    }

    fn most(&self) -> usize {
        self.seen.running.lock().most
    }

    fn questions(&self) -> Vec<String> {
        self.seen.questions.lock().clone()
    }

    /// So many more answers.
    fn answer(&self, many: usize) {
        self.seen.answers.add_permits(many);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request per connection: a head and a first event at once where a stream is asked for, the rest when it may.
async fn serve(mut stream: TcpStream, seen: Arc<Seen>) {
    let Some((question, streamed)) = read_question(&mut stream).await else { return };
    seen.questions.lock().push(question);
    {
        let mut running = seen.running.lock();
        running.now += 1;
        running.most = running.most.max(running.now);
    }
    let chunk = |delta: &str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"gpt\",\"choices\":\
             [{{\"index\":0,\"delta\":{{\"content\":\"{delta}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    if streamed {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        stream.write_all(format!("{head}{}", chunk("hi")).as_bytes()).await.unwrap();
    }
    let mut byte = [0];
    let told = tokio::select! {
        answer = seen.answers.acquire() => { answer.unwrap().forget(); true }
        _ = stream.read(&mut byte) => false,
    };
    // Before the answer is out: when its reader knows of it, this must be true.
    seen.running.lock().now -= 1;
    if !told {
        return;
    }
    let rest = if streamed {
        format!("{}data: [DONE]\n\n", chunk("!"))
    } else {
        let body = super::http2::ANSWER;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        format!("{head}content-length: {}\r\n\r\n{body}", body.len())
    };
    let _ = stream.write_all(rest.as_bytes()).await;
}

async fn read_question(stream: &mut TcpStream) -> Option<(String, bool)> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let body = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|end| &bytes[end + 4..]);
        if let Some(Ok(body)) = body.map(serde_json::from_slice::<Value>) {
            let question = body["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
            return Some((question, body["stream"] == true));
        }
    }
}

/// The model `m` at these providers, each with these lines more; one attempt for each of them.
fn configuration(providers: &[(&str, &Provider, &str)]) -> String {
    let targets: Vec<_> = providers.iter().map(|(name, ..)| format!("{name}/gpt")).collect();
    let (first, fallback) = targets.split_first().unwrap();
    let mut text = format!(
        "[keys.tests]\nsecret = \"{KEY}\"\n[models.m]\ntargets = [\"{first}\"]\nfallback = {fallback:?}\n\
         retry = {{ attempts = 1 }}\n"
    );
    for (name, provider, more) in providers {
        text.push_str(&format!(
            "[providers.{name}]\nplugin = \"openai\"\nurl = \"http://{}\"\nkeys = [\"sk-upstream-0123456789\"]\n{more}\n",
            provider.address
        ));
    }
    text
}

fn ask(gateway: &Arc<Gateway>, question: &str) -> JoinHandle<Reply> {
    let (gateway, question) = (Arc::clone(gateway), question.to_owned());
    tokio::spawn(
        async move { gateway.client().ask(Shape::OpenAi, "m", &Shape::OpenAi.says(&question)).await },
    )
}

#[tokio::test]
async fn twenty_at_a_time_are_three_at_a_time_for_the_provider() {
    let provider = Provider::start().await;
    let more = "limits = { concurrent = 3 }\nqueue = { length = 20, wait = \"60s\" }";
    let gateway = Arc::new(Gateway::start(&configuration(&[("p", &provider, more)])).await);
    let asked: Vec<_> = (0..20).map(|number| ask(&gateway, &format!("question {number}"))).collect();
    until("three are there", || provider.running() == 3).await;
    gateway.until_metric("causeway_queue_waiting", &["provider=\"p\""], 17.0).await;
    provider.answer(20);
    for reply in asked {
        good(&reply.await.unwrap());
    }
    assert_eq!((provider.most(), provider.questions().len()), (3, 20));
    gateway.until_metric("causeway_queue_waiting", &["provider=\"p\""], 0.0).await;
    let entered = gateway.metric("causeway_queue_waited_seconds_count", &["outcome=\"entered\""]).await;
    assert_eq!(entered, 17.0);
}

#[tokio::test]
async fn the_queue_is_first_come_first_served_and_who_leaves_loses_the_place() {
    let provider = Provider::start().await;
    let more = "limits = { concurrent = 1 }\nqueue = { length = 3, wait = \"60s\" }";
    let gateway = Arc::new(Gateway::start(&configuration(&[("p", &provider, more)])).await);
    let waiting = ["provider=\"p\""];
    let mut asked = vec![ask(&gateway, "a")];
    until("the first is there", || provider.running() == 1).await;
    for (number, question) in ["b", "c", "d"].into_iter().enumerate() {
        asked.push(ask(&gateway, question));
        gateway.until_metric("causeway_queue_waiting", &waiting, (number + 1) as f64).await;
    }
    let refused = ask(&gateway, "too many").await.unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["error"]["code"], "overloaded");
    let reply = gateway.client().ask(Shape::Anthropic, "m", &Shape::Anthropic.says("too many")).await;
    assert_eq!((reply.status, reply.header("retry-after")), (529, "1"), "{}", reply.text());
    assert_eq!(reply.json()["error"]["type"], "overloaded_error");
    asked.remove(2).abort();
    gateway.until_metric("causeway_queue_waiting", &waiting, 2.0).await;
    asked.push(ask(&gateway, "e"));
    gateway.until_metric("causeway_queue_waiting", &waiting, 3.0).await;
    provider.answer(4);
    for reply in asked {
        good(&reply.await.unwrap());
    }
    assert_eq!(provider.questions(), ["a", "b", "d", "e"]);
    assert_eq!(provider.most(), 1);
    let outcome = |outcome: &'static str| [outcome];
    let name = "causeway_queue_waited_seconds_count";
    assert_eq!(gateway.metric(name, &outcome("outcome=\"full\"")).await, 2.0);
    assert_eq!(gateway.metric(name, &outcome("outcome=\"left\"")).await, 1.0);
    assert_eq!(gateway.metric(name, &outcome("outcome=\"entered\"")).await, 3.0);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_refused() {
    let provider = Provider::start().await;
    let more = "limits = { concurrent = 1 }\nqueue = { length = 3, wait = \"50ms\" }";
    let gateway = Arc::new(Gateway::start(&configuration(&[("p", &provider, more)])).await);
    let first = ask(&gateway, "a");
    until("the first is there", || provider.running() == 1).await;
    let late = ask(&gateway, "b").await.unwrap();
    assert_eq!(late.status, 503, "{}", late.text());
    assert_eq!(gateway.metric("causeway_queue_waited_seconds_count", &["outcome=\"late\""]).await, 1.0);
    provider.answer(1);
    good(&first.await.unwrap());
    assert_eq!(provider.questions(), ["a"]);
}

#[tokio::test]
async fn over_the_cap_the_next_target_is_asked_at_once() {
    let (near, far) = (Provider::start().await, Provider::start().await);
    let queue = "limits = { concurrent = 1 }\nqueue = { length = 5, wait = \"60s\" }";
    let gateway = configuration(&[("near", &near, queue), ("far", &far, queue)]);
    let gateway = Arc::new(Gateway::start(&gateway).await);
    let first = ask(&gateway, "a");
    until("the first is near", || near.running() == 1).await;
    let second = ask(&gateway, "b");
    until("the second is far", || far.running() == 1).await;
    // Now there is room nowhere: whoever has some first gets the third.
    let third = ask(&gateway, "c");
    gateway.until_metric("causeway_queue_waiting", &[], 2.0).await;
    far.answer(2);
    let reply = second.await.unwrap();
    good(&reply);
    let line = gateway.request_line(reply.header("x-request-id")).await;
    assert_eq!((&line["provider"], &line["attempts"]), (&"far".into(), &2.into()), "{line}");
    good(&third.await.unwrap());
    assert_eq!((near.questions(), far.questions()), (vec!["a".to_owned()], vec!["b".into(), "c".into()]));
    near.answer(1);
    good(&first.await.unwrap());
    assert_eq!(
        gateway.metric("causeway_attempts_total", &["provider=\"near\"", "outcome=\"full\""]).await,
        2.0
    );
}

#[tokio::test]
async fn a_stream_takes_its_place_up_to_its_end() {
    let provider = Provider::start().await;
    let more = "limits = { concurrent = 1 }";
    let gateway = Arc::new(Gateway::start(&configuration(&[("p", &provider, more)])).await);
    let mut stream = gateway.client().stream(Shape::OpenAi, "m", &Shape::OpenAi.says("a")).await;
    assert!(stream.event().await.is_some());
    assert_eq!(ask(&gateway, "b").await.unwrap().status, 503);
    provider.answer(1);
    assert!(stream.rest().await.complete);
    let mut stream = gateway.client().stream(Shape::OpenAi, "m", &Shape::OpenAi.says("c")).await;
    assert!(stream.event().await.is_some());
    // Whoever leaves gives the place back, too.
    drop(stream);
    until("nobody is there", || provider.running() == 0).await;
    let last = ask(&gateway, "d");
    until("there is room", || provider.running() == 1 || last.is_finished()).await;
    provider.answer(1);
    good(&last.await.unwrap());
    assert_eq!(provider.questions(), ["a", "c", "d"]);
}

#[tokio::test]
async fn a_cap_that_is_lowered_takes_effect_as_requests_end() {
    let provider = Provider::start().await;
    let with = |cap: u32| {
        let more = format!("limits = {{ concurrent = {cap} }}\nqueue = {{ length = 9, wait = \"60s\" }}");
        configuration(&[("p", &provider, &more)])
    };
    let gateway = Arc::new(Gateway::start(&with(3)).await);
    let mut asked: Vec<_> = ["a", "b", "c"].map(|question| ask(&gateway, question)).into();
    until("three are there", || provider.running() == 3).await;
    gateway.rewrite(&with(1));
    gateway.hangup();
    until("in force", || gateway.log().iter().any(|line| line["message"] == "the configuration is in force"))
        .await;
    asked.push(ask(&gateway, "d"));
    gateway.until_metric("causeway_queue_waiting", &[], 1.0).await;
    provider.answer(2);
    until("two have ended", || provider.running() == 1).await;
    gateway.until_metric("causeway_queue_waiting", &[], 1.0).await;
    provider.answer(2);
    for reply in asked {
        good(&reply.await.unwrap());
    }
    assert_eq!(provider.questions().last().unwrap(), "d");
}

#[tokio::test]
async fn over_its_window_a_provider_is_passed_over_and_then_the_client_is_told_when() {
    let (few, small) = (Provider::start().await, Provider::start().await);
    few.answer(9);
    small.answer(9);
    let gateway = configuration(&[
        ("few", &few, "limits = { requests = \"2/h\" }"),
        // An answer takes two.
        ("small", &small, "limits = { tokens = \"3/h\" }"),
    ]);
    let gateway = Arc::new(Gateway::start(&gateway).await);
    for question in ["a", "b", "c", "d"] {
        good(&ask(&gateway, question).await.unwrap());
    }
    let refused = ask(&gateway, "e").await.unwrap();
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert_eq!(refused.json()["error"]["code"], "rate_limit_exceeded");
    let after: u64 = refused.header("retry-after").parse().unwrap();
    // What was used comes back at most an eighth late.
    assert!((1..=3600 + 450).contains(&after), "{after}");
    assert_eq!((few.questions().len(), small.questions().len()), (2, 2));
}

#[tokio::test]
async fn a_target_may_have_a_cap_of_its_own_and_its_providers_queue() {
    let (near, far) = (Provider::start().await, Provider::start().await);
    let queue = "queue = { length = 5, wait = \"60s\" }";
    let text = configuration(&[("near", &near, queue), ("far", &far, "")])
        .replace("targets = [\"near/gpt\"]", "targets = [{ to = \"near/gpt\", concurrent = 1 }]")
        .replace("fallback = [\"far/gpt\"]", "fallback = []");
    let gateway =
        Arc::new(Gateway::start(&format!("{text}[models.n]\ntargets = [\"near/gpt\", \"far/gpt\"]\n")).await);
    let first = ask(&gateway, "a");
    until("the first is near", || near.running() == 1).await;
    let second = ask(&gateway, "b");
    gateway.until_metric("causeway_queue_waiting", &["provider=\"near\""], 1.0).await;
    // By whatever name it is asked for, and only this model.
    let other = {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move { gateway.client().ask(Shape::OpenAi, "n", &Shape::OpenAi.says("c")).await })
    };
    until("the other is far", || far.running() == 1).await;
    near.answer(2);
    far.answer(1);
    for reply in [first, second, other] {
        good(&reply.await.unwrap());
    }
    assert_eq!((near.questions(), near.most()), (vec!["a".to_owned(), "b".to_owned()], 1));
}
