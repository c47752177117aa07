//! What of a canonical answer a client's dialect has no place for, found before it is written.
//!
//! One walk for all dialects: each says with [`Keeps`] what it can show. What only tells how an answer was made
//! ([`MAKING`]) is no loss: nobody reads it to know what the model said.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::object::{Name, Object};
use super::told::string_length;
use crate::domain::http::Loss;

/// What a dialect can show of an answer.
#[derive(Debug)]
pub struct Keeps {
    /// The dialect's name in a reason.
    pub dialect: &'static str,
    /// Choices behind the first.
    pub choices: bool,
    /// Probabilities of tokens.
    pub logprobs: bool,
    /// `url_citation` annotations.
    pub links: bool,
    /// Kinds of content parts beside texts and refusals.
    pub parts: &'static [&'static str],
    /// Whose own parts and annotations it shows; `*`: everybody's.
    pub vendor: &'static str,
    /// Whose own fields of a choice it shows.
    pub vendor_fields: &'static str,
    /// Fields of a choice or a message that most dialects have a place for and this one has not.
    pub lacks: &'static [&'static str],
}

/// Fields of an answer, a choice or a message that canonical chat knows, and those that say how it was made: vendors'
/// filters, tiers and counters. Usage is counted before; what has no canonical name in it has no place anywhere.
const MAKING: [&str; 42] = [
    "id",
    "object",
    "created",
    "model",
    "choices",
    "usage",
    "system_fingerprint",
    "service_tier",
    "provider",
    "x_groq",
    "obfuscation",
    "prompt_filter_results",
    "content_filter_results",
    "content_filter_offsets",
    "kv_transfer_params",
    "time_info",
    "seed",
    "index",
    "message",
    "delta",
    "finish_reason",
    "native_finish_reason",
    "stop_sequence",
    "matched_stop",
    "stop_reason",
    "token_ids",
    "role",
    "content",
    "refusal",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "tool_calls",
    "function_call",
    "extra_content",
    "order",
    // Of `vendor.<name>` of a choice.
    "safetyRatings",
    "promptFeedback",
    "avgLogprobs",
    "metrics",
    "tokenCount",
    "stop_details",
];

#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(borrow, rename = "type", default)]
    kind: Option<Name<'a>>,
    #[serde(borrow, default)]
    vendor: Option<&'a RawValue>,
}

/// The losses of one answer, whole or streamed, each named once.
#[derive(Debug)]
pub struct Lost {
    keeps: &'static Keeps,
    told: Vec<String>,
    /// Front and back of the last line that held one piece of text and lost nothing: most lines differ only in it.
    plain: Option<(Vec<u8>, Vec<u8>)>,
}

impl Lost {
    /// For an answer that has not begun.
    pub fn new(keeps: &'static Keeps) -> Self {
        Self { keeps, told: Vec::new(), plain: None }
    }

