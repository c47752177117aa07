//! Anthropic's events as canonical chunks.

mod blocks;

use plugin_sdk::chat::{Chunk, Delta, End, Fields, FinishReason, Head, Json, Lines, Text};
use plugin_sdk::{Ending, Failure, Losses, Step, StreamTranslator, json, sse};
use serde_json::{Map, Value};

use crate::error;
use crate::response::{finish_reason, take, take_text, vendor};
use crate::usage::Tally;
use blocks::{BlockDelta, Blocks};

/// One stream.
#[derive(Default)]
pub struct Stream {
    splitter: sse::Splitter,
    answer: Answer,
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let (mut out, answer) = (Out::default(), &mut self.answer);
        let read = self.splitter.push(bytes, |event| answer.event(event, &mut out));
        Ok(out.into_step(answer, read))
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let (mut out, answer) = (Out::default(), &mut self.answer);
        let read = self.splitter.finish(|event| answer.event(event, &mut out));
        Ok(out.into_step(answer, read))
    }
}

/// What one push made.
#[derive(Default)]
struct Out {
    lines: Lines,
    losses: Losses,
    tells_usage: bool,
    ending: Option<Ending>,
}

impl Out {
    /// Events that make no sense end the stream, but not what was understood before them in the same bytes.
    fn into_step(self, answer: &mut Answer, read: Result<(), Failure>) -> Step {
        let usage = if self.tells_usage { answer.tally.usage() } else { None };
        let ending = match read {
            Err(failure) if !answer.ended => {
                answer.ended = true;
                Some(Ending::Failed(failure))
            }
            _ => self.ending,
        };
        self.lines.into_step(usage, self.losses.into_vec(), ending)
    }
}

/// What was understood so far.
#[derive(Default)]
struct Answer {
    head: Head,
    blocks: Blocks,
    tally: Tally,
    /// Why it stopped, and where; told once all has been said.
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    /// Fields of the message without a canonical name.
    own: Map<String, Value>,
    /// The choice has been opened with its role.
    opened: bool,
    ended: bool,
}

/// `content_block_start`
#[derive(serde::Deserialize)]
struct BlockStart<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    content_block: Json<'a>,
}

/// `content_block_delta`
#[derive(serde::Deserialize)]
struct BlockPiece<'a> {
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    delta: BlockDelta<'a>,
}

/// `content_block_stop`
#[derive(serde::Deserialize)]
struct BlockStop {
    #[serde(default)]
    index: u64,
}

/// An event whose name was missing or unknown.
#[derive(serde::Deserialize)]
struct Tagged<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

impl Answer {
    fn event(&mut self, event: sse::Event<'_>, out: &mut Out) -> Result<(), Failure> {
        if self.ended {
            return Ok(());
        }
        if event.name.is_empty() {
            let tagged: Tagged<'_> = json::answer("event", event.data)?;
            return self.named(&tagged.kind, event.data, out);
        }
        self.named(event.name, event.data, out)
    }

    fn named(&mut self, name: &str, data: &[u8], out: &mut Out) -> Result<(), Failure> {
        match name {
            "content_block_delta" => {
                let piece: BlockPiece<'_> = json::answer("event", data)?;
                if let Some(delta) = self.blocks.grow(piece.index, piece.delta, &mut out.losses) {
                    emit(&self.head, &mut self.opened, delta, out);
                }
            }
            "content_block_start" => {
                let start: BlockStart<'_> = json::answer("event", data)?;
                if let Some(delta) = self.blocks.start(start.index, &start.content_block, &mut out.losses) {
                    emit(&self.head, &mut self.opened, delta, out);
                }
            }
            "content_block_stop" => {
                let stop: BlockStop = json::answer("event", data)?;
                if let Some(delta) = self.blocks.stop(stop.index) {
                    emit(&self.head, &mut self.opened, delta, out);
                }
            }
            "message_start" => self.start(json::answer("event", data)?, out),
            "message_delta" => self.delta(json::answer("event", data)?, out),
            "message_stop" => self.stop(out),
            "error" => {
                let fields: Fields<'_> = json::answer("event", data)?;
                let told = fields.get("error").cloned().unwrap_or_default();
                out.ending = Some(Ending::Failed(error::in_stream(&told)));
                self.ended = true;
            }
            "ping" => {}
            _ => out.losses.add(name, "an event this adapter does not know"),
        }
        Ok(())
    }

    fn start(&mut self, event: Fields<'_>, out: &mut Out) {
        let mut message: Fields<'_> = event.get("message").and_then(Json::read).unwrap_or_default();
        self.head.id = take_text(&mut message, "id").to_string();
        self.head.model = take_text(&mut message, "model").to_string();
        self.count(take(&mut message, "usage"), out);
        let constants = ["type", "role", "content", "stop_reason", "stop_sequence"];
        self.keep(&message, &constants);
    }

    fn delta(&mut self, mut event: Fields<'_>, out: &mut Out) {
        self.count(take(&mut event, "usage"), out);
        let delta = take(&mut event, "delta");
        let mut delta: Fields<'_> = delta.and_then(|delta| delta.read()).unwrap_or_default();
        let text = |value: Option<Json<'_>>| value.and_then(|text| text.read::<String>());
        self.stop_reason = text(take(&mut delta, "stop_reason")).or(self.stop_reason.take());
        self.stop_sequence = text(take(&mut delta, "stop_sequence")).or(self.stop_sequence.take());
        self.keep(&delta, &[]);
        self.keep(&event, &["type"]);
    }

    fn count(&mut self, usage: Option<Json<'_>>, out: &mut Out) {
        if let Some(report) = usage.and_then(|usage| usage.read()) {
            self.tally.take(&report);
            out.tells_usage = true;
        }
    }

    fn keep(&mut self, fields: &Fields<'_>, but: &[&str]) {
        let kept = fields.present().filter(|(name, _)| !but.contains(name));
        self.own.extend(kept.map(|(name, value)| (name.to_owned(), value.to_value())));
    }

    fn stop(&mut self, out: &mut Out) {
        while let Some(delta) = self.blocks.stop_any() {
            emit(&self.head, &mut self.opened, delta, out);
        }
        if !self.opened {
            emit(&self.head, &mut self.opened, Delta::default(), out);
        }
        let called = self.blocks.called();
        let default = if called { FinishReason::ToolCalls } else { FinishReason::Stop };
        let called = called || !self.blocks.answered();
        let reason = self.stop_reason.as_deref().map_or(default, |native| finish_reason(native, called));
        let end = End {
            native_finish_reason: self.stop_reason.take().map(Text::from),
            stop_sequence: self.stop_sequence.take().map(Text::from),
            vendor: vendor(std::mem::take(&mut self.own)),
        };
        out.lines.push(&Chunk::finish(&self.head, 0, reason, end));
        if let Some(report) = self.tally.report() {
            out.lines.push(&Chunk::usage(&self.head, report));
        }
        out.ending = Some(Ending::Complete);
        self.ended = true;
    }
}

/// Writes a chunk; the first one carries the role.
fn emit(head: &Head, opened: &mut bool, mut delta: Delta<'_>, out: &mut Out) {
    if !std::mem::replace(opened, true) {
        delta.role = Some(plugin_sdk::chat::Assistant);
    }
    out.lines.push(&Chunk::delta(head, 0, delta));
}
