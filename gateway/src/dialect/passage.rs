//! A stream that passes through untouched, because client and provider speak the same dialect.
//!
//! [`Passage`] forwards whole events only, byte for byte, and looks at each on its way: what it costs, whether the answer
//! has begun, whether it has ended. So when the provider fails or is cut off, the client's stream stops between two events
//! and an error event of the dialect can follow.

mod array;
mod frames;

use std::borrow::Cow;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::{Dialect, Passing, StreamWriter, nothing, sse, told};
use crate::domain::{Framing, Usage};
use crate::error::{GatewayError, Kind};

/// The longest event that is taken.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// The state of one stream.
pub struct Passage<'d> {
    dialect: &'d dyn Dialect,
    boundary: Boundary,
    /// The beginning of an event whose end has not come.
    held: BytesMut,
    usage: Usage,
    content: bool,
    ended: bool,
    /// All was said; a clean end of the connection is a success.
    stopped: bool,
    forwarded: bool,
    failure: Option<GatewayError>,
    /// Usage was asked for by us and not by the client, who does not get it.
    usage_is_ours: bool,
    /// Bytes of text in the events so far.
    said: u64,
    /// A later total was smaller than an earlier one.
    fell: bool,
    choices: Choices,
}

/// What may go to the client now, in this order; either may be empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// The event that began in an earlier slice.
    pub held: Bytes,
    /// Whole events of this slice, without a copy.
    pub fresh: Bytes,
}

impl Forward {
    /// Nothing may go out.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.fresh.is_empty()
    }
}

/// The choices of a stream: vendors that never say its terminator still say how each choice ended, and a clean close of
/// the connection behind that is no cut. (Adapters judge the streams they translate by the same rule.)
#[derive(Debug, Default)]
pub struct Choices {
    open: Vec<u64>,
    any: bool,
}

impl Choices {
    /// A choice says something.
    pub fn begun(&mut self, index: u64) {
        if !self.open.contains(&index) {
            self.open.push(index);
        }
    }

    /// A choice said how it ended.
    pub fn ended(&mut self, index: u64) {
        self.open.retain(|open| *open != index);
        self.any = true;
    }

    fn all_ended(&self) -> bool {
        self.any && self.open.is_empty()
    }
}

enum Boundary {
    Sse(sse::Boundary),
    JsonArray(array::Boundary),
    /// One object a line.
    Lines,
    Frames(frames::Boundary),
}

impl<'d> Passage<'d> {
    /// A stream that has not begun.
    pub fn new(dialect: &'d dyn Dialect, framing: Framing) -> Self {
        let boundary = match framing {
            Framing::Sse => Boundary::Sse(sse::Boundary::default()),
            Framing::JsonArray => Boundary::JsonArray(array::Boundary::default()),
            Framing::Ndjson => Boundary::Lines,
            Framing::EventStream => Boundary::Frames(frames::Boundary::default()),
        };
        Self {
            dialect,
            boundary,
            held: BytesMut::new(),
            usage: Usage::default(),
            content: false,
            ended: false,
            stopped: false,
            forwarded: false,
            failure: None,
            usage_is_ours: false,
            said: 0,
            fell: false,
            choices: Choices::default(),
        }
    }

    /// Keeps back what [`Dialect::unasked`] finds; every other byte stays as it is.
    #[must_use]
    pub fn keeping_usage(self, usage_is_ours: bool) -> Self {
        Self { usage_is_ours, ..self }
    }

