//! State of thoughts that comes in pieces: gathered, and told with the last object of the stream.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::said;
use crate::error::GatewayError;

/// Entries of `reasoning_details` in the making, by their index.
#[derive(Debug, Default)]
pub(super) struct State {
    entries: Vec<(u64, Map<String, Value>)>,
    /// Something stands in them that is more than text.
    opaque: bool,
}

impl State {
    /// Adds the pieces of one chunk: text is joined, everything else is said once.
    pub(super) fn add(&mut self, details: &RawValue) -> Result<(), GatewayError> {
        let pieces: Vec<Map<String, Value>> =
            serde_json::from_str(details.get()).map_err(|error| said::nonsense(&error))?;
        for mut piece in pieces {
            let index = piece.remove("index").and_then(|index| index.as_u64()).unwrap_or_default();
            self.opaque |= ["signature", "data"].iter().any(|name| piece.contains_key(*name));
            let place = self.entries.iter().position(|(known, _)| *known == index);
            let Some((_, entry)) = place.and_then(|place| self.entries.get_mut(place)) else {
                self.entries.push((index, piece));
                continue;
            };
            for (name, value) in piece {
                match (entry.get_mut(&name), value) {
                    (Some(Value::String(before)), Value::String(more))
                        if matches!(&*name, "text" | "summary" | "signature" | "data") =>
                    {
                        before.push_str(&more);
                    }
                    (Some(known), _) if !known.is_null() => {}
                    (_, value) => {
                        entry.insert(name, value);
                    }
                }
            }
        }
        Ok(())
    }

    /// All entries; nothing when they would only repeat the thoughts.
    pub(super) fn whole(&mut self) -> Option<Box<RawValue>> {
        if !self.opaque {
            return None;
        }
        self.entries.sort_by_key(|(index, _)| *index);
        let entries: Vec<_> = self.entries.drain(..).map(|(_, entry)| entry).collect();
        to_raw_value(&entries).ok()
    }
}
