//! What is known about one request so far.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use super::booked::Tab;
use crate::domain::{Record, RequestHead};
use crate::limit::Permit;
use crate::observe::Facts;
use crate::route::Plan;

/// One request and its record in the making.
pub(super) struct Exchange {
    /// What the client said before the body.
    pub(super) head: RequestHead,
    /// When the head was there.
    pub(super) started: Instant,
    /// The same as Unix time in seconds.
    pub(super) created: u64,
    /// Time spent waiting for the client and for providers; the rest is ours.
    pub(super) waited: Duration,
    /// The model that `auto` stood for.
    pub(super) chosen: Option<String>,
    /// Limits that the last provider to refuse told with its refusal, in the client's words.
    pub(super) refused_with: HeaderMap,
    /// What the head of the answer tells beside the usual.
    pub(super) told: HeaderMap,
    /// How long a stream may be silent before the client gets a sign of life; zero: for ever.
    pub(super) keep_alive: Duration,
    /// What was said in an answer that was sent; `None` until one is.
    pub(super) said: Option<Said>,
    /// The plan, when its walk is over.
    pub(super) plan: Option<Plan>,
    /// What it brings onto the ledger; `None`: no provider is asked for it.
    pub(super) tab: Option<Arc<Tab>>,
    /// The right to make this request, until it is settled.
    pub(super) permit: Option<Permit>,
    /// The record that `observe` gets at the end.
    pub(super) record: Record,
}

impl Exchange {
    /// What a request is, for whoever looks at those that run.
    pub(super) fn facts(&self) -> Facts {
        let Record { dialect, key, team, model, stream, .. } = &self.record;
        let (key, model) = (Arc::clone(key), Arc::clone(model));
        Facts { dialect, key, team: team.clone(), model, stream: *stream }
    }
}

/// How much an answer said, for what its provider did not count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// Bytes of text.
    pub(super) bytes: u64,
    /// It came to its end.
    pub(super) complete: bool,
    /// A later total was smaller than an earlier one.
    pub(super) usage_fell: bool,
}

impl Exchange {
    pub(super) fn new(head: RequestHead, request_id: String, path: String) -> Self {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let record = Record { request_id, path, model: "".into(), ..Record::default() };
        Self {
            head,
            started: Instant::now(),
            created,
            waited: Duration::ZERO,
            chosen: None,
            refused_with: HeaderMap::new(),
            told: HeaderMap::new(),
            keep_alive: Duration::ZERO,
            said: None,
            plan: None,
            tab: None,
            permit: None,
            record,
        }
    }

    /// The same request for a call upstream that may outlast it: its record holds what that call costs.
    pub(super) fn aside(&self) -> Self {
        let record = Record {
            request_id: self.record.request_id.clone(),
            dialect: self.record.dialect,
            key: Arc::clone(&self.record.key),
            team: self.record.team.clone(),
            model: Arc::clone(&self.record.model),
            asked: self.record.asked.clone(),
            path: self.record.path.clone(),
            stream: self.record.stream,
            ..Record::default()
        };
        Self {
            head: self.head.clone(),
            started: self.started,
            created: self.created,
            waited: self.waited,
            chosen: None,
            refused_with: HeaderMap::new(),
            told: HeaderMap::new(),
            keep_alive: self.keep_alive,
            said: None,
            plan: None,
            tab: self.tab.clone(),
            permit: None,
            record,
        }
    }

    /// Waits until what was booked so far survives a crash.
    pub(super) async fn kept(&self) {
        if let Some(tab) = &self.tab {
            tab.kept().await;
        }
    }

    /// Time since the start that was not spent waiting for others.
    pub(super) fn overhead(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.waited)
    }

    /// Waits for others, and remembers how long. A large future is best handed over pinned: it would stand in here twice.
    pub(super) async fn wait<T>(waited: &mut Duration, future: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let value = future.await;
        *waited += began.elapsed();
        value
    }
}
