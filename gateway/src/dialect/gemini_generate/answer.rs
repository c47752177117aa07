//! A canonical `chat.completion` as a `GenerateContentResponse`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::pieces;
use super::reply::{Candidate, Citation, Content, End, LogprobsResult, Names, Piece, Reply, UsageMetadata};
use super::said::{Annotation, Choice, Message, Said};
use super::wire::Text;
use crate::dialect::AnswerFacts;
use crate::error::{GatewayError, Kind};

/// The whole answer.
pub(super) fn whole(facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let mut said = read(canonical)?;
    let names = Names::new(facts, &said);
    let usage = said.usage.take().map(UsageMetadata::new);
    let mut feedback = None;
    let mut candidates = Vec::with_capacity(said.choices.len());
    for choice in said.choices {
        candidates.extend(candidate(choice, &mut feedback)?);
    }
    let reply = Reply {
        candidates: &candidates,
        prompt_feedback: feedback,
        usage_metadata: usage.as_ref(),
        model_version: &names.model,
        response_id: &names.id,
    };
    serde_json::to_vec(&reply).map_err(not_written)
}

/// Reads a canonical answer or chunk.
pub(super) fn read(canonical: &[u8]) -> Result<Said<'_>, GatewayError> {
    serde_json::from_slice(canonical)
        .map_err(|error| GatewayError::plugin(format!("the canonical answer makes no sense: {error}")))
}

/// For what cannot happen with data that was read from JSON.
pub(super) fn not_written(error: serde_json::Error) -> GatewayError {
    GatewayError::gateway(Kind::Internal, format!("answer not written: {error}"))
}

/// One candidate; none when the prompt was blocked, which Gemini tells beside the candidates.
fn candidate<'a>(
    mut choice: Choice<'a>,
    feedback: &mut Option<&'a RawValue>,
) -> Result<Option<Candidate<'a>>, GatewayError> {
    let mut message = choice.message.take().unwrap_or_default();
    let logprobs_result = LogprobsResult::new(choice.logprobs.take());
    let (index, citations) = (choice.index, citations(message.annotations.take()));
    let (parts, broken) = parts(&mut message)?;
    let mut end = end(choice, citations, broken);
    *feedback = prompt_feedback(&mut end).or(*feedback);
    if parts.is_empty() && feedback.is_some_and(blocks) {
        return Ok(None);
    }
    Ok(Some(Candidate { content: Content { parts, role: "model" }, end: Some(end), index, logprobs_result }))
}

/// What Gemini says of the prompt; it stands beside the candidates.
pub(super) fn prompt_feedback<'a>(end: &mut End<'a>) -> Option<&'a RawValue> {
    let place = end.vendor.rest.iter().position(|(name, _)| name.as_str() == "promptFeedback")?;
    Some(end.vendor.rest.remove(place).1)
}

/// The prompt was blocked, so there is no candidate.
pub(super) fn blocks(feedback: &RawValue) -> bool {
    feedback.get().contains("\"blockReason\"")
}

/// Parts in the order in which they were said, and the name of a function whose arguments are not an object.
fn parts<'a>(message: &mut Message<'a>) -> Result<(Vec<Piece<'a>>, Option<String>), GatewayError> {
    let mut reasoning: Vec<Option<Piece<'a>>> = match message.reasoning_details.take() {
        Some(details) if !details.is_empty() => details.into_iter().map(pieces::reasoning).collect(),
        _ => message.reasoning_content.take().map(pieces::thought).into_iter().collect(),
    };
    let mut content: Vec<Option<Piece<'a>>> = pieces::content(message)?.into_iter().map(Some).collect();
    let mut broken = None;
    let mut calls: Vec<Option<Piece<'a>>> = Vec::new();
    for call in message.tool_calls.take().unwrap_or_default() {
        let Some(function) = call.function else { continue };
        let name = function.name.unwrap_or_default();
        let arguments = function.arguments.unwrap_or_default();
        let signature = pieces::signature(call.extra_content);
        let piece =
            pieces::call(call.id.unwrap_or_default().0, name.0.clone(), arguments.as_str(), signature);
        if piece.is_none() {
            broken = Some(name.0.into_owned());
        }
        calls.push(piece);
    }
    let mut parts = Vec::new();
    for place in message.order.take().unwrap_or_default() {
        parts.extend(named(place.as_str(), &mut reasoning, &mut content, &mut calls));
    }
    let state = pieces::message_state(message.extra_content.take());
    parts.extend(reasoning.into_iter().chain(content).chain([state]).chain(calls).flatten());
    Ok((parts, broken))
}

/// Takes the block that one entry of `order` names.
fn named<'a>(
    place: &str,
    reasoning: &mut [Option<Piece<'a>>],
    content: &mut [Option<Piece<'a>>],
    calls: &mut [Option<Piece<'a>>],
) -> Option<Piece<'a>> {
    let (kind, index) = place.split_once(':')?;
    let index: usize = index.parse().ok()?;
    let blocks = match kind {
        "reasoning" => reasoning,
        "content" => content,
        "tool_call" => calls,
        _ => return None,
    };
    blocks.get_mut(index)?.take()
}

/// Links among the annotations.
pub(super) fn citations(annotations: Option<Vec<Annotation<'_>>>) -> Vec<Citation> {
    let own = |text: Option<Text<'_>>| text.map(|text| text.0.into_owned());
    let cited = annotations.into_iter().flatten().filter_map(|annotation| annotation.url_citation);
    cited
        .map(|cited| Citation {
            start_index: cited.start_index,
            end_index: cited.end_index,
            uri: own(cited.url),
            title: own(cited.title),
        })
        .collect()
}

/// How the choice ended. `broken` is a function whose arguments are not an object: a call with made-up arguments would
/// be run, so the call is left out and Gemini's own word for it is said.
pub(super) fn end<'a>(choice: Choice<'a>, citations: Vec<Citation>, broken: Option<String>) -> End<'a> {
    let vendor = choice.vendor.and_then(|vendor| vendor.gemini).unwrap_or_default();
    let reason = reason(choice.finish_reason.as_ref(), choice.native_finish_reason);
    let told =
        vendor.rest.iter().any(|(name, _)| matches!(name.as_str(), "citationMetadata" | "groundingMetadata"));
    let citations = if told { Vec::new() } else { citations };
    let Some(name) = broken else { return End { reason, message: None, citations, vendor } };
    let reason = if reason == "MAX_TOKENS" { reason } else { Cow::Borrowed("MALFORMED_FUNCTION_CALL") };
    let message = Some(format!("the arguments of the call of `{name}` are not a JSON object"));
    End { reason, message, citations, vendor }
}

fn reason<'a>(finish: Option<&Text<'_>>, native: Option<Text<'a>>) -> Cow<'a, str> {
    if let Some(native) = native.filter(|word| REASONS.contains(&word.as_str())) {
        return native.0;
    }
    Cow::Borrowed(match finish.map_or("", Text::as_str) {
        "stop" | "tool_calls" | "function_call" => "STOP",
        "length" => "MAX_TOKENS",
        "content_filter" => "SAFETY",
        _ => "OTHER",
    })
}

/// Gemini's own words; Cohere shouts too.
const REASONS: [&str; 22] = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "NO_IMAGE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE",
    "MODEL_ARMOR",
    "ESCALATION",
    "CONTINUATION",
];
