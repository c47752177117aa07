//! The mock over real TCP: pacing, keep-alive, and every way a connection can end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::mock::{Fault, Mock, Running, Settings};

fn start(settings: Settings) -> Running {
    Mock::start(settings, SocketAddr::from(([127, 0, 0, 1], 0))).unwrap()
}

fn request(path: &str, body: &Value, last: bool) -> Vec<u8> {
    let body = body.to_string();
    let connection = if last { "close" } else { "keep-alive" };
    format!(
        "POST {path} HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer key\r\nconnection: {connection}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn chat(model: &str) -> Value {
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "hi"}]})
}

/// Everything the mock sends until it closes.
async fn all(running: &Running, model: &str) -> String {
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    stream.write_all(&request("/v1/chat/completions", &chat(model), true)).await.unwrap();
    let mut received = Vec::new();
    // A reset at the end is one of the ways to be cut.
    let _ = stream.read_to_end(&mut received).await;
    // A trickle cuts through characters.
    String::from_utf8_lossy(&received).into_owned()
}

/// A chunked body that came to its end.
fn is_complete(answer: &str) -> bool {
    answer.ends_with("\r\n0\r\n\r\n")
}

fn events(answer: &str) -> usize {
    answer.matches("data: ").count()
}

async fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(1), "not within a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stream_comes_to_its_end_and_is_recorded() {
    let running = start(Settings::default());
    let answer = all(&running, "mock").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && is_complete(&answer) && answer.contains("[DONE]"));
    until(|| running.open_connections() == 0).await;
    let requests = running.requests();
    let [received] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!((received.header("authorization"), &received.json()["model"]), ("Bearer key", &json!("mock")));
    assert!(received.finished && !received.aborted());
    running.clear();
    assert!(running.requests().is_empty());
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let running = start(Settings::default());
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    for last in [false, true] {
        stream.write_all(&request("/v1/chat/completions", &chat("mock@chunks=1"), last)).await.unwrap();
        if !last {
            let mut received = String::new();
            while !is_complete(&received) {
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).await.unwrap();
                assert!(read > 0, "closed too early");
                received.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
            assert_eq!(running.open_connections(), 1);
        }
    }
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(is_complete(&rest));
    assert_eq!(running.requests().len(), 2);
}

#[tokio::test]
async fn a_cut_stream_has_its_events_and_no_end() {
    let running = start(Settings::default());
    let answer = all(&running, "mock@fault=cut:3").await;
    assert_eq!((events(&answer), is_complete(&answer)), (3, false));
    let answer = all(&running, "mock@fault=cut-bytes:10").await;
    assert!(answer.contains("data: {\"id") && !is_complete(&answer));
    assert_eq!(all(&running, "mock@fault=close").await, "");
    assert!(running.requests().iter().all(|received| received.finished && !received.aborted()));
}

#[tokio::test]
async fn a_whole_answer_can_be_cut_too() {
    let running = start(Settings { fault: Some(Fault::Cut(0)), ..Settings::default() });
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    let body = json!({"model": "mock", "messages": [{"role": "user", "content": "hi"}]});
    stream.write_all(&request("/v1/chat/completions", &body, true)).await.unwrap();
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
    let received = String::from_utf8_lossy(&received).into_owned();
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(!body.is_empty() && body.len() < length.parse().unwrap());
}

#[tokio::test]
async fn an_error_event_ends_the_stream_cleanly() {
    let running = start(Settings::default());
    let answer = all(&running, "mock@fault=error-event:2").await;
    assert!(is_complete(&answer) && answer.contains("{\"error\":") && !answer.contains("[DONE]"));
    assert_eq!(events(&answer), 3);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed() {
    let running = start(Settings::default());
    for model in
        ["mock@fault=hang", "mock@fault=hang:0", "mock@fault=hang:2", "mock@first-token=1m", "mock@rate=1"]
    {
        running.clear();
        let mut stream = TcpStream::connect(running.address()).await.unwrap();
        stream.write_all(&request("/v1/chat/completions", &chat(model), true)).await.unwrap();
        until(|| running.requests().len() == 1).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!running.requests()[0].aborted(), "{model}");
        drop(stream);
        until(|| running.requests()[0].aborted()).await;
        until(|| running.open_connections() == 0).await;
        assert!(!running.requests()[0].finished, "{model}");
    }
}

#[tokio::test]
async fn a_stream_keeps_its_pace() {
    let running =
        start(Settings { first_token: Duration::from_millis(60), rate: 100.0, ..Settings::default() });
    let start = Instant::now();
    // The role, ten pieces and the two ends: twelve pauses of 10 ms.
    let answer = all(&running, "mock@chunks=10").await;
    let taken = start.elapsed();
    assert_eq!(events(&answer), 13);
    assert!(taken >= Duration::from_millis(180) && taken < Duration::from_secs(2), "{taken:?}");
}

#[tokio::test]
async fn a_trickle_is_the_same_answer() {
    let running = start(Settings::default());
    let answer = all(&running, "mock@fault=trickle:1@chunks=2").await;
    assert!(is_complete(&answer) && answer.contains("\r\n1\r\nd\r\n"));
}

#[tokio::test]
async fn large_pieces_have_their_size() {
    let running = start(Settings::default());
    let answer = all(&running, "mock@chunks=2@piece=1500000").await;
    assert!(is_complete(&answer) && answer.len() > 3_000_000);
    assert_eq!(events(&answer), 5);
}

#[tokio::test]
async fn a_dropped_mock_closes_its_door() {
    let running = start(Settings::default());
    let address = running.address();
    drop(running);
    let start = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(1), "still open");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
