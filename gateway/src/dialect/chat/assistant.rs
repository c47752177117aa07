//! The assistant's turn, put together from its blocks.

use serde_json::value::RawValue;

use super::{Annotation, Content, Json, Message, Part, Place, ReasoningDetail, ToolCall};
use crate::dialect::object;
use crate::dialect::seal::Owner;

/// The assistant's blocks while they come in, with the order they stand in.
#[derive(Default)]
pub(in crate::dialect) struct Said<'a> {
    pub(in crate::dialect) reasoning: Vec<ReasoningDetail<'a>>,
    pub(in crate::dialect) parts: Vec<Part<'a>>,
    pub(in crate::dialect) calls: Vec<ToolCall<'a>>,
    pub(in crate::dialect) annotations: Vec<Annotation<'a>>,
    /// State of other vendors, and what it is bound to.
    pub(in crate::dialect) bound: Vec<(Owner, Box<RawValue>)>,
    order: Vec<Place>,
}

impl<'a> Said<'a> {
    /// A thought.
    pub(in crate::dialect) fn think(&mut self, detail: ReasoningDetail<'a>) {
        self.order.push(Place::Reasoning(self.reasoning.len()));
        self.reasoning.push(detail);
    }

    /// Something said.
    pub(in crate::dialect) fn say(&mut self, part: Part<'a>) {
        self.order.push(Place::Content(self.parts.len()));
        self.parts.push(part);
    }

    /// A call.
    pub(in crate::dialect) fn call(&mut self, call: ToolCall<'a>) {
        self.order.push(Place::ToolCall(self.calls.len()));
        self.calls.push(call);
    }

    /// Where the last block went.
    pub(in crate::dialect) fn last(&self) -> Option<Place> {
        self.order.last().copied()
    }

    /// Puts it together; the order is told only where it is not the usual one.
    pub(in crate::dialect) fn message(mut self) -> Message<'a> {
        let mut message = Message { role: "assistant", ..Message::default() };
        for (owner, state) in self.bound {
            let state = Some(Json::Made(state));
            match owner {
                Owner::Message => message.extra_content = state,
                Owner::Content(index) => {
                    if let Some(part) = self.parts.get_mut(index) {
                        part.extra_content = state;
                    }
                }
                Owner::Call(id) => {
                    let is_it = |call: &&mut ToolCall<'_>| {
                        object::decode(call.id).is_some_and(|own| own == id.as_str())
                    };
                    if let Some(call) = self.calls.iter_mut().find(is_it) {
                        call.extra_content = state;
                    }
                }
            }
        }
        if !self.order.is_sorted() {
            message.order = self.order;
        }
        let silent = self.parts.is_empty() && !(self.calls.is_empty() && self.reasoning.is_empty());
        message.content = (!silent).then(|| Content::simplest(self.parts));
        message.reasoning_details = self.reasoning;
        message.tool_calls = self.calls;
        message.annotations = self.annotations;
        message
    }
}
