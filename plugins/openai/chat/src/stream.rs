//! OpenAI → canonical, streams: the same chunks, with the order that canonical chat promises.

use plugin_sdk::chat::{Head, Json, Lines, Text};
use plugin_sdk::sse::Splitter;
use plugin_sdk::{Ending, Failure, Loss, Losses, Step, StreamTranslator, Usage, failure, json};

use serde_json::Value;

use crate::error;
use crate::options::Options;
use crate::think;
use crate::wire::{self, CallDelta, CallPiece, Chunk, ChunkChoice, Delta};

/// One stream.
#[derive(Default)]
pub struct Stream {
    splitter: Splitter,
    state: State,
}

/// What later events depend on.
#[derive(Default)]
struct State {
    think_tags: bool,
    output_excludes_reasoning: bool,
    head: Option<Head>,
    created: u64,
    choices: Vec<Choice>,
    /// The latest `usage`, written in a chunk of its own at the end.
    report: Option<String>,
    /// Fields of events without choices, until a chunk comes that has some.
    waiting: Vec<(String, Value)>,
    ended: bool,
}

/// What is known of one choice.
#[derive(Default)]
struct Choice {
    index: u64,
    finished: bool,
    calls: Vec<Call>,
    /// Where the server writes reasoning between tags.
    tags: Option<think::Splitter>,
}

/// A call that has begun: the vendor's index where it gave one, and its id.
struct Call {
    index: Option<u64>,
    id: String,
}

/// What one push gathers.
#[derive(Default)]
struct Found {
    lines: Lines,
    usage: Option<Usage>,
    losses: Losses,
    ending: Option<Ending>,
}

impl Stream {
    pub(crate) fn new(options: &Options) -> Self {
        let state = State {
            think_tags: options.think_tags,
            output_excludes_reasoning: options.output_excludes_reasoning,
            ..State::default()
        };
        Self { state, ..Self::default() }
    }
}

impl StreamTranslator for Stream {
    fn push(&mut self, bytes: &[u8]) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        let outcome = self.splitter.push(bytes, |event| state.event(event.data, &mut found));
        self.state.settle(outcome, &mut found);
        Ok(found.into_step())
    }

    fn finish(&mut self) -> Result<Step, Failure> {
        let mut found = Found::default();
        let state = &mut self.state;
        let outcome = self.splitter.finish(|event| state.event(event.data, &mut found));
        // Some servers close without `[DONE]`; when every choice has its end that is no cut.
        let whole = !state.choices.is_empty() && state.choices.iter().all(|choice| choice.finished);
        let outcome = outcome.and_then(|()| if whole { state.complete(&mut found) } else { Ok(()) });
        self.state.settle(outcome, &mut found);
        Ok(found.into_step())
    }
}

impl Found {
    fn into_step(self) -> Step {
        let losses: Vec<Loss> = self.losses.into_vec();
        self.lines.into_step(self.usage, losses, self.ending)
    }
}

impl State {
    fn event(&mut self, data: &[u8], found: &mut Found) -> Result<(), Failure> {
        let data = data.trim_ascii();
        if self.ended || data.is_empty() {
            return Ok(());
        }
        if data == b"[DONE]" {
            return self.complete(found);
        }
        let mut chunk: Chunk<'_> = json::answer("event", data)?;
        let in_groq = chunk.x_groq.as_mut().and_then(|groq| groq.usage.take());
        let raw = chunk.usage.take().or(in_groq);
        if let Some(told) = raw.and_then(|raw| wire::told(raw, self.output_excludes_reasoning)) {
            found.usage = Some(told.usage);
            self.report = Some(told.report.text().into_owned());
        }
        let in_groq = chunk.x_groq.as_ref().is_some_and(|groq| groq.error.is_some());
        if chunk.error.is_some() || chunk.object == "error" || in_groq {
            return Err(error::inside(data));
        }
        if chunk.choices.is_empty() {
            self.keep(&chunk);
            return Ok(());
        }
        self.open(&chunk);
        for choice in std::mem::take(&mut chunk.choices) {
            self.choice(choice, &chunk, found)?;
        }
        Ok(())
    }

    /// Azure's filter results come in a chunk without choices, which canonical chat keeps for usage: they go with the next.
    fn keep(&mut self, chunk: &Chunk<'_>) {
        for (name, value) in chunk.rest.present() {
            let known = ["system_fingerprint", "service_tier"].contains(&name)
                || self.waiting.iter().any(|(known, _)| known == name);
            if !known {
                self.waiting.push((name.to_owned(), value.to_value()));
            }
        }
    }

