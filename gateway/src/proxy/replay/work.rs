//! The call upstream for an answer that may have several readers, and what is kept of it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use tokio::time::{Instant as Deadline, timeout_at};

use super::terms::Terms;
use crate::cache::{Driver, Form, Kept, Known, Opening, Refusal, Sink};
use crate::dialect::Dialect;
use crate::domain::{Envelope, Operation};
use crate::error::{GatewayError, Kind};
use crate::proxy::answer::{Answer, Body, Raw};
use crate::proxy::attempt::Request;
use crate::proxy::exchange::Exchange;
use crate::proxy::recall::Keeping;
use crate::proxy::service::Ground;
use crate::proxy::spent::Counting;
use crate::proxy::stream::Stream;
use crate::proxy::{booked, counted, deliver, walk};
use crate::route::Plan;
use crate::state::Snapshot;

/// One call. It owns all it needs, since the request that began it may leave before its end.
pub(super) struct Work {
    ground: Ground,
    snapshot: Arc<Snapshot>,
    dialect: &'static dyn Dialect,
    envelope: Envelope,
    keeping: Option<Keeping>,
    most_output: Option<u64>,
    plan: Plan,
    exchange: Exchange,
    terms: Terms,
    /// Who counts what it takes.
    counting: Option<Counting>,
    /// What is being told.
    stream: Option<Box<Stream>>,
    /// The bill was told.
    billed: bool,
    sink: Sink,
}

impl Work {
    pub(super) fn new(
        request: &Request<'_>,
        plan: &Plan,
        exchange: &Exchange,
        terms: Terms,
        sink: Sink,
    ) -> Self {
        Self {
            ground: request.ground.clone(),
            snapshot: Arc::clone(request.snapshot),
            dialect: request.dialect,
            envelope: request.envelope.clone(),
            keeping: request.keeping.clone(),
            most_output: request.most_output,
            plan: plan.clone(),
            exchange: exchange.aside(),
            terms,
            counting: None,
            stream: None,
            billed: false,
            sink,
        }
    }

    pub(super) fn driver(self) -> Driver {
        Box::pin(self.run())
    }

    async fn run(mut self) {
        match self.known().await {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => return self.refuse(error),
        }
        match self.ask().await {
            Ok(answer) => self.tell(answer).await,
            Err(error) => {
                if let Some(named) = &self.terms.idempotent {
                    let idempotency = &self.ground.cache.idempotency;
                    idempotency.refuse(&named.name, &self.terms.asked, &error, named.ttl);
                }
                self.refuse(error);
            }
        }
    }

    /// Tells what was kept before, if there is anything; looked up here, so that nobody asks twice in between.
    async fn known(&mut self) -> Result<bool, GatewayError> {
        if let Some(named) = &self.terms.idempotent {
            match self.ground.cache.idempotency.known(&named.name, &self.terms.asked).await? {
                Some(Known::Answer(kept)) => {
                    self.again(&kept, "idempotency").await;
                    return Ok(true);
                }
                Some(Known::Refused(error)) => {
                    self.billed = true;
                    self.sink.refuse(Refusal { error, headers: http::HeaderMap::new(), reused: true });
                    return Ok(true);
                }
                None => {}
            }
        }
        let Some(kept) = self.terms.kept(&self.ground.cache) else { return Ok(false) };
        if let Some(named) = &self.terms.idempotent {
            self.ground.cache.idempotency.keep(&named.name, &self.terms.asked, &kept, named.ttl);
        }
        self.again(&kept, "cache").await;
        Ok(true)
    }

    async fn again(&mut self, kept: &Kept, kind: &'static str) {
        self.billed = true;
        self.sink.usage(kept.usage);
        self.sink.open(kept.again(kind));
        for piece in &kept.pieces {
            self.sink.tell(piece.clone()).await;
        }
        self.sink.finish();
    }

    async fn ask(&mut self) -> Result<Answer, GatewayError> {
        let request = Request {
            ground: &self.ground,
            snapshot: &self.snapshot,
            dialect: self.dialect,
            envelope: &self.envelope,
            keeping: self.keeping.clone(),
            most_output: self.most_output,
        };
        // Boxed: what an attempt needs is not kept while its answer is told.
        Box::pin(walk::first_good(&request, &self.plan, &mut self.exchange)).await
    }

    fn refuse(&mut self, error: GatewayError) {
        self.bill();
        let headers = std::mem::take(&mut self.exchange.refused_with);
        self.sink.refuse(Refusal { error, headers, reused: false });
    }

