//! Costs reckoned again with the prices of now.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Note;
use super::desk::Desk;
use super::dollars::Dollars;
use super::reading::Body;
use super::refusal::Refusal;
use super::span::{Span, Wrong};
use crate::account::{Corrected, Filter, Repriced, Repricing};
use crate::domain::LedgerRow;

/// What is reckoned again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// From this moment (RFC 3339) or day, or so long ago (`7d`).
    #[schema(max_length = 64)]
    from: String,
    /// Until before this moment. Absent: until now.
    #[serde(default)]
    #[schema(max_length = 64)]
    until: Option<String>,
    /// Only what this provider answered.
    #[serde(default)]
    provider: Option<String>,
    /// Only what was asked for by this model's name, as it is configured.
    #[serde(default)]
    model: Option<String>,
    /// Only tell what would change.
    #[serde(default)]
    dry_run: bool,
    /// Also change what was spent of budgets; else they stay as they were charged.
    #[serde(default)]
    budgets: bool,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct Told {
    #[schema(format = DateTime)]
    from: String,
    #[schema(format = DateTime)]
    until: String,
    /// Nothing was changed.
    dry_run: bool,
    /// Requests that were looked at.
    rows: u64,
    /// Those that cost something else now.
    changed: u64,
    /// Those of them of which no price was known before.
    newly_priced: u64,
    /// Those of which no price is known still.
    unpriced: u64,
    /// What they cost before.
    #[schema(value_type = f64)]
    before_usd: Dollars,
    /// What they cost now.
    #[schema(value_type = f64)]
    after_usd: Dollars,
    /// The differences, by `provider/model`.
    #[schema(value_type = BTreeMap<String, f64>)]
    differences_usd: BTreeMap<String, Dollars>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(reprice))
}

/// Reckon costs again with the prices of now
///
/// Requests of which no price is known stay as they are. When it stops in the middle, doing it again goes on.
#[utoipa::path(post, path = "/admin/api/usage/reprice", tag = "usage", request_body = Again, responses((status = 200, body = Told)))]
async fn reprice(
    State(desk): State<Arc<Desk>>,
    Extension(note): Extension<Note>,
    Body(again): Body<Again>,
) -> Result<Json<Told>, Refusal> {
    let Again { from, until, provider, model, dry_run, budgets } = again;
    let span = Span::of(desk.now(), Some(&from), until.as_deref()).map_err(Wrong::said)?;
    let (from, until) = span.words();
    note.about(format!("costs from {from} until {until}{}", if dry_run { ", to look only" } else { "" }));
    let snapshot = Arc::clone(&desk.snapshot());
    let price = |row: &LedgerRow| {
        let price = snapshot.prices.price(&row.provider, &row.target)?;
        let cost = price.cost(row.usage.as_ref()?)?;
        Some(Corrected { price: price.version().to_string(), cost })
    };
    let filter = Filter { provider, model, ..Filter::default() };
    let what = Repricing { from: span.from, to: span.until, filter, dry_run, budgets };
    let Repriced { rows, changed, newly_priced, unpriced, before, after, differences } =
        desk.ledger.reprice(&what, &price).await?;
    if budgets && !dry_run {
        // Counters that know less learn it now.
        desk.ledger.prime(desk.limits.holds().as_ref(), desk.now()).await?;
    }
    let told = Told {
        from,
        until,
        dry_run,
        rows,
        changed,
        newly_priced,
        unpriced,
        before_usd: Dollars(before),
        after_usd: Dollars(after),
        differences_usd: differences.into_iter().map(|(target, cost)| (target, Dollars(cost))).collect(),
    };
    note.after(&told);
    Ok(Json(told))
}
