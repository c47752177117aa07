//! Walks the plan: translate, send, translate back; the next target on a failure that deserves it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::{Instant as Deadline, timeout_at};

use super::answer::{self, Answer};
use super::changes::Changes;
use super::exchange::{Exchange, Said};
use super::keeper::{Keeper, provenance};
use super::recall::Keeping;
use super::service::Ground;
use super::stream::Stream;
use super::{losses, pass_on, rate_headers};
use crate::adapter::{Lease, Route};
use crate::dialect::lost::Lost;
use crate::dialect::passage::Passage;
use crate::dialect::{AnswerFacts, Dialect, told};
use crate::domain::http::UpstreamRequest;
use crate::domain::{Attempt, Envelope, Operation, Record};
use crate::error::{GatewayError, Kind, Origin};
use crate::route::{Judgement, Model, Plan, Step};
use crate::state::{Provider, Snapshot};
use crate::upstream::Response;
use crate::vault::Recalled;

/// Largest whole answer taken from a provider.
const MAX_ANSWER: usize = 64 << 20;
/// Largest error body looked at.
const MAX_ERROR: usize = 256 << 10;
/// Bodies above this are translated off the worker's back: a call then takes a millisecond or more.
const LARGE: usize = 256 << 10;

/// What every attempt needs.
pub(super) struct Request<'a> {
    pub(super) ground: &'a Ground,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) dialect: &'static dyn Dialect,
    pub(super) envelope: &'a Envelope,
    /// Who keeps the answer, if it is to be kept.
    pub(super) keeping: Option<Keeping>,
}

impl Request<'_> {
    /// What the gateway says itself when no target can do what is asked at all.
    pub(super) fn estimate(&self, error: GatewayError) -> Result<Answer, GatewayError> {
        let estimate = self.dialect.estimate(self.envelope).filter(|_| error.kind == Kind::Unsupported);
        let Some(body) = estimate else { return Err(error) };
        Ok(Answer {
            headers: HeaderMap::new(),
            target: "causeway/estimate".to_owned(),
            deadline: Deadline::now(),
            body: answer::Body::Whole(answer::JSON, body.into()),
        })
    }
}

/// The first answer that is one. Its first event is there; nothing has been sent to the client.
pub(super) async fn first_good(
    request: &Request<'_>,
    plan: &Plan,
    exchange: &mut Exchange,
) -> Result<Answer, GatewayError> {
    let retry = &plan.model.retry;
    let model = &plan.model;
    let recalled = Recalled::default();
    let mut walk =
        Walk { request, exchange, model, effort: plan.effort, canonical: None, recalled, failure: None };
    let now = Instant::now();
    // Whoever is ready first, in the plan's order; a failed target comes back when it may be asked again.
    let mut waiting: Vec<Waiting<'_>> =
        plan.targets.iter().map(|step| Waiting { step, ready: now, tried: 0 }).collect();
    for _ in 0..retry.attempts {
        let now = Instant::now();
        let next = waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.ready.max(now));
        let Some(mut next) = next.map(|(at, _)| at).map(|at| waiting.remove(at)) else { break };
        if next.ready > walk.exchange.started + request.snapshot.timeouts.total {
            break;
        }
        Exchange::wait(&mut walk.exchange.waited, tokio::time::sleep_until(next.ready.into())).await;
        match walk.attempt(next.step).await {
            Ok(answer) => return Ok(answer),
            Err(error) => match retry.judge(&error) {
                Judgement::Final => return Err(error),
                Judgement::Elsewhere => {}
                Judgement::Again => {
                    if let Some(wait) = retry.wait(next.tried, error.retry_after, fastrand::f64()) {
                        next.ready = Instant::now() + wait;
                        next.tried += 1;
                        waiting.push(next);
                    }
                }
            },
        }
    }
    for step in &plan.fallback {
        match walk.attempt(step).await {
            Ok(answer) => return Ok(answer),
            Err(error) if retry.judge(&error) == Judgement::Final => return Err(error),
            Err(_) => {}
        }
    }
    let nothing = || GatewayError::gateway(Kind::Overloaded, "every target of this model is drained");
    Err(walk.failure.map_or_else(nothing, ours_to_answer_for))
}

