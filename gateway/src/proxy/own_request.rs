//! A request that the gateway makes for itself: whether a target is back, whether a provider key is well. It is booked as
//! any other, for the key `-`.

use bytes::Bytes;

use super::booked::{Bill, Tab};
use super::exchange::Said;
use super::service::Ground;
use crate::domain::{LedgerRow, Operation, Usage, id};
use crate::error::GatewayError;
use crate::state::Snapshot;
use crate::upstream::Client;

/// The virtual key that stands for nobody's.
const NOBODY: &str = "-";

/// A request of the gateway's own, booked when it is dropped.
pub struct OwnRequest {
    bill: Bill,
}

impl OwnRequest {
    /// A chat with a target.
    pub fn chat(ground: &Ground, snapshot: &Snapshot, (provider, model): (&str, &str), body: &Bytes) -> Self {
        let row = row(Operation::Chat.as_str(), model);
        let tab = Tab::of(ground, row, (Operation::Chat, false), body);
        let price = snapshot.prices.price(provider, model).cloned();
        Self { bill: Bill::at(&tab, (provider, model), None, price) }
    }

    /// A look at the models that a provider key may ask.
    pub fn models(ground: &Ground, provider: &str, key: Option<String>) -> Self {
        let row = row("models", NOBODY);
        let tab = Tab::of(ground, row, (Operation::Chat, true), &Bytes::new());
        Self { bill: Bill::at(&tab, (provider, NOBODY), key, None) }
    }

    /// The client to send it with.
    pub fn client(&self, client: &Client) -> Client {
        client.telling(self.bill.sent())
    }

    /// The head of the answer says this.
    pub fn answered(&mut self, status: u16) {
        self.bill.answered(status);
    }

    /// The answer told what it took.
    pub fn took(&mut self, usage: Option<Usage>) {
        self.bill.note(usage, Said { complete: true, ..Said::default() });
    }

    /// It is over.
    pub fn ended(self, error: Option<&GatewayError>) {
        self.bill.ended(error);
    }
}

fn row(operation: &str, model: &str) -> LedgerRow {
    LedgerRow {
        request: id::own(),
        key: NOBODY.to_owned(),
        model: model.to_owned(),
        dialect: NOBODY.to_owned(),
        operation: operation.to_owned(),
        ..LedgerRow::default()
    }
}
