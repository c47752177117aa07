//! A client's request: its facts in one scan, and the whole of it as canonical chat.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::canonical::{Chat, Vendor};
use super::wire::{self, Leftover as _, Request, Text, Whole};
use super::{contents, settings, tools};
use crate::domain::envelope::percent_decode;
use crate::domain::{Envelope, Framing, RequestHead};
use crate::error::{GatewayError, Kind};

#[derive(Deserialize)]
struct Facts {
    contents: Option<IgnoredAny>,
    #[serde(alias = "generation_config")]
    #[serde(rename = "generationConfig")]
    generation_config: Option<FactsConfig>,
}

#[derive(Deserialize)]
struct FactsConfig {
    #[serde(alias = "max_output_tokens")]
    #[serde(rename = "maxOutputTokens")]
    max_output_tokens: Option<Whole>,
}

/// The facts of a request.
pub(super) fn read(head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
    let (model, stream) = target(&head.path)?;
    let facts: Facts = wire::read(&body)?;
    if facts.contents.is_none() {
        return Err(GatewayError::invalid("contents", "`contents` is missing"));
    }
    let sse = head.query_value("alt").or_else(|| head.query_value("$alt")).is_some_and(|alt| alt == "sse");
    let max_output = facts.generation_config.and_then(|config| config.max_output_tokens);
    Ok(Envelope {
        stream,
        framing: if stream && !sse { Framing::JsonArray } else { Framing::Sse },
        include_usage: true,
        max_output: max_output.and_then(|limit| u64::try_from(limit.0).ok()),
        ..Envelope::whole(body, model, None)
    })
}

/// Model and kind of call from `/v1beta/models/{model}:generateContent`; the model may hold `/`, `:` and `%XX`.
fn target(path: &str) -> Result<(String, bool), GatewayError> {
    let unknown = || GatewayError::client(Kind::PathNotFound, format!("no such path: {path}"));
    let (_, rest) = path.split_once("/models/").ok_or_else(unknown)?;
    let rest = percent_decode(rest);
    let (model, call) = rest.rsplit_once(':').ok_or_else(unknown)?;
    let stream = match call {
        "generateContent" => false,
        "streamGenerateContent" => true,
        _ => return Err(unknown()),
    };
    if model.is_empty() {
        return Err(unknown());
    }
    Ok((model.to_owned(), stream))
}

/// The request as canonical chat. Everything that is understood is taken out of the record; what is left is `vendor.gemini`.
pub(super) fn canonical(envelope: &Envelope) -> Result<Bytes, GatewayError> {
    let mut request: Request<'_> = wire::read(&envelope.body)?;
    // The path decides.
    request.model = None;
    let mut chat = Chat { model: &envelope.model, stream: envelope.stream, ..Chat::default() };
    let system = request.system_instruction.take().and_then(contents::system);
    chat.messages.extend(system);
    contents::messages(request.contents.take().unwrap_or_default().0, &mut chat.messages)?;
    chat.tools = tools::tools(request.tools.take().unwrap_or_default().0)?;
    if let Some(config) = &mut request.tool_config {
        chat.tool_choice = tools::choice(config)?;
    }
    request.tool_config.take_if(|config| config.is_empty());
    if let Some(config) = &mut request.generation_config {
        settings::apply(config, &mut chat)?;
    }
    request.generation_config.take_if(|config| config.is_empty());
    chat.service_tier = request.service_tier.take().map(|tier| service_tier(&tier));
    chat.vendor = (!request.is_empty()).then_some(Vendor { gemini: request });
    serde_json::to_vec(&chat).map(Bytes::from).map_err(|error| {
        GatewayError::gateway(Kind::Internal, format!("canonical request not written: {error}"))
    })
}

/// Google's `standard` is OpenAI's `default`.
fn service_tier(tier: &Text<'_>) -> String {
    let word = tier.as_str().to_ascii_lowercase();
    match word.strip_prefix("service_tier_").unwrap_or(&word) {
        "standard" => "default".to_owned(),
        other => other.to_owned(),
    }
}
