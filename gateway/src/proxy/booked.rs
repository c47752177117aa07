//! What a request brings onto the ledger: one row for each time a provider was asked, whatever became of it.
//!
//! A [`Bill`] is made before a request goes out and travels with its answer. Whoever drops it in the middle (a client that
//! leaves, a second attempt that won, a panic, the end of the process) books what is known until then. Nothing is booked
//! for what never went out: no room, a resting target, a connection refused.
//!
//! | what happened | tokens | cost |
//! |---|---|---|
//! | an answer, whole or cut off | as counted; what its provider did not count is estimated | by the target's price |
//! | refused: a status that is no success | none | nothing: no vendor bills a refusal |
//! | sent, and nothing came back; also before it was sent again | the prompt, as estimated; the row is marked `possible` | by the target's price |
//! | tokens counted for a client | none | nothing |
//!
//! A [`Tab`] gathers the rows of one request of a client. It belongs to all who work for that request: a call upstream
//! that serves others as well may outlast it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::answer::Body;
use super::attempt::{Asking, Tally};
use super::counted;
use super::exchange::{Exchange, Said};
use super::service::Ground;
use crate::account::{Held, Ledger};
use crate::dialect::told;
use crate::domain::{Attempt, Charge, Cost, LedgerRow, Operation, Price, Usage, VirtualKey, id};
use crate::error::{GatewayError, Kind};
use crate::limit::Permit;
use crate::route::Step;
use crate::store::{clock, journal};

/// No request goes on for so long, in milliseconds.
const LONGEST: u64 = 24 * 3_600_000;

/// The rows of one request of a client.
pub(super) struct Tab {
    ledger: Arc<Ledger>,
    /// What all its rows have in common.
    row: LedgerRow,
    operation: Operation,
    /// Nobody bills what is asked: how many tokens there are, which models.
    free: bool,
    /// The request, for what has to be estimated.
    body: Bytes,
    /// Whoever is dropped now was hedged away, and not left by the client.
    hedged_away: AtomicBool,
    sums: Mutex<Sums>,
    /// Bills that are not booked yet.
    open: AtomicUsize,
}

#[derive(Default)]
struct Sums {
    tokens: u64,
    cost: Cost,
    /// Some of it has no known price.
    unpriced: bool,
    /// On their way to the journal.
    added: Vec<journal::Added>,
    /// The hold that its money is reserved with, until it is settled.
    hold: Option<String>,
}

impl Tab {
    /// For a request that has a plan.
    pub(super) fn open(
        ground: &Ground,
        exchange: &Exchange,
        key: &VirtualKey,
        (operation, body): (Operation, &Bytes),
    ) -> Arc<Self> {
        let record = &exchange.record;
        let text = |name: &Option<Arc<str>>| name.as_deref().map(str::to_owned);
        let row = LedgerRow {
            request: record.request_id.clone(),
            key: key.id.to_string(),
            user: text(&key.user),
            team: text(&key.team),
            model: record.model.to_string(),
            dialect: record.dialect.to_owned(),
            operation: operation.as_str().to_owned(),
            places: exchange.permit.as_ref().map(Permit::places).unwrap_or_default(),
            ..LedgerRow::default()
        };
        let free = operation == Operation::CountTokens;
        let mut tab = Self::of(ground, row, (operation, free), body);
        if let Some((id, micros)) = exchange.permit.as_ref().and_then(Permit::reserved)
            && let Some(tab) = Arc::get_mut(&mut tab)
        {
            tab.hold(id, micros);
        }
        tab
    }

    /// Notes what is reserved, in case nobody is left to settle it.
    fn hold(&mut self, id: &str, micros: u64) {
        let now = clock()();
        let row = LedgerRow {
            id: id.to_owned(),
            at: now,
            possible: true,
            cost: Some(Cost(micros.saturating_mul(1_000_000))),
            ..self.row.clone()
        };
        let added = self.ledger.hold(&Held { row, until: now.saturating_add(LONGEST) });
        let sums = self.sums.get_mut();
        sums.added.push(added);
        sums.hold = Some(id.to_owned());
    }

