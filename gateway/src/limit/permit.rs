//! The right to make one request. It is settled once, with what the request came to.

use super::{Limits, Watched};
use crate::domain::Charge;
use crate::store::holds::{Settle, Standing, Unit};

/// The right to make one request. Dropping it settles it with what was held.
pub struct Permit {
    limits: Limits,
    /// `None`: nothing limits the request, or it is settled.
    unsettled: Option<Unsettled>,
    output: Option<u64>,
    standings: Vec<Standing>,
    /// Micro-dollars that are held.
    reserved: u64,
}

/// What must still be settled.
pub(super) struct Unsettled {
    pub(super) settle: Settle,
    pub(super) watched: Vec<Watched>,
}

impl Permit {
    pub(super) fn of_nothing(limits: Limits) -> Self {
        Self { limits, unsettled: None, output: None, standings: Vec::new(), reserved: 0 }
    }

    pub(super) fn held(
        limits: Limits,
        id: String,
        output: Option<u64>,
        (standings, watched): (Vec<Standing>, Vec<Watched>),
    ) -> Self {
        let settle = Settle { id, tokens: None, cost: None };
        Self { limits, unsettled: Some(Unsettled { settle, watched }), output, standings, reserved: 0 }
    }

    pub(super) fn reserving(mut self, micros: u64) -> Self {
        self.reserved = micros;
        self
    }

    /// The hold's id and the micro-dollars it holds; `None`: no money is counted.
    pub fn reserved(&self) -> Option<(&str, u64)> {
        let money = self.standings.iter().any(|standing| standing.unit == Unit::Money);
        let unsettled = self.unsettled.as_ref().filter(|_| money)?;
        Some((unsettled.settle.id.as_str(), self.reserved))
    }

    /// How many tokens the answer may have, because a budget pays for no more. It must be told to the provider.
    pub fn output(&self) -> Option<u64> {
        self.output
    }

    /// How every limit of the request stands, this request included.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// The counters of money it counts in, by name.
    pub fn places(&self) -> Vec<String> {
        let money = self.standings.iter().filter(|standing| standing.unit == Unit::Money);
        money.map(|standing| standing.place.to_string()).collect()
    }

    /// Ends it with what the request came to. This never fails: what cannot be settled now is settled later.
    pub async fn settle(mut self, charge: Charge) {
        let Some(unsettled) = &mut self.unsettled else { return };
        unsettled.settle.tokens = charge.tokens;
        unsettled.settle.cost = charge.cost;
        // Dropped in the middle it is settled later, with the same words.
        if self.limits.clone().settle_now(unsettled).await {
            self.unsettled = None;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(unsettled) = self.unsettled.take() {
            self.limits.later(unsettled);
        }
    }
}
