//! A streamed answer, pulled: bytes in the client's dialect, the first event already there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use super::booked::Bill;
use super::exchange::Said;
use super::judged;
use super::keeper::Keeper;
use super::recall::Keeping;
use crate::adapter::{Ending, Lease};
use crate::dialect::lost::Lost;
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::passage::Passage;
use crate::dialect::{Dialect, Passing, StreamWriter, told};
use crate::domain::{Record, Usage};
use crate::error::{GatewayError, Kind};
use crate::route::refined;
use crate::state::Provider;
use crate::upstream::Body;

/// After the end of an answer the connection gets this long to end as well.
const LINGER: Duration = Duration::from_secs(1);

/// Where the events come from and how they become the client's.
enum Source {
    /// The provider speaks the client's dialect.
    Native(Box<Passage<'static>>),
    /// An adapter translates to canonical chunks, the dialect writes those.
    Translated(Box<Translated>),
}

struct Translated {
    lease: Lease,
    plugin: Arc<str>,
    /// When the request was there.
    started: Instant,
    /// For clients that cannot carry state themselves.
    keeper: Option<Keeper>,
}

/// One streamed answer.
pub(super) struct Stream {
    provider: Arc<Provider>,
    upstream: Body,
    source: Source,
    writer: Box<dyn StreamWriter>,
    /// What may be sent although it was not asked for yet: opening frames and the first event.
    held: BytesMut,
    usage: Usage,
    told_usage: bool,
    /// The success terminator is written (or has passed through).
    ended: bool,
    closed: bool,
    /// An error that came in the same bytes as good events, which go first.
    failed: Option<GatewayError>,
    /// Who keeps the answer before its end is told.
    keeping: Option<Keeping>,
    /// Finds what the client's dialect cannot show.
    lost: Option<Lost>,
    /// Bytes of text in the canonical chunks so far.
    said: u64,
    /// A later total was smaller than an earlier one.
    fell: bool,
    /// What the provider sent before the answer began; kept only where it is searched for triggers.
    raw: Vec<u8>,
    /// The answer itself has begun.
    spoke: bool,
    /// What it is booked as when it ends.
    bill: Option<Bill>,
}

impl Stream {
    /// A stream in the client's own dialect.
    pub(super) fn native(
        provider: &Arc<Provider>,
        upstream: Body,
        passage: Passage<'static>,
        writer: Box<dyn StreamWriter>,
    ) -> Self {
        Self::new(provider, upstream, Source::Native(Box::new(passage)), writer)
    }

    /// A stream through an adapter whose stream is open.
    pub(super) fn translated(
        provider: &Arc<Provider>,
        upstream: Body,
        lease: Lease,
        writer: Box<dyn StreamWriter>,
        started: Instant,
    ) -> Self {
        let plugin = Arc::clone(&provider.plugin);
        Self::new(
            provider,
            upstream,
            Source::Translated(Box::new(Translated { lease, plugin, started, keeper: None })),
            writer,
        )
    }

    /// With someone who gathers the state of the answer, and someone who keeps the answer itself.
    pub(super) fn kept_by(mut self, keeper: Option<Keeper>, keeping: Option<Keeping>) -> Self {
        self.keeping = keeping;
        if let Source::Translated(translated) = &mut self.source {
            translated.keeper = keeper;
        }
        self
    }

    fn new(provider: &Arc<Provider>, upstream: Body, source: Source, writer: Box<dyn StreamWriter>) -> Self {
        Self {
            provider: Arc::clone(provider),
            upstream,
            source,
            writer,
            held: BytesMut::new(),
            usage: Usage::default(),
            told_usage: false,
            ended: false,
            closed: false,
            failed: None,
            keeping: None,
            lost: None,
            said: 0,
            fell: false,
            raw: Vec::new(),
            spoke: false,
            bill: None,
        }
    }

    /// Reports what `lost` finds.
    #[must_use]
    pub(super) fn losing(mut self, lost: Option<Lost>) -> Self {
        self.lost = lost;
        self
    }

    /// Says what it is booked as when it ends.
    pub(super) fn billed(&mut self, bill: Option<Bill>) {
        self.bill = bill;
    }

