//! Canonical chat as Anthropic's request: the fields of the body; its children write messages, tools and thinking.

mod blocks;
mod messages;
mod sampling;
mod thinking;
mod tools;

use plugin_sdk::chat::{ChatRequest, Fields, Json, Text, ToolChoice};
use plugin_sdk::{Failure, Loss, Losses, Route, failure, json};
use serde_json::json;

use crate::VENDOR;
use crate::answer_tool;
use crate::model::Model;
use crate::options::Options;
use crate::wire::{Block, BlockBody, Body, Content, Format, OutputConfig};
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
    let model = Model::named(&route.model);
    let mut conversation = Conversation::of(&request.messages, &mut losses)?;
    let format = format(&request, model, &mut losses);
    let by_call = answer_by_call(&request, model, &conversation, &mut losses);
    conversation.answers_by_call = by_call.map(answer_tool::name_for);
    let default_max = options.default_max_tokens.unwrap_or_else(|| model.default_max_tokens());
    let thought = thinking::decide(&request, model, &conversation, default_max, &mut losses);
    let mut written = Body {
        model: &route.model,
        max_tokens: Some(thought.max_tokens),
        tools: tools::tools(&request, &conversation, &mut losses),
        stop_sequences: stop_sequences(&request),
        metadata: user(&request, &mut losses).map(|user| json!({ "user_id": user })),
        service_tier: service_tier(&request, &mut losses),
        cache_control: request.cache_control.as_ref(),
        stream: route.streaming,
        output_config: output_config(thought.effort, format),
        ..Body::default()
    };
    written.tools.extend(by_call.map(answer_tool::tool));
    written.tool_choice = tools::choice(&request, &written.tools, &conversation, &mut losses);
    sampling::set(&request, model, thought.thinks, &mut written, &mut losses);
    written.thinking = thought.thinking;
    written.system = system(conversation.system);
    written.messages = conversation.turns;
    lose_the_rest(&request, &mut losses);
    let own: Fields<'_> = request.vendor.get(VENDOR).and_then(Json::read).unwrap_or_default();
    merge(own, &mut written, &mut losses);
    Ok((json::to_vec(&written)?, losses.into_vec()))
}

/// What cannot be left out without the answer being another one.
fn refuse(request: &ChatRequest<'_>) -> Result<(), Failure> {
    if request.n.is_some_and(|n| n > 1) {
        return Err(failure::unsupported("n", "anthropic gives one answer a request"));
    }
    if request.modalities.iter().any(|modality| *modality != "text") {
        return Err(failure::unsupported("modalities", "anthropic answers in text only"));
    }
    Ok(())
}

