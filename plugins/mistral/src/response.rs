//! Mistral → canonical, whole answers.

pub(crate) mod said;
pub(crate) mod usage;

use plugin_sdk::chat::{
    AnswerMessage, Choice, Completion, Content, End, FinishReason, Part, PartBody, ReasoningDetail, Text,
    ToolCall,
};
use plugin_sdk::{Answer, Failure, failure, json};
use serde_json::Value;

use crate::error;
use crate::wire;
use said::{Piece, arguments, call_id, pieces};

/// The whole answer.
pub(crate) fn translate(body: &[u8]) -> Result<Answer, Failure> {
    let answer: wire::Answer<'_> = json::answer("answer", body)?;
    if error::is_one(&answer) {
        return Err(error::inside(body));
    }
    if answer.choices.is_empty() {
        return Err(failure::malformed("the provider's answer has no choices"));
    }
    let mut own = Value::Null;
    said::gather(&answer.rest, &mut own);
    let id = &answer.id;
    let choices = answer.choices.into_iter().map(|given| choice(given, id)).collect::<Result<_, _>>()?;
    let usage = answer.usage.as_ref().map(usage::usage);
    let completion = Completion {
        created: answer.created,
        model: answer.model,
        choices,
        usage: answer.usage.as_ref().map(usage::report),
        rest: said::beside(own),
        id: answer.id.clone(),
        ..Completion::default()
    };
    Ok(Answer { body: completion.to_vec()?, content_type: None, usage, losses: Vec::new() })
}

fn choice<'a>(given: wire::Choice<'a>, id: &str) -> Result<Choice<'a>, Failure> {
    let message = given.message.unwrap_or_default();
    let mut own = Value::Null;
    said::gather(&message.rest, &mut own);
    said::gather(&given.rest, &mut own);
    let mut turn = Turn::default();
    for piece in pieces(message.content) {
        turn.take(piece);
    }
    for (call, place) in message.tool_calls.into_iter().zip(0..) {
        let call_id = call_id(call.id, id, given.index, place);
        let arguments = call.function.arguments.map_or_else(|| "{}".into(), arguments);
        let mut whole = ToolCall::function(call_id, call.function.name, arguments);
        whole.rest = said::beside({
            let mut own = Value::Null;
            said::gather(&call.rest, &mut own);
            said::gather(&call.function.rest, &mut own);
            own
        });
        turn.calls.push(whole);
    }
    let (finish_reason, end) = end(given.finish_reason, !turn.calls.is_empty(), own)?;
    Ok(Choice {
        index: given.index,
        message: turn.message(),
        logprobs: given.logprobs,
        finish_reason: Some(finish_reason),
        end,
    })
}

/// Why it stopped; a fault is a failure.
pub(crate) fn end(
    word: Option<Text<'_>>,
    has_calls: bool,
    own: Value,
) -> Result<(FinishReason, End<'_>), Failure> {
    let (reason, said) = match word.as_deref() {
        Some("error") => return Err(error::broken_off()),
        Some("length" | "model_length") => (FinishReason::Length, "length"),
        Some("tool_calls") => (FinishReason::ToolCalls, "tool_calls"),
        _ if has_calls => (FinishReason::ToolCalls, "tool_calls"),
        _ => (FinishReason::Stop, "stop"),
    };
    let native_finish_reason = word.filter(|word| *word != said);
    Ok((reason, End { native_finish_reason, vendor: said::own(own), ..End::default() }))
}

/// One message while its pieces come in.
#[derive(Default)]
struct Turn<'a> {
    thoughts: Vec<ReasoningDetail<'a>>,
    content: Vec<Part<'a>>,
    calls: Vec<ToolCall<'a>>,
    /// `true` for a thought, `false` for content, as they came.
    order: Vec<bool>,
}

impl<'a> Turn<'a> {
    fn take(&mut self, piece: Piece<'a>) {
        match piece {
            Piece::Thought(text) => {
                self.order.push(true);
                let text = Some(text);
                let kind = "reasoning.text".into();
                self.thoughts.push(ReasoningDetail { kind, text, ..ReasoningDetail::default() });
            }
            Piece::Text(text) => self.text(text),
            Piece::Block(chunk) => {
                self.order.push(false);
                self.content.push(said::block(chunk));
            }
        }
    }

    /// Texts that follow each other are one.
    fn text(&mut self, text: Text<'a>) {
        let follows = self.order.last() == Some(&false);
        if let Some(Part { body: PartBody::Text(open), .. }) = self.content.last_mut().filter(|_| follows) {
            let mut joined = std::mem::take(open).into_inner().into_owned();
            joined.push_str(&text);
            *open = joined.into();
            return;
        }
        self.order.push(false);
        self.content.push(Part::new(PartBody::Text(text)));
    }

    fn message(mut self) -> AnswerMessage<'a> {
        let reasoning: String = self.thoughts.iter().filter_map(ReasoningDetail::readable).collect();
        // Thoughts first is the default.
        let default_order = self.order.is_sorted_by(|one, next| one >= next);
        let order = if default_order { Vec::new() } else { self.order() };
        if order.is_empty() {
            self.thoughts.clear();
        }
        AnswerMessage {
            content: simplest(self.content, self.calls.is_empty()),
            reasoning_content: (!reasoning.is_empty()).then(|| reasoning.into()),
            reasoning_details: self.thoughts,
            tool_calls: self.calls,
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
