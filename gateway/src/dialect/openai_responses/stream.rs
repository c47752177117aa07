//! Canonical chunks as this API's events.

use serde_json::value::RawValue;

use super::answer::ending;
use super::asked::Asked;
use super::events::Event;
use super::output::{Failure, Response, Status};
use super::progress::Progress;
use super::said::{Answered, Detail, Said, word};
use super::state::Owner;
use super::tokens::Told;
use crate::dialect::{AnswerFacts, StreamWriter, openai_error};
use crate::error::{GatewayError, Kind};

/// One stream on its way to the client.
pub(super) struct Writer {
    facts: AnswerFacts,
    asked: Asked,
    progress: Progress,
    model: String,
    created: bool,
    /// The last event was written; nothing may follow.
    closed: bool,
    ending: Option<(Status, Option<&'static str>)>,
    usage: Option<Told>,
    service_tier: Option<Box<RawValue>>,
    /// The response as it was last told, where it is to be kept.
    whole: Option<Vec<u8>>,
}

impl Writer {
    pub(super) fn new(facts: &AnswerFacts, asked: Asked) -> Self {
        Self {
            facts: facts.clone(),
            asked,
            progress: Progress::new(facts, false),
            model: String::new(),
            created: false,
            closed: false,
            ending: None,
            usage: None,
            service_tier: None,
            whole: None,
        }
    }

    /// The opening events, once.
    fn create(&mut self, out: &mut Vec<u8>) {
        if !self.created {
            self.created = true;
            self.tell("response.created", Status::InProgress, None, out);
            self.tell("response.in_progress", Status::InProgress, None, out);
        }
    }

    /// An event about the whole response.
    fn tell(&mut self, kind: &'static str, status: Status, error: Option<Failure<'_>>, out: &mut Vec<u8>) {
        let Self { facts, asked, model, progress, whole, .. } = self;
        let response = Response {
            facts,
            asked,
            model,
            status,
            reason: self.ending.and_then(|(_, reason)| reason).filter(|_| status == Status::Incomplete),
            error,
            output: &progress.items,
            usage: self.usage.map(Into::into),
            service_tier: self.service_tier.as_deref(),
        };
        if matches!(status, Status::Completed | Status::Incomplete) && asked.store {
            *whole = serde_json::to_vec(&response).ok();
        }
        let event = Event { response: Some(&response), ..Event::default() };
        progress.events.send(kind, &event, out);
    }

    fn said(
        &mut self,
        said: Said<'_>,
        logprobs: &[&RawValue],
        out: &mut Vec<u8>,
    ) -> Result<(), GatewayError> {
        let progress = &mut self.progress;
        let details = said.reasoning_details.unwrap_or_default();
        if details.is_empty() && !word(&said.reasoning_content).is_empty() {
            progress.thought(&Detail { text: said.reasoning_content, ..Detail::default() }, out);
        }
        details.iter().for_each(|detail| progress.thought(detail, out));
        let text = said.content.and_then(super::object::decode).unwrap_or_default();
        progress.text(&text, logprobs, out);
        for part in said.content_parts.iter().flatten() {
            progress.whole_part(part, &[], out);
        }
        progress.refusal(word(&said.refusal), out);
        for note in said.annotations.into_iter().flatten() {
            progress.annotate(note, out);
        }
        for call in said.tool_calls.into_iter().flatten() {
            progress.call(&call, &self.asked, out)?;
        }
        progress.bind(Owner::Message, said.extra_content, None, out);
        Ok(())
    }
}

impl StreamWriter for Writer {
    fn chunk(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), GatewayError> {
        if self.closed || line.is_empty() {
            return Ok(());
        }
        if !line.starts_with(b"{") {
            return Err(GatewayError::plugin("a chunk of the adapter is not a JSON object"));
        }
        let answered: Answered<'_> = serde_json::from_slice(line).map_err(|error| {
            GatewayError::plugin("the adapter's chunk is not canonical chat").context(error)
        })?;
        if self.model.is_empty() {
            word(&answered.model).clone_into(&mut self.model);
        }
        if let Some(tier) = answered.service_tier {
            self.service_tier = Some(tier.to_owned());
        }
        self.usage = answered.usage.or(self.usage);
        self.create(out);
        for mut choice in answered.choices.into_iter().filter(|choice| choice.index == 0) {
            let logprobs = choice.logprobs.take().and_then(|logprobs| logprobs.content).unwrap_or_default();
            self.said(std::mem::take(&mut choice.message), &logprobs, out)?;
            if !word(&choice.finish_reason).is_empty() {
                let ending = ending(&choice);
                self.ending = Some(ending);
                self.progress.end(ending.0, out);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.closed {
            return;
        }
        self.create(out);
        self.closed = true;
        let (status, _) = *self.ending.get_or_insert((Status::Completed, None));
        self.progress.end(status, out);
        let kind = match status {
            Status::Incomplete => "response.incomplete",
            _ => "response.completed",
        };
        self.tell(kind, status, None, out);
    }

    fn whole(&mut self) -> Option<Vec<u8>> {
        self.whole.take()
    }

    fn fail(&mut self, error: &GatewayError, _request_id: &str, out: &mut Vec<u8>) {
        if self.closed {
            return;
        }
        self.closed = true;
        if self.created {
            self.progress.give_up();
            let failure = Failure { code: code(error.kind), message: &error.message };
            self.tell("response.failed", Status::Failed, Some(failure), out);
            return;
        }
        let event = Broken {
            code: openai_error::code(error),
            message: &error.message,
            param: error.param.as_deref(),
        };
        self.progress.events.send("error", &event, out);
    }
}

/// The `error` event.
#[derive(serde::Serialize)]
struct Broken<'e> {
    code: &'e str,
    message: &'e str,
    param: Option<&'e str>,
}

/// The codes a failed response can have; clients know few, and repeat the request on `server_error`.
fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::RateLimited | Kind::Quota | Kind::ContextLength => kind.as_str(),
        Kind::InvalidRequest | Kind::Unsupported | Kind::ContentPolicy | Kind::TooLarge => "invalid_prompt",
        _ => "server_error",
    }
}
