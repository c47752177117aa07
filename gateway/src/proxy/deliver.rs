//! Writes the answer to the client. After the first byte there is no other attempt.

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};
use pingora::http::ResponseHeader;
use tokio::time::Instant as Deadline;

use super::answer::{Answer, Body, JSON, Raw, Shared};
use super::exchange::Exchange;
use super::receive::{Client, gone};
use super::stream::Stream;
use super::{booked, replay};
use crate::cache::{Form, Reader};
use crate::config::Headers;
use crate::dialect::{Api, Dialect, Endpoint, model_list};
use crate::domain::{Cost, Operation, Record, VirtualKey};
use crate::error::{GatewayError, Kind};
use crate::route::{AUTO, Running};
use crate::state::Snapshot;

/// A client that takes no bytes for so long has gone.
const STALLED: Duration = Duration::from_secs(60);

// Names that are known are not read letter by letter for each answer.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MODEL: HeaderName = HeaderName::from_static("x-causeway-model");
const COST: HeaderName = HeaderName::from_static("x-causeway-cost");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-causeway-attempts");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The commit point: consumes the answer.
pub(super) async fn send(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    dialect: &dyn Dialect,
    answer: Answer,
) -> Result<(), GatewayError> {
    exchange.record.first_token = Some(exchange.started.elapsed());
    exchange.record.overhead = exchange.overhead();
    let mut head = head(200, exchange, dialect.id(), snapshot.headers)?;
    // Where we limit, our own limits are told and not the provider's.
    let passed = answer.headers.iter().filter(|(name, _)| !exchange.told.contains_key(*name));
    for (name, value) in passed {
        head.append_header(name.clone(), value.clone()).map_err(illegal)?;
    }
    if snapshot.headers != Headers::Off {
        // A model name may hold what a header may not; then the header says nothing.
        let _ = head.insert_header(MODEL, answer.target.as_str());
        if let Some(chosen) = &exchange.chosen {
            let _ = head.insert_header("x-causeway-auto", chosen.as_str());
        }
        if let (Some(cost), Body::Whole(..)) = (known_cost(&exchange.record, dialect), &answer.body) {
            let _ = head.insert_header(COST, cost.to_string());
        }
    }
    let sent = match answer.body {
        Body::Whole(content_type, body) => {
            exchange.kept().await;
            whole(client, exchange, head, content_type, body).await
        }
        // Boxed: a whole answer should not be as large as a stream.
        Body::Stream(stream) => Box::pin(streamed(client, exchange, head, *stream, answer.deadline)).await,
        Body::Raw(body) => Box::pin(raw(client, exchange, head, *body, answer.deadline)).await,
        Body::Shared(body) => Box::pin(shared(client, exchange, head, *body)).await,
    };
    if let Some(running) = answer.running {
        learn(exchange, &running);
        running.ended(sent.as_ref().err(), Instant::now());
    }
    sent
}

/// What an answer cost, in US dollars, where that is known before it is sent: its provider counted, and has a price.
fn known_cost(record: &Record, dialect: &dyn Dialect) -> Option<Cost> {
    let usage = record.usage.filter(|usage| !usage.estimated)?;
    let counted = usage.input.is_some() && usage.output.is_some();
    record.cost().filter(|_| counted || dialect.operation() != Operation::Chat)
}

/// What a target's answer tells of its next ones. A stream is written after its first event, a whole answer before.
fn learn(exchange: &Exchange, running: &Running) {
    let Record { usage: Some(usage), first_token, attempts, stream, .. } = &exchange.record else { return };
    let began = exchange.started.elapsed().saturating_sub(first_token.unwrap_or_default());
    let whole = attempts.last().map_or(began, |attempt| attempt.took);
    running.wrote(usage, if *stream { began } else { whole });
}

/// A whole body, head and length first.
pub(super) async fn whole(
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    mut head: ResponseHeader,
    content_type: HeaderValue,
    body: Bytes,
) -> Result<(), GatewayError> {
    exchange.record.status = head.status.as_u16();
    head.insert_header(CONTENT_TYPE, content_type).map_err(illegal)?;
    head.insert_header(CONTENT_LENGTH, body.len()).map_err(illegal)?;
    let session = &mut client.session.downstream_session;
    session.set_write_timeout(Some(STALLED));
    let no_body = session.req_header().method == http::Method::HEAD;
    session.write_response_header(Box::new(head)).await.map_err(left)?;
    if !no_body {
        session.write_response_body(body, true).await.map_err(left)?;
    }
    Ok(())
}

