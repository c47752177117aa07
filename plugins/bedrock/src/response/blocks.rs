//! The blocks of a message, sorted into reasoning, parts and calls, with the order they came in.

use plugin_sdk::Losses;
use plugin_sdk::chat::{Fields, ImageUrl, Json, Part, PartBody, ReasoningDetail, Text, ToolCall};
use serde_json::json;

use super::{own_part, take, take_text};
use crate::VENDOR;
use crate::model::Family;

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
    pub(super) annotations: Vec<Json<'a>>,
    pub(super) order: Vec<Place>,
}

impl<'a> Said<'a> {
    /// Sorts the blocks.
    pub(super) fn read(blocks: Vec<Json<'a>>, family: Family, losses: &mut Losses) -> Self {
        let mut said = Self::default();
        for (index, block) in blocks.into_iter().enumerate() {
            said.block(block, index, family, losses);
        }
        said
    }

    /// A block is an object whose one field says what it is.
    fn block(&mut self, block: Json<'a>, index: usize, family: Family, losses: &mut Losses) {
        let fields: Fields<'a> = block.read().unwrap_or_default();
        let Some((kind, inside)) = fields.present().next() else {
            return losses.add(format!("content[{index}]"), "a block with nothing in it");
        };
        let mut inner: Fields<'a> = inside.read().unwrap_or_default();
        match kind {
            "text" => self.text(inside.read().unwrap_or_default()),
            "reasoningContent" => self.reason(inner, family),
            "toolUse" if inner.get("type").is_none() => self.call(inner, index, losses),
            "citationsContent" => {
                let texts: Vec<Fields<'a>> =
                    take(&mut inner, "content").and_then(|list| list.read()).unwrap_or_default();
                texts.into_iter().for_each(|mut piece| self.text(take_text(&mut piece, "text")));
                let told: Vec<Json<'a>> =
                    take(&mut inner, "citations").and_then(|list| list.read()).unwrap_or_default();
                self.annotations.extend(told.iter().map(citation));
            }
            "image" => match image(&inner) {
                Some(part) => self.part(part),
                None => self.part(own_part(block)),
            },
            _ => self.part(own_part(block)),
        }
    }

    fn text(&mut self, text: Text<'a>) {
        if !text.is_empty() {
            self.part(Part::new(PartBody::Text(text)));
        }
    }

    fn part(&mut self, part: Part<'a>) {
        self.order.push(Place::Content(self.parts.len()));
        self.parts.push(part);
    }

    fn reason(&mut self, mut fields: Fields<'a>, family: Family) {
        let redacted = take_text(&mut fields, "redactedContent");
        let text = take(&mut fields, "reasoningText").and_then(|text| text.read::<Fields<'a>>());
        let mut text = text.unwrap_or_default();
        let detail = if redacted.is_empty() {
            ReasoningDetail {
                kind: "reasoning.text".into(),
                text: Some(take_text(&mut text, "text")),
                signature: Some(take_text(&mut text, "signature")).filter(|text| !text.is_empty()),
                format: Some(family.signature_format().into()),
                ..ReasoningDetail::default()
            }
        } else {
            ReasoningDetail {
                kind: "reasoning.encrypted".into(),
                data: Some(redacted),
                format: Some(VENDOR.into()),
                ..ReasoningDetail::default()
            }
        };
        self.order.push(Place::Reasoning(self.reasoning.len()));
        self.reasoning.push(detail);
    }

    fn call(&mut self, mut fields: Fields<'a>, index: usize, losses: &mut Losses) {
        let id = take_text(&mut fields, "toolUseId");
        let name = take_text(&mut fields, "name");
        let input = take(&mut fields, "input").map_or_else(|| "{}".into(), |input| input.text());
        losses.add_fields(&fields, &format!("content[{index}].toolUse"), "a call has no place for it");
        self.order.push(Place::ToolCall(self.calls.len()));
        self.calls.push(ToolCall::function(id, name, input));
    }
}

/// A citation, as an annotation of Bedrock's own.
pub(crate) fn citation<'a>(citation: &Json<'_>) -> Json<'a> {
    json!({ "type": "vendor", "vendor": VENDOR, "value": citation.to_value() }).into()
}

/// An image that came as bytes.
pub(crate) fn image<'a>(fields: &Fields<'_>) -> Option<Part<'a>> {
    let format: Text<'_> = fields.get("format")?.read()?;
    let source: Fields<'_> = fields.get("source")?.read()?;
    let bytes: Text<'_> = source.get("bytes")?.read()?;
    let url = format!("data:image/{format};base64,{bytes}").into();
    Some(Part::new(PartBody::Image(ImageUrl { url, ..ImageUrl::default() })))
}
