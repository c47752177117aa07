//! One answer for several requests: kept ones, calls shared while they last, requests with an `Idempotency-Key`.
//!
//! `terms` says what of that holds for a request; most have none, and nothing happens here. `work` is the call upstream
//! and what is kept of it; it belongs to all who read its answer, not to the request that began it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use super::answer::{Answer, Body, Shared};
use super::attempt::Request;
use super::exchange::Exchange;
use super::walk;
use crate::cache::{Flights, Form, Lead, Left, Opening, Reader, Refusal, reused};
use crate::domain::{Record, Replay};
use crate::error::{GatewayError, Kind};
use crate::route::Plan;

mod terms;
mod work;

use terms::Terms;
use work::Work;

/// The first answer that is one: given before, being given to another, or made now.
pub(super) async fn first_good(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &mut Exchange,
) -> Result<Answer, GatewayError> {
    let Some(terms) = Terms::of(request, plan, exchange)? else {
        return Box::pin(walk::first_good(request, plan, exchange)).await;
    };
    if terms.is_alone() {
        terms.tell_bypass(exchange);
        return Box::pin(walk::first_good(request, plan, exchange)).await;
    }
    let reader = reader(request, plan, exchange, terms.clone())?;
    let mut reading = Reading { reader: Some(reader), exchange };
    let begun = reading.begun().await;
    let (Some(reader), exchange) = reading.done() else {
        return Err(GatewayError::gateway(Kind::Internal, "the answer has no reader"));
    };
    let Begun { opening, whole } = match begun {
        Ok(begun) => begun,
        Err(refusal) => {
            terms.tell(exchange, &reader, refusal.reused.then_some("idempotency"));
            return Err(refused(exchange, reader, refusal));
        }
    };
    terms.tell(exchange, &reader, opening.reused.as_ref().map(|reused| reused.kind));
    begin(request, exchange, &reader, &opening);
    let (headers, target) = (opening.headers.clone(), opening.target.clone());
    let body = match whole {
        Some(whole) => {
            settle(exchange, reader);
            Body::Whole(opening.content_type.clone(), whole)
        }
        None => Body::Shared(Box::new(Shared { opening, reader })),
    };
    // Who makes the answer minds its deadline.
    let deadline = tokio::time::Instant::now();
    Ok(Answer { headers, target, running: None, in_hand: None, deadline, body })
}

/// This request's part in an answer: kept, being made, or to be made.
fn reader(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &Exchange,
    terms: Terms,
) -> Result<Reader, GatewayError> {
    let cache = &request.ground.cache;
    // A hit without more ado; with an `Idempotency-Key` its own answer goes first.
    if terms.idempotent.is_none()
        && let Some(kept) = terms.kept(cache)
    {
        return Ok(Reader::of(&kept, "cache"));
    }
    let lead =
        Lead { request_id: exchange.record.request_id.clone(), asked: terms.asked, limit: terms.max_answer };
    let name = terms.joined_as();
    let make = |sink| Work::new(request, plan, exchange, terms, sink).driver();
    match name {
        None => Ok(Flights::alone(lead, make)),
        Some(name) => cache.flights.join_or_lead(name, lead, make).ok_or_else(reused),
    }
}

/// A request that waits for an answer to begin. When its client leaves, it leaves with what it must pay.
struct Reading<'a> {
    reader: Option<Reader>,
    exchange: &'a mut Exchange,
}

/// An answer that has begun, and all of it when it is a whole one.
struct Begun {
    opening: Arc<Opening>,
    whole: Option<Bytes>,
}

impl Reading<'_> {
    async fn begun(&mut self) -> Result<Begun, Box<Refusal>> {
        let Self { reader, exchange } = self;
        let Some(reader) = reader else { return std::future::pending().await };
        let opening = Exchange::wait(&mut exchange.waited, reader.opening()).await?;
        if reader.leads() {
            // What its own call took in here is no wait.
            exchange.waited = exchange.started.elapsed().saturating_sub(opening.overhead);
        }
        if opening.form != Form::Whole {
            return Ok(Begun { opening, whole: None });
        }
        let whole = reader.next().await?;
        // To its end: by then it is kept.
        reader.next().await?;
        Ok(Begun { opening, whole })
    }

    fn done(&mut self) -> (Option<Reader>, &mut Exchange) {
        (self.reader.take(), self.exchange)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            settle(self.exchange, reader);
        }
    }
}

/// The same refusal for all who waited: each of them asking again would be the crowd this keeps away.
fn refused(exchange: &mut Exchange, reader: Reader, refusal: Box<Refusal>) -> GatewayError {
    let leader = (!reader.leads()).then(|| reader.leader().to_owned());
    settle(exchange, reader);
    exchange.record.reused_from = leader.filter(|_| exchange.record.attempts.is_empty());
    exchange.refused_with = refusal.headers;
    refusal.error
}

/// What the head and the record say of an answer that begins.
fn begin(request: &Request<'_>, exchange: &mut Exchange, reader: &Reader, opening: &Opening) {
    exchange.record.losses.clone_from(&opening.losses);
    if let Some(reused) = &opening.reused {
        exchange.record.reused_from = Some(reused.from.clone());
        let age = request.ground.cache.now().saturating_sub(reused.made) / 1000;
        exchange.told.insert(http::header::AGE, age.into());
    } else if reader.leads() {
        exchange.record.attempts.clone_from(&opening.attempts);
    } else {
        exchange.record.reused_from = Some(reader.leader().to_owned());
    }
}

/// Leaves an answer, and takes into the record what this request pays for it or was told of it.
pub(super) fn settle(exchange: &mut Exchange, reader: Reader) {
    match reader.leave() {
        Left::Paying(cost) => {
            let own = std::mem::take(&mut exchange.record);
            exchange.record = Record {
                request_id: own.request_id,
                dialect: own.dialect,
                key: own.key,
                team: own.team,
                model: own.model,
                asked: own.asked,
                path: own.path,
                status: own.status,
                stream: own.stream,
                balance: own.balance,
                planned: own.planned,
                passed_over: own.passed_over,
                affinity: own.affinity.or(cost.affinity),
                took: own.took,
                first_token: own.first_token,
                overhead: own.overhead,
                replays: own.replays,
                error_kind: own.error_kind,
                error: own.error,
                ..*cost
            };
        }
        Left::Free(usage) => {
            // The attempts stand in the record of the one who pays.
            exchange.record.attempts = Vec::new();
            exchange.record.usage = usage.map(|usage| *usage);
        }
    }
}

/// Notes a way to an answer and what came of it.
fn tell(exchange: &mut Exchange, kind: &'static str, outcome: &'static str) {
    exchange.record.replays.push(Replay { kind, outcome });
    let (name, value) = match (kind, outcome) {
        ("idempotency", "hit" | "join") => ("idempotent-replayed", "true"),
        ("idempotency", _) | ("flight", "miss") => return,
        (_, outcome) => ("x-causeway-cache", outcome),
    };
    exchange.told.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}
