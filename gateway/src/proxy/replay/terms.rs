//! Which ways to another request's answer are open to a request.

use std::time::Duration;

use http::HeaderMap;

use super::tell;
use crate::cache::{Cache, Fingerprint, Kept, Part, Reader, Tenant};
use crate::config::{Reuse, Scope};
use crate::error::GatewayError;
use crate::proxy::attempt::Request;
use crate::proxy::exchange::Exchange;
use crate::route::{Plan, Why};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest `Idempotency-Key`.
const LONGEST_KEY: usize = 255;

/// What holds for one request.
#[derive(Clone)]
pub(super) struct Terms {
    /// The name its client gave it.
    pub(super) idempotent: Option<Named>,
    /// Where an answer may lie, and is put.
    pub(super) cached: Option<Cached>,
    /// What is asked by whom; the same for requests that may share.
    pub(super) asked: Fingerprint,
    /// Others may join it, and it others.
    single_flight: bool,
    /// The model reuses answers, but this request may not.
    bypass: bool,
    /// The largest answer that is kept or joined.
    pub(super) max_answer: usize,
}

/// A request with an `Idempotency-Key`.
#[derive(Clone, Copy)]
pub(super) struct Named {
    /// Its key, for this virtual key.
    pub(super) name: Fingerprint,
    /// How long its answer is kept.
    pub(super) ttl: Duration,
    /// Larger answers are not kept.
    pub(super) largest: usize,
}

/// A request whose answer may be a kept one.
#[derive(Clone, Copy)]
pub(super) struct Cached {
    pub(super) fingerprint: Fingerprint,
    /// How long its answer is kept.
    pub(super) ttl: Duration,
    /// Larger answers are not kept.
    pub(super) largest: usize,
    /// The oldest answer the client takes; `None`: it wants a new one.
    freshness: Option<Duration>,
}

impl Terms {
    /// `None`: it has its answer to itself, as most have.
    ///
    /// # Errors
    /// 400 when its `Idempotency-Key` is none.
    pub(super) fn of(
        request: &Request<'_>,
        plan: &Plan,
        exchange: &Exchange,
    ) -> Result<Option<Self>, GatewayError> {
        let answers = &request.snapshot.answers;
        let headers = &exchange.head.headers;
        let named = match &answers.idempotency {
            Some(settings) => key_in(headers)?.map(|key| (settings, key)),
            None => None,
        };
        let model = &plan.model;
        if named.is_none() && model.reuse.is_none() && !model.single_flight {
            return Ok(None);
        }
        let reuse = model.reuse.unwrap_or_default();
        let wish = Wish::of(headers);
        let open = !wish.alone && !has_state(request, reuse.scope);
        let key = exchange.record.key.as_ref();
        let what = what(request, exchange);
        let idempotent = named.map(|(settings, name)| Named {
            name: Fingerprint::of("causeway idempotency key").tenant(Tenant::Key(key)).and(name).done(),
            ttl: settings.ttl.get(),
            largest: settings.max_answer.bytes(),
        });
        let tenant = Tenant::of(reuse.scope, key, exchange.record.team.as_deref());
        let by_whom = what
            .clone()
            .and(&*model.name)
            .and(&plan.asked)
            .and(candidates(plan).join("\n"))
            .and(request.most_output.map_or_else(String::new, |most| most.to_string()))
            .and(answers.digest);
        let shared = by_whom.and(said(request, exchange)).tenant(tenant).done();
        let cached = model.reuse.filter(|_| open).map(|Reuse { ttl, max_answer, .. }| Cached {
            fingerprint: shared,
            ttl: ttl.get(),
            largest: max_answer.bytes(),
            freshness: wish.freshness,
        });
        let largest = idempotent.map(|named| named.largest).max(Some(reuse.max_answer.bytes()));
        Ok(Some(Self {
            idempotent,
            cached,
            // The same key means the same request, whatever was configured meanwhile.
            asked: if idempotent.is_some() { what.done() } else { shared },
            single_flight: model.single_flight && open && wish.freshness.is_some(),
            bypass: model.reuse.is_some() && !open,
            max_answer: largest.unwrap_or_default(),
        }))
    }

    /// True when none of it is open to this request.
    pub(super) fn is_alone(&self) -> bool {
        self.idempotent.is_none() && self.cached.is_none() && !self.single_flight
    }

    /// Notes that answers are kept, but not for this request.
    pub(super) fn tell_bypass(&self, exchange: &mut Exchange) {
        if self.bypass {
            tell(exchange, "cache", "bypass");
        }
    }

    /// The name others may join it by.
    pub(super) fn joined_as(&self) -> Option<Fingerprint> {
        let named = self.idempotent.map(|named| named.name);
        named.or_else(|| self.single_flight.then_some(self.asked))
    }

    /// The answer kept for it, if it is young enough.
    pub(super) fn kept(&self, cache: &Cache) -> Option<Kept> {
        let cached = self.cached?;
        let oldest = u64::try_from(cached.freshness?.as_millis()).unwrap_or(u64::MAX);
        let kept = cache.get(&cached.fingerprint)?;
        (cache.now().saturating_sub(kept.made) <= oldest).then_some(kept)
    }

