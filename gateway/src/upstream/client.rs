//! Pingora's pooled connector: one request out, a head and a body back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Instant, SystemTime};

use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use pingora::http::RequestHeader;
use pingora::protocols::http::client::HttpSession;
use pingora::{BError, ErrorType};

use super::body::Body;
use super::credential::{self, Draft, Grant, MAX_ANSWER};
use super::lines::Lines;
use super::wire::Wire;
use super::{ChosenKey, Proof, Provider, Timeouts, keys};
use crate::domain::Secret;
use crate::domain::http::{ResponseHead, UpstreamRequest};
use crate::error::{GatewayError, Kind};

/// Connections to all providers; shared by all workers and kept over reloads.
#[derive(Clone, Default)]
pub struct Client {
    lines: Arc<Lines>,
    /// Counts how often a request goes out.
    sent: Option<Arc<AtomicU32>>,
}

/// An answer whose head is there.
pub struct Response {
    /// Status and headers.
    pub head: ResponseHead,
    /// The body, to be pulled.
    pub body: Body,
}

impl Client {
    /// The same, which counts in `sent` how often the provider may have heard of a request.
    #[must_use]
    pub fn telling(&self, sent: &Arc<AtomicU32>) -> Self {
        Self { sent: Some(Arc::clone(sent)), ..self.clone() }
    }

    /// Closes idle connections whose time is over; to be called now and then.
    pub fn sweep(&self) {
        self.lines.sweep();
    }

    /// Sends a request with whatever key may be used, as one that is for no model and tells the pool nothing.
    ///
    /// # Errors
    /// As [`Client::send_with`]; also when every key rests.
    pub async fn send(
        &self,
        provider: &Provider,
        request: &UpstreamRequest,
        timeouts: &Timeouts,
    ) -> Result<Response, GatewayError> {
        let key = provider.keys.choose(&keys::Ask::default(), keys::now())?;
        self.send_with(provider, key, request, timeouts).await
    }

    /// Sends a request with this key of the provider and waits for the head of the answer; the caller bounds the wait, and
    /// tells the pool what came of it.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when nothing was sent, [`Kind::Provider`] when the connection broke afterwards,
    /// [`Kind::Authentication`] when there is no token to send.
    pub async fn send_with(
        &self,
        provider: &Provider,
        key: Option<ChosenKey>,
        request: &UpstreamRequest,
        timeouts: &Timeouts,
    ) -> Result<Response, GatewayError> {
        let mut path = provider.url.path(&request.path);
        let mut headers = request.headers.clone();
        provider.add_headers(&mut headers);
        let proof = provider.proof(key, &request.credential);
        let (grant, token) = match proof {
            Proof::Token(grant, scope) => {
                // Boxed: rarely awaited, and as large as a request of its own.
                let token = Box::pin(self.token(grant, &scope, timeouts)).await?;
                credential::bearer(&mut headers, &token)?;
                (Some(grant), Some(token))
            }
            Proof::Key(kind, key) => {
                let draft = Draft {
                    method: &request.method,
                    host: &provider.url.host_header(),
                    region: provider.region.as_deref(),
                    path: &mut path,
                    headers: &mut headers,
                    body: &request.body,
                };
                credential::sign(kind, key, draft, SystemTime::now())?;
                (None, None)
            }
        };
        let response = self.dispatch(provider, request, &Signed { path, headers }, timeouts).await?;
        if let (401, Some(grant), Some(token)) = (response.head.status, grant, &token) {
            grant.cell.forget(token);
        }
        Ok(response)
    }

    /// The access token of a grant, fetched when there is none that holds.
    async fn token(&self, grant: &Grant, scope: &str, timeouts: &Timeouts) -> Result<Secret, GatewayError> {
        // Boxed: connecting needs 20 KB of state, and nearly every request finds a token that holds.
        let fetch = Box::pin(async {
            let endpoint = &grant.endpoint;
            let request = grant.request(scope, SystemTime::now())?;
            let signed = Signed { path: endpoint.url.path(&request.path), headers: request.headers.clone() };
            // It is no provider that hears of this.
            let plain = Self { sent: None, ..self.clone() };
            let mut answer = plain.dispatch(endpoint, &request, &signed, timeouts).await?;
            let body = answer.body.whole(MAX_ANSWER).await?;
            grant.read(answer.head.status, &body)
        });
        grant.cell.get(scope, Instant::now, fetch).await
    }

    /// Sends what is signed.
    async fn dispatch(
        &self,
        provider: &Provider,
        request: &UpstreamRequest,
        signed: &Signed,
        timeouts: &Timeouts,
    ) -> Result<Response, GatewayError> {
        let mut turn = 0;
        loop {
            let peer = provider.peer(timeouts, turn).await?;
            let (mut session, reused) =
                self.lines.open(&peer).await.map_err(|error| broken(provider, &error, Kind::Unreachable))?;
            young_enough(provider, &session)?;
            session.set_write_timeout(Some(timeouts.idle));
            let head = head(provider, request, signed)?;
            if let Some(sent) = &self.sent {
                sent.fetch_add(1, Ordering::Relaxed);
            }
            match exchange_heads(&mut session, head, request).await {
                Ok(head) => {
                    let head = from_provider(provider, head)?;
                    let body = Body::new(session, peer, Arc::clone(&self.lines), timeouts.idle);
                    return Ok(Response { head, body });
                }
                Err(mut error) => {
                    if matches!(error.etype(), ErrorType::H2Downgrade | ErrorType::InvalidH2) {
                        self.lines.prefer_h1(&peer);
                    }
                    // The provider closed an idle connection just as we used it: nearly always nothing was processed, and
                    // whoever counts is told of both. On a shared one that is so only when it says so.
                    error.retry.decide_reuse(reused);
                    let shared = matches!(*session, HttpSession::H2(_));
                    let unprocessed = if shared { error.retry() } else { reused };
                    if !unprocessed || turn >= 2 {
                        return Err(broken(provider, &error, Kind::Provider));
                    }
                    turn += 1;
                }
            }
        }
    }
}

