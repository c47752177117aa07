//! One attempt at one target: translate, send, translate back. Nothing has been sent to the client when it is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::OnceCell;
use tokio::time::{Instant as Deadline, timeout_at};

use super::answer::{self, Answer};
use super::booked::{self, Bill, Tab};
use super::changes::Changes;
use super::exchange::{Exchange, Said};
use super::keeper::provenance;
use super::provider_key::{self, InHand};
use super::recall::Keeping;
use super::service::Ground;
use super::{losses, pass_on, rate_headers, room};
use crate::adapter::{Lease, Route};
use crate::config::Lossy;
use crate::dialect::Dialect;
use crate::domain::http::UpstreamRequest;
use crate::domain::{Attempt, Envelope, Record, RequestHead};
use crate::error::{GatewayError, Kind};
use crate::route::{Care, Conversation, Model, Step};
use crate::state::{Provider, Snapshot};
use crate::upstream::{Client, Passes};
use crate::vault::Recalled;

mod came;

use came::Came;

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
    /// How many tokens the answer may have, because a budget pays for no more.
    pub(super) most_output: Option<u64>,
}

impl Request<'_> {
    /// What the gateway says itself when no target can do what is asked at all.
    pub(super) fn estimate(&self, error: GatewayError) -> Result<Answer, GatewayError> {
        let estimate = self.dialect.estimate(self.envelope).filter(|_| error.kind == Kind::Unsupported);
        let Some(body) = estimate else { return Err(error) };
        Ok(Answer {
            headers: HeaderMap::new(),
            target: "causeway/estimate".to_owned(),
            running: None,
            in_hand: None,
            deadline: Deadline::now(),
            body: answer::Body::Whole(answer::JSON, body.into()),
        })
    }
}

/// What the attempts of one request have in common. Two of them may run at the same time.
pub(super) struct Asking<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) model: &'a Model,
    /// The effort of reasoning that the model's name asked for.
    pub(super) effort: Option<&'static str>,
    /// The request wishes that nothing of it is lost.
    pub(super) strict: bool,
    pub(super) head: &'a RequestHead,
    pub(super) key: Arc<str>,
    pub(super) request_id: String,
    /// When the request's head was there, on both clocks.
    pub(super) started: Instant,
    pub(super) created: u64,
    /// Decoded once, by the first attempt that needs it.
    pub(super) canonical: OnceCell<Canonical>,
    /// The conversation that stays where it is; so does its provider key.
    pub(super) conversation: Option<Conversation>,
    /// What the attempts bring onto the ledger.
    pub(super) tab: Option<Arc<Tab>>,
}

impl Asking<'_> {
    /// Unix time in seconds.
    fn now(&self) -> u64 {
        self.created + self.started.elapsed().as_secs()
    }

    /// The request as canonical chat, and what the client could not carry of it.
    async fn decode(&self) -> Result<Canonical, GatewayError> {
        let Request { dialect, envelope, ground, .. } = *self.request;
        let body = off_the_worker(envelope.body.len(), || dialect.canonical(envelope))?;
        let recalled = if dialect.carries_state() {
            Recalled::default()
        } else {
            ground.vault.recall(&self.key, &body).await
        };
        Ok(Canonical { body, recalled })
    }
}

/// A request in canonical form.
pub(super) struct Canonical {
    body: Bytes,
    /// What the vault holds for it.
    recalled: Recalled,
}

/// What an attempt finds out beside its answer.
pub(super) struct Tally {
    pub(super) attempt: Attempt,
    /// Time spent waiting for the provider.
    pub(super) waited: Duration,
    /// Limits that a provider told with its refusal, in the client's words.
    pub(super) refused_with: Option<HeaderMap>,
    /// What a whole answer said.
    pub(super) said: Option<Said>,
    /// Losses, usage and calls into adapters.
    pub(super) record: Record,
    /// The provider key it is sent with.
    pub(super) in_hand: Option<InHand>,
    /// Room that was waited for.
    pub(super) passes: Option<Passes>,
    /// What it will be booked as, from the moment it may be sent until its answer goes on.
    pub(super) bill: Option<Bill>,
}