/// A target and when it may be asked.
struct Waiting<'a> {
    step: &'a Step,
    ready: Instant,
    /// Failed attempts so far.
    tried: u32,
}

/// The provider's refusal of *our* key is not the client's fault and must not look like it.
fn ours_to_answer_for(error: GatewayError) -> GatewayError {
    if error.origin != Origin::Upstream {
        return error;
    }
    match error.kind {
        Kind::Authentication | Kind::Permission | Kind::Quota => GatewayError {
            kind: Kind::Provider,
            message: "the provider refused the gateway's own credentials or account".to_owned(),
            code: None,
            context: format!("{} ({})", error.context, error.message),
            ..error
        },
        _ => error,
    }
}

/// One walk along a plan.
struct Walk<'a> {
    request: &'a Request<'a>,
    exchange: &'a mut Exchange,
    model: &'a Model,
    /// What the model's name asked for.
    effort: Option<&'static str>,
    /// Decoded once, at the first target that needs it.
    canonical: Option<Bytes>,
    /// What the vault holds for it.
    recalled: Recalled,
    failure: Option<GatewayError>,
}

impl Walk<'_> {
    async fn attempt(&mut self, step: &Step) -> Result<Answer, GatewayError> {
        let began = Instant::now();
        let mut attempt = Attempt {
            provider: Arc::clone(&step.provider),
            model: step.model.clone(),
            status: None,
            outcome: "ok",
            error: None,
            took: Duration::ZERO,
            translated: false,
        };
        // A client that leaves drops us in the middle: then this is what is known.
        self.exchange.record.attempts.push(Attempt { outcome: Kind::ClientGone.as_str(), ..attempt.clone() });
        let result = self.try_target(step, &mut attempt).await;
        attempt.took = began.elapsed();
        let result = result.map_err(|mut error| {
            if let Some(provider) = self.request.snapshot.providers.get(&step.provider) {
                provider.upstream.scrub(&mut error.message);
                provider.upstream.scrub(&mut error.context);
            }
            error.context(format!("target `{}/{}`", step.provider, step.model))
        });
        if let Err(error) = &result {
            attempt.outcome = error.kind.as_str();
            attempt.error = Some(error.to_string());
            self.failure = Some(error.clone());
        }
        if let Some(last) = self.exchange.record.attempts.last_mut() {
            *last = attempt;
        }
        result
    }

    async fn try_target(&mut self, step: &Step, attempt: &mut Attempt) -> Result<Answer, GatewayError> {
        let Request { snapshot, dialect, envelope, ground, .. } = *self.request;
        let provider = snapshot.providers.get(&step.provider).ok_or_else(|| {
            GatewayError::gateway(Kind::Internal, "the target's provider is not configured")
        })?;
        let timeouts = provider.timeouts.with(&self.model.timeouts);
        let deadline = Deadline::from_std(self.exchange.started) + timeouts.total;
        let changes = Changes::of(self.model, provider, self.effort, dialect, envelope);
        let spoken = envelope.passable && provider.passage(dialect.id()).is_some();
        let fits = changes.as_ref().is_none_or(|changes| changes.fit(dialect));
        let passage = spoken && fits && pass_on::takes(dialect, envelope, provider);
        attempt.translated = !passage;
        let operation = dialect.operation();
        if !passage && !provider.adapter.manifest().translates(operation) {
            let what = operation.as_str();
            return Err(GatewayError::client(Kind::Unsupported, format!("the provider cannot do {what}")));
        }
        let route = self.route(provider, step);
        let mut lease = None;
        let upstream_request = if passage {
            // Other vendors' state came to the client sealed, and may go back to them alone.
            let native = dialect.native(&envelope.body, &step.model);
            let native = native.map(|body| dialect.read(&self.exchange.head, body)).transpose()?;
            let envelope = native.as_ref().unwrap_or(envelope);
            let client = &self.exchange.head.headers;
            let request = pass_on::request(dialect, envelope, client, provider, &step.model)?;
            match &changes {
                Some(changes) => {
                    UpstreamRequest { body: changes.in_own_form(dialect, &request.body)?, ..request }
                }
                None => request,
            }
        } else {
            self.decode().await?;
            self.translate(provider, &route, changes.as_ref(), &mut lease)?
        };
        // Boxed: connecting needs 20 KB of state, which an open stream should not carry along.
        let sent = Box::pin(ground.client.send(&provider.upstream, &upstream_request, &timeouts));
        let first = Deadline::now() + timeouts.first_token;
        let until = if envelope.stream || envelope.raw { deadline.min(first) } else { deadline };
        let sent = Exchange::wait(&mut self.exchange.waited, timeout_at(until, sent)).await;
        let response = sent.map_err(|_| too_slow())??;
        attempt.status = Some(response.head.status);
        let headers = rate_headers::passed_on(&response.head.headers, dialect.id(), self.exchange.now());
        let target = format!("{}/{}", step.provider, step.model);
        let came = Came { provider, route, response, lease, until };
        let body = if !(200..300).contains(&came.response.head.status) {
            self.exchange.refused_with = headers;
            return Err(self.refused(came).await);
        } else if envelope.raw && passage {
            answer::Body::Raw(Box::new(self.raw(came).await?))
        } else if envelope.stream {
            answer::Body::Stream(Box::new(self.stream(came).await?))
        } else {
            self.whole(came).await?
        };
        Ok(Answer { headers, target, deadline, body })
    }

    fn route(&self, provider: &Provider, step: &Step) -> Route {
        let wanted = &provider.adapter.manifest().client_headers;
        let headers = &self.exchange.head.headers;
        let text = |name: &String| Some((name.clone(), headers.get(name)?.to_str().ok()?.to_owned()));
        Route {
            model: step.model.clone(),
            streaming: self.request.envelope.stream,
            dialect: self.request.dialect.id(),
            headers: wanted.iter().filter_map(text).collect(),
        }
    }

    /// The request as canonical chat, and what the client could not carry of it.
    async fn decode(&mut self) -> Result<(), GatewayError> {
        if self.canonical.is_some() {
            return Ok(());
        }
        let Request { dialect, envelope, ground, .. } = *self.request;
        let body = off_the_worker(envelope.body.len(), || dialect.canonical(envelope))?;
        if !dialect.carries_state() {
            self.recalled = ground.vault.recall(&self.exchange.record.key, &body).await;
        }
        self.canonical = Some(body);
        Ok(())
    }

    fn translate(
        &mut self,
        provider: &Provider,
        route: &Route,
        changes: Option<&Changes<'_>>,
        lease: &mut Option<Lease>,
    ) -> Result<UpstreamRequest, GatewayError> {
        let Request { dialect, envelope, .. } = *self.request;
        let body = self.canonical.clone().unwrap_or_default();
        // State goes back only to where it came from.
        let whence = provenance(provider, &route.model);
        let body = self.recalled.restored(&whence, &body).unwrap_or(body);
        let body = match changes {
            Some(changes) => off_the_worker(body.len(), || changes.in_canonical(&body, &route.model))?,
            None => body,
        };
        let leased = lease.insert(provider.adapter.checkout()?);
        let translated = call(&mut self.exchange.record, provider, "translate-request", body.len(), || {
            leased.translator()?.translate_request(route, dialect.operation(), &body)
        });
        let (request, losses) = translated?;
        let losses = dialect.dropped(envelope).into_iter().chain(losses).collect();
        self.exchange.record.losses = losses::of_request(self.model, provider, &body, losses)?;
        Ok(request)
    }

    /// A status that is no success: the adapter judges it, also when it was only passed on.
    async fn refused(&mut self, came: Came<'_>) -> GatewayError {
        let Came { provider, mut response, lease, until, .. } = came;
        let status = response.head.status;
        let body = timeout_at(until, response.body.whole(MAX_ERROR));
        let body = Exchange::wait(&mut self.exchange.waited, body)
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default();
        let lease = lease.map_or_else(|| provider.adapter.checkout(), Ok);
        let judged = lease.and_then(|mut lease| {
            call(&mut self.exchange.record, provider, "map-error", body.len(), || {
                Ok(lease.translator()?.map_error(status, &response.head.headers, &body))
            })
        });
        let judged = judged.unwrap_or_else(|error| error);
        // A general word must not hide what the status says: 503 is worth another try soon, 502 may not be.
        let kind = match (judged.kind, status) {
            (Kind::Provider, 503 | 529) => Kind::Overloaded,
            (Kind::Provider, 408 | 504) => Kind::Timeout,
            (kind, _) => kind,
        };
        GatewayError { kind, upstream_status: Some(status), ..judged }
    }

    async fn whole(&mut self, came: Came<'_>) -> Result<answer::Body, GatewayError> {
        let Came { provider, route, mut response, lease, until } = came;
        let body = timeout_at(until, response.body.whole(MAX_ANSWER));
        let body = Exchange::wait(&mut self.exchange.waited, body).await.map_err(|_| too_slow())??;
        let Request { dialect, envelope, .. } = *self.request;
        let Some(mut lease) = lease else {
            pass_on::judge(dialect, &body)?;
            self.exchange.record.usage = dialect.whole_usage(&body);
            self.exchange.said = Some(self.said(&body));
            return Ok(answer::Body::Whole(answer::JSON, body));
        };
        let headers = &response.head.headers;
        let answer = call(&mut self.exchange.record, provider, "translate-response", body.len(), || {
            lease.translator()?.translate_response(&route, dialect.operation(), headers, &body)
        })?;
        self.exchange.record.usage = answer.usage;
        self.exchange.said = Some(self.said(&answer.body));
        self.exchange.record.lose(answer.losses);
        if let Some(keeps) = dialect.keeps().filter(|_| dialect.operation() == Operation::Chat) {
            self.exchange.record.lose(Lost::new(keeps).of(&answer.body));
        }
        if let Some(content_type) = answer.content_type {
            return Ok(answer::Body::Whole(content_type, answer.body));
        }
        if let Some(mut keeper) = self.keeper(provider, &route) {
            keeper.take(&answer.body);
        }
        let facts = self.facts();
        let mut written =
            off_the_worker(answer.body.len(), || dialect.whole_for(&facts, envelope, &answer.body))?;
        if let Some(keeping) = &self.request.keeping {
            let response = written.clone();
            keeping.keep_or_tell(&response, &mut written).await;
        }
        Ok(answer::Body::Whole(answer::JSON, written.into()))
    }

    /// Passes as it comes, once the first bytes are there.
    async fn raw(&mut self, came: Came<'_>) -> Result<answer::Raw, GatewayError> {
        let Came { mut response, until, .. } = came;
        let first = timeout_at(until, response.body.next());
        let first = Exchange::wait(&mut self.exchange.waited, first).await.map_err(|_| too_slow())??;
        let first = first.ok_or_else(|| GatewayError::upstream(Kind::Malformed, "the answer is empty"))?;
        let content_type = response.head.headers.get(http::header::CONTENT_TYPE).cloned();
        let content_type =
            content_type.unwrap_or_else(|| http::HeaderValue::from_static("application/octet-stream"));
        Ok(answer::Raw { content_type, first, rest: response.body })
    }

    /// How much a whole answer says; only looked up when its provider did not count.
    fn said(&self, body: &[u8]) -> Said {
        let counted = self.exchange.record.usage.is_some_and(|usage| usage.output.is_some());
        Said { bytes: if counted { 0 } else { told::answered(body) }, complete: true, usage_fell: false }
    }

    async fn stream(&mut self, came: Came<'_>) -> Result<Stream, GatewayError> {
        let Came { provider, route, response, lease, until } = came;
        let Request { dialect, envelope, .. } = *self.request;
        let Response { head, body } = response;
        let writer = dialect.stream(&self.facts(), envelope);
        let mut stream = match lease {
            None => {
                let expected = pass_on::stream_type(envelope.framing);
                pass_on::demand(&head.headers, expected)?;
                let passage = Passage::new(dialect, envelope.framing);
                let asked = pass_on::ask_usage(dialect, envelope, provider).is_some();
                Stream::native(provider, body, passage.keeping_usage(asked), writer)
            }
            Some(mut lease) => {
                call(&mut self.exchange.record, provider, "open-stream", 0, || {
                    lease.translator()?.open_stream(&route, dialect.operation(), &head.headers)
                })?;
                let keeper = self.keeper(provider, &route);
                Stream::translated(provider, body, lease, writer, self.exchange.started)
                    .losing(dialect.keeps().map(Lost::new))
                    .kept_by(keeper, self.request.keeping.clone())
            }
        };
        let Exchange { waited, record, .. } = &mut *self.exchange;
        let begun = Exchange::wait(waited, timeout_at(until, stream.begin(record))).await;
        begun.map_err(|_| too_slow())??;
        Ok(stream)
    }

    /// Who gathers the state of the answer: only calls bring any back, and without tools there are none.
    fn keeper(&self, provider: &Provider, route: &Route) -> Option<Keeper> {
        let calls = |body: &Bytes| ["\"tools\"", "\"functions\""].iter().any(|name| holds(body, name));
        let needed = !self.request.dialect.carries_state() && self.canonical.as_ref().is_some_and(calls);
        needed.then(|| {
            let vault = self.request.ground.vault.clone();
            Keeper::new(vault, &self.exchange.record.key, provenance(provider, &route.model))
        })
    }

    fn facts(&self) -> AnswerFacts {
        AnswerFacts {
            request_id: match &self.request.keeping {
                Some(keeping) => keeping.answer.clone(),
                None => self.exchange.record.request_id.clone(),
            },
            created: self.exchange.created,
            model: self.request.envelope.model.clone(),
            waited: self.exchange.started.elapsed(),
        }
    }
}