fn hold(session: &HttpSession, holds: bool) {
    if let HttpSession::H1(session) = session {
        Wire::hold(session, holds);
    }
}

/// Refuses a connection in a version of TLS that is not to be spoken, before anything is sent on it.
fn young_enough(provider: &Provider, session: &HttpSession) -> Result<(), GatewayError> {
    let version = session.digest().and_then(|digest| digest.ssl_digest.as_ref()).map(|tls| &tls.version);
    match version {
        Some(version) if !provider.line.way.forwards() && provider.line.tls.is_too_old(version) => {
            let why = format!("it speaks {version} and `tls.min_version` is 1.3");
            Err(unreachable(provider, &why, Kind::Unreachable))
        }
        _ => Ok(()),
    }
}

/// A proxy that was told the whole URL answers for itself when it does not know us.
fn from_provider(provider: &Provider, head: ResponseHead) -> Result<ResponseHead, GatewayError> {
    match provider.line.way.proxy() {
        Some(proxy) if head.status == 407 && provider.line.way.forwards() => {
            let why = format!("the proxy {}", proxy.unknown_user());
            Err(unreachable(provider, &why, Kind::Unreachable))
        }
        _ => Ok(head),
    }
}

/// What a credential may have changed.
struct Signed {
    path: String,
    headers: http::HeaderMap,
}

fn head(
    provider: &Provider,
    request: &UpstreamRequest,
    signed: &Signed,
) -> Result<Box<RequestHeader>, GatewayError> {
    let illegal = |_| GatewayError::plugin("the request's head is not legal HTTP");
    let Signed { path, headers } = signed;
    let forwarded = provider.line.way.forwards().then(|| provider.url.absolute(path));
    let path = forwarded.as_deref().unwrap_or(path);
    let mut head =
        RequestHeader::build_no_case(request.method.clone(), path.as_bytes(), Some(headers.len() + 4))
            .map_err(illegal)?;
    head.insert_header(HOST, provider.url.host_header()).map_err(illegal)?;
    head.insert_header(USER_AGENT, concat!("causeway/", env!("CARGO_PKG_VERSION"))).map_err(illegal)?;
    head.insert_header(ACCEPT_ENCODING, "identity").map_err(illegal)?;
    for (name, value) in headers {
        head.append_header(name.clone(), value.clone()).map_err(illegal)?;
    }
    head.insert_header(CONTENT_LENGTH, request.body.len()).map_err(illegal)?;
    head.remove_header(&PROXY_AUTHORIZATION);
    if let (Some(proxy), Some(_)) = (provider.line.way.proxy(), &forwarded)
        && let Some(authorization) = &proxy.authorization
    {
        head.insert_header(PROXY_AUTHORIZATION, authorization.expose()).map_err(illegal)?;
    }
    Ok(Box::new(head))
}

async fn exchange_heads(
    session: &mut HttpSession,
    head: Box<RequestHeader>,
    request: &UpstreamRequest,
) -> Result<ResponseHead, BError> {
    hold(session, true);
    session.write_request_header(head).await?;
    hold(session, false);
    session.write_request_body(request.body.clone(), true).await?;
    session.finish_request_body().await?;
    loop {
        session.read_response_header().await?;
        let Some(answer) = session.response_header() else {
            return pingora::Error::e_explain(ErrorType::ReadError, "no response header");
        };
        // 1xx announces the real head.
        if answer.status.as_u16() >= 200 {
            return Ok(ResponseHead { status: answer.status.as_u16(), headers: answer.headers.clone() });
        }
    }
}

fn broken(provider: &Provider, error: &BError, otherwise: Kind) -> GatewayError {
    let kind = match error.etype() {
        ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout => Kind::Unreachable,
        ErrorType::ReadTimedout | ErrorType::WriteTimedout => Kind::Timeout,
        _ => otherwise,
    };
    unreachable(provider, &error.to_string(), kind)
}

fn unreachable(provider: &Provider, why: &str, kind: Kind) -> GatewayError {
    let message = match kind {
        Kind::Unreachable => "the provider cannot be reached",
        Kind::Timeout => "the provider took too long",
        _ => "the provider closed the connection",
    };
    let Provider { name, url, line, .. } = provider;
    let through = line.way.proxy().map(|proxy| format!(" through proxy `{}`", proxy.url)).unwrap_or_default();
    GatewayError::upstream(kind, message)
        .context(format!("provider `{name}` at {}{through}: {why}", url.host_header()))
}
