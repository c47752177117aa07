//! The provider key of an attempt: taken before it is sent, told how it went, followed by another where it was to blame.

use std::sync::Arc;

use super::attempt::{Asking, Tally};
use crate::domain::{Blame, Usage};
use crate::error::GatewayError;
use crate::route::{Step, blame};
use crate::state::Provider;
use crate::upstream::ChosenKey;
use crate::upstream::keys::{self, Ask, Failure, Pool, Preferred};

/// So many keys of one provider are tried before the next target is.
const MOST_KEYS: u32 = 4;

/// A key an attempt was sent with, and the pool that wants to know how it went.
#[derive(Clone)]
pub(super) struct InHand {
    pool: Arc<Pool>,
    key: ChosenKey,
    model: String,
}

impl InHand {
    /// Counts what the answer took against the limits of the key.
    pub(super) fn spent(&self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        let tokens = usage.input.unwrap_or(0).saturating_add(usage.output.unwrap_or(0));
        self.pool.spent(self.key, &self.model, tokens, keys::now());
    }

    fn tell(&self, error: Option<&GatewayError>) {
        let Some(error) = error else { return self.pool.succeeded(self.key, &self.model) };
        let Some(blame) = blame(error) else { return };
        let failure = Failure { blame, status: error.upstream_status, retry_after: error.retry_after };
        self.pool.failed(self.key, &self.model, failure, keys::now());
    }
}

/// The key for an attempt; its id stands in the record from now on.
pub(super) fn take(
    provider: &Provider,
    asking: &Asking<'_>,
    step: &Step,
    tally: &mut Tally,
) -> Result<Option<ChosenKey>, GatewayError> {
    let pool = &provider.upstream.keys;
    let preferred = asking.conversation.map(|conversation| Preferred::Conversation(conversation.number));
    let ask = Ask { model: &step.model, preferred, avoid: &[] };
    let key = pool.choose(&ask, keys::now())?;
    tally.in_hand = key.map(|key| InHand { pool: Arc::clone(pool), key, model: step.model.clone() });
    tally.attempt.key = key.map(ChosenKey::id);
    Ok(key)
}

/// Tells the pool how the attempt went.
pub(super) fn tell(tally: &Tally, error: Option<&GatewayError>) {
    if let Some(in_hand) = &tally.in_hand {
        in_hand.tell(error);
    }
}

/// Whether the failure was the key's, and another key of the provider could do better at once. `tried` counts those to blame.
pub(super) fn another(asking: &Asking<'_>, step: &Step, error: &GatewayError, tried: &mut u32) -> bool {
    let its_fault = matches!(blame(error), Some(Blame::Key | Blame::Quota | Blame::Rate));
    let provider = asking.request.snapshot.providers.get(&step.provider);
    *tried += u32::from(its_fault);
    let more = |pool: &Pool| pool.has_another(&step.model, &[], keys::now());
    its_fault && *tried < MOST_KEYS && provider.is_some_and(|provider| more(&provider.upstream.keys))
}
