//! Temperature and its kin. Converse names two; what a model has beyond them is among its own fields.

use plugin_sdk::Losses;
use plugin_sdk::chat::ChatRequest;
use serde_json::{Number, json};

use crate::model::Family;
use crate::wire::Body;

/// Sets what this family takes.
pub(super) fn set<'a>(
    request: &'a ChatRequest<'a>,
    family: Family,
    thinks: bool,
    body: &mut Body<'a>,
    losses: &mut Losses,
) {
    let inference = &mut body.inference_config;
    inference.max_tokens = inference.max_tokens.or_else(|| request.max_output());
    let mut temperature = request.temperature.clone();
    let mut top_p = request.top_p.clone();
    let mut top_k = request.top_k;
    if family.is_claude() {
        temperature = temperature.map(|given| clamp(given, losses));
        let says_nothing = |given: &Number| given.as_f64() == Some(1.0);
        if thinks || family.is_claude_since(4, 7) {
            let why = if thinks { "a thinking model takes no" } else { "this model takes no" };
            let lost = temperature.take().filter(|given| !says_nothing(given));
            losses.add_if(&lost, "temperature", format!("{why} temperature"));
            losses.add_if(&top_k.take(), "top_k", format!("{why} top_k"));
            losses.add_if(&top_p.take(), "top_p", format!("{why} top_p"));
        } else if family.is_claude_since(4, 1) && temperature.is_some() {
            losses.add_if(&top_p.take(), "top_p", "this model takes temperature or top_p, not both");
        }
    }
    inference.temperature = temperature;
    inference.top_p = top_p;
    inference.stop_sequences = &request.stop.0;
    let Some(top_k) = top_k else { return };
    let fields = &mut body.additional_model_request_fields;
    match family {
        Family::Claude(..) | Family::Mistral => drop(fields.insert("top_k".into(), top_k.into())),
        Family::Cohere => drop(fields.insert("k".into(), top_k.into())),
        Family::Nova => drop(fields.insert("inferenceConfig".into(), json!({ "topK": top_k }))),
        Family::OpenAi | Family::DeepSeek | Family::Other | Family::Unknown => {
            losses.add("top_k", "it is not known how this model takes top_k");
        }
    }
}

/// Anthropic's scale ends at 1.
fn clamp(given: Number, losses: &mut Losses) -> Number {
    match given.as_f64() {
        Some(value) if value > 1.0 => {
            losses.add("temperature", format!("{given} was lowered to 1, this model's highest"));
            Number::from(1)
        }
        _ => given,
    }
}
