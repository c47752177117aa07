//! What leaves a connection, and when.

use std::net::SocketAddr;

use pingora::connectors::TransportConnector;
use pingora::upstreams::peer::HttpPeer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::upstream::idle::Idle;

async fn pair() -> (Stream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let peer = HttpPeer::new(address, false, String::new());
    let connector = TransportConnector::new(None);
    let (stream, accepted) = tokio::join!(connector.new_stream(&peer), listener.accept());
    (Wire::over(stream.unwrap()), accepted.unwrap().0)
}

async fn nothing_comes(other: &mut TcpStream) -> bool {
    let mut byte = [0];
    tokio::time::timeout(Duration::from_millis(30), other.peek(&mut byte)).await.is_err()
}

#[tokio::test]
async fn a_head_leaves_with_the_body_behind_it() {
    for size in [0, 5, COPIED + 1, 3 << 20] {
        let (stream, mut other) = pair().await;
        let mut session = HttpSession::new(stream);
        Wire::hold(&session, true);
        let mut head = pingora::http::RequestHeader::build("POST", b"/", None).unwrap();
        head.insert_header("content-length", size).unwrap();
        session.write_request_header(Box::new(head)).await.unwrap();
        assert!(nothing_comes(&mut other).await, "{size}");
        let body = vec![b'x'; size];
        let reading = async {
            let mut all = Vec::new();
            while !all.ends_with(b"x") && !all.ends_with(b"\r\n\r\n") || all.len() < size {
                other.read_buf(&mut all).await.unwrap();
            }
            all
        };
        Wire::hold(&session, false);
        let writing = async {
            session.write_body(&body).await.unwrap();
            session.finish_body().await.unwrap();
        };
        let ((), all) = tokio::join!(writing, reading);
        let text = String::from_utf8(all).unwrap();
        let (head, sent) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST / HTTP/1.1"), "{head}");
        assert_eq!(sent.len(), size);
        other.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        session.read_response().await.unwrap();
        assert_eq!(session.read_body_bytes().await.unwrap().unwrap(), "ok");
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_not_taken() {
    let (idle, life) = (Idle::default(), Some(Duration::from_secs(60)));
    let (stream, mut other) = pair().await;
    idle.put(7, stream, life);
    assert!(idle.take(8).is_none());
    let stream = idle.take(7).unwrap();
    assert!(idle.take(7).is_none(), "it is taken once");
    idle.put(7, stream, life);
    other.shutdown().await.unwrap();
    // The end of the other side must be here.
    tokio::time::sleep(Duration::from_millis(50)).await;
    idle.sweep();
    assert!(idle.take(7).is_none());
    assert_eq!(other.read(&mut [0]).await.unwrap(), 0, "ours is closed as well");
}

#[tokio::test]
async fn a_connection_that_said_something_unasked_or_waited_too_long_is_not_taken() {
    let idle = Idle::default();
    let (stream, mut other) = pair().await;
    idle.put(7, stream, Some(Duration::from_secs(60)));
    other.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(idle.take(7).is_none());
    let (stream, _other) = pair().await;
    idle.put(7, stream, Some(Duration::ZERO));
    assert!(idle.take(7).is_none());
}