    /// Takes bytes cut anywhere and gives back what may be forwarded: up to the end of the last whole event, and never
    /// an event that reports an error (see [`Passage::failure`]) or anything behind it.
    pub fn push(&mut self, bytes: &Bytes) -> Forward {
        let mut held = Bytes::new();
        let (mut fresh_from, mut start) = (0, 0);
        // Whole events with something cut out; what is behind `fresh_from` comes after it.
        let mut cut = BytesMut::new();
        while self.failure.is_none()
            && let Some(end) = self.boundary.next_end(bytes, start)
        {
            let event = bytes.slice(start..end);
            if self.held.is_empty() {
                let unasked = self.look(&event);
                if self.failure.is_none()
                    && let Some(unasked) = unasked
                {
                    cut.extend_from_slice(bytes.get(fresh_from..start).unwrap_or_default());
                    cut.extend_from_slice(&without(&event, unasked));
                    fresh_from = end;
                }
            } else {
                self.held.extend_from_slice(&event);
                let whole = self.held.split().freeze();
                let unasked = self.look(&whole);
                if self.failure.is_none() {
                    held = unasked.map_or_else(|| whole.clone(), |unasked| without(&whole, unasked).into());
                    fresh_from = end;
                }
            }
            if self.failure.is_none() {
                start = end;
            }
        }
        self.hold(bytes.get(start..).unwrap_or_default());
        let fresh = if cut.is_empty() {
            bytes.slice(fresh_from..start)
        } else {
            cut.extend_from_slice(bytes.get(fresh_from..start).unwrap_or_default());
            cut.freeze()
        };
        let forward = Forward { held, fresh };
        self.forwarded |= !forward.is_empty();
        forward
    }

    /// The provider closed. An event whose closing blank line is missing still counts when its data is whole; it comes
    /// back with the line ends it lacks. Half an event is dropped. A terminator the provider forgot is added.
    pub fn finish(&mut self) -> Bytes {
        let mut last = self.last_event();
        if self.failure.is_none() && !self.ended && self.choices.all_ended() {
            self.ended = true;
            last.extend_from_slice(self.dialect.terminator());
        }
        last.into()
    }

    fn last_event(&mut self) -> Vec<u8> {
        let held = self.held.split();
        self.ended |= self.stopped && held.is_empty();
        if self.failure.is_some() || held.is_empty() {
            return Vec::new();
        }
        if held.trim_ascii().is_empty() {
            return held.to_vec();
        }
        let whole = match self.boundary {
            Boundary::JsonArray(_) | Boundary::Frames(_) => false,
            Boundary::Sse(_) => sse::data_of(&held).is_some_and(|data| is_whole(&data)),
            Boundary::Lines => is_whole(&held),
        };
        if !whole {
            return Vec::new();
        }
        // Behind a CR the first LF would only be the rest of its line end.
        let one = held.ends_with(b"\n") || matches!(self.boundary, Boundary::Lines);
        let missing: &[u8] = if one { b"\n" } else { b"\n\n" };
        let event = [&held, missing].concat();
        let unasked = self.look(&event);
        if self.failure.is_some() {
            return Vec::new();
        }
        let event = unasked.map_or_else(|| event.clone(), |unasked| without(&event, unasked));
        self.forwarded |= !event.is_empty();
        event
    }

    /// Writes the error behind what was forwarded, in the stream's own framing.
    pub fn fail(
        &self,
        writer: &mut dyn StreamWriter,
        error: &GatewayError,
        request_id: &str,
        out: &mut Vec<u8>,
    ) {
        let array = matches!(self.boundary, Boundary::JsonArray(_));
        if !(array && self.forwarded) {
            return writer.fail(error, request_id, out);
        }
        // The writer does not know that the array is open and has elements.
        out.extend_from_slice(b",\r\n");
        out.extend_from_slice(&self.dialect.error(error, request_id));
        out.extend_from_slice(b"]");
    }

    /// What the stream has told so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The answer itself has begun.
    pub fn has_content(&self) -> bool {
        self.content
    }

    /// The success terminator was seen: a close is no cut.
    pub fn has_ended(&self) -> bool {
        self.ended || matches!(&self.boundary, Boundary::JsonArray(boundary) if boundary.is_closed())
    }

    /// Bytes of text in the events so far.
    pub fn said(&self) -> u64 {
        self.said
    }

