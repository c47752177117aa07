//! From vendor to client, streamed: what arrives, and that it is the same however the bytes were cut and framed.

use bytes::Bytes;
use http::HeaderMap;

use super::Pair;
use super::adapter::Subject;
use super::answer::facts;
use super::fixture::{Feature, Of, header_map};
use super::request::judge;
use super::verdict::Verdict;
use super::wire::{Sent, events};
use crate::adapter::{Ending, Route, Step};
use crate::dialect::lost::Lost;
use crate::dialect::passage::Passage;
use crate::dialect::{Passing, StreamWriter};
use crate::domain::Usage;
use crate::error::GatewayError;

impl Pair<'_> {
    /// The verdict on a streamed answer.
    pub(super) fn streamed(&self) -> Verdict {
        self.stream_verdict().unwrap_or_else(|verdict| verdict)
    }

    fn stream_verdict(&self) -> Result<Verdict, Verdict> {
        let answered = self.answered(&self.feature.id)?;
        if let Some(unsaid) = &answered.stream_unsaid {
            return Err(Verdict::Unsaid(unsaid.clone()));
        }
        let sent = Sent::of(answered).map_err(Verdict::Fail)?;
        let sent = sent.ok_or_else(|| Verdict::Fail("the vendor's fixture has no stream".to_owned()))?;
        let envelope = self.asking(&self.feature.id, true)?;
        let dialect = self.speaking.dialect;
        if self.subject.passes(self.speaking.id()) {
            let passed = || Passage::new(dialect, envelope.framing);
            return passes(passed, &sent.bytes).map(|()| Verdict::Untouched).map_err(Verdict::Fail);
        }
        let route = self.subject.route(&self.feature.id, self.speaking.id(), true);
        let headers = header_map(&answered.headers);
        let fail = |error: GatewayError| Verdict::Fail(error.to_string());
        let step =
            self.subject.stream(&route, &headers, [sent.bytes.as_slice()].into_iter()).map_err(fail)?;
        let mut writer = dialect.stream(&facts(&envelope), &envelope);
        let mut losses = step.losses.clone();
        let mut lost = dialect.keeps().map(Lost::new);
        for line in step.chunks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            losses.extend(lost.iter_mut().flat_map(|lost| lost.of(line)));
        }
        let written = write(writer.as_mut(), &step).map_err(fail)?;
        let content_type = writer.content_type();
        let found = events(content_type, &written)
            .ok_or_else(|| Verdict::Fail(format!("the client's stream is not {content_type}")))?;
        let mut usage = Usage::default();
        for event in found.as_array().into_iter().flatten().filter(|event| event.is_object()) {
            // What we write must be what we would read from such a vendor: no event of it is an error.
            if let Passing::Failed(error) = dialect.passing(event.to_string().as_bytes(), &mut usage) {
                return Err(Verdict::Fail(format!("the client's stream holds an error: {error}")));
            }
        }
        Ok(judge(&found, &self.feature.says, &self.speaking.places.stream, &losses))
    }
}

/// Canonical lines and the end as a client gets them.
fn write(writer: &mut dyn StreamWriter, step: &Step) -> Result<Vec<u8>, GatewayError> {
    let mut out = Vec::new();
    for line in step.chunks.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        writer.chunk(line, &mut out)?;
    }
    match &step.ending {
        Some(Ending::Complete) => writer.finish(&mut out),
        Some(Ending::Failed(error)) => return Err(error.clone()),
        None => return Err(GatewayError::plugin("the stream has no end")),
    }
    Ok(out)
}

/// A stream that passes through comes out as it went in, wherever it is cut.
fn passes<'d>(passage: impl Fn() -> Passage<'d>, bytes: &[u8]) -> Result<(), String> {
    let through = |slices: &mut dyn Iterator<Item = &[u8]>| {
        let mut passage = passage();
        let mut out = Vec::new();
        for slice in slices {
            let forward = passage.push(&Bytes::copy_from_slice(slice));
            out.extend_from_slice(&forward.held);
            out.extend_from_slice(&forward.fresh);
        }
        out.extend_from_slice(&passage.finish());
        (out == bytes, passage.failure().map(GatewayError::to_string))
    };
    for at in 0..bytes.len() {
        let (front, back) = bytes.split_at(at);
        let (same, failure) = through(&mut [front, back].into_iter());
        if !same {
            return Err(format!("cut at byte {at} it does not pass as it is ({failure:?})"));
        }
    }
    for size in [1, 3] {
        if !through(&mut bytes.chunks(size)).0 {
            return Err(format!("in pieces of {size} it does not pass as it is"));
        }
    }
    Ok(())
}

/// The adapter makes the same chunks of a stream wherever it is cut and however it is framed. Dialects see whole chunks
/// only, so this need not be asked of each pair.
pub(super) fn steadiness(subject: &Subject, feature: &Feature) -> Result<(), String> {
    let Some(answered) = subject.vendor.answers.get(&feature.id).filter(|_| feature.of == Of::Answer) else {
        return Ok(());
    };
    let Some(sent) = Sent::of(answered)? else { return Ok(()) };
    let route = subject.route(&feature.id, "openai-chat", true);
    let headers = header_map(&answered.headers);
    let run = Run { subject, route: &route, headers: &headers };
    let whole = run.chunks(&mut [sent.bytes.as_slice()].into_iter())?;
    for (name, bytes) in sent.variants() {
        run.must_be(&whole, &mut [bytes.as_slice()].into_iter(), name)?;
        run.must_be(&whole, &mut bytes.chunks(3), &format!("{name}, in pieces of 3"))?;
    }
    for size in [1, 3] {
        run.must_be(&whole, &mut sent.bytes.chunks(size), &format!("pieces of {size}"))?;
    }
    for at in 1..sent.bytes.len() {
        let (front, back) = sent.bytes.split_at(at);
        run.must_be(&whole, &mut [front, back].into_iter(), &format!("a cut at byte {at}"))?;
    }
    Ok(())
}

struct Run<'a> {
    subject: &'a Subject,
    route: &'a Route,
    headers: &'a HeaderMap,
}

impl Run<'_> {
    fn chunks(&self, slices: &mut dyn Iterator<Item = &[u8]>) -> Result<Vec<u8>, String> {
        let step = self.subject.stream(self.route, self.headers, slices);
        step.map(|step| step.chunks).map_err(|error| error.to_string())
    }

    fn must_be(
        &self,
        whole: &[u8],
        slices: &mut dyn Iterator<Item = &[u8]>,
        how: &str,
    ) -> Result<(), String> {
        let chunks = self.chunks(slices).map_err(|error| format!("with {how}: {error}"))?;
        if chunks == whole { Ok(()) } else { Err(format!("with {how} the chunks are others")) }
    }
}
