//! The gateway is killed in the middle of its work: whoever has his answer finds it on the ledger, once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::books::{Books, STORE};
use crate::support::{Gateway, Shape, configuration, unbroken, upstream};

const ROUNDS: usize = 4;

/// One request; true when its answer came back to the end. The gateway may be gone at any moment.
async fn answered(request: &[u8], address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    if stream.write_all(request).await.is_err() {
        return false;
    }
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    let text = String::from_utf8_lossy(&bytes);
    let whole = match text.split_once("\r\n\r\n") {
        Some((head, body)) if head.contains("chunked") => body.ends_with("0\r\n\r\n"),
        Some((head, body)) => {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            length.and_then(|length| length.trim().parse().ok()) == Some(body.len())
        }
        None => false,
    };
    matches!(read, Ok(Ok(_))) && whole && text.starts_with("HTTP/1.1 200")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_an_answer_has_a_row_whenever_the_gateway_is_killed() {
    let mock = upstream::mock();
    let text = unbroken(&configuration(&upstream::url(&mock)));
    let mut gateway = Gateway::start(&format!("{STORE}{text}")).await;
    let client = gateway.client().with_key();
    let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let clients: Vec<_> = (0..6)
        .map(|number| {
            let (stop, next, client) = (Arc::clone(&stop), Arc::clone(&next), client.clone());
            let acknowledged = Arc::clone(&acknowledged);
            tokio::spawn(async move {
                let streamed = number % 2 == 0;
                let question = Shape::OpenAi.says("What is a causeway, in twenty words?");
                let body = Shape::OpenAi.named(&question, "openai/mock", streamed).to_string();
                while !stop.load(Ordering::Relaxed) {
                    let id = format!("r-{}", next.fetch_add(1, Ordering::Relaxed));
                    let asking = client.clone().with("x-request-id", &id);
                    let request = asking.request("POST", "/v1/chat/completions", body.as_bytes());
                    if answered(&request, asking.address()).await {
                        acknowledged.lock().push(id);
                    } else {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            })
        })
        .collect();
    for round in 1..=ROUNDS {
        let enough = round * 60;
        crate::support::until("enough answers", || acknowledged.lock().len() >= enough).await;
        gateway.crash().await;
    }
    let enough = acknowledged.lock().len() + 20;
    crate::support::until("answers after the last crash", || acknowledged.lock().len() >= enough).await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    gateway.stop().await;
    let books = Books::open(gateway.folder()).await;
    let rows = books.rows().await;
    let mut by_request: HashMap<&str, usize> = HashMap::new();
    rows.iter().for_each(|row| *by_request.entry(&row.request).or_default() += 1);
    let acknowledged = acknowledged.lock().clone();
    assert!(acknowledged.len() > ROUNDS * 60);
    for id in &acknowledged {
        assert_eq!(by_request.get(id.as_str()), Some(&1), "{id} of {}", acknowledged.len());
    }
    assert!(by_request.values().all(|rows| *rows == 1));
    assert_eq!(usize::try_from(books.sums().await.requests).unwrap(), rows.len());
}
