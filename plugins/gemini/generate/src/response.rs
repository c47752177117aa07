//! A `GenerateContentResponse` as a canonical answer.

pub(crate) mod ending;
pub(crate) mod piece;
pub(crate) mod usage;

use plugin_sdk::chat::{
    AnswerMessage, Choice, Completion, Content, End, Fields, FinishReason, Part, PartBody, ReasoningDetail,
    Text, ToolCall,
};
use plugin_sdk::{Failure, failure, json};

use crate::VENDOR;
use crate::error;
use crate::wire::{Answer, Candidate, PromptFeedback};
use piece::{Calls, Piece, Thought};

/// One whole answer.
pub(crate) fn translate(body: &[u8]) -> Result<plugin_sdk::Answer, Failure> {
    let mut answer: Answer<'_> = json::answer("answer", body)?;
    if let Some(error) = &answer.error {
        return Err(error::in_band(&error.to_value()));
    }
    let usage = answer.usage.as_ref().map(usage::usage);
    let mut calls = Calls::new(answer.id.as_deref().unwrap_or_default());
    let feedback = answer.prompt_feedback.take();
    let block = feedback.as_ref().and_then(|feedback| feedback.read::<PromptFeedback<'_>>());
    let mut choices: Vec<Choice<'_>> = std::mem::take(&mut answer.candidates)
        .into_iter()
        .map(|candidate| choice(candidate, &mut calls))
        .collect();
    if choices.is_empty() {
        let Some(reason) = block.and_then(|feedback| feedback.block_reason) else {
            return Err(failure::malformed("the provider's answer holds no candidate"));
        };
        choices.push(blocked(reason));
    }
    if let (Some(feedback), Some(first)) = (feedback, choices.first_mut()) {
        first.end.vendor = ending::with_feedback(std::mem::take(&mut first.end.vendor), feedback);
    }
    let completion = Completion {
        id: answer.id.unwrap_or_default(),
        model: answer.model.unwrap_or_default(),
        choices,
        usage: answer.usage.as_ref().map(usage::report),
        rest: ending::of_answer(answer.rest),
        ..Completion::default()
    };
    Ok(plugin_sdk::Answer { body: completion.to_vec()?, content_type: None, usage, losses: Vec::new() })
}

/// Gemini answers nothing at all to a blocked prompt.
fn blocked(reason: Text<'_>) -> Choice<'_> {
    Choice {
        message: AnswerMessage { content: Some(Content::Text("".into())), ..AnswerMessage::default() },
        finish_reason: Some(FinishReason::ContentFilter),
        end: End { native_finish_reason: Some(reason), ..End::default() },
        ..Choice::default()
    }
}

fn choice<'a>(mut candidate: Candidate<'a>, calls: &mut Calls) -> Choice<'a> {
    let mut turn = Turn::default();
    let parts = candidate.content.take().map(|content| content.parts).unwrap_or_default();
    for part in parts {
        match piece::piece(part) {
            Some(Piece::Thought(thought)) => turn.think(thought),
            Some(Piece::Text { text, state }) => turn.text(text, state),
            Some(Piece::Call(call)) => {
                turn.place(2, turn.calls.len());
                turn.calls.push(calls.tool_call(call));
            }
            Some(Piece::Block(part)) => turn.add(part),
            None => {}
        }
    }
    let has_calls = !turn.calls.is_empty();
    let mut message = turn.message();
    let text = message.content.as_ref().map(Content::text).unwrap_or_default();
    message.annotations = ending::annotations(&candidate.rest, &text);
    let reason = candidate.finish_reason.take();
    Choice {
        index: candidate.index,
        message,
        logprobs: candidate.logprobs.take().map(|logprobs| piece::logprobs(&logprobs)),
        finish_reason: Some(ending::reason(reason.as_deref(), has_calls)),
        end: End { native_finish_reason: reason, vendor: ending::own(candidate.rest), ..End::default() },
    }
}

/// One message while its blocks come in.
#[derive(Default)]
struct Turn<'a> {
    reasoning: Vec<ReasoningDetail<'a>>,
    content: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    /// Kind and place of each block as they came: 0 reasoning, 1 content, 2 calls.
    order: Vec<(u8, usize)>,
    /// The signature of the message.
    state: Option<plugin_sdk::chat::Json<'a>>,
}

impl<'a> Turn<'a> {
    fn place(&mut self, kind: u8, index: usize) {
        self.order.push((kind, index));
    }

    fn think(&mut self, thought: Thought<'a>) {
        let follows = self.order.last().is_some_and(|last| last.0 == 0);
        if let Some(open) = self.reasoning.last_mut().filter(|last| follows && last.signature.is_none()) {
            let mut text = open.text.take().unwrap_or_default().into_inner().into_owned();
            text.push_str(&thought.text);
            open.text = Some(text.into());
            open.signature = thought.signature;
            return;
        }
        self.place(0, self.reasoning.len());
        self.reasoning.push(ReasoningDetail {
            kind: "reasoning.text".into(),
            text: Some(thought.text),
            signature: thought.signature,
            format: Some(VENDOR.into()),
            rest: thought.rest,
            ..ReasoningDetail::default()
        });
    }

    /// Clients want one string: the first signature becomes the message's, and only a second one needs a part.
    fn text(&mut self, text: Text<'a>, state: Option<plugin_sdk::chat::Json<'a>>) {
        let state = match state {
            Some(state) if self.state.is_none() => {
                self.state = Some(state);
                None
            }
            state => state,
        };
        if text.is_empty() && state.is_none() {
            return;
        }
        let follows = self.order.last().is_some_and(|last| last.0 == 1);
        if state.is_none()
            && let Some(Part { body: PartBody::Text(open), extra_content: None, .. }) =
                self.content.last_mut().filter(|_| follows)
        {
            let mut joined = std::mem::take(open).into_inner().into_owned();
            joined.push_str(&text);
            *open = joined.into();
            return;
        }
        self.add(Part { extra_content: state, ..Part::new(PartBody::Text(text)) });
    }

    fn add(&mut self, part: Part<'a>) {
        self.place(1, self.content.len());
        self.content.push(part);
    }

    fn message(self) -> AnswerMessage<'a> {
        let order = if self.order.is_sorted() { Vec::new() } else { self.order.iter().map(name).collect() };
        let reasoning: String = self.reasoning.iter().filter_map(ReasoningDetail::readable).collect();
        AnswerMessage {
            content: content(self.content),
            reasoning_content: (!reasoning.is_empty()).then(|| reasoning.into()),
            reasoning_details: self.reasoning,
            tool_calls: self.calls,
            extra_content: self.state,
            order,
            ..AnswerMessage::default()
        }
    }
}

fn name(&(kind, index): &(u8, usize)) -> Text<'static> {
    let kind = match kind {
        0 => "reasoning",
        1 => "content",
        _ => "tool_call",
    };
    format!("{kind}:{index}").into()
}

fn content(mut parts: Vec<Part<'_>>) -> Option<Content<'_>> {
    if let [Part { body: PartBody::Text(_), extra_content: None, .. }] = parts.as_slice()
        && let Some(Part { body: PartBody::Text(text), .. }) = parts.pop()
    {
        return Some(Content::Text(text));
    }
    (!parts.is_empty()).then_some(Content::Parts(parts))
}

/// Fields under the vendor's name, when there are any.
fn vendor_fields(fields: Fields<'_>) -> Option<plugin_sdk::chat::Json<'_>> {
    (!fields.is_empty()).then(|| serde_json::to_value(&fields).unwrap_or_default().into())
}