    /// It goes no further: what it took until now, to be booked by another.
    pub(super) fn unbilled(&mut self) -> Option<Bill> {
        let (usage, said) = (self.usage(), self.said());
        let mut bill = self.bill.take()?;
        bill.note(usage, said);
        Some(bill)
    }

    /// Books what it took. Once; what is dropped before was left.
    pub(super) fn book(&mut self, error: Option<&GatewayError>) {
        if let Some(bill) = self.unbilled() {
            bill.ended(error);
        }
    }

    /// Pulls until the first event of the answer itself is there. Until then another target may be tried.
    pub(super) async fn begin(&mut self, record: &mut Record) -> Result<(), GatewayError> {
        let begun: Result<(), GatewayError> = async {
            while let Some((bytes, content)) = self.pull(record).await? {
                self.held.extend_from_slice(&bytes);
                self.spoke |= content;
                if content || self.ended {
                    break;
                }
            }
            Ok(())
        }
        .await;
        judged::without_trigger(&self.provider, &std::mem::take(&mut self.raw))?;
        begun
    }

    /// It has come to its end without any content.
    pub(super) fn says_nothing(&self) -> bool {
        self.ended && !self.spoke
    }

    /// The next bytes for the client; `None` after the success terminator.
    pub(super) async fn next(&mut self, record: &mut Record) -> Result<Option<Bytes>, GatewayError> {
        if !self.held.is_empty() {
            return Ok(Some(self.held.split().freeze()));
        }
        loop {
            match self.pull(record).await {
                Ok(Some((bytes, _))) if bytes.is_empty() => {}
                Ok(pulled) => return Ok(pulled.map(|(bytes, _)| bytes)),
                Err(mut error) => {
                    // As for errors before the first byte: a vendor may repeat the key it was sent.
                    self.provider.upstream.scrub(&mut error.message);
                    self.provider.upstream.scrub(&mut error.context);
                    return Err(refined(error, b"", self.provider.blame_key.as_ref()));
                }
            }
        }
    }

    /// The content type of the stream.
    pub(super) fn content_type(&self) -> &'static str {
        self.writer.content_type()
    }

    /// What a silent stream sends as a sign of life.
    pub(super) fn keep_alive(&self) -> Bytes {
        let mut out = Vec::new();
        self.writer.keep_alive(&mut out);
        out.into()
    }

    /// The error event, and never a success terminator.
    pub(super) fn fail(&mut self, error: &GatewayError, request_id: &str) -> Bytes {
        let mut out = Vec::new();
        match &self.source {
            Source::Native(passage) => passage.fail(self.writer.as_mut(), error, request_id, &mut out),
            Source::Translated(_) => self.writer.fail(error, request_id, &mut out),
        }
        out.into()
    }

