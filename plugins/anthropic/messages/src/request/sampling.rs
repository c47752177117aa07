//! Temperature and its kin: narrower here than elsewhere, and not for every model.

use plugin_sdk::Losses;
use plugin_sdk::chat::ChatRequest;
use serde_json::Number;

use crate::model::Model;
use crate::wire::Body;

/// Sets what this model takes.
pub(super) fn set(
    request: &ChatRequest<'_>,
    model: Model,
    thinks: bool,
    body: &mut Body<'_>,
    losses: &mut Losses,
) {
    let temperature = request.temperature.as_ref().map(|given| clamp(given, losses));
    if !model.takes_sampling() {
        let is_default = temperature.as_ref().is_some_and(|given| given.as_f64() == Some(1.0));
        losses.add_if(&temperature.filter(|_| !is_default), "temperature", "this model takes no temperature");
        losses.add_if(&request.top_p, "top_p", "this model takes no top_p");
        losses.add_if(&request.top_k, "top_k", "this model takes no top_k");
        return;
    }
    if thinks {
        let is_default = temperature.as_ref().is_some_and(|given| given.as_f64() == Some(1.0));
        losses.add_if(
            &temperature.filter(|_| !is_default),
            "temperature",
            "a thinking model takes no temperature",
        );
        losses.add_if(&request.top_k, "top_k", "a thinking model takes no top_k");
        body.top_p = request.top_p.clone().filter(|top_p| top_p.as_f64().is_some_and(|top_p| top_p >= 0.95));
        if body.top_p.is_none() {
            losses.add_if(&request.top_p, "top_p", "a thinking model takes no top_p below 0.95");
        }
        return;
    }
    body.temperature = temperature;
    body.top_k = request.top_k;
    body.top_p = request.top_p.clone();
    if body.temperature.is_some() && body.top_p.is_some() && !model.takes_both_samplings() {
        body.top_p = None;
        losses.add("top_p", "this model takes temperature or top_p, not both");
    }
}

/// Anthropic's scale ends at 1.
fn clamp(given: &Number, losses: &mut Losses) -> Number {
    match given.as_f64() {
        Some(value) if value > 1.0 => {
            losses.add("temperature", format!("{given} was lowered to 1, anthropic's highest"));
            Number::from(1)
        }
        _ => given.clone(),
    }
}
