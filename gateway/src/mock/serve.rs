//! The HTTP/1.1 server around it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::decide::{Answer, Desk, Verdict};
use super::record::{Received, Recorder, Served, Watch};
use super::script::Script;

const MOST_CONNECTIONS: usize = 16_384;
const MOST_BODY: usize = 32 << 20;
/// A connection on which nothing is asked for this long is closed.
const IDLE: Duration = Duration::from_secs(300);
/// Out of file descriptors: wait until some are free.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(50);

pub(super) struct Shared {
    pub(super) desk: Desk,
    pub(super) recorder: Arc<Recorder>,
}

/// Takes connections until it is dropped; its connections end with it.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared), place));
                }
                Err(_) => tokio::time::sleep(AFTER_ACCEPT_ERROR).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, place: OwnedSemaphorePermit) {
    let counted = shared.recorder.connection();
    // Without it, small events wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE);
    // Every way a connection can end is a way a client can leave, or a fault on purpose.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
    drop((counted, place));
}

async fn answer(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Script>, io::Error> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST_BODY).collect().await;
    let (body, gone) = match body {
        Ok(body) => (Some(body.to_bytes()), false),
        Err(error) => (None, !error.is::<http_body_util::LengthLimitError>()),
    };
    let mut watch = shared.recorder.keep(received(&head, body.clone().unwrap_or_default()));
    if gone {
        return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    match shared.desk.decide(&head, body.as_ref(), now) {
        Verdict::Answer(answer) => {
            watch.counting(shared.recorder.serve(answer.served.clone()));
            response(answer, watch)
        }
        Verdict::Hang => {
            shared.recorder.serve(Served::default());
            std::future::pending().await
        }
        Verdict::Close => {
            shared.recorder.serve(Served::default());
            watch.finish();
            Err(io::Error::other("closed on purpose"))
        }
    }
}

fn received(head: &Parts, body: Bytes) -> Received {
    Received {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.clone(),
        body,
        at: Instant::now(),
        finished: false,
        aborted_at: None,
    }
}

fn response(answer: Answer, watch: Watch) -> Result<Response<Script>, io::Error> {
    let mut builder = Response::builder().status(answer.status).header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    if let Some(length) = answer.length {
        builder = builder.header("content-length", length);
    }
    builder.body(Script::new(answer.steps, watch)).map_err(io::Error::other)
}
