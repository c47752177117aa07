//! A canonical `chat.completion` as a response.

use serde_json::value::RawValue;

use super::asked::Asked;
use super::canonical::Place;
use super::output::{Response, Status};
use super::progress::Progress;
use super::said::{Answered, Call, Choice, Detail, Part, Said, word};
use super::state::Owner;
use crate::dialect::AnswerFacts;
use crate::error::GatewayError;

/// Why an answer ended, in this API's words.
pub(super) fn ending(choice: &Choice<'_>) -> (Status, Option<&'static str>) {
    match word(&choice.finish_reason) {
        "length" => (Status::Incomplete, Some("max_output_tokens")),
        "content_filter" => (Status::Incomplete, Some("content_filter")),
        _ => (Status::Completed, None),
    }
}

/// Writes `canonical` as a response.
pub(super) fn whole(facts: &AnswerFacts, asked: &Asked, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
    let answered: Answered<'_> = serde_json::from_slice(canonical).map_err(|error| nonsense(&error))?;
    let mut choice = answered
        .choices
        .into_iter()
        .find(|choice| choice.index == 0)
        .ok_or_else(|| GatewayError::plugin("the adapter's answer has no choice"))?;
    let (status, reason) = ending(&choice);
    let logprobs = choice.logprobs.take().and_then(|logprobs| logprobs.content).unwrap_or_default();
    let mut progress = Progress::new(facts, true);
    say(std::mem::take(&mut choice.message), &logprobs, asked, &mut progress)?;
    progress.end(status, &mut Vec::new());
    let response = Response {
        facts,
        asked,
        model: word(&answered.model),
        status,
        reason,
        error: None,
        output: &progress.items,
        usage: answered.usage.map(Into::into),
        service_tier: answered.service_tier,
    };
    serde_json::to_vec(&response)
        .map_err(|error| GatewayError::plugin("the answer could not be written").context(error))
}

fn nonsense(error: &dyn std::fmt::Display) -> GatewayError {
    GatewayError::plugin("the adapter's answer is not canonical chat").context(error)
}

/// A block that has not found its place yet.
enum Block<'a> {
    Thought(Detail<'a>),
    Text(std::borrow::Cow<'a, str>),
    Part(Part<'a>),
    Call(usize, Call<'a>),
}

/// Everything that is said, in the order in which the model said it.
fn blocks<'a>(said: &mut Said<'a>) -> Result<Vec<(Place, Block<'a>)>, GatewayError> {
    let mut blocks: Vec<(Place, Block<'a>)> = Vec::new();
    let details = said.reasoning_details.take().unwrap_or_default();
    if details.is_empty() && !word(&said.reasoning_content).is_empty() {
        let detail = Detail { text: said.reasoning_content.take(), ..Detail::default() };
        blocks.push((Place::Reasoning(0), Block::Thought(detail)));
    }
    blocks.extend(details.into_iter().enumerate().map(|(index, detail)| {
        let detail = Detail { index: Some(index), ..detail };
        (Place::Reasoning(index), Block::Thought(detail))
    }));
    match said.content {
        Some(raw) if raw.get().starts_with('[') => {
            let parts: Vec<Part<'a>> = serde_json::from_str(raw.get()).map_err(|error| nonsense(&error))?;
            let parts = parts.into_iter().enumerate();
            blocks.extend(parts.map(|(index, part)| (Place::Content(index), Block::Part(part))));
        }
        raw => {
            let text = raw.and_then(super::object::decode);
            blocks.extend(text.map(|text| (Place::Content(0), Block::Text(text))));
        }
    }
    let calls = said.tool_calls.take().into_iter().flatten().enumerate();
    blocks.extend(calls.map(|(index, call)| (Place::ToolCall(index), Block::Call(index, call))));
    if let Some(order) = said.order.take() {
        let order: Vec<Option<Place>> = order.iter().map(|entry| Place::parse(&entry.0)).collect();
        let position = |place: Place| order.iter().position(|entry| *entry == Some(place));
        blocks.sort_by_key(|(place, _)| position(*place).unwrap_or(usize::MAX));
    }
    Ok(blocks)
}

/// Says everything; a refusal has no place in the order and comes before the calls.
fn say(
    mut said: Said<'_>,
    logprobs: &[&RawValue],
    asked: &Asked,
    progress: &mut Progress,
) -> Result<(), GatewayError> {
    let blocks = blocks(&mut said)?;
    let out = &mut Vec::new();
    progress.bind(Owner::Message, said.extra_content, None, out);
    let mut refusal = said.refusal;
    for (_, block) in blocks {
        match block {
            Block::Thought(detail) => progress.thought(&detail, out),
            Block::Text(text) => progress.text(&text, logprobs, out),
            Block::Part(part) => progress.whole_part(&part, &[], out),
            Block::Call(index, call) => {
                progress.refusal(word(&refusal.take()), out);
                progress.call(&Call { index: Some(index), ..call }, asked, out)?;
            }
        }
    }
    progress.refusal(word(&refusal), out);
    for note in said.annotations.into_iter().flatten() {
        progress.annotate(note, out);
    }
    Ok(())
}