async fn streamed(
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    head: ResponseHeader,
    mut stream: Stream,
    deadline: Deadline,
) -> Result<(), GatewayError> {
    exchange.record.status = 200;
    // The head may have gone out while targets were still asked.
    if client.session.response_written().is_none() {
        begin_stream(client, head, &HeaderValue::from_static(stream.content_type())).await?;
    }
    let ended = events(client, exchange, &mut stream, deadline).await;
    exchange.record.usage = stream.usage();
    exchange.said = Some(stream.said());
    stream.book(ended.as_ref().err());
    // Whoever sees the end of an answer can rely on its row.
    exchange.kept().await;
    let Err(error) = ended else {
        return client.session.downstream_session.write_response_body(Bytes::new(), true).await.map_err(left);
    };
    if error.kind != Kind::ClientGone {
        break_off(client, stream.fail(&error, &exchange.record.request_id)).await?;
    }
    Err(error)
}

/// Sends the head of a stream.
pub(super) async fn begin_stream(
    client: &mut Client<'_>,
    mut head: ResponseHeader,
    content_type: &HeaderValue,
) -> Result<(), GatewayError> {
    head.insert_header(CONTENT_TYPE, content_type.clone()).map_err(illegal)?;
    head.insert_header(CACHE_CONTROL, "no-cache").map_err(illegal)?;
    head.insert_header(UNBUFFERED, "no").map_err(illegal)?;
    head.insert_header(TRANSFER_ENCODING, "chunked").map_err(illegal)?;
    client.session.downstream_session.set_write_timeout(Some(STALLED));
    client.session.downstream_session.write_response_header(Box::new(head)).await.map_err(left)
}

/// Sends the head of bytes that nobody here reads.
async fn begin_raw(
    client: &mut Client<'_>,
    mut head: ResponseHeader,
    content_type: &HeaderValue,
) -> Result<(), GatewayError> {
    head.insert_header(CONTENT_TYPE, content_type.clone()).map_err(illegal)?;
    head.insert_header(UNBUFFERED, "no").map_err(illegal)?;
    head.insert_header(TRANSFER_ENCODING, "chunked").map_err(illegal)?;
    client.session.downstream_session.set_write_timeout(Some(STALLED));
    client.session.downstream_session.write_response_header(Box::new(head)).await.map_err(left)
}

/// Sends one piece of a stream that has begun. An empty piece would be its end.
pub(super) async fn piece(client: &mut Client<'_>, bytes: Bytes) -> Result<(), GatewayError> {
    // A provider that is always faster than the client leaves no moment to look otherwise.
    client.is_wanted()?;
    client.session.downstream_session.write_response_body(bytes, false).await.map_err(left)
}

/// Ends a stream with an error event, and without its last chunk: whoever stands in between must not take this for a
/// complete answer.
pub(super) async fn break_off(client: &mut Client<'_>, event: Bytes) -> Result<(), GatewayError> {
    client.session.downstream_session.write_response_body(event, false).await.map_err(left)?;
    client.session.downstream_session.set_keepalive(None);
    client.session.downstream_session.shutdown().await;
    Ok(())
}

/// Bytes as they come from the provider. What breaks shows as a body without its last chunk.
async fn raw(
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    head: ResponseHeader,
    body: Raw,
    deadline: Deadline,
) -> Result<(), GatewayError> {
    exchange.record.status = 200;
    begin_raw(client, head, &body.content_type).await?;
    let (mut rest, mut next, bill) = (body.rest, Some(body.first), body.bill);
    while let Some(bytes) = next {
        client.is_wanted()?;
        client.session.downstream_session.write_response_body(bytes, false).await.map_err(left)?;
        let read = tokio::select! {
            biased;
            read = rest.next() => read,
            gone = client.gone() => Err(gone),
            () = tokio::time::sleep_until(deadline) => Err(too_long()),
        };
        next = match read {
            Ok(read) => read,
            Err(error) => {
                booked::ended(bill, Some(&error));
                if error.kind != Kind::ClientGone {
                    client.session.downstream_session.set_keepalive(None);
                    client.session.downstream_session.shutdown().await;
                }
                return Err(error);
            }
        };
    }
    booked::ended(bill, None);
    exchange.kept().await;
    client.session.downstream_session.write_response_body(Bytes::new(), true).await.map_err(left)
}

