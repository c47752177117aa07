//! Cohere → canonical, whole answers.

pub(crate) mod pieces;
pub(crate) mod usage;

use plugin_sdk::chat::{
    AnswerMessage, Choice, Completion, Content, End, FinishReason, Json, Part, PartBody, ReasoningDetail,
    Text, ToolCall,
};
use plugin_sdk::{Answer, Failure, FailureKind, failure, json};
use serde_json::Value;

use crate::VENDOR;
use crate::error;
use crate::wire::{self, AnswerBlock, Message};

/// The whole answer; Cohere does not say which model gave it.
pub(crate) fn translate(model: &str, body: &[u8]) -> Result<Answer, Failure> {
    let mut answer: wire::Answer<'_> = json::answer("answer", body)?;
    let Some(given) = answer.message.take().filter(|message| message.read::<Text<'_>>().is_none()) else {
        return Err(error::inside(body));
    };
    let message: Message<'_> = given
        .read()
        .ok_or_else(|| failure::malformed("the provider's answer makes no sense at `message`"))?;
    let mut own = Value::Null;
    pieces::gather(&message.rest, &mut own);
    pieces::gather(&answer.rest, &mut own);
    let (finish_reason, end) = end(answer.finish_reason, !message.tool_calls.is_empty(), own)?;
    let logprobs = (!answer.logprobs.is_empty()).then(|| pieces::logprobs(&answer.logprobs));
    let message = convert(message);
    let usage = answer.usage.as_ref().map(usage::usage);
    let completion = Completion {
        id: answer.id,
        model: model.into(),
        choices: vec![Choice {
            message,
            logprobs,
            finish_reason: Some(finish_reason),
            end,
            ..Choice::default()
        }],
        usage: answer.usage.as_ref().map(usage::report),
        ..Completion::default()
    };
    Ok(Answer { body: completion.to_vec()?, content_type: None, usage, losses: Vec::new() })
}

fn convert(message: Message<'_>) -> AnswerMessage<'_> {
    // Citations count from the begin of their block.
    let mut turn = Turn { keeps_blocks: !message.citations.is_empty(), ..Turn::default() };
    if let Some(plan) = message.tool_plan.filter(|plan| !plan.is_empty()) {
        turn.think(pieces::plan(plan));
    }
    for block in content(message.content) {
        turn.take(block);
    }
    for call in message.tool_calls {
        let arguments = match call.function.arguments {
            Some(arguments) if arguments.trim() != "null" => arguments,
            _ => "{}".into(),
        };
        let mut whole = ToolCall::function(call.id.unwrap_or_default(), call.function.name, arguments);
        whole.rest = pieces::beside(&call.rest, &call.function.rest);
        turn.calls.push(whole);
    }
    turn.annotations = message.citations.iter().map(pieces::annotation).collect();
    turn.message()
}

/// A list of blocks; once it was a string.
fn content(given: Option<Json<'_>>) -> Vec<Json<'_>> {
    let Some(given) = given else { return Vec::new() };
    match given.read::<Text<'_>>() {
        Some(text) => vec![Json::Value(serde_json::json!({ "type": "text", "text": &*text }))],
        None => given.read().unwrap_or_default(),
    }
}

/// Why it stopped; a fault is a failure.
pub(crate) fn end(
    word: Option<Text<'_>>,
    has_calls: bool,
    own: Value,
) -> Result<(FinishReason, End<'_>), Failure> {
    let reason = match word.as_deref() {
        Some("ERROR") => return Err(broken_off(FailureKind::Provider, "ERROR")),
        Some("TIMEOUT") => return Err(broken_off(FailureKind::Timeout, "TIMEOUT")),
        Some("MAX_TOKENS") => FinishReason::Length,
        Some("TOOL_CALL") => FinishReason::ToolCalls,
        Some("ERROR_TOXIC") => FinishReason::ContentFilter,
        _ if has_calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    let end = End { native_finish_reason: word, vendor: pieces::own(own), ..End::default() };
    Ok((reason, end))
}

fn broken_off(kind: FailureKind, word: &str) -> Failure {
    let failure = failure::new(kind, format!("the provider broke off the answer: {word}"));
    Failure { code: Some(word.to_owned()), ..failure }
}

/// One message while its blocks come in.
#[derive(Default)]
struct Turn<'a> {
    /// Texts that follow each other stay apart.
    keeps_blocks: bool,
    thoughts: Vec<ReasoningDetail<'a>>,
    content: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    annotations: Vec<Json<'a>>,
    /// `true` for a thought, `false` for content, as they came.
    order: Vec<bool>,
}

impl<'a> Turn<'a> {
    fn think(&mut self, thought: ReasoningDetail<'a>) {
        self.order.push(true);
        self.thoughts.push(thought);
    }

    fn take(&mut self, block: Json<'a>) {
        let read: AnswerBlock<'a> = block.read().unwrap_or_default();
        let plain = read.rest.present().next().is_none();
        match (read.thinking, read.text) {
            (Some(thinking), None) if plain => {
                if !thinking.is_empty() {
                    self.think(pieces::thought(thinking));
                }
            }
            (None, Some(text)) if plain => self.text(text),
            _ => {
                self.order.push(false);
                self.content.push(Part::new(PartBody::Vendor { vendor: VENDOR.into(), value: block }));
            }
        }
    }

    fn text(&mut self, text: Text<'a>) {
        if text.is_empty() {
            return;
        }
        let follows = self.order.last() == Some(&false) && !self.keeps_blocks;
        if let Some(Part { body: PartBody::Text(open), .. }) = self.content.last_mut().filter(|_| follows) {
            let mut joined = std::mem::take(open).into_inner().into_owned();
            joined.push_str(&text);
            *open = joined.into();
            return;
        }
        self.order.push(false);
        self.content.push(Part::new(PartBody::Text(text)));
    }

    fn message(self) -> AnswerMessage<'a> {
        let reasoning: String = self.thoughts.iter().filter_map(ReasoningDetail::readable).collect();
        // Thoughts first is the default.
        let default_order = self.order.is_sorted_by(|one, next| one >= next);
        let order = if default_order { Vec::new() } else { self.order() };
        AnswerMessage {
            content: simplest(self.content, self.calls.is_empty()),
            reasoning_content: (!reasoning.is_empty()).then(|| reasoning.into()),
            reasoning_details: self.thoughts,
            tool_calls: self.calls,
            annotations: self.annotations,
            order,
            ..AnswerMessage::default()
        }
    }

    fn order(&self) -> Vec<Text<'static>> {
        let (mut thoughts, mut parts) = (0, 0);
        let name = |is_thought: &bool| {
            let (kind, count) =
                if *is_thought { ("reasoning", &mut thoughts) } else { ("content", &mut parts) };
            *count += 1;
            format!("{kind}:{}", *count - 1).into()
        };
        self.order.iter().map(name).collect()
    }
}

/// One text is a string; without calls nothing is an empty one.
fn simplest(mut parts: Vec<Part<'_>>, empty_is_text: bool) -> Option<Content<'_>> {
    if let [Part { body: PartBody::Text(_), .. }] = parts.as_slice()
        && let Some(Part { body: PartBody::Text(text), .. }) = parts.pop()
    {
        return Some(Content::Text(text));
    }
    if parts.is_empty() {
        return empty_is_text.then(|| Content::Text("".into()));
    }
    Some(Content::Parts(parts))
}
