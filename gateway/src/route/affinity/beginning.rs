//! The part of a prompt that stays while its conversation grows: the system prompt and the first message of the user.
//!
//! Every dialect is read the same way, by the names its members have. What counts is text, and data such as pictures;
//! how it is wrapped does not: a client that moves its cache marks makes a part of what was a plain text before.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Members that say how something is wrapped, marked or counted, or that are added when a message is sent again.
const WRAPPING: [&str; 8] =
    ["type", "role", "id", "status", "object", "cache_control", "cachePoint", "cache_point"];

/// Claude Code puts a block with this beginning before its system prompt; it differs from request to request.
const BILLING: &str = "x-anthropic-billing-header:";

/// A completion's prompt grows at its end; its first line, up to so many bytes, stays.
const LINE: usize = 1024;

/// What holds prompts, in all dialects.
#[derive(Deserialize)]
struct Prompt<'a> {
    #[serde(borrow, default)]
    system: Option<&'a RawValue>,
    #[serde(borrow, default)]
    instructions: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "systemInstruction", alias = "system_instruction")]
    system_instruction: Option<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    contents: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt: Option<&'a RawValue>,
}

/// A digest of how a prompt begins; `None`: there is nothing in it.
pub(super) fn of(body: &[u8]) -> Option<[u8; 32]> {
    let prompt: Prompt<'_> = serde_json::from_slice(body).ok()?;
    let mut leaves = Leaves { hasher: blake3::Hasher::new(), any: false };
    for part in [prompt.system, prompt.instructions, prompt.system_instruction].into_iter().flatten() {
        leaves.take(part);
    }
    for list in [prompt.messages, prompt.input, prompt.contents].into_iter().flatten() {
        // Stopped at the first message of the user, which reads as an error.
        let _ = Messages(&mut leaves).deserialize(&mut serde_json::Deserializer::from_str(list.get()));
    }
    if let Some(prompt) = prompt.prompt {
        match serde_json::from_str::<String>(prompt.get()) {
            Ok(text) => leaves.text(first_line(&text)),
            Err(_) => leaves.take(prompt),
        }
    }
    leaves.any.then(|| *leaves.hasher.finalize().as_bytes())
}

fn first_line(text: &str) -> &str {
    let line = text.split('\n').next().unwrap_or(text);
    line.get(..line.floor_char_boundary(LINE)).unwrap_or(line)
}

/// Takes the texts of a value, in their order.
struct Leaves {
    hasher: blake3::Hasher,
    any: bool,
}

impl Leaves {
    fn take(&mut self, raw: &RawValue) {
        // It was read as JSON once already.
        let _ = (&mut *self).deserialize(&mut serde_json::Deserializer::from_str(raw.get()));
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() || text.starts_with(BILLING) {
            return;
        }
        self.any = true;
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }
}

impl<'de> DeserializeSeed<'de> for &mut Leaves {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Leaves {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Counts(counts)) = members.next_key()? {
            if counts {
                members.next_value_seed(&mut *self)?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Whether what a member holds counts.
struct Counts(bool);

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Counts;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Counts, E> {
                Ok(Counts(!WRAPPING.contains(&name)))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// Takes messages up to the first of the user.
struct Messages<'l>(&'l mut Leaves);

impl<'de> DeserializeSeed<'de> for Messages<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Messages<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("messages")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut messages: A) -> Result<(), A::Error> {
        while let Some(message) = messages.next_element::<&RawValue>()? {
            self.0.take(message);
            if is_users(message) {
                return Err(A::Error::custom("the rest does not matter"));
            }
        }
        Ok(())
    }
}

/// Gemini's clients may leave the role out.
fn is_users(message: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Message {
        role: Option<String>,
        parts: Option<IgnoredAny>,
    }
    let message: Option<Message> = serde_json::from_str(message.get()).ok();
    message.is_some_and(|message| match message.role {
        Some(role) => role == "user",
        None => message.parts.is_some(),
    })
}
