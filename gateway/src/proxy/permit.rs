//! The permit of a request: everything it may use is held before a provider is asked, and settled when it has ended with
//! what all its attempts came to.

use std::sync::Arc;

use super::asked::Asked;
use super::exchange::Exchange;
use super::limit_headers;
use super::service::Ground;
use crate::domain::{Bounds, Charge, Envelope, VirtualKey};
use crate::error::GatewayError;
use crate::limit::{Money, Need, Permit, Refused};
use crate::route::{Plan, Step};
use crate::state::Snapshot;

mod estimate;

/// Holds what a request may use that asks no model.
pub(super) async fn count(
    ground: &Ground,
    snapshot: &Snapshot,
    key: &VirtualKey,
    exchange: &mut Exchange,
) -> Result<(), GatewayError> {
    let bounds = snapshot.limits.everybody.iter().chain(key.bounds.iter()).collect();
    let within = snapshot.timeouts.total;
    let need = Need { bounds, tokens: 0, money: Money::Nothing, within, instead: None };
    match ground.limits.admit(&need).await {
        Ok(permit) => {
            take(exchange, permit);
            Ok(())
        }
        Err(refused) => Err(tell(exchange, refused)),
    }
}

/// Holds what a request may use whose plan is made. Where a budget is used up that names a cheaper model, the plan is that
/// model's.
pub(super) async fn admit(
    ground: &Ground,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    (plan, exchange): (Plan, &mut Exchange),
) -> Result<Plan, GatewayError> {
    let refused = match hold(ground, snapshot, asked, (plan, exchange)).await {
        Ok(plan) => return Ok(plan),
        Err(refused) => refused,
    };
    let Some(model) = refused.instead.clone() else { return Err(tell(exchange, refused)) };
    let asked = Asked { instead: Some(&model), first_answer: asked.first_answer.clone(), ..*asked };
    // Whatever keeps the cheaper model from answering: what is said is that the budget is used up.
    let Ok(plan) = asked.plan(ground, snapshot, exchange) else { return Err(tell(exchange, refused)) };
    match hold(ground, snapshot, &asked, (plan, exchange)).await {
        Ok(plan) => {
            limit_headers::tell_downgrade(exchange, &model);
            ground.observer.metrics().budget_downgrades.with_label_values(&[plan.model.name.as_ref()]).inc();
            Ok(plan)
        }
        Err(_) => Err(tell(exchange, refused)),
    }
}

/// The refusal's error; how its limits stand is told beside it.
fn tell(exchange: &mut Exchange, refused: Refused) -> GatewayError {
    limit_headers::tell(exchange, &refused.standings);
    refused.error
}

async fn hold(
    ground: &Ground,
    snapshot: &Snapshot,
    asked: &Asked<'_>,
    (mut plan, exchange): (Plan, &mut Exchange),
) -> Result<Plan, Refused> {
    let limits = &snapshot.limits;
    let bounds: Vec<&Bounds> = limits.of_model(&plan.model.name).chain(asked.key.bounds.iter()).collect();
    if bounds.is_empty() {
        return Ok(plan);
    }
    let has_money = bounds.iter().any(|bounds| !bounds.money.is_empty());
    if has_money && !limits.unpriced {
        drop_unpriced(&mut plan);
    }
    let has_tokens = bounds.iter().any(|bounds| !bounds.tokens.is_empty());
    let tokens = if has_tokens { estimate::tokens(asked.dialect.operation(), asked.envelope) } else { 0 };
    let money = if has_money { estimate::money(limits, asked, &plan) } else { Money::Nothing };
    let need = Need { bounds, tokens, money, within: snapshot.timeouts.total, instead: asked.instead };
    let permit = ground.limits.admit(&need).await?;
    take(exchange, permit);
    Ok(plan)
}

/// Under a budget a target without a price is not asked while there are others.
fn drop_unpriced(plan: &mut Plan) {
    let priced = |step: &Step| step.price.is_some();
    if plan.steps.iter().chain(&plan.fallback).any(priced) {
        plan.steps.retain(priced);
        plan.fallback.retain(priced);
    }
    plan.on_content_policy.retain(priced);
    plan.on_context_length.retain(priced);
}

fn take(exchange: &mut Exchange, permit: Permit) {
    limit_headers::tell(exchange, permit.standings());
    exchange.permit = Some(permit);
}

/// How many tokens the answer may have, where the client itself allows more.
pub(super) fn most_output(exchange: &Exchange, envelope: &Envelope) -> Option<u64> {
    let most = exchange.permit.as_ref()?.output()?;
    envelope.max_output.is_none_or(|own| own > most).then_some(most)
}

/// Ends the permit with what the request brought onto the ledger.
pub(super) async fn settle(exchange: &mut Exchange) {
    let tab = exchange.tab.take();
    let Some(permit) = exchange.permit.take() else { return };
    match tab.map(Arc::try_unwrap) {
        None => permit.settle(Charge::NOTHING).await,
        Some(Ok(tab)) => permit.settle(tab.charge()).await,
        // The call upstream serves others still: what it will come to is not known, so what was held is charged.
        Some(Err(_)) => drop(permit),
    }
}
