//! Changes to the fields of a JSON object, with every value that is not touched left byte for byte as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Rules for the parameters of a request, in the order in which they are applied.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Old path and new path.
    pub rename: Vec<(String, String)>,
    /// Paths that are taken out.
    pub remove: Vec<String>,
    /// Path and value where the request says nothing.
    pub default: Vec<(String, Box<RawValue>)>,
    /// Path and value whatever the request says.
    pub set: Vec<(String, Box<RawValue>)>,
    /// Most tokens of an answer.
    pub max_tokens: Option<u64>,
}

/// The names under which requests say how long an answer may be; the first is written where none stands.
const CAPPED: [&str; 2] = ["max_completion_tokens", "max_tokens"];

impl Rules {
    /// No rule at all.
    pub fn is_empty(&self) -> bool {
        self.rename.is_empty()
            && self.remove.is_empty()
            && self.default.is_empty()
            && self.set.is_empty()
            && self.max_tokens.is_none()
    }

    /// Every path the rules name.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let renamed = self.rename.iter().flat_map(|(from, to)| [from, to]);
        let given = self.default.iter().chain(&self.set).map(|(path, _)| path);
        let capped = CAPPED.into_iter().filter(|_| self.max_tokens.is_some());
        renamed.chain(&self.remove).chain(given).map(String::as_str).chain(capped)
    }

    /// Applies all rules; `own` gives a path the name it has in this object.
    pub fn apply(&self, fields: &mut Fields<'_>, own: &dyn Fn(&str) -> String) {
        for (from, to) in &self.rename {
            if let Some(value) = fields.take(&own(from)) {
                fields.put(&own(to), value, Put::IfAbsent);
            }
        }
        for path in &self.remove {
            fields.take(&own(path));
        }
        for (path, value) in &self.default {
            fields.put(&own(path), value.clone(), Put::IfAbsent);
        }
        for (path, value) in &self.set {
            fields.put(&own(path), value.clone(), Put::Always);
        }
        let Some(cap) = self.max_tokens else { return };
        let value = RawValue::from_string(cap.to_string()).unwrap_or_default();
        let mut told = false;
        for path in CAPPED.map(own) {
            let asked = fields.get(&path).map(|raw| raw.get().parse::<f64>().unwrap_or(f64::MAX));
            told |= asked.is_some();
            if asked.is_some_and(|asked| asked > cap as f64) {
                fields.put(&path, value.clone(), Put::Always);
            }
        }
        if !told {
            fields.put(&own(CAPPED[0]), value, Put::Always);
        }
    }
}

/// The leaves of nested tables with their paths: tables are merged into a request, not put in its place.
pub fn leaves(table: &BTreeMap<String, serde_json::Value>) -> Vec<(String, Box<RawValue>)> {
    fn walk(path: &str, value: &serde_json::Value, found: &mut Vec<(String, Box<RawValue>)>) {
        match value {
            serde_json::Value::Object(members) if !members.is_empty() => {
                members.iter().for_each(|(name, value)| walk(&format!("{path}.{name}"), value, found));
            }
            value => {
                found.extend(RawValue::from_string(value.to_string()).ok().map(|raw| (path.to_owned(), raw)))
            }
        }
    }
    let mut found = Vec::new();
    table.iter().for_each(|(name, value)| walk(name, value, &mut found));
    found
}

/// When a value is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Whatever stands there.
    Always,
    /// Where nothing or `null` stands.
    IfAbsent,
}

/// The fields of an object in their order.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(String, Kept<'a>)>);

#[derive(Debug)]
enum Kept<'a> {
    Old(&'a RawValue),
    New(Box<RawValue>),
}

impl Kept<'_> {
    fn raw(&self) -> &RawValue {
        match self {
            Self::Old(raw) => raw,
            Self::New(raw) => raw,
        }
    }
}

impl<'a> Fields<'a> {
    /// Reads an object; `None` when it is none.
    pub fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The value at a path of names with dots; `null` is nothing.
    pub fn get(&self, path: &str) -> Option<Cow<'_, RawValue>> {
        let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        let Some(below) = below else {
            return (value.raw().get() != "null").then(|| Cow::Borrowed(value.raw()));
        };
        let inner = Fields::read(value.raw().get())?;
        inner.get(below).map(|raw| Cow::Owned(raw.into_owned()))
    }

    /// Takes the value at a path out.
    pub fn take(&mut self, path: &str) -> Option<Box<RawValue>> {
        let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
        let place = self.0.iter().position(|(known, _)| known == name)?;
        let Some(below) = below else {
            return Some(self.0.remove(place).1.raw().to_owned());
        };
        let (_, value) = self.0.get_mut(place)?;
        let (taken, rest) = {
            let mut inner = Fields::read(value.raw().get())?;
            (inner.take(below)?, inner.to_raw()?)
        };
        *value = Kept::New(rest);
        Some(taken)
    }

    /// Puts a value at a path; tables on the way are made.
    pub fn put(&mut self, path: &str, new: Box<RawValue>, when: Put) {
        let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
        let place = self.0.iter().position(|(known, _)| known == name);
        let old = place.and_then(|place| self.0.get(place)).map(|(_, value)| value.raw());
        let absent = old.is_none_or(|old| old.get() == "null");
        let value = match below {
            None if absent || when == Put::Always => new,
            None => return,
            Some(below) => {
                let inner = old.and_then(|old| Fields::read(old.get()));
                // What is no table has no fields; only who must have his way replaces it.
                if inner.is_none() && !absent && when == Put::IfAbsent {
                    return;
                }
                let mut inner = inner.unwrap_or_default();
                inner.put(below, new, when);
                let Some(raw) = inner.to_raw() else { return };
                raw
            }
        };
        match place.and_then(|place| self.0.get_mut(place)) {
            Some((_, old)) => *old = Kept::New(value),
            None => self.0.push((name.to_owned(), Kept::New(value))),
        }
    }

    /// The object again.
    pub fn to_raw(&self) -> Option<Box<RawValue>> {
        serde_json::value::to_raw_value(self).ok()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value.raw())?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> serde::de::Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Fields<'de>, M::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, Kept::Old(value)));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests;
