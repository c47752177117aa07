//! Signs of life for a client whose stream has not begun: its head and comments, while targets are still asked.
//!
//! Proxies on the way close a connection on which nothing comes (Cloudflare after 100 seconds, many balancers after 60, some
//! after 30). After the first sign the status is sent: a failure is told as an event then, as in the middle of a stream.

use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;

use super::answer::Answer;
use super::attempt::Request;
use super::deliver;
use super::exchange::Exchange;
use super::receive::Client;
use crate::dialect::{AnswerFacts, StreamWriter};
use crate::error::{GatewayError, Kind};

/// What a client that waits for an answer gets until there is one.
pub(super) struct Vigil {
    /// Nothing for clients that know no signs of life.
    stream: Option<Stream>,
    every: Duration,
}

struct Stream {
    /// Writes signs of life and errors; the answer has a writer of its own.
    writer: Box<dyn StreamWriter>,
    alive: Bytes,
    request_id: String,
    dialect: &'static str,
    begun: bool,
}

impl Vigil {
    /// For one request.
    pub(super) fn of(request: &Request<'_>, exchange: &Exchange) -> Self {
        let (dialect, envelope, every) = (request.dialect, request.envelope, exchange.keep_alive);
        let stream = (envelope.stream && !envelope.raw && !every.is_zero()).then(|| {
            let facts = AnswerFacts {
                request_id: exchange.record.request_id.clone(),
                created: exchange.created,
                model: envelope.model.clone(),
                waited: Duration::ZERO,
            };
            let writer = dialect.stream(&facts, envelope);
            let mut alive = Vec::new();
            writer.keep_alive(&mut alive);
            let (alive, request_id) = (alive.into(), facts.request_id);
            Stream { writer, alive, request_id, dialect: dialect.id(), begun: false }
        });
        Self { stream: stream.filter(|stream| !stream.alive.is_empty()), every }
    }

    /// Waits for the answer, unless the client leaves; that drops the waiting, which cancels it.
    pub(super) async fn keep(
        &mut self,
        client: &mut Client<'_>,
        answer: impl Future<Output = Result<Answer, GatewayError>>,
    ) -> Result<Answer, GatewayError> {
        let mut answer: Pin<&mut _> = pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => return answer,
                gone = client.gone() => return Err(gone),
                () = tokio::time::sleep(self.every), if self.stream.is_some() => {
                    if let Some(stream) = &mut self.stream {
                        stream.tell(client).await?;
                    }
                }
            }
        }
    }

    /// Tells an error to a client that has heard something already.
    pub(super) async fn end(
        self,
        client: &mut Client<'_>,
        exchange: &mut Exchange,
        error: &GatewayError,
    ) -> Result<(), GatewayError> {
        let Some(mut stream) = self.stream.filter(|stream| stream.begun) else { return Ok(()) };
        if error.kind == Kind::ClientGone {
            return Ok(());
        }
        exchange.record.status = 200;
        let mut event = Vec::new();
        stream.writer.fail(error, &stream.request_id, &mut event);
        deliver::break_off(client, event.into()).await
    }
}

impl Stream {
    async fn tell(&mut self, client: &mut Client<'_>) -> Result<(), GatewayError> {
        if !std::mem::replace(&mut self.begun, true) {
            let head = deliver::bare_head(200, &self.request_id, self.dialect)?;
            let content_type = HeaderValue::from_static(self.writer.content_type());
            deliver::begin_stream(client, head, &content_type).await?;
        }
        deliver::piece(client, self.alive.clone()).await
    }
}