    /// Notes which way the answer came. `reused`: what it was kept as.
    pub(super) fn tell(&self, exchange: &mut Exchange, reader: &Reader, reused: Option<&str>) {
        let joined = !reader.leads();
        if self.idempotent.is_some() {
            let outcome = match reused {
                _ if joined => "join",
                Some("idempotency") => "hit",
                _ => "miss",
            };
            tell(exchange, "idempotency", outcome);
            if outcome != "miss" {
                return;
            }
        }
        if self.single_flight && self.idempotent.is_none() && reused.is_none() {
            tell(exchange, "flight", if joined { "join" } else { "miss" });
        }
        self.tell_bypass(exchange);
        if let Some(cached) = self.cached.filter(|_| !joined) {
            let outcome = match reused {
                Some("cache") => "hit",
                _ if cached.freshness.is_none() => "bypass",
                _ => "miss",
            };
            tell(exchange, "cache", outcome);
        }
    }
}

/// The `Idempotency-Key`, as IETF's draft has it: at most one, quoted or not.
/// Source: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>
fn key_in(headers: &HeaderMap) -> Result<Option<&[u8]>, GatewayError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let wrong = |what: &str| {
        Err(GatewayError::invalid("Idempotency-Key", format!("the header `Idempotency-Key` {what}")))
    };
    let key = value.as_bytes();
    if values.next().is_some() {
        return wrong("stands there more than once");
    }
    if key.is_empty() || key.len() > LONGEST_KEY || !key.iter().all(u8::is_ascii_graphic) {
        return wrong("must be 1 to 255 visible ASCII characters");
    }
    Ok(Some(key))
}

/// What the client says of answers that were given before.
struct Wish {
    /// It wants to share with nobody, now or later.
    alone: bool,
    /// The oldest answer it takes; `None`: it wants a new one.
    freshness: Option<Duration>,
}

impl Wish {
    /// Source: RFC 9111 §5.2.1.
    fn of(headers: &HeaderMap) -> Self {
        let mut wish = Self { alone: false, freshness: Some(Duration::MAX) };
        let values = headers.get_all(http::header::CACHE_CONTROL).iter();
        for directive in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            let directive = directive.trim().to_ascii_lowercase();
            match directive.split_once('=') {
                None if directive == "no-store" => wish.alone = true,
                None if directive == "no-cache" => wish.freshness = None,
                Some(("max-age", seconds)) => {
                    // What cannot be read is taken as stale.
                    let seconds = seconds.trim_matches('"').parse().unwrap_or(0);
                    let age = Some(Duration::from_secs(seconds)).filter(|age| !age.is_zero());
                    wish.freshness = wish.freshness.and_then(|known| Some(known.min(age?)));
                }
                _ => {}
            }
        }
        wish
    }
}

/// What is asked, whoever asks it.
fn what(request: &Request<'_>, exchange: &Exchange) -> Part {
    let head = &exchange.head;
    let envelope = request.envelope;
    // Google's clients bring their key in the query.
    let query = head.query.as_deref().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("key="));
    let content_type = envelope.content_type.as_ref().map(|value| value.as_bytes()).unwrap_or_default();
    Fingerprint::of("causeway same request")
        .and(request.dialect.id())
        .and(request.dialect.operation().as_str())
        .and(head.method.as_str())
        .and(&head.path)
        .and(query.collect::<Vec<_>>().join("&"))
        .and(content_type)
        .and(&envelope.model)
        .and(&envelope.body)
}

/// Who might answer: conditions on a request may leave it other targets than the next. Who is only unwell is counted in.
fn candidates(plan: &Plan) -> Vec<String> {
    let unwell = |why: &Why| matches!(why, Why::Drained | Why::Resting(_) | Why::Paused { .. });
    let passed_over = plan.passed_over.iter().filter(|(_, why)| unwell(why)).map(|(step, _)| step);
    let all = plan.steps.iter().chain(&plan.fallback).chain(passed_over);
    let mut names: Vec<_> = all.map(|step| format!("{}/{}", step.provider, step.model)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Headers that go upstream or are meant for the gateway; others change no answer.
fn said(request: &Request<'_>, exchange: &Exchange) -> Vec<u8> {
    let headers = &exchange.head.headers;
    let passed = request.snapshot.answers.headers.iter();
    let mut own: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with("x-causeway-")).collect();
    own.sort_unstable_by_key(|name| name.as_str());
    let mut part = Fingerprint::of("causeway headers");
    for name in passed.chain(own) {
        for value in headers.get_all(name) {
            part = part.and(name.as_str()).and(value);
        }
    }
    part.done().hex().into_bytes()
}

/// True when the answer is not only for its reader, or leaves something behind that belongs to one key.
fn has_state(request: &Request<'_>, scope: Scope) -> bool {
    let body = request.envelope.body.as_ref();
    let holds = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
    // Conversations that are kept here, or at the vendor.
    let kept = ["\"previous_response_id\"", "\"conversation\"", "\"background\"", "\"item_reference\""];
    if request.dialect.id().starts_with("openai-responses") {
        return request.keeping.is_some() || kept.iter().any(|word| holds(word));
    }
    // Machines at the vendor that live on between requests.
    if ["\"container\"", "\"code_execution", "\"code_interpreter\""].iter().any(|word| holds(word)) {
        return true;
    }
    // The vault keeps what comes with calls by virtual key.
    let calls =
        !request.dialect.carries_state() && ["\"tools\"", "\"functions\""].iter().any(|word| holds(word));
    // A chat that the vendor keeps.
    calls && scope != Scope::Key || holds("\"store\":true") || holds("\"store\": true")
}