fn holds(body: &[u8], word: &str) -> bool {
    memchr::memmem::find(body, word.as_bytes()).is_some()
}

/// A response and what is needed to read it.
struct Came<'a> {
    provider: &'a Arc<Provider>,
    route: Route,
    response: Response,
    /// The instance that translated the request; none when bytes were passed on.
    lease: Option<Lease>,
    until: Deadline,
}

/// One call into an adapter, counted and timed.
fn call<T>(
    record: &mut Record,
    provider: &Provider,
    function: &'static str,
    bytes: usize,
    run: impl FnOnce() -> Result<T, GatewayError>,
) -> Result<T, GatewayError> {
    let began = Instant::now();
    let result = off_the_worker(bytes, run);
    record.count_plugin_call(&provider.plugin, function, outcome(result.as_ref().err()), began.elapsed());
    result
}

/// `ok`, `err` (the adapter refused) or `failed` (it broke).
pub(super) fn outcome(error: Option<&GatewayError>) -> &'static str {
    match error {
        None => "ok",
        Some(error) if error.kind == Kind::Adapter => "failed",
        Some(_) => "err",
    }
}

/// Work on a large body must not hold up the other requests of this worker.
fn off_the_worker<T>(bytes: usize, run: impl FnOnce() -> T) -> T {
    let many_workers = tokio::runtime::Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread);
    if bytes > LARGE && many_workers { tokio::task::block_in_place(run) } else { run() }
}

fn too_slow() -> GatewayError {
    GatewayError::upstream(Kind::Timeout, "the provider took too long")
}
