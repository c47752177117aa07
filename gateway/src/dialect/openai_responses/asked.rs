//! What an answer must know of its request: how the tools were named, and the fields it repeats.

use memchr::memmem;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::items::BRINGERS;
use super::names::Names;
use super::object::Path;
use super::{facts, tools};

/// The fields a response repeats, and what stands there when the request said nothing. SDKs' types want them.
const REPEATED: [(&str, &str); 19] = [
    ("background", "false"),
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("max_tool_calls", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("prompt_cache_key", "null"),
    ("prompt_cache_retention", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", "null"),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_logprobs", "0"),
    ("top_p", "1.0"),
    ("truncation", r#""disabled""#),
    ("user", "null"),
];

/// One request, as far as its answer needs it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) names: Names,
    said: Vec<(&'static str, Box<RawValue>)>,
    /// The answer is kept.
    pub(super) store: bool,
}

impl Asked {
    /// Reads a body that has been read before, so nothing is wrong with it.
    pub(super) fn of(body: &[u8]) -> Self {
        let mut asked = Self::default();
        let Some(mut fields) = facts::body_text(body).ok().and_then(|body| facts::root(body).ok()) else {
            return asked;
        };
        asked.store = !matches!(fields.take_bool("store", Path::Root), Ok(Some(false)));
        for (name, _) in REPEATED {
            let Ok(Some(raw)) = fields.take(name, Path::Root) else { continue };
            if name == "tools" {
                tools::declare(raw, None, &mut asked.names);
            }
            asked.said.push((name, raw.to_owned()));
        }
        // Few requests have such items; the others are not read once more.
        if BRINGERS.iter().any(|kind| memmem::find(body, kind.as_bytes()).is_some())
            && let Ok(Some(input)) = fields.take("input", Path::Root)
        {
            tools::declare_brought(input, &mut asked.names);
        }
        asked
    }

    /// Writes the repeated fields into a response.
    pub(super) fn repeat<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (name, default) in REPEATED {
            match self.said.iter().find(|(said, _)| *said == name) {
                Some((_, raw)) => map.serialize_entry(name, raw)?,
                None => map.serialize_entry(name, &Constant(default))?,
            }
        }
        // The last field: see `kept::not_kept`.
        map.serialize_entry("store", &self.store)
    }
}

/// JSON of ours.
struct Constant(&'static str);

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0).unwrap_or(RawValue::NULL);
        raw.serialize(serializer)
    }
}
