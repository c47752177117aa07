//! `[models.*] balance`: a strategy by its name. Which ones there are, the list in `balance` says.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::balance;

/// How requests are spread over targets.
#[derive(Clone, Copy)]
pub struct Balance(pub &'static dyn balance::Balance);

impl Balance {
    /// The strategy with this name.
    pub fn named(name: &str) -> Option<Self> {
        balance::named(name).map(Self)
    }
}

impl Default for Balance {
    fn default() -> Self {
        Self(balance::DEFAULT)
    }
}

impl PartialEq for Balance {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl fmt::Debug for Balance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let names: Vec<_> = balance::ALL.iter().map(|known| known.name()).collect();
            de::Error::custom(format!("`{name}` is no strategy; there are {}", names.join(", ")))
        })
    }
}

impl Serialize for Balance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl JsonSchema for Balance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Balance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |known: &&dyn balance::Balance| {
            let about = format!("{}.", capitalised(known.about()));
            serde_json::json!({ "description": about, "type": "string", "const": known.name() })
        };
        let all: Vec<_> = balance::ALL.iter().map(one).collect();
        json_schema!({ "description": "How requests are spread over targets.", "oneOf": all })
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