impl Tally {
    /// Of an attempt that has not ended. A client that leaves drops it in the middle: then this is what is known.
    pub(super) fn of(step: &Step) -> Self {
        Self {
            attempt: Attempt {
                provider: Arc::clone(&step.provider),
                model: step.model.clone(),
                status: None,
                outcome: Kind::ClientGone.as_str(),
                error: None,
                took: Duration::ZERO,
                translated: false,
                key: None,
                spent: None,
                price: step.price.clone(),
            },
            waited: Duration::ZERO,
            refused_with: None,
            said: None,
            record: Record::default(),
            in_hand: None,
            passes: None,
            bill: None,
        }
    }
}

/// One attempt at one target.
pub(super) async fn run(asking: &Asking<'_>, step: &Step, tally: &mut Tally) -> Result<Answer, GatewayError> {
    let began = Instant::now();
    let passes = tally.passes.take().map_or_else(|| room::enter(asking, step), Ok);
    let passes = passes.inspect_err(|error| {
        (tally.attempt.outcome, tally.attempt.error) = (room::FULL, Some(error.to_string()));
    })?;
    let keyless =
        asking.request.snapshot.providers.get(&step.provider).is_none_or(|it| it.upstream.is_keyless());
    let care = Care { keyless, ..asking.model.care };
    let running = step.state.begin(&care, step.entry, began).map_err(|resting| {
        let error = room::rests(&resting);
        (tally.attempt.outcome, tally.attempt.error) = (room::RESTS, Some(error.to_string()));
        error
    })?;
    // Boxed: it is large, and every step of the walk would carry it.
    let result = Box::pin(Try { asking, step, tally, passes }.target()).await;
    tally.attempt.took = began.elapsed();
    let result = result.map_err(|mut error| {
        if let Some(provider) = asking.request.snapshot.providers.get(&step.provider) {
            provider.upstream.scrub(&mut error.message);
            provider.upstream.scrub(&mut error.context);
        }
        error.context(format!("target `{}/{}`", step.provider, step.model))
    });
    tally.attempt.outcome = "ok";
    provider_key::tell(tally, result.as_ref().err());
    match result {
        Ok(mut answer) => {
            booked::hand_on(tally, &mut answer.body);
            running.answered(began.elapsed(), Instant::now());
            Ok(Answer { running: Some(running), in_hand: tally.in_hand.clone(), ..answer })
        }
        Err(error) => {
            tally.attempt.outcome = error.kind.as_str();
            tally.attempt.error = Some(error.to_string());
            booked::failed(tally, &error);
            running.failed(&error, Instant::now());
            Err(error)
        }
    }
}

struct Try<'t> {
    asking: &'t Asking<'t>,
    step: &'t Step,
    tally: &'t mut Tally,
    /// Room at the target, handed on to the answer's body.
    passes: Passes,
}