    /// For any request.
    pub(super) fn of(
        ground: &Ground,
        row: LedgerRow,
        (operation, free): (Operation, bool),
        body: &Bytes,
    ) -> Arc<Self> {
        Arc::new(Self {
            ledger: Arc::clone(&ground.ledger),
            row,
            operation,
            free,
            body: body.clone(),
            hedged_away: AtomicBool::new(false),
            sums: Mutex::default(),
            open: AtomicUsize::new(0),
        })
    }

    /// Waits until what was booked so far survives a crash.
    pub(super) async fn kept(&self) {
        let added = std::mem::take(&mut self.sums.lock().added);
        for added in added {
            added.kept().await;
        }
    }

    /// What it all took so far, for who settles what was held.
    pub(super) fn charge(&self) -> Charge {
        let sums = self.sums.lock();
        Charge { tokens: Some(sums.tokens), cost: (!sums.unpriced).then_some(sums.cost) }
    }

    fn add(&self, row: &LedgerRow) {
        let usage = row.usage.unwrap_or_default();
        let tokens = usage.input.unwrap_or(0).saturating_add(usage.output.unwrap_or(0));
        let rows = std::slice::from_ref(row);
        let mut sums = self.sums.lock();
        // An answer that nobody else is asked for beside is the end of the hold: both go into one write.
        let last = self.open.fetch_sub(1, Ordering::AcqRel) == 1 && row.outcome == "ok";
        let added = match sums.hold.take_if(|_| last) {
            Some(hold) => self.ledger.settle(rows, &hold),
            None => self.ledger.book(rows),
        };
        sums.tokens = sums.tokens.saturating_add(tokens);
        sums.cost = sums.cost.plus(row.cost.unwrap_or_default());
        sums.unpriced |= row.cost.is_none();
        sums.added.push(added);
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        if let Some(hold) = self.sums.get_mut().hold.take() {
            // Its rows stand before this.
            drop(self.ledger.settle(&[], &hold));
        }
    }
}

/// One request to a provider, not yet booked. Dropped, it is booked as left in the middle.
pub(super) struct Bill {
    tab: Arc<Tab>,
    row: LedgerRow,
    price: Option<Arc<Price>>,
    /// How often the request has gone out: once more where a used connection broke before any answer.
    sent: Arc<AtomicU32>,
    /// The provider worked on it: what it counted, and how much it said.
    known: Option<(Option<Usage>, Said)>,
    booked: bool,
}

impl Bill {
    /// For an attempt that is about to be sent.
    pub(super) fn open(tab: &Arc<Tab>, step: &Step, provider_key: Option<String>) -> Self {
        let whom = (step.provider.as_ref(), step.model.as_str());
        Self::at(tab, whom, provider_key, step.price.clone())
    }

    /// For a request to any provider's model.
    pub(super) fn at(
        tab: &Arc<Tab>,
        (provider, model): (&str, &str),
        provider_key: Option<String>,
        price: Option<Arc<Price>>,
    ) -> Self {
        let row = LedgerRow {
            provider: provider.to_owned(),
            target: model.to_owned(),
            provider_key,
            ..tab.row.clone()
        };
        let sent = Arc::new(AtomicU32::new(0));
        tab.open.fetch_add(1, Ordering::AcqRel);
        Self { tab: Arc::clone(tab), row, price, sent, known: None, booked: false }
    }

    /// To be counted up when the request goes out.
    pub(super) fn sent(&self) -> &Arc<AtomicU32> {
        &self.sent
    }

    /// The head of the answer says this.
    pub(super) fn answered(&mut self, status: u16) {
        self.row.status = Some(status);
    }

    /// The provider worked on it: this is known of that.
    pub(super) fn note(&mut self, usage: Option<Usage>, said: Said) {
        self.known = Some((usage, said));
    }

    /// Its answer has ended.
    pub(super) fn ended(mut self, error: Option<&GatewayError>) {
        self.book(error.map_or("ok", |error| error.kind.as_str()));
    }