    /// What the provider has counted so far.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.told_usage.then_some(self.usage)
    }

    /// How much was said, and whether the end came.
    pub(super) fn said(&self) -> Said {
        let (bytes, fell) = match &self.source {
            Source::Native(passage) => (passage.said(), passage.usage_fell()),
            Source::Translated(_) => (self.said, self.fell),
        };
        Said { bytes, complete: self.ended, usage_fell: fell }
    }

    /// What comes after the end. The answer is complete: a connection that breaks or hangs now is no failure of it,
    /// and one that ends soon can be used again.
    async fn linger(&mut self) -> Option<Bytes> {
        let next = tokio::time::timeout(LINGER, self.upstream.next()).await;
        next.ok().and_then(Result::ok).flatten()
    }

    /// One read from the provider. `None`: the answer is complete. The flag: it holds the answer itself.
    async fn pull(&mut self, record: &mut Record) -> Result<Option<(Bytes, bool)>, GatewayError> {
        if let Some(error) = self.failed.take() {
            self.closed = true;
            return Err(error);
        }
        if self.closed {
            return Ok(None);
        }
        let read = if self.ended { self.linger().await } else { self.upstream.next().await? };
        if let Some(read) = &read
            && !self.spoke
            && !self.provider.error_triggers.is_empty()
        {
            self.raw.extend_from_slice(read);
        }
        let Self {
            source, writer, usage, told_usage, ended, closed, failed, said, fell, lost, keeping, ..
        } = self;
        *closed = read.is_none();
        let mut out = Vec::new();
        let content = match source {
            Source::Native(passage) => {
                pass(passage, read.as_ref(), &mut out, failed);
                usage.update(passage.usage());
                *told_usage = passage.usage() != Usage::default();
                *ended = passage.has_ended();
                passage.has_content()
            }
            // After its own ending an adapter has nothing more to say, and may not fail any more.
            Source::Translated(_) if *ended => false,
            Source::Translated(translated) => {
                let step = translated.step(read.as_ref(), record)?;
                record.lose(step.losses);
                if let Some(told) = step.usage {
                    let before = usage.output;
                    usage.update(told);
                    *fell |= usage.output < before;
                    *told_usage = true;
                }
                lose(lost.as_mut(), &step.chunks, record);
                let content =
                    write_lines(writer.as_mut(), translated.keeper.as_mut(), &step.chunks, &mut out, said)?;
                match step.ending {
                    Some(Ending::Complete) if !*ended => {
                        *ended = true;
                        writer.took(translated.started.elapsed());
                        writer.finish(&mut out);
                    }
                    Some(Ending::Failed(error)) => *failed = Some(error),
                    _ => {}
                }
                content
            }
        };
        if *ended && let Some(keeping) = keeping.take() {
            keeping.keep_end(writer.as_mut(), &mut out).await;
        }
        if *closed && !*ended && failed.is_none() {
            *failed = Some(cut());
        }
        if out.is_empty()
            && let Some(error) = failed.take()
        {
            return Err(error);
        }
        Ok((!(*closed && out.is_empty())).then(|| (out.into(), content)))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        drop(self.unbilled());
    }
}

/// Notes what the client's dialect cannot show of these chunks.
fn lose(lost: Option<&mut Lost>, chunks: &[u8], record: &mut Record) {
    let Some(lost) = lost else { return };
    for line in chunks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        record.lose(lost.of(line));
    }
}

/// The provider closed without saying that it was done.
fn cut() -> GatewayError {
    GatewayError::upstream(Kind::Malformed, "the provider's stream was cut off before its end")
}

fn pass(
    passage: &mut Passage<'static>,
    read: Option<&Bytes>,
    out: &mut Vec<u8>,
    failed: &mut Option<GatewayError>,
) {
    match read {
        Some(bytes) => {
            let forward = passage.push(bytes);
            out.extend_from_slice(&forward.held);
            out.extend_from_slice(&forward.fresh);
        }
        None => out.extend_from_slice(&passage.finish()),
    }
    *failed = passage.failure().cloned();
}

impl Translated {
    fn step(
        &mut self,
        read: Option<&Bytes>,
        record: &mut Record,
    ) -> Result<crate::adapter::Step, GatewayError> {
        let began = Instant::now();
        let translator = self.lease.translator()?;
        let (function, step) = match read {
            Some(bytes) => ("push", translator.push(bytes)),
            None => ("finish", translator.finish()),
        };
        let outcome = super::attempt::outcome(step.as_ref().err());
        record.count_plugin_call(&self.plugin, function, outcome, began.elapsed());
        step
    }
}

/// Canonical lines → the client's events. True: one of them is the answer itself.
fn write_lines(
    writer: &mut dyn StreamWriter,
    mut keeper: Option<&mut Keeper>,
    chunks: &[u8],
    out: &mut Vec<u8>,
    said: &mut u64,
) -> Result<bool, GatewayError> {
    let mut content = false;
    let mut rest = chunks;
    while let Some(end) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        // Canonical chunks are OpenAI's, so what is content there is content here.
        match OpenAiChat.passing(line, &mut Usage::default()) {
            Passing::Content => {
                content = true;
                *said += told::streamed(line);
            }
            Passing::Quiet => {}
            Passing::Stopped | Passing::End | Passing::Failed(_) => {
                return Err(GatewayError::plugin("a chunk of the adapter is not canonical chat"));
            }
        }
        writer.chunk(line, out)?;
        if let Some(keeper) = &mut keeper {
            keeper.take(line);
        }
    }
    if !rest.is_empty() {
        return Err(GatewayError::plugin("the adapter's chunks do not end in a line feed"));
    }
    Ok(content)
}
