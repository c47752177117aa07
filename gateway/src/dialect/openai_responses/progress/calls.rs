//! Calls of tools while they come in. Their pieces may interleave, so all of them stay open until the end.

use super::super::asked::Asked;
use super::super::events::Event;
use super::super::output::{Body, Call, Item, Status};
use super::super::said::{self, word};
use super::super::state::Owner;
use super::Progress;
use crate::error::GatewayError;

impl Progress {
    /// A call, or a piece of one.
    pub(in super::super) fn call(
        &mut self,
        call: &said::Call<'_>,
        asked: &Asked,
        out: &mut Vec<u8>,
    ) -> Result<(), GatewayError> {
        let place = call.index.unwrap_or(0);
        if place > self.calls.len() {
            return Err(GatewayError::plugin(format!("tool call {place} comes before its predecessor")));
        }
        if place == self.calls.len() {
            self.begin_call(place, call, asked, out)?;
        }
        let Some(&index) = self.calls.get(place) else { return Ok(()) };
        let Some(Item { id, body: Body::Call(open), .. }) = self.items.get_mut(index) else { return Ok(()) };
        let piece = word(&call.function.arguments);
        open.input.push_str(piece);
        let call_id = call.extra_content.map(|_| open.call_id.clone());
        if !piece.is_empty() && !open.custom {
            let event = Event {
                item_id: Some(id),
                output_index: Some(index),
                delta: Some(piece),
                ..Event::default()
            };
            self.events.send("response.function_call_arguments.delta", &event, out);
        }
        if let Some(call_id) = call_id {
            self.bind(Owner::Call(call_id), call.extra_content, None, out);
        }
        Ok(())
    }

    fn begin_call(
        &mut self,
        place: usize,
        call: &said::Call<'_>,
        asked: &Asked,
        out: &mut Vec<u8>,
    ) -> Result<(), GatewayError> {
        let flat = word(&call.function.name);
        if flat.is_empty() {
            return Err(GatewayError::plugin(format!("tool call {place} begins without a name")));
        }
        self.close(Status::Completed, out);
        let call_id = match word(&call.id) {
            "" => format!("call_{}_{place}", self.request_id),
            id => id.to_owned(),
        };
        let known = asked.names.known(flat);
        let custom = known.is_some_and(|known| known.custom);
        let call = Call {
            call_id,
            name: known.map_or(flat, |known| &known.name).to_owned(),
            namespace: known.and_then(|known| known.namespace.clone()),
            custom,
            input: String::new(),
        };
        let index = self.add(if custom { "ctc" } else { "fc" }, Body::Call(call), out);
        self.calls.push(index);
        Ok(())
    }

    /// Tells that a call is complete.
    pub(super) fn end_call(&mut self, index: usize, status: Status, out: &mut Vec<u8>) {
        let Some(Item { id, body: Body::Call(call), .. }) = self.items.get_mut(index) else { return };
        let of = || Event { item_id: Some(id), output_index: Some(index), ..Event::default() };
        if call.custom {
            call.input = input_of(std::mem::take(&mut call.input));
            let (delta, input) = (Some(call.input.as_str()), Some(call.input.as_str()));
            self.events.send("response.custom_tool_call_input.delta", &Event { delta, ..of() }, out);
            self.events.send("response.custom_tool_call_input.done", &Event { input, ..of() }, out);
        } else {
            if call.input.trim().is_empty() {
                call.input = "{}".to_owned();
            }
            let (name, arguments) = (Some(call.name.as_str()), Some(call.input.as_str()));
            let event = Event { name, arguments, ..of() };
            self.events.send("response.function_call_arguments.done", &event, out);
        }
        self.done(index, status, out);
    }
}

/// The text in a custom tool's arguments; arguments of another form are the text.
fn input_of(arguments: String) -> String {
    #[derive(serde::Deserialize)]
    struct Arguments {
        input: String,
    }
    serde_json::from_str(&arguments).map(|Arguments { input }| input).unwrap_or(arguments)
}