    fn open(&mut self, chunk: &Chunk<'_>) {
        if self.head.is_none() {
            self.head = Some(Head { id: chunk.id.to_string(), model: chunk.model.to_string() });
            self.created = chunk.created;
        }
    }

    fn choice(
        &mut self,
        mut choice: ChunkChoice<'_>,
        chunk: &Chunk<'_>,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let known = self.choices.iter().position(|known| known.index == choice.index);
        let place = known.unwrap_or_else(|| {
            let tags = self.think_tags.then(think::Splitter::default);
            self.choices.push(Choice { index: choice.index, tags, ..Choice::default() });
            self.choices.len() - 1
        });
        let Some(state) = self.choices.get_mut(place) else { return Ok(()) };
        if state.finished {
            return Ok(());
        }
        even_out(&mut choice.delta, state)?;
        choice.delta.role = known.is_none().then(|| "assistant".into());
        let word = choice.finish_reason.0.take().filter(|word| !word.is_empty());
        let mut held = false;
        if let Some(tags) = &mut state.tags {
            untag(&mut choice.delta, tags, word.is_some());
            held = !says_something(&choice.delta) && choice.logprobs.is_none();
        }
        let Some(word) = word else {
            return if held { Ok(()) } else { self.write(choice, chunk, found) };
        };
        let Some(reason) = wire::finish_reason(&word, !state.calls.is_empty()) else {
            return Err(error::broken_off(&word));
        };
        state.finished = true;
        let mut end = ChunkChoice { index: choice.index, ..ChunkChoice::default() };
        if word != wire::word_of(reason) {
            end.native_finish_reason = choice.native_finish_reason.take().or(Some(word));
        } else {
            end.native_finish_reason = choice.native_finish_reason.take();
        }
        end.finish_reason.0 = Some(wire::word_of(reason).into());
        end.rest = std::mem::take(&mut choice.rest);
        // The end has an empty delta; what came with it goes before it.
        if says_something(&choice.delta) || choice.logprobs.is_some() {
            self.write(choice, chunk, found)?;
        }
        self.write(end, chunk, found)
    }

    fn write(
        &mut self,
        choice: ChunkChoice<'_>,
        chunk: &Chunk<'_>,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut line = Chunk { choices: vec![choice], rest: chunk.rest.clone(), ..self.frame() };
        line.x_groq = None;
        for (name, value) in waiting {
            if line.rest.get(&name).is_none() {
                line.rest.push(name, value);
            }
        }
        found.lines.push_raw(&json::to_vec(&line)?);
        Ok(())
    }

    /// A chunk of this stream with nothing in it.
    fn frame(&self) -> Chunk<'_> {
        let (id, model) = self.head.as_ref().map_or(("", ""), |head| (&head.id, &head.model));
        let object = "chat.completion.chunk".into();
        Chunk { id: id.into(), object, created: self.created, model: model.into(), ..Chunk::default() }
    }

    fn complete(&mut self, found: &mut Found) -> Result<(), Failure> {
        if self.ended {
            return Ok(());
        }
        self.ended = true;
        found.ending = Some(Ending::Complete);
        for (name, _) in std::mem::take(&mut self.waiting) {
            found.losses.add(name, "stands in a chunk without choices, and none with choices follows");
        }
        let Some(report) = self.report.take() else { return Ok(()) };
        let report: Json<'_> = json::answer("usage", report.as_bytes())?;
        let line = UsageChunk { frame: self.frame(), report };
        found.lines.push_raw(&line.to_vec()?);
        Ok(())
    }

    /// A failure is an ending and not an error of the call: the chunks before it would be lost with the step.
    fn settle(&mut self, outcome: Result<(), Failure>, found: &mut Found) {
        if let Err(failure) = outcome
            && !self.ended
        {
            self.ended = true;
            found.ending = Some(Ending::Failed(failure));
        }
    }
}

/// The last chunk: here the empty list of choices must be written.
struct UsageChunk<'a> {
    frame: Chunk<'a>,
    report: Json<'a>,
}

