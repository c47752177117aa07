//! HTTP/2 where the provider speaks it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Response;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::super::support::{Gateway, until, upstream};
use super::certificates::{Authority, Front, Server};
use super::{answers, ask, one_provider};

pub(super) const ANSWER: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"gpt","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

/// An HTTP/2 server that answers nobody before so many have asked.
struct Provider {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    authorities: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Provider {
    async fn start(acceptor: TlsAcceptor, together: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, authorities) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (counting, noting) = (Arc::clone(&connections), Arc::clone(&authorities));
        let gate = Arc::new(tokio::sync::Barrier::new(together));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counting.fetch_add(1, Ordering::Relaxed);
                let (acceptor, noting, gate) = (acceptor.clone(), Arc::clone(&noting), Arc::clone(&gate));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    serve(stream, noting, gate).await;
                });
            }
        });
        Self { address, connections, authorities, task }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>,
    noting: Arc<Mutex<Vec<String>>>,
    gate: Arc<tokio::sync::Barrier>,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        noting.lock().push(request.uri().authority().map(ToString::to_string).unwrap_or_default());
        let gate = Arc::clone(&gate);
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(bytes)) = body.data().await {
                let _ = body.flow_control().release_capacity(bytes.len());
            }
            gate.wait().await;
            let head = Response::builder().header("content-type", "application/json").body(()).unwrap();
            let mut send = respond.send_response(head, false).unwrap();
            let _ = send.send_data(Bytes::from_static(ANSWER.as_bytes()), true);
        });
    }
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let authority = Authority::new();
    let acceptor = Server::new().with_http2().acceptor(&authority.sign("localhost"));
    let provider = Provider::start(acceptor, 4).await;
    let url = format!("https://localhost:{}", provider.address.port());
    let more = format!(
        "http2 = true\ntls = {{ ca = {:?}, only_ca = true }}\n",
        authority.path().display().to_string()
    );
    let gateway = Arc::new(Gateway::start(&one_provider(&url, &more)).await);
    // The first four may open a connection each; the others find one.
    for round in 0..3 {
        let asking: Vec<_> = (0..4)
            .map(|_| {
                let gateway = Arc::clone(&gateway);
                tokio::spawn(async move { answers(&gateway).await })
            })
            .collect();
        for one in asking {
            one.await.unwrap();
        }
        assert!(provider.connections.load(Ordering::Relaxed) <= 4, "in round {round}");
    }
    let authorities = provider.authorities.lock().clone();
    assert_eq!(authorities.len(), 12);
    assert!(authorities.iter().all(|name| *name == url.trim_start_matches("https://")), "{authorities:?}");
    assert!(provider.connections.load(Ordering::Relaxed) < 12);
}

#[tokio::test]
async fn a_provider_without_http2_is_spoken_to_as_before() {
    let authority = Authority::new();
    let mock = upstream::mock();
    let front = Front::start(Server::new().acceptor(&authority.sign("localhost")), mock.address()).await;
    let more = format!(
        "http2 = true\ntls = {{ ca = {:?}, only_ca = true }}\n",
        authority.path().display().to_string()
    );
    let gateway = Gateway::start(&one_provider(&front.url(), &more)).await;
    answers(&gateway).await;
    answers(&gateway).await;
    assert_eq!(front.connections(), 1);
}

#[tokio::test]
async fn who_leaves_gives_the_stream_back_and_keeps_the_connection() {
    let authority = Authority::new();
    let acceptor = Server::new().with_http2().acceptor(&authority.sign("localhost"));
    // The first waits for a second one.
    let provider = Provider::start(acceptor, 2).await;
    let url = format!("https://localhost:{}", provider.address.port());
    let more = format!(
        "http2 = true\ntls = {{ ca = {:?}, only_ca = true }}\n",
        authority.path().display().to_string()
    );
    let gateway = Arc::new(Gateway::start(&one_provider(&url, &more)).await);
    let leaving = tokio::spawn({
        let gateway = Arc::clone(&gateway);
        async move { ask(&gateway).await }
    });
    until("the first is there", || provider.authorities.lock().len() == 1).await;
    leaving.abort();
    answers(&gateway).await;
    assert_eq!(provider.connections.load(Ordering::Relaxed), 1);
}
