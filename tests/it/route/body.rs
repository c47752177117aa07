//! Request bodies in all the ways HTTP has: announced, in chunks, after a question, too large.

use serde_json::Value;

use super::plain;
use crate::support::client::Client;
use crate::support::{Gateway, KEY, Shape, configuration, upstream};

fn head(client: &Client, path: &str, more: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n{more}\r\n",
        client.address()
    )
}

fn body(dialect: Shape) -> String {
    dialect.named(&dialect.says("hello"), "openai/mock", false).to_string()
}

#[tokio::test]
async fn a_body_may_come_in_chunks() {
    let (mock, gateway) = plain().await;
    let client = gateway.client();
    for dialect in Shape::ALL {
        for size in [1, 7, 1000] {
            let mut open = client.connect().await;
            let path = dialect.path("openai/mock", false);
            open.write(head(&client, &path, "transfer-encoding: chunked\r\n").as_bytes()).await;
            for piece in body(dialect).as_bytes().chunks(size) {
                open.write(&upstream::chunk(piece)).await;
            }
            open.write(b"0\r\n\r\n").await;
            assert!(open.head().await);
            assert_eq!(open.status, 200, "{dialect:?} in chunks of {size}");
        }
    }
    assert!(mock.requests().iter().all(|request| !request.json().is_null()));
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let (_mock, gateway) = plain().await;
    let client = gateway.client();
    for dialect in Shape::ALL {
        let mut open = client.connect().await;
        let body = body(dialect);
        let more = format!("expect: 100-continue\r\ncontent-length: {}\r\n", body.len());
        open.write(head(&client, &dialect.path("openai/mock", false), &more).as_bytes()).await;
        assert!(open.head().await);
        assert_eq!(open.status, 100, "{dialect:?}");
        open.write(body.as_bytes()).await;
        assert!(open.head().await);
        assert_eq!(open.status, 200, "{dialect:?}");
    }
    // Without a key nobody is told to go on.
    let mut open = client.connect().await;
    open.write(
        format!("POST /v1/messages HTTP/1.1\r\nhost: {}\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n", client.address())
            .as_bytes(),
    )
    .await;
    assert!(open.head().await);
    assert_eq!(open.status, 401);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_each_dialect() {
    let mock = upstream::mock();
    let server = "[server]\nlisten = [\"{listen}\"]\nmax_body = \"64KiB\"\n";
    let gateway = Gateway::start(&[server, &configuration(&upstream::url(&mock))].concat()).await;
    let client = gateway.client();
    let large = "x".repeat(65 << 10);
    for dialect in Shape::ALL {
        let path = dialect.path("openai/mock", false);
        let body = dialect.named(&dialect.says(&large), "openai/mock", false).to_string();
        // Announced, in chunks, and announced before anything is sent.
        let announced = [head(&client, &path, &format!("content-length: {}\r\n", body.len())).as_bytes(), body.as_bytes()].concat();
        let chunked_head = head(&client, &path, "transfer-encoding: chunked\r\n");
        let chunked = [chunked_head.as_bytes(), &upstream::chunk(body.as_bytes())[..], b"0\r\n\r\n"];
        let asking = head(&client, &path, "expect: 100-continue\r\ncontent-length: 99999999\r\n");
        for sent in [announced, chunked.concat(), asking.into_bytes()] {
            let mut open = client.connect().await;
            open.write(&sent).await;
            assert!(open.head().await, "{dialect:?}");
            let reply = open.rest().await;
            assert_eq!(reply.status, 413, "{dialect:?}: {}", reply.text());
            let (_, message) = dialect.error(&reply.json());
            assert!(message.contains("65536"), "{message}");
        }
        // What fits still goes through.
        let fits = dialect.says(&large[..60 << 10]);
        assert_eq!(client.ask(dialect, "openai/mock", &fits).await.status, 200);
    }
    assert_eq!(mock.requests().len(), 3);
}

#[tokio::test]
async fn a_compressed_body_is_refused_with_a_reason() {
    let (_mock, gateway) = plain().await;
    let client = gateway.client().with_key().with("content-encoding", "gzip");
    for dialect in Shape::ALL {
        let reply = client.post(&dialect.path("openai/mock", false), &Value::Null).await;
        assert_eq!(reply.status, 400, "{dialect:?}");
        assert!(dialect.error(&reply.json()).1.contains("content-encoding"), "{}", reply.text());
    }
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let (_mock, gateway) = plain().await;
    let client = gateway.client();
    let mut open = client.connect().await;
    for dialect in Shape::ALL {
        for asked in ["openai/mock", "openai/unknown", "anthropic/mock"] {
            let body = dialect.named(&dialect.says("hello"), asked, false).to_string();
            let length = format!("content-length: {}\r\n", body.len());
            open.write(&[head(&client, &dialect.path(asked, false), &length).as_bytes(), body.as_bytes()].concat()).await;
            assert!(open.head().await, "{dialect:?} {asked}");
            assert_eq!(open.status, if asked.ends_with("unknown") { 404 } else { 200 });
            while open.next().await.is_some() {}
        }
    }
}
