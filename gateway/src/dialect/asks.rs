//! What a body asks for, in one pass that keeps nothing of it.
//!
//! The APIs differ in where things stand and hardly in what they are called there. So each has a table of its outermost
//! fields ([`fields`]), and one reader goes through the conversations of all of them. What cannot be read is not asked:
//! the body was checked when its facts were read, and a condition must never refuse what a provider would take.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::object::Name;
use crate::domain::{Asks, Envelope, Json, Operation};

pub(super) mod fields;
pub(super) mod tokens;

use fields::{Part, Table};

/// What a message costs beside its text: its role and its separators.
const PER_MESSAGE: u64 = 4;
/// A member of a schema or of a call beside its name and value.
const PER_MEMBER: u64 = 1;
/// A picture, whatever its size: between the smallest and the largest that vendors bill.
const PER_PICTURE: u64 = 1_000;
/// A file: a page or two.
const PER_DOCUMENT: u64 = 2_000;
/// Half a minute of sound.
const PER_SOUND: u64 = 500;

/// What the body of `envelope` asks for, whose outermost fields are those of `table`.
pub(super) fn of(envelope: &Envelope, operation: Operation, table: Table) -> Asks {
    of_body(&envelope.body, envelope, operation, table)
}

/// The same where the request is only a part of the envelope's body.
pub(super) fn of_body(body: &[u8], envelope: &Envelope, operation: Operation, table: Table) -> Asks {
    let mut asks = Asks::of(envelope, operation);
    if envelope.content_type.is_some() {
        return asks; // A form: what it holds, the operation says.
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    // What was found before something went wrong stays found.
    let _unread = Reader { asks: &mut asks, place: Part::Within(table) }.deserialize(&mut deserializer);
    asks
}

/// Reads one value, which stands at `place`.
struct Reader<'s> {
    asks: &'s mut Asks,
    place: Part,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            Part::Nothing => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            Part::Wish | Part::Form(_) => {
                let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
                self.small(raw);
                Ok(())
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.number();
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        match self.place {
            Part::Messages => {
                self.asks.messages += 1;
                self.asks.input_tokens += PER_MESSAGE + tokens::of(text);
            }
            Part::Said | Part::Weighed | Part::Tools => self.text(text),
            Part::Data if !is_base64(text) => self.text(text),
            Part::Pictures => self.found(Medium::Picture),
            Part::Modalities if text.eq_ignore_ascii_case("audio") => self.asks.audio_output = true,
            Part::MimeType if text == "application/json" && self.asks.json == Json::No => {
                self.asks.json = Json::Object;
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = match self.place {
            Part::Messages | Part::Said => Part::Said,
            Part::Tools | Part::Weighed | Part::Data => Part::Weighed,
            Part::Pictures => Part::Pictures,
            Part::Papers => Part::Weighed,
            Part::Modalities => Part::Modalities,
            _ => Part::Nothing,
        };
        while list.next_element_seed(Reader { asks: &mut *self.asks, place: inner })?.is_some() {
            match self.place {
                Part::Messages => {
                    self.asks.messages = self.asks.messages.saturating_add(1);
                    self.asks.input_tokens += PER_MESSAGE;
                }
                Part::Tools => self.asks.tools = true,
                Part::Papers => self.asks.documents = true,
                _ => {}
            }
        }
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        match self.place {
            Part::Within(table) => {
                while let Some(Name(name)) = map.next_key()? {
                    let place = fields::find(table, &name);
                    map.next_value_seed(Reader { asks: &mut *self.asks, place })?;
                }
            }
            Part::Schema => {
                self.asks.json = Json::Schema;
                self.weigh(map)?;
            }
            Part::Messages => {
                // Google's JSON reader takes one element for a list of one.
                self.asks.messages += 1;
                self.said(map)?;
            }
            Part::Said => self.said(map)?,
            Part::Blob => self.blob(map)?,
            Part::Tools | Part::Weighed | Part::Data => self.weigh(map)?,
            _ => while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {},
        }
        Ok(())
    }
}

impl Reader<'_> {
    fn text(&mut self, text: &str) {
        if !text.starts_with("data:") {
            self.asks.input_tokens += tokens::of(text);
        }
    }

    fn number(self) {
        if matches!(self.place, Part::Said | Part::Weighed | Part::Tools) {
            self.asks.input_tokens += 1;
        }
    }

    fn at(&mut self, place: Part) -> Reader<'_> {
        Reader { asks: &mut *self.asks, place }
    }

    /// A message, a part of one, or a part of a part.
    fn said<'de, M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        let mut block = Block::default();
        while let Some(Name(name)) = map.next_key()? {
            if name == "type" {
                let Name(word) = map.next_value()?;
                block.is(&word);
                continue;
            }
            block.has(&name);
            map.next_value_seed(self.at(fields::find(fields::SAID, &name)))?;
        }
        self.asks.tools |= block.tools;
        block.medium().into_iter().for_each(|medium| self.found(medium));
        Ok(())
    }

    /// What a model reads as it stands: schemas, arguments, results.
    fn weigh<'de, M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(Name(name)) = map.next_key()? {
            self.asks.input_tokens += PER_MEMBER + tokens::of(&name);
            map.next_value_seed(self.at(Part::Weighed))?;
        }
        Ok(())
    }

    /// Gemini's `inlineData` and `fileData`: the type says what it is.
    fn blob<'de, M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        let mut medium = Medium::Document;
        while let Some(Name(name)) = map.next_key()? {
            if matches!(name.as_ref(), "mimeType" | "mime_type") {
                let Name(kind) = map.next_value()?;
                medium = match kind.split('/').next() {
                    Some("image") => Medium::Picture,
                    Some("audio") => Medium::Sound,
                    _ => Medium::Document,
                };
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        self.found(medium);
        Ok(())
    }

    fn found(&mut self, medium: Medium) {
        let (asked, tokens) = match medium {
            Medium::Picture => (&mut self.asks.images, PER_PICTURE),
            Medium::Document => (&mut self.asks.documents, PER_DOCUMENT),
            Medium::Sound => (&mut self.asks.audio_input, PER_SOUND),
        };
        *asked = true;
        self.asks.input_tokens += tokens;
    }

    /// Settings of a few words, which are easier looked at twice.
    fn small(&mut self, raw: &RawValue) {
        match self.place {
            Part::Wish => self.asks.reasoning |= wish(raw).unwrap_or(false),
            Part::Form(fields::Format::Named) => {
                let (json, schema) = format(raw);
                self.asks.json = json;
                let schema = schema.map_or(0, |schema| tokens::of(schema.get()));
                self.asks.input_tokens += schema;
            }
            Part::Form(fields::Format::Bare) if raw.get() == "\"json\"" => self.asks.json = Json::Object,
            Part::Form(fields::Format::Bare) if raw.get().starts_with('{') => {
                self.asks.json = Json::Schema;
                self.asks.input_tokens += tokens::of(raw.get());
            }
            _ => {}
        }
    }
}