    /// A later total was smaller than an earlier one.
    pub fn usage_fell(&self) -> bool {
        self.fell
    }

    /// Something went to the client.
    pub fn has_forwarded(&self) -> bool {
        self.forwarded
    }

    /// Why nothing more will be forwarded.
    pub fn failure(&self) -> Option<&GatewayError> {
        self.failure.as_ref()
    }

    /// Judges an event; gives back the bytes of it that are not for the client.
    fn look(&mut self, event: &[u8]) -> Option<Range<usize>> {
        if event.len() > MAX_EVENT {
            self.failure = Some(too_long());
            return None;
        }
        let data = match &self.boundary {
            Boundary::Sse(_) => sse::data_of(event),
            Boundary::JsonArray(_) => array::element_of(event).map(Cow::Borrowed),
            Boundary::Lines => Some(Cow::Borrowed(event.trim_ascii())).filter(|line| !line.is_empty()),
            // The event's name stands in the frame.
            Boundary::Frames(_) => Some(Cow::Borrowed(event)),
        };
        let data = data?;
        let before = self.usage.output;
        match self.dialect.passing(&data, &mut self.usage) {
            Passing::Quiet => self.dialect.choices(&data, &mut self.choices),
            Passing::Content => {
                self.dialect.choices(&data, &mut self.choices);
                self.content = true;
                self.said += told::streamed(&data);
            }
            Passing::Stopped => self.stopped = true,
            Passing::End => {
                // Some vendors say their last words in the event that ends the stream.
                self.content |= !nothing::in_answer(&data);
                self.said += told::streamed(&data);
                self.ended = true;
            }
            Passing::Failed(error) => self.failure = Some(error),
        }
        self.fell |= self.usage.output < before;
        let unasked = self.usage_is_ours.then(|| self.dialect.unasked(&data)).flatten()?;
        // Data in several lines was joined: its places are not those of the event, which goes as it is.
        let Cow::Borrowed(data) = data else { return None };
        if unasked == (0..data.len()) {
            return Some(0..event.len());
        }
        let start = data.as_ptr().addr() - event.as_ptr().addr();
        Some(start + unasked.start..start + unasked.end)
    }

    fn hold(&mut self, rest: &[u8]) {
        let broken = match &self.boundary {
            Boundary::JsonArray(boundary) if boundary.is_broken() => {
                Some("the provider's stream is not a JSON array of objects")
            }
            Boundary::Frames(boundary) if boundary.is_broken() => {
                Some("the provider's stream is not an event stream of AWS's")
            }
            _ => None,
        };
        if let Some(message) = broken.filter(|_| self.failure.is_none()) {
            self.failure = Some(GatewayError::upstream(Kind::Malformed, message));
        }
        if self.failure.is_some() {
            self.held.clear();
            return;
        }
        self.held.extend_from_slice(rest);
        if self.held.len() > MAX_EVENT {
            self.held.clear();
            self.failure = Some(too_long());
        }
    }
}

impl Boundary {
    fn next_end(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        match self {
            Self::Sse(boundary) => boundary.next_end(bytes, from),
            Self::JsonArray(boundary) => boundary.next_end(bytes, from),
            Self::Lines => Some(from + memchr::memchr(b'\n', bytes.get(from..)?)? + 1),
            Self::Frames(boundary) => boundary.next_end(bytes, from),
        }
    }
}

fn without(event: &[u8], span: Range<usize>) -> Vec<u8> {
    let (front, behind) = (event.get(..span.start), event.get(span.end..));
    [front.unwrap_or_default(), behind.unwrap_or_default()].concat()
}

fn too_long() -> GatewayError {
    GatewayError::upstream(Kind::Malformed, format!("the provider sent an event over {MAX_EVENT} bytes"))
}

/// Not half of something: JSON to its end, or OpenAI's terminator.
fn is_whole(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]" || serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok()
}

#[cfg(test)]
mod tests;
