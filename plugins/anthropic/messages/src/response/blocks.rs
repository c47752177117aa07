//! The blocks of a message, sorted into reasoning, parts and calls, with the order they came in.

use plugin_sdk::Losses;
use plugin_sdk::chat::{Fields, Json, Part, PartBody, ReasoningDetail, Text, ToolCall};
use serde_json::{Map, Value};

use super::{own_part, take, take_text, vendor};
use crate::{VENDOR, answer_tool};

/// Where a block went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Reasoning(usize),
    Content(usize),
    ToolCall(usize),
}

impl Place {
    /// An entry of `order`.
    pub(super) fn name(self) -> Text<'static> {
        match self {
            Self::Reasoning(index) => format!("reasoning:{index}").into(),
            Self::Content(index) => format!("content:{index}").into(),
            Self::ToolCall(index) => format!("tool_call:{index}").into(),
        }
    }
}

/// What the model said.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub(super) reasoning: Vec<ReasoningDetail<'a>>,
    pub(super) parts: Vec<Part<'a>>,
    pub(super) calls: Vec<ToolCall<'a>>,
    pub(super) order: Vec<Place>,
    /// A call was the answer.
    pub(super) answered: bool,
}

impl<'a> Said<'a> {
    /// Sorts the blocks.
    pub(super) fn read(blocks: Vec<Json<'a>>, losses: &mut Losses) -> Self {
        let mut said = Self::default();
        for (index, block) in blocks.into_iter().enumerate() {
            said.block(block, index, losses);
        }
        said
    }

    fn block(&mut self, block: Json<'a>, index: usize, losses: &mut Losses) {
        let mut fields: Fields<'a> = block.read().unwrap_or_default();
        let kind = take_text(&mut fields, "type");
        match &*kind {
            "text" => {
                let text = take_text(&mut fields, "text");
                let citations = take(&mut fields, "citations").filter(|list| list.text() != "[]");
                if !text.is_empty() || citations.is_some() {
                    let mut part = Part::new(PartBody::Text(text));
                    part.citations = citations;
                    part.rest = left(fields);
                    self.part(part);
                }
            }
            "thinking" => {
                let detail = ReasoningDetail {
                    kind: "reasoning.text".into(),
                    text: Some(take_text(&mut fields, "thinking")),
                    signature: Some(take_text(&mut fields, "signature")).filter(|text| !text.is_empty()),
                    ..ReasoningDetail::default()
                };
                self.reason(detail, fields);
            }
            "redacted_thinking" => {
                let detail = ReasoningDetail {
                    kind: "reasoning.encrypted".into(),
                    data: Some(take_text(&mut fields, "data")),
                    ..ReasoningDetail::default()
                };
                self.reason(detail, fields);
            }
            "tool_use" => self.call(fields),
            "" => losses.add(format!("content[{index}]"), "a block without a type"),
            _ => self.part(own_part(block)),
        }
    }

    fn part(&mut self, part: Part<'a>) {
        self.order.push(Place::Content(self.parts.len()));
        self.parts.push(part);
    }

    fn reason(&mut self, detail: ReasoningDetail<'a>, rest: Fields<'a>) {
        let format = Some(VENDOR.into());
        self.order.push(Place::Reasoning(self.reasoning.len()));
        self.reasoning.push(ReasoningDetail { format, rest: left(rest), ..detail });
    }

    fn call(&mut self, mut fields: Fields<'a>) {
        let id = take_text(&mut fields, "id");
        let name = take_text(&mut fields, "name");
        let input = take(&mut fields, "input").map_or_else(|| "{}".into(), |input| input.text());
        if let Some(form) = answer_tool::form_of(&name) {
            self.answered = true;
            return self.part(Part::new(PartBody::Text(answer_tool::answer_in(form, &input).into())));
        }
        let mut call = ToolCall::function(id, name, input);
        call.rest = left(fields);
        self.order.push(Place::ToolCall(self.calls.len()));
        self.calls.push(call);
    }
}

/// Fields of a block that have no canonical name: `{ "vendor": { "anthropic": … } }`.
fn left<'a>(fields: Fields<'a>) -> Fields<'a> {
    let own: Map<String, Value> =
        fields.present().filter(|(name, value)| says_something(name, value)).map(entry).collect();
    let mut rest = Fields::default();
    if let Some((_, own)) = vendor(own).0.pop() {
        rest.push("vendor", serde_json::json!({ VENDOR: own.to_value() }));
    }
    rest
}

fn entry((name, value): (&str, &Json<'_>)) -> (String, Value) {
    (name.to_owned(), value.to_value())
}

/// A call that the model makes itself is the rule; only other callers are worth a word.
pub(crate) fn says_something(name: &str, value: &Json<'_>) -> bool {
    let caller = || value.read::<Fields<'_>>()?.get("type")?.read::<Text<'_>>();
    name != "caller" || caller().as_deref() != Some("direct")
}