/// What is looked at or listened to.
#[derive(Clone, Copy)]
enum Medium {
    Picture,
    Document,
    Sound,
}

/// What one object of a conversation is, by its type and the names of its members.
#[derive(Default)]
struct Block {
    typed: Option<Medium>,
    named: Option<Medium>,
    /// The type says `document`, or a member does. Where both do it is Cohere's wrapping of a tool's text.
    papers: (bool, bool),
    tools: bool,
}

impl Block {
    fn is(&mut self, word: &str) {
        self.typed = match word {
            "image" | "image_url" | "input_image" => Some(Medium::Picture),
            "file" | "input_file" | "document_url" => Some(Medium::Document),
            "input_audio" | "audio" => Some(Medium::Sound),
            _ => None,
        };
        self.papers.0 = word == "document";
        self.tools |= word.contains("tool") || word.ends_with("_call") || word.ends_with("_call_output");
    }

    fn has(&mut self, name: &str) {
        match name {
            "image" | "image_url" => self.named = Some(Medium::Picture),
            "file" => self.named = Some(Medium::Document),
            "input_audio" => self.named = Some(Medium::Sound),
            "document" => self.papers.1 = true,
            "tool_calls" | "tool_call_id" | "function_call" | "toolUse" | "toolResult" => self.tools = true,
            "functionCall" | "functionResponse" | "function_response" => self.tools = true,
            _ => {}
        }
    }

    fn medium(&self) -> Option<Medium> {
        let paper = (self.papers.0 != self.papers.1).then_some(Medium::Document);
        self.typed.or(self.named).or(paper)
    }
}

/// Whether a setting about thinking wants some. Nothing: it says neither.
fn wish(raw: &RawValue) -> Option<bool> {
    let text = raw.get();
    if !text.starts_with('{') {
        let off = ["false", "0", "0.0", "\"\"", "\"none\"", "\"off\"", "\"disabled\"", "\"NONE\""];
        return (text != "null").then(|| !off.contains(&text));
    }
    let object: super::object::Object<'_> = serde_json::from_str(text).ok()?;
    let mut wanted = None;
    for (name, value) in &object.0 {
        let says = match name.as_ref() {
            "type" | "effort" | "enabled" | "max_tokens" | "budget_tokens" | "token_budget" => wish(value),
            "thinkingBudget" | "thinking_budget" | "thinkingLevel" | "thinking_level" => wish(value),
            "maxReasoningEffort" => wish(value),
            "includeThoughts" | "include_thoughts" => wish(value).filter(|wanted| *wanted),
            _ => None,
        };
        wanted = match (wanted, says) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (before, says) => says.or(before),
        };
    }
    wanted
}

/// `{ "type": "json_object" | "json_schema", … }`, in all its spellings, and the schema.
fn format(raw: &RawValue) -> (Json, Option<&RawValue>) {
    let object: super::object::Object<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let kind = object.get("type").map_or("", RawValue::get);
    let schema = ["json_schema", "schema", "structure"].iter().find_map(|name| object.get(name));
    match (kind, schema) {
        ("\"json_schema\"", schema) => (Json::Schema, schema),
        ("\"json_object\"", Some(schema)) => (Json::Schema, Some(schema)),
        ("\"json_object\"", None) => (Json::Object, None),
        _ => (Json::No, None),
    }
}

/// Text of a document has spaces within its first line, base64 has none.
fn is_base64(data: &str) -> bool {
    let front = data.as_bytes().get(..256).unwrap_or(data.as_bytes());
    front.len() > 32 && !front.contains(&b' ')
}

#[cfg(test)]
mod tests;