/// An answer that others read as well, or that was given before. A slow client holds up nobody else.
async fn shared(
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    head: ResponseHeader,
    body: Shared,
) -> Result<(), GatewayError> {
    let Shared { opening, mut reader } = body;
    exchange.record.status = 200;
    let alive = if opening.form == Form::Stream { opening.keep_alive.clone() } else { Bytes::new() };
    let begun = match client.session.response_written() {
        // The head may have gone out while targets were still asked.
        Some(_) => Ok(()),
        None if opening.form == Form::Stream => begin_stream(client, head, &opening.content_type).await,
        None => begin_raw(client, head, &opening.content_type).await,
    };
    let ended = match begun {
        Ok(()) => pieces(client, &mut reader, (alive, exchange.keep_alive)).await,
        Err(error) => Err(error),
    };
    replay::settle(exchange, reader);
    match &ended {
        Ok(()) => {
            return client
                .session
                .downstream_session
                .write_response_body(Bytes::new(), true)
                .await
                .map_err(left);
        }
        Err(error) if error.kind != Kind::ClientGone => {
            // The error itself was the last piece.
            client.session.downstream_session.set_keepalive(None);
            client.session.downstream_session.shutdown().await;
        }
        Err(_) => {}
    }
    ended
}

async fn pieces(
    client: &mut Client<'_>,
    reader: &mut Reader,
    (alive, every): (Bytes, Duration),
) -> Result<(), GatewayError> {
    let heard = !alive.is_empty() && !every.is_zero();
    loop {
        // Asked anew each time: nothing of it is held while this client takes its bytes.
        let next = tokio::select! {
            biased;
            next = reader.next() => next.map_err(|refusal| refusal.error)?,
            gone = client.gone() => return Err(gone),
            () = tokio::time::sleep(every), if heard => Some(alive.clone()),
        };
        let Some(bytes) = next else { return Ok(()) };
        piece(client, bytes).await?;
    }
}

pub(super) fn too_long() -> GatewayError {
    GatewayError::gateway(Kind::Timeout, "the answer took longer than its total timeout")
}

async fn events(
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    stream: &mut Stream,
    deadline: Deadline,
) -> Result<(), GatewayError> {
    let (alive, every) = (stream.keep_alive(), exchange.keep_alive);
    let heard = !alive.is_empty() && !every.is_zero();
    loop {
        let next = {
            let mut next = pin!(stream.next(&mut exchange.record));
            loop {
                tokio::select! {
                    biased;
                    bytes = &mut next => break bytes?,
                    gone = client.gone() => return Err(gone),
                    () = tokio::time::sleep(every), if heard => piece(client, alive.clone()).await?,
                    () = tokio::time::sleep_until(deadline) => {
                        return Err(too_long());
                    }
                }
            }
        };
        let Some(bytes) = next else { return Ok(()) };
        piece(client, bytes).await?;
    }
}

/// The model list, or one model of it, in the caller's shape.
pub(super) async fn models(
    snapshot: &Snapshot,
    client: &mut Client<'_>,
    exchange: &mut Exchange,
    api: Api,
    key: &VirtualKey,
) -> Result<(), GatewayError> {
    let shape = match api.dialect.id() {
        "anthropic-messages" => model_list::Shape::Anthropic,
        "gemini-generate" => model_list::Shape::Gemini,
        "ollama-chat" => model_list::Shape::Ollama,
        _ => model_list::Shape::OpenAi,
    };
    let entry = |name: &str| model_list::ModelEntry {
        id: name.to_owned(),
        created: 0,
        owned_by: "causeway".to_owned(),
        facts: snapshot.routes.find(name).map(|model| model.facts.clone()).unwrap_or_default(),
    };
    let body = if api.endpoint == Endpoint::Models {
        let names = snapshot.routes.names().into_iter().filter(|name| key.may_use(name));
        let names = names.chain(snapshot.routes.has_auto(key).then_some(AUTO));
        model_list::list(shape, &names.map(entry).collect::<Vec<_>>())
    } else {
        let asked = crate::dialect::model_in(&exchange.head.path).unwrap_or_default();
        let asked = crate::domain::envelope::percent_decode(asked).into_owned();
        if asked != AUTO || !snapshot.routes.has_auto(key) {
            snapshot.routes.permitted(key, &asked)?;
        }
        model_list::single(shape, &entry(&asked))
    };
    let head = head(200, exchange, api.dialect.id(), snapshot.headers)?;
    whole(client, exchange, head, JSON, body.into()).await
}

