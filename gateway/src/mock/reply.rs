//! What the mock says: decided from the prompt alone, so that the same request gets the same answer from any vendor.

use serde_json::Value;

use super::fault::Fault;
use super::prompt::{Choice, Format, Prompt, Reasoning, Tool, tokens_of};
use super::sample;
use super::settings::{Finish, Knobs};

/// One answer, in no vendor's words.
#[derive(Debug)]
pub(super) struct Reply {
    /// Different for each answer; ids are made of it.
    pub(super) serial: u64,
    /// Unix time in seconds.
    pub(super) created: u64,
    /// The text of the reasoning, in pieces; empty when there is none to show.
    pub(super) thoughts: Vec<String>,
    pub(super) reasoning: Reasoning,
    /// The text, in pieces.
    pub(super) pieces: Vec<String>,
    pub(super) calls: Vec<Call>,
    pub(super) end: End,
    /// Absent when usage is switched off.
    pub(super) tokens: Option<Tokens>,
    /// The same, told or not.
    pub(super) took: Tokens,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    /// This stop sequence was met.
    StopSequence(String),
    Length,
    Calls,
    Refusal,
    /// The prompt was refused.
    Blocked,
}

/// Tokens of one answer. `input` includes those read from and written to the cache, `output` includes `reasoning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    pub(super) input: u64,
    pub(super) cache_read: u64,
    pub(super) cache_written: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
}

impl Reply {
    pub(super) fn text(&self) -> String {
        self.pieces.concat()
    }

    pub(super) fn thought(&self) -> String {
        self.thoughts.concat()
    }
}

/// Number and time of an answer.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub(super) serial: u64,
    pub(super) created: u64,
}

const REFUSAL: &str = "I cannot help with that.";
/// Bytes of what the client said that are said back to him.
const MOST_ECHO: usize = 200;

/// The answer to a prompt. `variable` is the environment variable with the vendor's key, for the newcomer.
pub(super) fn to(prompt: &Prompt, knobs: &Knobs, variable: &str, stamp: Stamp) -> Reply {
    let thought = match prompt.reasoning {
        Reasoning::Off => String::new(),
        _ => format!(
            "The user wants an answer to \"{}\". A mock has no thoughts, so it makes some up.",
            echo(&prompt.said)
        ),
    };
    let mut calls = if knobs.finish == Finish::Usual { calls(prompt) } else { Vec::new() };
    let (mut text, mut end) = match knobs.finish {
        Finish::Usual if calls.is_empty() => said(prompt, knobs, variable),
        Finish::Usual => (String::new(), End::Calls),
        Finish::Refusal => (REFUSAL.to_owned(), End::Refusal),
        Finish::Blocked => (String::new(), End::Blocked),
    };
    let thinking = tokens_of(thought.len());
    let left = prompt.limit.map(|limit| limit.saturating_sub(thinking));
    if let Some(left) = left.filter(|left| *left < tokens_of(text.len())) {
        let most = usize::try_from(left.saturating_mul(4)).unwrap_or(usize::MAX);
        text.truncate(boundary(&text, most));
        end = End::Length;
    }
    if knobs.fault == Some(Fault::Empty) {
        (text, calls, end) = (String::new(), Vec::new(), End::Stop);
    }
    let called: usize = calls.iter().map(|call| call.name.len() + call.arguments.to_string().len()).sum();
    let output =
        (thinking + tokens_of(text.len() + called)) * u64::try_from(prompt.candidates.max(1)).unwrap_or(1);
    let tokens = Tokens {
        input: prompt.tokens(),
        cache_read: prompt.cached.read,
        cache_written: prompt.cached.written,
        output,
        reasoning: thinking,
    };
    let shown = prompt.reasoning == Reasoning::Shown;
    Reply {
        serial: stamp.serial,
        created: stamp.created,
        thoughts: if shown { split(&thought, 0) } else { Vec::new() },
        reasoning: prompt.reasoning,
        pieces: split(&text, knobs.chunks),
        calls,
        end,
        tokens: knobs.usage.then_some(tokens),
        took: tokens,
    }
}

fn said(prompt: &Prompt, knobs: &Knobs, variable: &str) -> (String, End) {
    let plain = matches!(prompt.format, Format::Text);
    let mut text = match (&knobs.text, &prompt.format) {
        (Some(text), _) => text.clone(),
        (None, Format::Schema(schema)) => sample::of(schema, 0).to_string(),
        (None, Format::Json) => r#"{"answer":"x"}"#.to_owned(),
        (None, Format::Text) if !prompt.results.is_empty() => quoted(prompt),
        (None, Format::Text) => greeting(prompt, variable),
    };
    if plain && knobs.chunks > 0 {
        text = stretched(&text, knobs.chunks, knobs.piece);
    }
    let stop = prompt.stops.iter().filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop))).min();
    match stop {
        Some((at, stop)) => {
            let stop = stop.clone();
            text.truncate(at);
            (text, End::StopSequence(stop))
        }
        None => (text, End::Stop),
    }
}

