//! A row of the ledger, as it is shown.

use serde::Serialize;
use utoipa::ToSchema;

use super::dollars::Dollars;
use crate::domain::{LedgerRow, Usage, rfc3339};

/// One request to a provider.
#[derive(Serialize, ToSchema)]
pub(super) struct RowView {
    /// Its own, and unique.
    id: String,
    /// The id of the client's request; one may lead to several requests to providers.
    request: String,
    /// When its answer had ended, in UTC.
    #[schema(format = DateTime)]
    at: String,
    key: String,
    user: Option<String>,
    team: Option<String>,
    /// As it is configured.
    model: String,
    provider: String,
    /// The provider's own model.
    target: String,
    /// The id of the provider key.
    provider_key: Option<String>,
    /// The client's API.
    dialect: String,
    operation: String,
    /// `ok`, or the kind of the failure.
    outcome: String,
    /// It was sent, and no answer came: nobody knows whether the provider worked on it.
    possible: bool,
    /// The provider's, when there was one.
    status: Option<u16>,
    /// What was counted, by name; `null`: nothing was worked on.
    #[schema(value_type = Option<Object>)]
    usage: Option<Usage>,
    /// What names the price it was reckoned with.
    price: Option<String>,
    /// US dollars with every digit; `null`: no price is known.
    #[schema(value_type = Option<f64>)]
    cost_usd: Option<Dollars>,
}

impl From<LedgerRow> for RowView {
    fn from(row: LedgerRow) -> Self {
        let LedgerRow { id, request, at, key, user, team, model, provider, target, provider_key, .. } = row;
        let LedgerRow { dialect, operation, outcome, possible, status, usage, price, cost, .. } = row;
        Self {
            id,
            request,
            at: rfc3339(at / 1000),
            key,
            user,
            team,
            model,
            provider,
            target,
            provider_key,
            dialect,
            operation,
            outcome,
            possible,
            status,
            usage,
            price,
            cost_usd: cost.map(|cost| Dollars(cost.0.into())),
        }
    }
}
