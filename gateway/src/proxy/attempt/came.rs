//! What came back from a target: a refusal, a whole answer, a stream, or bytes that nobody here reads.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant as Deadline, timeout_at};

use super::{Request, Tally, Try, call, off_the_worker, too_slow};
use crate::adapter::{Lease, Route};
use crate::config::Empty;
use crate::dialect::lost::Lost;
use crate::dialect::passage::Passage;
use crate::dialect::word::{self, Word};
use crate::dialect::{AnswerFacts, nothing, told};
use crate::domain::{Operation, Usage};
use crate::error::{GatewayError, Kind};
use crate::proxy::exchange::{Exchange, Said};
use crate::proxy::keeper::{Keeper, provenance};
use crate::proxy::stream::Stream;
use crate::proxy::{answer, booked, judged, pass_on, rate_headers};
use crate::route::refined;
use crate::state::Provider;
use crate::upstream::Response;

/// Largest whole answer taken from a provider.
const MAX_ANSWER: usize = 64 << 20;
/// Largest error body looked at.
const MAX_ERROR: usize = 256 << 10;
/// What a request has that may be answered by calls.
static CALLS: [Word; 2] = [Word::new("\"tools\""), Word::new("\"functions\"")];

/// A response and what is needed to read it.
pub(super) struct Came<'a> {
    pub(super) provider: &'a Arc<Provider>,
    pub(super) route: Route,
    pub(super) response: Response,
    /// The instance that translated the request; none when bytes were passed on.
    pub(super) lease: Option<Lease>,
    pub(super) until: Deadline,
}

impl Came<'_> {
    /// Its status is one of success.
    pub(super) fn is_good(&self) -> bool {
        (200..300).contains(&self.response.head.status)
    }
}

