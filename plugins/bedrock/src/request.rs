//! Canonical chat as Converse's request: the fields of the body; its children write messages, tools and thinking.

mod messages;
mod parts;
mod sampling;
mod thinking;
mod tools;

use plugin_sdk::chat::{ChatRequest, Fields, Json, Text};
use plugin_sdk::{Failure, Loss, Losses, Route, failure, json};
use serde_json::{Value, json};

use crate::VENDOR;
use crate::model::Family;
use crate::options::Options;
use crate::wire::{Body, ServiceTier};
use messages::Conversation;

/// The request's body, and what it could not say.
pub(crate) fn translate(
    options: &Options,
    route: &Route,
    body: &[u8],
) -> Result<(Vec<u8>, Vec<Loss>), Failure> {
    let request = ChatRequest::parse(body)?;
    refuse(&request)?;
    let mut losses = Losses::default();
    let family = Family::of(&route.model);
    let conversation = Conversation::of(&request, family, &mut losses)?;
    let mut written = Body {
        output_config: format(&request, &mut losses),
        guardrail_config: options.guardrail.as_ref().map(|guardrail| guardrail.for_request(route.streaming)),
        request_metadata: labels(&request, &mut losses),
        service_tier: service_tier(&request, &mut losses),
        ..Body::default()
    };
    let thinks = thinking::set(&request, family, &conversation, &mut written, &mut losses);
    sampling::set(&request, family, thinks, &mut written, &mut losses);
    if !request.stop.0.is_empty() && family.is_claude() {
        written.additional_model_response_field_paths = &["/stop_sequence"];
    }
    written.tool_config = tools::config(&request, family, &conversation, &mut losses);
    written.system = conversation.system;
    written.messages = conversation.turns;
    if let (Some(mark), Some(turn)) = (&request.cache_control, written.messages.last_mut()) {
        parts::mark(mark, family, "cache_control", &mut turn.content, &mut losses);
    }
    lose_the_rest(&request, &mut losses);
    let body = json::to_vec(&written)?;
    Ok((merge_own(body, request.vendor.get(VENDOR), &mut losses)?, losses.into_vec()))
}

/// What cannot be left out without the answer being another one.
fn refuse(request: &ChatRequest<'_>) -> Result<(), Failure> {
    if request.n.is_some_and(|n| n > 1) {
        return Err(failure::unsupported("n", "bedrock gives one answer a request"));
    }
    if request.modalities.iter().any(|modality| *modality != "text") {
        return Err(failure::unsupported("modalities", "bedrock answers in text only"));
    }
    Ok(())
}

/// A schema for the answer; Bedrock wants it as a string.
fn format(request: &ChatRequest<'_>, losses: &mut Losses) -> Option<Value> {
    let format = request.response_format.as_ref()?;
    losses.add_fields(&format.rest, "response_format", "bedrock has no such field");
    let schema = match (&*format.kind, &format.json_schema) {
        ("text", _) => return None,
        ("json_schema", Some(schema)) => schema,
        _ => {
            losses.add("response_format", "bedrock promises JSON only by a schema");
            return None;
        }
    };
    losses.add_fields(&schema.rest, "response_format.json_schema", "bedrock has no such field");
    let mut written = json!({
        "schema": schema.schema.as_ref().map_or_else(|| r#"{"type":"object"}"#.into(), |schema| schema.text()),
    });
    if !schema.name.is_empty() {
        written["name"] = (*schema.name).into();
    }
    if let Some(description) = schema.description.as_deref().filter(|text| !text.is_empty()) {
        written["description"] = description.into();
    }
    Some(json!({ "textFormat": { "type": "json_schema", "structure": { "jsonSchema": written } } }))
}

/// Labels go into AWS's own log of invocations; only text can.
fn labels<'a>(request: &ChatRequest<'a>, losses: &mut Losses) -> Fields<'a> {
    let Some(metadata) = &request.metadata else { return Fields::default() };
    let labels: Fields<'a> = metadata.read().unwrap_or_default();
    if labels.iter().all(|(_, value)| value.read::<Text<'_>>().is_some()) {
        return labels;
    }
    losses.add("metadata", "bedrock takes labels of text only");
    Fields::default()
}

fn service_tier(request: &ChatRequest<'_>, losses: &mut Losses) -> Option<ServiceTier> {
    let kind = match request.service_tier.as_deref()? {
        "default" => "default",
        "flex" => "flex",
        "priority" => "priority",
        "auto" => return None,
        _ => {
            losses.add("service_tier", "bedrock knows default, flex and priority");
            return None;
        }
    };
    Some(ServiceTier { kind })
}

/// Fields of canonical chat that Converse does not have, and those nobody knows.
fn lose_the_rest(request: &ChatRequest<'_>, losses: &mut Losses) {
    let is_on = |flag: Option<bool>| flag.unwrap_or(false);
    let is_set = |number: &Option<serde_json::Number>| {
        number.as_ref().is_some_and(|number| number.as_f64() != Some(0.0))
    };
    let lost = [
        ("seed", request.seed.is_some()),
        ("frequency_penalty", is_set(&request.frequency_penalty)),
        ("presence_penalty", is_set(&request.presence_penalty)),
        ("logit_bias", request.logit_bias.as_ref().is_some_and(|bias| bias.text() != "{}")),
        ("logprobs", is_on(request.logprobs)),
        ("top_logprobs", request.top_logprobs.is_some()),
        ("verbosity", request.verbosity.is_some()),
        ("user", request.user.is_some()),
        ("safety_identifier", request.safety_identifier.is_some()),
        ("store", is_on(request.store)),
        ("audio", request.audio.is_some()),
        ("prediction", request.prediction.is_some()),
        ("web_search_options", request.web_search_options.is_some()),
        ("prompt_cache_key", request.prompt_cache_key.is_some()),
        ("prompt_cache_retention", request.prompt_cache_retention.is_some()),
        ("prompt_cache_options", request.prompt_cache_options.is_some()),
        ("moderation", request.moderation.is_some()),
    ];
    for (field, _) in lost.into_iter().filter(|(_, is_lost)| *is_lost) {
        losses.add(field, format!("bedrock has no {field}"));
    }
    losses.add_foreign(&request.vendor, VENDOR, "");
    losses.add_fields(&request.rest, "", "bedrock has no such field");
}

/// `vendor.bedrock` is merged deeply; nearly nobody has it.
pub(crate) fn merge_own(
    body: Vec<u8>,
    own: Option<&Json<'_>>,
    losses: &mut Losses,
) -> Result<Vec<u8>, Failure> {
    let Some(own) = own else { return Ok(body) };
    let mut own = own.to_value();
    if own.as_object_mut().and_then(|own| own.remove("messages")).is_some() {
        losses.add(format!("vendor.{VENDOR}.messages"), "the request itself says this");
    }
    let mut tree: Value = json::request(&body)?;
    json::merge(&mut tree, own);
    json::to_vec(&tree)
}