/// One plain text is a string, anything else a list.
fn system(mut blocks: Vec<Block<'_>>) -> Option<Content<'_>> {
    if let [Block::Known { body: BlockBody::Text { text, citations: None }, cache_control: None, own }] =
        blocks.as_slice()
        && own.is_empty()
    {
        return Some(Content::Text(text));
    }
    blocks.shrink_to_fit();
    (!blocks.is_empty()).then_some(Content::Blocks(blocks))
}

fn stop_sequences<'a>(request: &'a ChatRequest<'a>) -> Option<&'a [Text<'a>]> {
    let stops = request.stop.0.as_slice();
    (!stops.is_empty()).then_some(stops)
}

fn user<'a>(request: &'a ChatRequest<'a>, losses: &mut Losses) -> Option<&'a str> {
    let (user, safety) = (request.user.as_deref(), request.safety_identifier.as_deref());
    if user.is_some() && safety.is_some() && user != safety {
        losses.add("safety_identifier", "anthropic knows one user id, and `user` is it");
    }
    user.or(safety)
}

fn service_tier(request: &ChatRequest<'_>, losses: &mut Losses) -> Option<&'static str> {
    match request.service_tier.as_deref()? {
        "auto" => Some("auto"),
        "default" | "standard_only" => Some("standard_only"),
        _ => {
            losses.add("service_tier", "anthropic knows only auto and default");
            None
        }
    }
}

fn output_config<'a>(effort: Option<&'static str>, format: Option<Format<'a>>) -> Option<OutputConfig<'a>> {
    (effort.is_some() || format.is_some()).then(|| OutputConfig { effort, format, own: Fields::default() })
}

fn format<'a>(request: &'a ChatRequest<'a>, model: Model, losses: &mut Losses) -> Option<Format<'a>> {
    let format = request.response_format.as_ref()?;
    losses.add_fields(&format.rest, "response_format", "anthropic has no such field");
    let schema = match (&*format.kind, &format.json_schema) {
        ("text", _) => return None,
        ("json_schema", Some(own)) => {
            losses.add_fields(&own.rest, "response_format.json_schema", "anthropic has no such field");
            losses.add_if(
                &own.description,
                "response_format.json_schema.description",
                "anthropic describes a schema inside it",
            );
            own.schema.as_ref()
        }
        _ => None,
    };
    match schema {
        Some(schema) if model.takes_format() => Some(Format { schema: schema.clone() }),
        // Older models answer by a call instead; see `answer_by_call`.
        Some(_) => None,
        None => {
            losses.add("response_format", "anthropic promises JSON only by a schema");
            None
        }
    }
}

/// The schema of an answer that an older model gives by a forced call.
fn answer_by_call<'a, 'r>(
    request: &'r ChatRequest<'a>,
    model: Model,
    conversation: &Conversation<'_>,
    losses: &mut Losses,
) -> Option<&'r Json<'a>> {
    if model.takes_format() {
        return None;
    }
    let format = request.response_format.as_ref().filter(|format| format.kind == "json_schema")?;
    let asked = format.json_schema.as_ref()?;
    let schema = asked.schema.as_ref()?;
    let must_call = matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_) | ToolChoice::Allowed { required: true, .. })
    );
    let obstacle = if must_call && !request.tools.is_empty() {
        Some("the answer must be a call")
    } else if conversation.ends_with_assistant {
        Some("this model follows no schema when its answer is begun for it")
    } else {
        None
    };
    if let Some(obstacle) = obstacle {
        losses.add("response_format", obstacle);
        return None;
    }
    if asked.strict == Some(true) {
        losses.add(
            "response_format.json_schema.strict",
            "this model answers by a forced call, which follows the schema without a promise",
        );
    }
    Some(schema)
}

/// Fields of canonical chat that Anthropic does not have, and those nobody knows.
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
        ("metadata", request.metadata.as_ref().is_some_and(|labels| labels.text() != "{}")),
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
        losses.add(field, format!("anthropic has no {field}"));
    }
    losses.add_foreign(&request.vendor, VENDOR, "");
    losses.add_fields(&request.rest, "", "anthropic has no such field");
}

/// Puts Anthropic's own fields in: objects are merged, everything else replaces what we wrote.
fn merge<'a>(own: Fields<'a>, body: &mut Body<'a>, losses: &mut Losses) {
    for (name, value) in own.0 {
        let merged = match &*name {
            "thinking" => Some(&mut body.thinking),
            "metadata" => Some(&mut body.metadata),
            "tool_choice" => Some(&mut body.tool_choice),
            _ => None,
        };
        if let Some(field) = merged {
            json::merge(field.get_or_insert_default(), value.to_value());
            continue;
        }
        match &*name {
            "model" | "messages" | "stream" => {
                losses.add(format!("vendor.{VENDOR}.{name}"), "the request itself says this");
                continue;
            }
            "output_config" => {
                merge_output(value.read().unwrap_or_default(), body.output_config.get_or_insert_default());
                continue;
            }
            "max_tokens" => body.max_tokens = None,
            "system" => body.system = None,
            "tools" => body.tools = Vec::new(),
            "stop_sequences" => body.stop_sequences = None,
            "temperature" => body.temperature = None,
            "top_p" => body.top_p = None,
            "top_k" => body.top_k = None,
            "service_tier" => body.service_tier = None,
            "cache_control" => body.cache_control = None,
            _ => {}
        }
        body.own.0.push((name, value));
    }
}

fn merge_output<'a>(own: Fields<'a>, config: &mut OutputConfig<'a>) {
    if own.get("effort").is_some() {
        config.effort = None;
    }
    if own.get("format").is_some() {
        config.format = None;
    }
    config.own = own;
}