/// `HEAD /` and `GET /`: some clients knock before they talk.
pub(super) async fn probe(client: &mut Client<'_>, exchange: &mut Exchange) -> Result<(), GatewayError> {
    let head = head(200, exchange, "", Headers::Off)?;
    // Ollama's own clients look for its words.
    let ollama = exchange.head.header("user-agent").is_some_and(|agent| agent.starts_with("ollama"));
    let body = if ollama {
        "Ollama is running"
    } else {
        "Causeway is here. Ask /v1/chat/completions, /v1/responses, /v1/messages, /v1beta/models/{model}:generateContent or /api/chat.\n"
    };
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    whole(client, exchange, head, text, Bytes::from_static(body.as_bytes())).await
}

/// The head every answer begins with.
pub(super) fn head(
    status: u16,
    exchange: &Exchange,
    dialect: &str,
    told: Headers,
) -> Result<ResponseHeader, GatewayError> {
    let mut head = bare_head(status, &exchange.record.request_id, dialect)?;
    for (name, value) in &exchange.told {
        if told != Headers::Off || !name.as_str().starts_with("x-causeway-") {
            head.insert_header(name.clone(), value.clone()).map_err(illegal)?;
        }
    }
    if told != Headers::Off {
        let micros = exchange.overhead().as_micros();
        let timing = format!("causeway;dur={}.{:03}", micros / 1000, micros % 1000);
        head.insert_header(SERVER_TIMING, timing).map_err(illegal)?;
        if !exchange.record.attempts.is_empty() {
            head.insert_header(ATTEMPTS, exchange.record.attempts.len()).map_err(illegal)?;
        }
        if let Some(lossy) = lossy(exchange) {
            head.insert_header("x-causeway-lossy", lossy).map_err(illegal)?;
        }
    }
    Ok(head)
}

/// A head that tells nothing but the request's id.
pub(super) fn bare_head(
    status: u16,
    request_id: &str,
    dialect: &str,
) -> Result<ResponseHeader, GatewayError> {
    // Names are lower case everywhere; keeping them in another form too would cost as much as all the rest.
    let mut head = ResponseHeader::build_no_case(status, Some(24)).map_err(illegal)?;
    head.insert_header(REQUEST_ID, request_id).map_err(illegal)?;
    // The names the SDKs of Anthropic and AWS read.
    let own = match dialect {
        "anthropic-messages" => Some("request-id"),
        "bedrock-converse" => Some("x-amzn-requestid"),
        _ => None,
    };
    if let Some(own) = own {
        head.insert_header(own, request_id).map_err(illegal)?;
    }
    Ok(head)
}

/// The fields that could not be carried across, cut at a length every proxy takes.
fn lossy(exchange: &Exchange) -> Option<String> {
    const LONGEST: usize = 1024;
    let mut line = String::new();
    for loss in &exchange.record.losses {
        let field = loss.field.chars().filter(char::is_ascii_graphic).filter(|letter| *letter != ',');
        if line.len() > LONGEST {
            line.push_str(", …");
            break;
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.extend(field);
    }
    (!line.is_empty()).then(|| line.replace('…', "..."))
}

fn left(error: pingora::BError) -> GatewayError {
    gone().context(error)
}

fn illegal(error: pingora::BError) -> GatewayError {
    GatewayError::gateway(Kind::Internal, "an answer's head is not legal HTTP").context(error)
}