impl Try<'_> {
    /// A good status: the answer, as far as it must be there before anything is sent.
    pub(super) async fn read(&mut self, came: Came<'_>, passage: bool) -> Result<answer::Body, GatewayError> {
        let envelope = self.asking.request.envelope;
        let provider = came.provider;
        let body = if envelope.raw && passage {
            // Boxed, as a stream is: a whole answer should not be as large as they are.
            Box::pin(self.raw(came)).await.map(|raw| answer::Body::Raw(Box::new(raw)))
        } else if envelope.stream {
            Box::pin(self.stream(came)).await.map(|stream| answer::Body::Stream(Box::new(stream)))
        } else {
            self.whole(came).await
        };
        body.map_err(|error| refined(error, b"", provider.blame_key.as_ref()))
    }

    /// A status that is no success: the adapter judges it, also when it was only passed on.
    pub(super) async fn refused(&mut self, came: Came<'_>) -> GatewayError {
        let Came { provider, mut response, lease, until, .. } = came;
        let status = response.head.status;
        let body = pin!(response.body.whole(MAX_ERROR));
        let body = timeout_at(until, body);
        let body =
            Exchange::wait(&mut self.tally.waited, body).await.ok().and_then(Result::ok).unwrap_or_default();
        let lease = lease.map_or_else(|| provider.adapter.checkout(), Ok);
        let judged = lease.and_then(|mut lease| {
            call(&mut self.tally.record, provider, "map-error", body.len(), || {
                Ok(lease.translator()?.map_error(status, &response.head.headers, &body))
            })
        });
        let judged = judged.unwrap_or_else(|error| error);
        let told = || rate_headers::back_in(&response.head.headers, self.asking.now());
        let retry_after =
            judged.retry_after.or_else(|| matches!(status, 402 | 429 | 503).then(told).flatten());
        let judged = GatewayError { upstream_status: Some(status), retry_after, ..judged };
        refined(judged, &body, provider.blame_key.as_ref())
    }

    async fn whole(&mut self, came: Came<'_>) -> Result<answer::Body, GatewayError> {
        let Came { provider, route, mut response, lease, until } = came;
        let body = pin!(response.body.whole(MAX_ANSWER));
        let body = timeout_at(until, body);
        let body = Exchange::wait(&mut self.tally.waited, body).await.map_err(|_| too_slow())??;
        let Request { dialect, envelope, .. } = *self.asking.request;
        if let Err(error) = judged::without_trigger(provider, &body) {
            return Err(self.worked(&body, error));
        }
        let Some(mut lease) = lease else {
            let usage = dialect.whole_usage(&body);
            self.count(usage, &body);
            pass_on::judge(dialect, &body, usage.is_some())?;
            self.says_something(|| nothing::in_answer(&body))?;
            return Ok(answer::Body::Whole(answer::JSON, body));
        };
        let headers = &response.head.headers;
        let answer = call(&mut self.tally.record, provider, "translate-response", body.len(), || {
            lease.translator()?.translate_response(&route, dialect.operation(), headers, &body)
        });
        let answer = answer.map_err(|error| self.worked(&body, error))?;
        self.count(answer.usage, &answer.body);
        self.says_something(|| nothing::in_answer(&answer.body))?;
        self.tally.record.lose(answer.losses);
        if let Some(keeps) = dialect.keeps().filter(|_| dialect.operation() == Operation::Chat) {
            self.tally.record.lose(Lost::new(keeps).of(&answer.body));
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
        if let Some(keeping) = &self.asking.request.keeping {
            let response = written.clone();
            keeping.keep_or_tell(&response, &mut written).await;
        }
        Ok(answer::Body::Whole(answer::JSON, written.into()))
    }

    /// Passes as it comes, once the first bytes are there.
    async fn raw(&mut self, came: Came<'_>) -> Result<answer::Raw, GatewayError> {
        let Came { provider, mut response, until, .. } = came;
        let first = {
            let first = pin!(response.body.next());
            Exchange::wait(&mut self.tally.waited, timeout_at(until, first)).await
        };
        let first = first.map_err(|_| too_slow())??;
        let first = first.ok_or_else(|| GatewayError::upstream(Kind::Malformed, "the answer is empty"))?;
        judged::without_trigger(provider, &first)?;
        self.count_pieces(None);
        let content_type = response.head.headers.get(http::header::CONTENT_TYPE).cloned();
        let content_type =
            content_type.unwrap_or_else(|| http::HeaderValue::from_static("application/octet-stream"));
        Ok(answer::Raw { content_type, first, rest: response.body, bill: None })
    }

    /// What a whole answer took, told or not.
    fn count(&mut self, usage: Option<Usage>, body: &[u8]) {
        self.tally.record.usage = usage;
        self.count_pieces(Some(body));
        let said = self.said(body);
        self.tally.said = Some(said);
        booked::note(self.tally, self.tally.record.usage, said.bytes);
    }

    /// An answer nobody can use was worked on all the same.
    fn worked(&mut self, body: &[u8], error: GatewayError) -> GatewayError {
        booked::note(self.tally, None, told::answered(body));
        error
    }

    /// Adds what is paid by the piece.
    fn count_pieces(&mut self, body: Option<&[u8]>) {
        let Request { dialect, envelope, .. } = *self.asking.request;
        let pieces = dialect.pieces(envelope, body);
        if pieces != Usage::default() {
            self.tally.record.usage.get_or_insert_default().update(pieces);
        }
    }

    /// How much a whole answer says; only looked up when its provider did not count.
    fn said(&self, body: &[u8]) -> Said {
        let counted = self.tally.record.usage.is_some_and(|usage| usage.output.is_some());
        Said { bytes: if counted { 0 } else { told::answered(body) }, complete: true, usage_fell: false }
    }

    async fn stream(&mut self, came: Came<'_>) -> Result<Stream, GatewayError> {
        let Came { provider, route, response, lease, until } = came;
        let Request { dialect, envelope, .. } = *self.asking.request;
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
                call(&mut self.tally.record, provider, "open-stream", 0, || {
                    lease.translator()?.open_stream(&route, dialect.operation(), &head.headers)
                })?;
                let keeper = self.keeper(provider, &route);
                Stream::translated(provider, body, lease, writer, self.asking.started)
                    .losing(dialect.keeps().map(Lost::new))
                    .kept_by(keeper, self.asking.request.keeping.clone())
            }
        };
        // Dropped in the middle of its beginning, it knows itself what it took until then.
        stream.billed(self.tally.bill.take());
        let Tally { waited, record, .. } = &mut *self.tally;
        let begun = {
            let begun = pin!(stream.begin(record));
            Exchange::wait(waited, timeout_at(until, begun)).await
        };
        let begun = begun.map_err(|_| too_slow()).and_then(|begun| begun);
        let begun = begun.and_then(|()| self.says_something(|| stream.says_nothing()));
        if let Err(error) = begun {
            self.tally.bill = stream.unbilled();
            return Err(error);
        }
        Ok(stream)
    }

    /// An answer to a conversation that says nothing is none, unless that is what was asked for.
    fn says_something(&self, nothing: impl FnOnce() -> bool) -> Result<(), GatewayError> {
        let Request { dialect, envelope, .. } = *self.asking.request;
        let minds = self.asking.model.empty == Empty::Retry && dialect.operation() == Operation::Chat;
        if minds && nothing() && !nothing::may_answer(&envelope.body) {
            return Err(GatewayError::upstream(Kind::Provider, "the provider's answer is empty"));
        }
        Ok(())
    }

    /// Who gathers the state of the answer: only calls bring any back, and without tools there are none.
    fn keeper(&self, provider: &Provider, route: &Route) -> Option<Keeper> {
        let calls = |body: &Bytes| word::any(&CALLS, body);
        let needed = !self.asking.request.dialect.carries_state()
            && self.asking.canonical.get().map(|canonical| &canonical.body).is_some_and(calls);
        needed.then(|| {
            let vault = self.asking.request.ground.vault.clone();
            Keeper::new(vault, &self.asking.key, provenance(provider, &route.model))
        })
    }

    fn facts(&self) -> AnswerFacts {
        AnswerFacts {
            request_id: match &self.asking.request.keeping {
                Some(keeping) => keeping.answer.clone(),
                None => self.asking.request_id.clone(),
            },
            created: self.asking.created,
            model: self.asking.request.envelope.model.clone(),
            waited: self.asking.started.elapsed(),
        }
    }
}