fn greeting(prompt: &Prompt, variable: &str) -> String {
    let mut text = format!("You said: \"{}\".", echo(&prompt.said));
    if !prompt.system.is_empty() {
        text.push_str(&format!(" The system prompt is: \"{}\".", echo(&prompt.system)));
    }
    for (sense, noun, media) in
        [("see", "image", &prompt.images), ("see", "file", &prompt.files), ("hear", "sound", &prompt.sounds)]
    {
        if !media.is_empty() {
            text.push_str(&format!(" I {sense} {} {noun}(s): {}.", media.len(), media.join(", ")));
        }
    }
    text.push_str(" — This is Causeway's built-in mock provider. Set ");
    text.push_str(variable);
    text.push_str(" to talk to a real model.");
    text
}

fn quoted(prompt: &Prompt) -> String {
    let mut sentences = Vec::new();
    for result in &prompt.results {
        let verb = if result.failed { "failed with" } else { "returned" };
        sentences.push(format!("The tool {} {verb}: \"{}\".", result.name, echo(&result.text)));
    }
    if !prompt.said.is_empty() {
        sentences.push(format!("You said: \"{}\".", echo(&prompt.said)));
    }
    sentences.join(" ")
}

/// The tool calls this prompt leads to.
fn calls(prompt: &Prompt) -> Vec<Call> {
    let offered = |name: &str| match &prompt.choice {
        Choice::Among(names) => names.iter().any(|one| one == name),
        _ => true,
    };
    let tools: Vec<_> = prompt.tools.iter().filter(|tool| offered(&tool.name)).collect();
    let Some(first) = tools.first() else { return Vec::new() };
    if prompt.choice == Choice::None {
        return Vec::new();
    }
    let most = if prompt.one_call { 1 } else { usize::MAX };
    let mut calls = Vec::new();
    for (name, arguments) in named(&prompt.said) {
        if let Some(tool) = tools.iter().find(|tool| tool.name == name) {
            let arguments = arguments.unwrap_or_else(|| minimal(tool, calls.len()));
            calls.push(Call { name, arguments });
        }
    }
    if !calls.is_empty() {
        calls.truncate(most);
        return calls;
    }
    let said = prompt.said.to_lowercase();
    let forced = matches!(prompt.choice, Choice::Required | Choice::Among(_));
    let parallel = said.contains("parallel");
    let asked = parallel || said.contains("weather") || said.contains("tool");
    // A forced call after a tool's result would never end.
    if !prompt.results.is_empty() || !(forced || asked) {
        return calls;
    }
    calls.push(Call { name: first.name.clone(), arguments: minimal(first, 0) });
    if parallel && most > 1 {
        let second = tools.get(1).unwrap_or(first);
        calls.push(Call { name: second.name.clone(), arguments: minimal(second, 1) });
    }
    calls
}

/// The fewest arguments a tool takes; none when it declares none.
fn minimal(tool: &Tool, variant: usize) -> Value {
    let arguments = sample::of(&tool.schema, variant);
    if arguments.is_object() { arguments } else { Value::Object(serde_json::Map::new()) }
}

/// `call:<name>` words in a text, each with the JSON object that may stand right behind it.
fn named(text: &str) -> Vec<(String, Option<Value>)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("call:") {
        let end = after
            .find(|letter: char| !(letter.is_alphanumeric() || "_-.".contains(letter)))
            .unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        let mut values = serde_json::Deserializer::from_str(tail).into_iter::<Value>();
        let arguments = match values.next() {
            Some(Ok(value @ Value::Object(_))) if tail.starts_with('{') => Some(value),
            _ => None,
        };
        found.push((name.trim_end_matches('.').to_owned(), arguments));
        rest = tail;
    }
    found
}

/// The text until it has that many words, each padded to `piece` bytes if that is not 0.
fn stretched(text: &str, chunks: usize, piece: usize) -> String {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    if piece == 0 && words.len() >= chunks {
        return text.to_owned();
    }
    let mut long = String::with_capacity(chunks * piece.max(8));
    for word in words.iter().cycle().take(chunks) {
        let word = word.trim_end();
        if piece == 0 {
            long.push_str(word);
        } else {
            let word = word.get(..boundary(word, piece - 1)).unwrap_or_default();
            long.push_str(word);
            long.extend(std::iter::repeat_n('.', piece - 1 - word.len()));
        }
        long.push(' ');
    }
    long
}

/// The text in pieces: one per word, or that many.
fn split(text: &str, chunks: usize) -> Vec<String> {
    let mut words: Vec<&str> = text.split_inclusive(' ').collect();
    if words.len() == 1 && text.len() > 8 {
        words = eights(text);
    }
    if chunks == 0 || words.len() <= chunks {
        return words.into_iter().map(str::to_owned).collect();
    }
    let count = words.len();
    let mut pieces = Vec::with_capacity(chunks);
    let mut words = words.into_iter();
    for index in 0..chunks {
        let share = (index + 1) * count / chunks - index * count / chunks;
        pieces.push(words.by_ref().take(share).collect());
    }
    pieces
}

/// Text without spaces, such as JSON, in pieces of eight bytes or a little less.
pub(super) fn eights(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(boundary(rest, 8));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

fn echo(text: &str) -> &str {
    text.get(..boundary(text, MOST_ECHO)).unwrap_or_default()
}

/// The last place at or before `most` where a character ends.
fn boundary(text: &str, most: usize) -> usize {
    text.floor_char_boundary(most)
}
