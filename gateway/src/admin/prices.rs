//! What targets cost.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::listed::Listed;
use super::reading::{Asked, Page};
use super::refusal::Refusal;
use crate::domain::{Micros, ModelPrice, Price};

/// What a target costs.
#[derive(Serialize, ToSchema)]
struct TargetPrice {
    /// `provider/model`.
    target: String,
    /// Nobody knows what it costs when this is absent. It is never zero for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Shown>,
}

/// A price in US dollars, tokens by the million.
#[derive(Serialize, ToSchema)]
struct Shown {
    /// What names these facts in the ledger: where they are from, and a digest of them.
    version: String,
    #[schema(value_type = f64)]
    input: Micros,
    #[schema(value_type = f64)]
    output: Micros,
    #[schema(value_type = Option<f64>)]
    cache_read: Option<Micros>,
    #[schema(value_type = Option<f64>)]
    cache_write: Option<Micros>,
    #[schema(value_type = Option<f64>)]
    reasoning: Option<Micros>,
    /// For each request, beside its tokens.
    #[schema(value_type = f64)]
    request: Micros,
    /// Longer prompts may cost more: the dearest there is.
    #[schema(value_type = f64)]
    dearest_input: Micros,
    #[schema(value_type = f64)]
    dearest_output: Micros,
}

impl Shown {
    fn of(price: &Price) -> Self {
        let ModelPrice { input, output, cache_read, cache_write, reasoning, .. } = *price.of_prompt(0);
        let dearest = price.dearest();
        Self {
            version: price.version().to_string(),
            input,
            output,
            cache_read,
            cache_write,
            reasoning,
            request: price.request(),
            dearest_input: dearest.input,
            dearest_output: dearest.output,
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new().routes(routes!(list_prices))
}

/// What every configured target costs
#[utoipa::path(get, path = "/admin/api/prices", tag = "prices", params(Page), responses((status = 200, body = Listed<TargetPrice>)))]
async fn list_prices(
    State(desk): State<Arc<Desk>>,
    Asked(page): Asked<Page>,
) -> Result<Json<Listed<TargetPrice>>, Refusal> {
    let snapshot = desk.snapshot();
    let one = |(provider, model): (Arc<str>, String)| {
        let price = snapshot.prices.price(&provider, &model).map(|price| Shown::of(price));
        TargetPrice { target: format!("{provider}/{model}"), price }
    };
    let mut all: Vec<_> = snapshot.routes.targets().into_iter().map(one).collect();
    all.sort_by(|one, other| one.target.cmp(&other.target));
    Listed::of(all, &page, |price| &price.target).map(Json)
}