    fn book(&mut self, outcome: &str) {
        if std::mem::replace(&mut self.booked, true) {
            return;
        }
        let sent = self.sent.load(Ordering::Relaxed);
        if sent == 0 {
            self.tab.open.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        for _ in 1..sent {
            self.tab.open.fetch_add(1, Ordering::AcqRel);
            self.tab.add(&self.without_answer());
        }
        let refused = self.row.status.is_some_and(|status| !(200..300).contains(&status));
        let usage = if refused || self.tab.free { None } else { Some(self.usage()) };
        let cost = match usage {
            None => Some(Cost(0)),
            Some(usage) => self.price.as_ref().and_then(|price| price.cost(&usage)),
        };
        let row = LedgerRow {
            id: id::own(),
            at: clock()(),
            outcome: outcome.to_owned(),
            possible: !refused && self.known.is_none() && self.row.status.is_none(),
            usage,
            price: self.price.as_ref().filter(|_| usage.is_some()).map(|price| price.version().to_string()),
            cost,
            ..std::mem::take(&mut self.row)
        };
        self.tab.add(&row);
    }

    /// It went out, the connection broke before any answer, and it was sent again: the provider may have worked on both.
    fn without_answer(&self) -> LedgerRow {
        let usage = (!self.tab.free).then(|| {
            counted::with_estimate(Usage::default(), Said::default(), || told::asked(&self.tab.body))
        });
        let cost =
            usage.map_or(Some(Cost(0)), |usage| self.price.as_ref().and_then(|price| price.cost(&usage)));
        LedgerRow {
            id: id::own(),
            at: clock()(),
            outcome: Kind::Provider.as_str().to_owned(),
            possible: true,
            status: None,
            usage,
            price: self.price.as_ref().filter(|_| usage.is_some()).map(|price| price.version().to_string()),
            cost,
            ..self.row.clone()
        }
    }

    /// What its provider did not count is estimated.
    fn usage(&self) -> Usage {
        let (usage, said) = self.known.unwrap_or_default();
        let told = usage.unwrap_or_default();
        let body = &self.tab.body;
        if self.tab.operation == Operation::Chat {
            return counted::with_estimate(told, said, || told::asked(body));
        }
        // Sound and forms are no text; beyond chat only the prompt can be estimated.
        let readable = body.trim_ascii_start().starts_with(b"{");
        let missing = told.input.is_none() && readable;
        let input = if missing { Some(counted::prompt(body)) } else { told.input };
        Usage { input, estimated: told.estimated || usage.is_none() || missing, ..told }
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        let away = self.tab.hedged_away.load(Ordering::Relaxed);
        self.book(if away { Attempt::HEDGED_AWAY } else { Kind::ClientGone.as_str() });
    }
}

/// The bill of an attempt goes on with its answer; of a whole one it is booked.
pub(super) fn hand_on(tally: &mut Tally, body: &mut Body) {
    match body {
        Body::Stream(_) | Body::Shared(_) => {}
        Body::Raw(raw) => raw.bill = tally.bill.take(),
        Body::Whole(..) => ended(tally.bill.take(), None),
    }
}

/// Books an attempt that failed, if anything went out.
pub(super) fn failed(tally: &mut Tally, error: &GatewayError) {
    if let Some(bill) = tally.bill.take() {
        bill.ended(Some(error));
    }
}

/// Books what has ended.
pub(super) fn ended(bill: Option<Bill>, error: Option<&GatewayError>) {
    if let Some(mut bill) = bill {
        // Of bytes nobody reads it is known only that they came.
        bill.known.get_or_insert_default();
        bill.ended(error);
    }
}

/// Notes what an attempt took.
pub(super) fn note(tally: &mut Tally, usage: Option<Usage>, bytes: u64) {
    if let Some(bill) = &mut tally.bill {
        bill.note(usage, Said { bytes, complete: true, usage_fell: false });
    }
}

/// From now on, or no longer, an attempt that is dropped was hedged away.
pub(super) fn hedged_away(asking: &Asking<'_>, away: bool) {
    if let Some(tab) = &asking.tab {
        tab.hedged_away.store(away, Ordering::Relaxed);
    }
}