    async fn tell(&mut self, answer: Answer) {
        self.counting = Some(Counting::of(&answer));
        let Answer { headers, target, running, deadline, body, .. } = answer;
        let (form, content_type, keep_alive) = match &body {
            Body::Whole(content_type, _) => (Form::Whole, content_type.clone(), Bytes::new()),
            Body::Stream(stream) => {
                let content_type = HeaderValue::from_static(stream.content_type());
                (Form::Stream, content_type, stream.keep_alive())
            }
            Body::Raw(raw) => (Form::Raw, raw.content_type.clone(), Bytes::new()),
            Body::Shared(shared) => (Form::Raw, shared.opening.content_type.clone(), Bytes::new()),
        };
        // Events nobody here reads may say that they failed.
        let readable = form != Form::Raw || !content_type.as_bytes().starts_with(b"text/event-stream");
        self.sink.open(Opening {
            content_type,
            headers,
            target,
            form,
            keep_alive,
            losses: self.exchange.record.losses.clone(),
            attempts: self.exchange.record.attempts.clone(),
            overhead: self.exchange.overhead(),
            reused: None,
        });
        let ended = match body {
            Body::Whole(_, bytes) => {
                self.exchange.kept().await;
                self.sink.tell(bytes).await;
                Ok(())
            }
            Body::Stream(stream) => self.stream(stream, deadline).await,
            Body::Raw(raw) => self.raw(*raw, deadline).await,
            Body::Shared(_) => Err(GatewayError::gateway(Kind::Internal, "an attempt's answer is its own")),
        };
        if let Some(running) = running {
            running.ended(ended.as_ref().err(), Instant::now());
        }
        match ended {
            Ok(()) => {
                self.bill();
                self.exchange.kept().await;
                if readable {
                    self.keep();
                }
                self.sink.finish();
            }
            Err(error) => self.refuse(error),
        }
    }

    async fn stream(&mut self, stream: Box<Stream>, deadline: Deadline) -> Result<(), GatewayError> {
        let stream = self.stream.insert(stream);
        loop {
            let next = timeout_at(deadline, stream.next(&mut self.exchange.record)).await;
            match next.unwrap_or_else(|_| Err(deliver::too_long())) {
                Ok(Some(bytes)) => self.sink.tell(bytes).await,
                Ok(None) => {
                    stream.book(None);
                    return Ok(());
                }
                Err(error) => {
                    stream.book(Some(&error));
                    let event = stream.fail(&error, &self.exchange.record.request_id);
                    self.sink.tell(event).await;
                    return Err(error);
                }
            }
        }
    }

    async fn raw(&mut self, raw: Raw, deadline: Deadline) -> Result<(), GatewayError> {
        let (mut rest, mut next, bill) = (raw.rest, Some(raw.first), raw.bill);
        while let Some(bytes) = next {
            self.sink.tell(bytes).await;
            let read = timeout_at(deadline, rest.next()).await.unwrap_or_else(|_| Err(deliver::too_long()));
            next = match read {
                Ok(read) => read,
                Err(error) => {
                    booked::ended(bill, Some(&error));
                    return Err(error);
                }
            };
        }
        booked::ended(bill, None);
        Ok(())
    }

    /// Keeps a complete answer, before its readers hear that it is.
    fn keep(&self) {
        let cache = &self.ground.cache;
        let now = cache.now();
        let Some(mut kept) = self.sink.kept(now) else { return };
        kept.opening = Arc::new(lasting(&kept.opening));
        let size: usize = kept.pieces.iter().map(Bytes::len).sum();
        if let Some(named) = self.terms.idempotent.filter(|named| size <= named.largest) {
            cache.idempotency.keep(&named.name, &self.terms.asked, &kept, named.ttl);
        }
        if let Some(cached) = self.terms.cached.filter(|cached| size <= cached.largest) {
            let ttl = u64::try_from(cached.ttl.as_millis()).unwrap_or(u64::MAX);
            cache.put(cached.fingerprint, kept, now.saturating_add(ttl), self.snapshot.answers.room);
        }
    }

    /// Says what the call cost, once.
    fn bill(&mut self) {
        if std::mem::replace(&mut self.billed, true) {
            return;
        }
        let Self { exchange, stream, dialect, envelope, .. } = self;
        if let Some(stream) = stream {
            exchange.record.usage = stream.usage();
            exchange.said = Some(stream.said());
        }
        if dialect.operation() == Operation::Chat {
            counted::complete(exchange, &envelope.body);
            if exchange.said.is_none() {
                counted::left(exchange, &envelope.body);
            }
        }
        if let Some(counting) = &self.counting {
            counting.tell(&self.ground, self.exchange.record.usage);
        }
        self.sink.bill(self.exchange.record.clone());
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // Its readers have left in the middle.
        self.bill();
    }
}

/// What of an answer's beginning still holds later: limits and timings of one call do not.
fn lasting(opening: &Opening) -> Opening {
    Opening { headers: http::HeaderMap::new(), attempts: Vec::new(), ..opening.clone() }
}