impl Try<'_> {
    async fn target(&mut self) -> Result<Answer, GatewayError> {
        let model = self.asking.model;
        let Request { snapshot, dialect, envelope, ground, .. } = *self.asking.request;
        let step = self.step;
        let provider = snapshot.providers.get(&step.provider).ok_or_else(|| {
            GatewayError::gateway(Kind::Internal, "the target's provider is not configured")
        })?;
        let timeouts = provider.timeouts.with(&model.timeouts);
        let deadline = Deadline::from_std(self.asking.started) + timeouts.total;
        let changes = Changes::of(model, provider, self.asking.effort, self.asking.request);
        let spoken = envelope.passable && provider.passage(dialect.id()).is_some();
        let fits = changes.as_ref().is_none_or(|changes| changes.fit(dialect));
        let passage = spoken && fits && pass_on::takes(dialect, envelope, provider);
        self.tally.attempt.translated = !passage;
        let operation = dialect.operation();
        if !passage && !provider.adapter.manifest().translates(operation) {
            let what = operation.as_str();
            return Err(GatewayError::client(Kind::Unsupported, format!("the provider cannot do {what}")));
        }
        let route = self.route(provider, step);
        let mut lease = None;
        let upstream_request = if passage {
            self.passed_on(provider, changes.as_ref())?
        } else {
            let canonical = self.asking.canonical.get_or_try_init(|| self.asking.decode()).await?;
            self.translate(canonical, provider, &route, (changes.as_ref(), &mut lease))?
        };
        let key = provider_key::take(provider, self.asking, step, self.tally)?;
        let client = self.booking(&ground.client);
        // Boxed: connecting needs 20 KB of state, which an open stream should not carry along.
        let sent = Box::pin(client.send_with(&provider.upstream, key, &upstream_request, &timeouts));
        let first = Deadline::now() + timeouts.first_token;
        let until = if envelope.stream || envelope.raw { deadline.min(first) } else { deadline };
        let sent = Exchange::wait(&mut self.tally.waited, timeout_at(until, sent)).await;
        let mut response = sent.map_err(|_| too_slow())??;
        response.body.hold(std::mem::take(&mut self.passes));
        self.tally.attempt.status = Some(response.head.status);
        if let Some(bill) = &mut self.tally.bill {
            bill.answered(response.head.status);
        }
        let headers = rate_headers::passed_on(&response.head.headers, dialect.id(), self.asking.now());
        let target = format!("{}/{}", step.provider, step.model);
        let came = Came { provider, route, response, lease, until };
        if !came.is_good() {
            self.tally.refused_with = Some(headers);
            return Err(Box::pin(self.refused(came)).await);
        }
        let body = self.read(came, passage).await?;
        Ok(Answer { headers, target, deadline, running: None, in_hand: None, body })
    }

    /// From here on the attempt is booked, if it goes out.
    fn booking(&mut self, client: &Client) -> Client {
        let Some(tab) = &self.asking.tab else { return client.clone() };
        let bill = Bill::open(tab, self.step, self.tally.attempt.key.clone());
        let client = client.telling(bill.sent());
        self.tally.bill = Some(bill);
        client
    }

    /// The request in the client's own form.
    fn passed_on(
        &self,
        provider: &Provider,
        changes: Option<&Changes<'_>>,
    ) -> Result<UpstreamRequest, GatewayError> {
        let Request { dialect, envelope, .. } = *self.asking.request;
        let (head, model) = (self.asking.head, &self.step.model);
        // Other vendors' state came to the client sealed, and may go back to them alone.
        let native = dialect.native(&envelope.body, model);
        let native = native.map(|body| dialect.read(head, body)).transpose()?;
        let envelope = native.as_ref().unwrap_or(envelope);
        let request = pass_on::request(dialect, envelope, &head.headers, provider, model)?;
        match changes {
            Some(changes) => {
                Ok(UpstreamRequest { body: changes.in_own_form(dialect, &request.body)?, ..request })
            }
            None => Ok(request),
        }
    }

    fn route(&self, provider: &Provider, step: &Step) -> Route {
        let wanted = &provider.adapter.manifest().client_headers;
        let headers = &self.asking.head.headers;
        let text = |name: &String| Some((name.clone(), headers.get(name)?.to_str().ok()?.to_owned()));
        Route {
            model: step.model.clone(),
            streaming: self.asking.request.envelope.stream,
            dialect: self.asking.request.dialect.id(),
            headers: wanted.iter().filter_map(text).collect(),
        }
    }

    fn translate(
        &mut self,
        canonical: &Canonical,
        provider: &Provider,
        route: &Route,
        (changes, lease): (Option<&Changes<'_>>, &mut Option<Lease>),
    ) -> Result<UpstreamRequest, GatewayError> {
        let Request { dialect, envelope, .. } = *self.asking.request;
        let body = canonical.body.clone();
        // State goes back only to where it came from.
        let whence = provenance(provider, &route.model);
        let body = canonical.recalled.restored(&whence, &body).unwrap_or(body);
        let body = match changes {
            Some(changes) => off_the_worker(body.len(), || changes.in_canonical(&body, &route.model))?,
            None => body,
        };
        let leased = lease.insert(provider.adapter.checkout()?);
        let translated = call(&mut self.tally.record, provider, "translate-request", body.len(), || {
            leased.translator()?.translate_request(route, dialect.operation(), &body)
        });
        let (request, losses) = translated?;
        let losses = dialect.dropped(envelope).into_iter().chain(losses).collect();
        let lossy = if self.asking.strict { Lossy::Strict } else { self.asking.model.lossy };
        self.tally.record.losses = losses::of_request(lossy, provider, &body, losses)?;
        Ok(request)
    }
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