impl UsageChunk<'_> {
    fn to_vec(&self) -> Result<Vec<u8>, Failure> {
        #[derive(serde::Serialize)]
        struct Shape<'s> {
            id: &'s str,
            object: &'s str,
            created: u64,
            model: &'s str,
            choices: [(); 0],
            usage: &'s Json<'s>,
        }
        let frame = &self.frame;
        json::to_vec(&Shape {
            id: &frame.id,
            object: &frame.object,
            created: frame.created,
            model: &frame.model,
            choices: [],
            usage: &self.report,
        })
    }
}

fn says_something(delta: &Delta<'_>) -> bool {
    let text = delta.content.as_ref().is_some_and(|content| content.text() != "\"\"");
    let more = delta.refusal.is_some() || delta.reasoning_content.is_some() || !delta.annotations.is_empty();
    let state = !delta.reasoning_details.is_empty()
        || !delta.tool_calls.is_empty()
        || wire::names(&delta.rest).next().is_some();
    delta.role.is_some() || text || more || state
}

fn even_out(delta: &mut Delta<'_>, choice: &mut Choice) -> Result<(), Failure> {
    // OpenRouter, Groq and newer vLLM call it `reasoning`.
    if let Some(text) = delta.reasoning.take().and_then(|raw| raw.read::<Text<'_>>()) {
        delta.reasoning_content.get_or_insert(text);
    }
    let images = std::mem::take(&mut delta.images);
    if let Some(mixed) = wire::unmix(delta.content.as_ref(), images) {
        delta.content = (!mixed.text.is_empty()).then(|| Json::Value(mixed.text.into()));
        if !mixed.thinking.is_empty() {
            delta.reasoning_content.get_or_insert(mixed.thinking.into());
        }
        if !mixed.others.is_empty() {
            delta.rest.push("content_parts", serde_json::Value::from(mixed.others));
        }
    }
    if let Some(function) =
        delta.function_call.take().filter(|call| call.name.is_some() || call.arguments.is_some())
    {
        delta.tool_calls.push(CallDelta { index: Some(0), function, ..CallDelta::default() });
    }
    if delta.content.as_ref().is_some_and(|content| !content.text().starts_with('"')) {
        return Err(failure::malformed("the provider's event makes no sense: `content` is not a string"));
    }
    for call in &mut delta.tool_calls {
        even_out_call(call, choice);
    }
    Ok(())
}

/// Moves what stands between tags from the content to the reasoning.
fn untag(delta: &mut Delta<'_>, tags: &mut think::Splitter, last: bool) {
    let text = delta.content.as_ref().and_then(Json::read::<Text<'_>>).filter(|text| !text.is_empty());
    let mut split = text.as_deref().map(|text| tags.push(text)).unwrap_or_default();
    if last {
        let rest = tags.finish();
        split.reasoning.push_str(&rest.reasoning);
        split.content.push_str(&rest.content);
    }
    if !split.reasoning.is_empty() {
        delta.reasoning_content.get_or_insert(split.reasoning.into());
    }
    if text.is_some() || !split.content.is_empty() {
        delta.content = (!split.content.is_empty()).then(|| Json::Value(split.content.into()));
    }
}

/// Id, type and name stand in the first piece only; calls are counted from 0 in order of appearance.
fn even_out_call(call: &mut CallDelta<'_>, choice: &mut Choice) {
    let id = call.id.take().filter(|id| !id.is_empty());
    let known = match (&id, call.index) {
        // One index with another id is another call: some servers always say 0.
        (Some(id), Some(index)) => {
            choice.calls.iter().position(|call| call.index == Some(index) && call.id == **id)
        }
        (Some(id), None) => choice.calls.iter().position(|call| call.id == **id),
        (None, Some(index)) => choice.calls.iter().rposition(|call| call.index == Some(index)),
        // Without either, a name begins a call and its absence continues the last.
        (None, None) if call.function.name.is_none() => choice.calls.len().checked_sub(1),
        (None, None) => None,
    };
    let place = known.unwrap_or_else(|| {
        let id =
            id.map_or_else(|| format!("call_{}_{}", choice.index, choice.calls.len()), |id| id.to_string());
        call.id = Some(id.clone().into());
        call.kind = Some("function".into());
        choice.calls.push(Call { index: call.index, id });
        choice.calls.len() - 1
    });
    if known.is_some() {
        call.kind = None;
        call.function.name = None;
    }
    call.index = Some(place as u64);
    let CallPiece { arguments, .. } = &mut call.function;
    arguments.get_or_insert_default();
}
