//! Converse's events as canonical chunks.

mod blocks;
mod frame;

use plugin_sdk::chat::{Assistant, Chunk, Delta, End, Fields, Head, Lines, Text};
use plugin_sdk::{Ending, Failure, Header, Losses, Route, Step, StreamTranslator, Usage, failure, json};
use serde_json::{Map, Value};

use crate::model::Family;
use crate::response::{finish_reason, keep, take, take_text, vendor};
use crate::usage::Tally;
use crate::{error, request_id};
use blocks::{BlockPiece, BlockStart, BlockStop, Blocks};
use frame::{Frame, Frames};

/// One stream.
pub(crate) struct Stream {
    frames: Frames,
    answer: Answer,
}

impl Stream {
    /// A stream that has said nothing yet.
    pub(crate) fn open(route: &Route, headers: &[Header]) -> Self {
        let head = Head { id: request_id(headers).to_owned(), model: route.model.clone() };
        let blocks = Blocks::of(Family::of(&route.model));
        let answer = Answer { head, blocks, own: Map::new(), stopped: None, opened: false, ended: false };
        Self { frames: Frames::default(), answer }
    }
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let (mut out, answer) = (Out::default(), &mut self.answer);
        if answer.ended {
            return Ok(Step::default());
        }
        let read = self.frames.push(bytes, |frame| answer.frame(&frame, &mut out));
        Ok(out.into_step(answer, read))
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let (mut out, answer) = (Out::default(), &mut self.answer);
        // `metadata` comes last; a stream that was told to stop is whole without it.
        if answer.stopped.is_some() && !answer.ended {
            answer.complete(None, &mut out);
        }
        Ok(out.into_step(answer, Ok(())))
    }
}

/// What one push made.
#[derive(Default)]
struct Out {
    lines: Lines,
    losses: Losses,
    usage: Option<Usage>,
    ending: Option<Ending>,
}

impl Out {
    /// Bytes that make no sense end the stream, but not what was understood before them.
    fn into_step(self, answer: &mut Answer, read: Result<(), Failure>) -> Step {
        let ending = match read {
            Err(failure) if !answer.ended => {
                answer.ended = true;
                Some(Ending::Failed(failure))
            }
            _ => self.ending,
        };
        self.lines.into_step(self.usage, self.losses.into_vec(), ending)
    }
}

/// Why it stopped; told once all has been said.
struct Stopped {
    reason: Option<String>,
    sequence: Option<String>,
}

/// What was understood so far.
struct Answer {
    head: Head,
    blocks: Blocks,
    /// Fields without a canonical name.
    own: Map<String, Value>,
    stopped: Option<Stopped>,
    /// The choice has been opened with its role.
    opened: bool,
    ended: bool,
}

impl Answer {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Out) -> Result<(), Failure> {
        if self.ended {
            return Ok(());
        }
        match frame.message_type {
            "event" => self.event(frame.name, frame.payload, out),
            "exception" | "error" => Err(error::in_stream(frame.name, frame.payload, frame.error_message)),
            other => Err(failure::malformed(format!(
                "the provider's event stream makes no sense: a message of type `{other}`"
            ))),
        }
    }

    fn event(&mut self, name: &str, payload: &[u8], out: &mut Out) -> Result<(), Failure> {
        match name {
            "contentBlockDelta" => {
                let piece: BlockPiece<'_> = json::answer("event", payload)?;
                if let Some(delta) = self.blocks.grow(piece, &mut out.losses) {
                    self.emit(delta, out);
                }
            }
            "contentBlockStart" => {
                let start: BlockStart<'_> = json::answer("event", payload)?;
                if let Some(delta) = self.blocks.start(start, &mut out.losses) {
                    self.emit(delta, out);
                }
            }
            "contentBlockStop" => {
                let stop: BlockStop = json::answer("event", payload)?;
                if let Some(delta) = self.blocks.stop(stop) {
                    self.emit(delta, out);
                }
            }
            "messageStart" => self.emit(Delta::default(), out),
            "messageStop" => {
                let mut event: Fields<'_> = json::answer("event", payload)?;
                let reason = take_text(&mut event, "stopReason").to_string();
                let sequence = self.keep(event);
                self.stopped =
                    Some(Stopped { reason: Some(reason).filter(|text| !text.is_empty()), sequence });
            }
            "metadata" => {
                let mut event: Fields<'_> = json::answer("event", payload)?;
                let usage = take(&mut event, "usage").and_then(|usage| usage.read());
                let tally = usage.map(|report| Tally::of(&report));
                self.keep(event);
                self.complete(tally, out);
            }
            _ => out.losses.add(name, "an event this adapter does not know"),
        }
        Ok(())
    }

    /// Keeps what has no name in canonical chat, but for the filler; the stop sequence, when it is told.
    fn keep(&mut self, mut event: Fields<'_>) -> Option<String> {
        take(&mut event, "p");
        keep(&event, &mut self.own)
    }

    /// Writes a chunk; the first one carries the role.
    fn emit(&mut self, mut delta: Delta<'_>, out: &mut Out) {
        if std::mem::replace(&mut self.opened, true) {
            if delta_is_empty(&delta) {
                return;
            }
        } else {
            delta.role = Some(Assistant);
        }
        out.lines.push(&Chunk::delta(&self.head, 0, delta));
    }

    fn complete(&mut self, tally: Option<Tally>, out: &mut Out) {
        let Some(stopped) = self.stopped.take() else {
            // Usage without an end: whatever follows, the stream is not whole.
            out.usage = tally.map(|tally| tally.usage);
            return;
        };
        if !self.opened {
            self.emit(Delta::default(), out);
        }
        let reason = finish_reason(stopped.reason.as_deref(), self.blocks.called());
        let end = End {
            native_finish_reason: stopped.reason.map(Text::from),
            stop_sequence: stopped.sequence.map(Text::from),
            vendor: vendor(std::mem::take(&mut self.own)),
        };
        out.lines.push(&Chunk::finish(&self.head, 0, reason, end));
        if let Some(tally) = tally {
            out.lines.push(&Chunk::usage(&self.head, tally.report()));
            out.usage = Some(tally.usage);
        }
        out.ending = Some(Ending::Complete);
        self.ended = true;
    }
}

/// Only the role would stand in it.
fn delta_is_empty(delta: &Delta<'_>) -> bool {
    delta.content.is_none()
        && delta.reasoning_details.is_empty()
        && delta.tool_calls.is_empty()
        && delta.content_parts.is_empty()
        && delta.annotations.is_empty()
}