    /// What is lost of a canonical answer or of one canonical chunk. What makes no sense is the writer's to refuse.
    pub fn of(&mut self, canonical: &[u8]) -> Vec<Loss> {
        if self.is_plain(canonical) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let Ok(answer) = serde_json::from_slice::<Object<'_>>(canonical) else { return found };
        self.unknown(&answer, "", &mut found);
        let choices = answer.get("choices").map(RawValue::get).unwrap_or_default();
        for choice in serde_json::from_str::<Vec<Object<'_>>>(choices).unwrap_or_default() {
            self.choice(&choice, &mut found);
        }
        if found.is_empty() {
            self.remember(canonical);
        }
        found.retain(|loss| !self.told.contains(&loss.field));
        self.told.extend(found.iter().map(|loss| loss.field.clone()));
        found
    }

    fn is_plain(&self, line: &[u8]) -> bool {
        let Some((front, back)) = &self.plain else { return false };
        let text = line.strip_prefix(front.as_slice()).and_then(|rest| rest.strip_suffix(back.as_slice()));
        let (Some(text), Some(rest)) = (text, line.get(front.len()..)) else { return false };
        string_length(rest) == Some(text.len())
    }

    fn remember(&mut self, line: &[u8]) {
        const OPENING: &[u8] = b"\"delta\":{\"content\":\"";
        let Some(at) = memchr::memmem::find(line, OPENING) else { return };
        let (front, rest) = line.split_at(at + OPENING.len());
        let Some(length) = string_length(rest) else { return };
        let back = rest.get(length..).unwrap_or_default();
        self.plain = Some((front.to_vec(), back.to_vec()));
    }

    fn choice(&self, choice: &Object<'_>, found: &mut Vec<Loss>) {
        let index: u64 = choice.get("index").and_then(|raw| raw.get().parse().ok()).unwrap_or(0);
        let place = format!("choices[{index}]");
        if index > 0 && !self.keeps.choices {
            return self.lose(found, place, "shows one choice only");
        }
        self.unknown(choice, &format!("{place}."), found);
        let message = choice.get("message").or_else(|| choice.get("delta")).map(RawValue::get);
        let Ok(message) = serde_json::from_str::<Object<'_>>(message.unwrap_or_default()) else { return };
        // One word for whole answers and streams.
        let place = format!("{place}.message");
        self.unknown(&message, &format!("{place}."), found);
        for name in ["content", "content_parts"] {
            let Some(raw) = message.get(name).filter(|raw| raw.get().starts_with('[')) else { continue };
            for (at, part) in parts(raw).iter().enumerate() {
                self.part(part, format!("{place}.content[{at}]"), found);
            }
        }
    }

    /// A field nobody here knows; `at` is the path in front of it.
    fn unknown(&self, object: &Object<'_>, at: &str, found: &mut Vec<Loss>) {
        for (name, value) in &object.0 {
            let name = name.as_ref();
            if matches!(value.get(), "null" | "[]" | "{}" | "\"\"" | "false") {
                continue;
            }
            if self.keeps.lacks.contains(&name) {
                self.lose(found, format!("{at}{name}"), "has no place for it");
                continue;
            }
            if MAKING.contains(&name) {
                continue;
            }
            match name {
                "content_parts" => {}
                "annotations" => self.annotations(value, at, found),
                "vendor" => self.vendors(value, at, found),
                "logprobs" if self.keeps.logprobs => {}
                "images" if self.keeps.parts.contains(&"image_url") => {}
                _ => self.lose(found, format!("{at}{name}"), "has no such field"),
            }
        }
    }

    fn annotations(&self, raw: &RawValue, at: &str, found: &mut Vec<Loss>) {
        let notes: Vec<Annotation<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
        let kept = |note: &Annotation<'_>| match note.vendor {
            Some(vendor) => self.is_own(vendor),
            None if note.kind.as_ref().is_some_and(|kind| kind.0 == "url_citation") => self.keeps.links,
            None => self.keeps.vendor == "*",
        };
        if !notes.iter().all(kept) {
            self.lose(found, format!("{at}annotations"), "has no such annotations");
        }
    }

    fn vendors(&self, raw: &RawValue, at: &str, found: &mut Vec<Loss>) {
        let vendors: Object<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        for (vendor, fields) in vendors.0.iter().filter(|(vendor, _)| vendor != self.keeps.vendor_fields) {
            let fields: Object<'_> = serde_json::from_str(fields.get()).unwrap_or_default();
            for (name, _) in fields.0.iter().filter(|(name, _)| !MAKING.contains(&name.as_ref())) {
                self.lose(found, format!("{at}vendor.{vendor}.{name}"), "has no such field");
            }
        }
    }

    fn part(&self, part: &Object<'_>, at: String, found: &mut Vec<Loss>) {
        let word = |name: &str| part.get(name).and_then(super::object::decode).unwrap_or_default();
        let kept = match word("type").as_ref() {
            "text" | "refusal" => true,
            "vendor" => self.shows(&word("vendor")),
            kind => self.keeps.parts.contains(&kind),
        };
        if !kept {
            self.lose(found, at, "has no such part");
        }
    }

    fn is_own(&self, vendor: &RawValue) -> bool {
        super::object::decode(vendor).is_some_and(|vendor| self.shows(&vendor))
    }

    fn shows(&self, vendor: &str) -> bool {
        self.keeps.vendor == "*" || self.keeps.vendor == vendor
    }

    fn lose(&self, found: &mut Vec<Loss>, field: String, why: &str) {
        found.push(Loss { field, reason: format!("{} {why}", self.keeps.dialect) });
    }
}

fn parts(raw: &RawValue) -> Vec<Object<'_>> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
