//! Borrowed values: text, JSON that is only carried along, fields without a name.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Whether a field is left out when written.
pub trait Absent {
    /// True when there is nothing to write.
    fn absent(&self) -> bool {
        false
    }
}

impl<T> Absent for Option<T> {
    fn absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for bool {
    fn absent(&self) -> bool {
        !self
    }
}

impl Absent for u64 {}

/// A string that borrows from the body unless it has escapes.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'a> Text<'a> {
    /// The string, with the body's lifetime where it borrows.
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

impl Absent for Text<'_> {}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, formatter)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        &**self == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        &**self == *other
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Text<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader(std::marker::PhantomData))
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// JSON that is only carried along: a slice of the body, or a value made by an adapter.
#[derive(Clone, Debug)]
pub enum Json<'a> {
    /// As it stood in the body.
    Raw(&'a RawValue),
    /// Made here.
    Value(serde_json::Value),
}

impl Absent for Json<'_> {}

impl Default for Json<'_> {
    fn default() -> Self {
        Self::Value(serde_json::Value::Null)
    }
}

impl<'a> Json<'a> {
    /// The JSON text.
    pub fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Raw(raw) => Cow::Borrowed(raw.get()),
            Self::Value(value) => Cow::Owned(value.to_string()),
        }
    }

    /// A tree of it; for small things only.
    pub fn to_value(&self) -> serde_json::Value {
        match self {
            Self::Raw(raw) => serde_json::from_str(raw.get()).unwrap_or_default(),
            Self::Value(value) => value.clone(),
        }
    }

    /// Reads it as `T`, if it is one. Values made here are owned, so only slices of the body can be borrowed from.
    pub fn read<T: Deserialize<'a>>(&self) -> Option<T> {
        match self {
            Self::Raw(raw) => serde_json::from_str(raw.get()).ok(),
            Self::Value(value) => T::deserialize(value.clone()).ok(),
        }
    }

    /// `null` counts as absent.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Raw(raw) => raw.get() == "null",
            Self::Value(value) => value.is_null(),
        }
    }
}

impl From<serde_json::Value> for Json<'_> {
    fn from(value: serde_json::Value) -> Self {
        Self::Value(value)
    }
}

impl<'a> From<&'a RawValue> for Json<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self::Raw(raw)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'de RawValue>::deserialize(deserializer).map(Self::Raw)
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

/// Fields in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a>(pub Vec<(Text<'a>, Json<'a>)>);

impl Absent for Fields<'_> {
    fn absent(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Fields<'a> {
    /// The value of a field; `null` is absent.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.iter().find(|(key, value)| *key == name && !value.is_null()).map(|(_, value)| value)
    }

    /// Adds a field.
    pub fn push(&mut self, name: impl Into<Text<'a>>, value: impl Into<Json<'a>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Name and value of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// No fields at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that say something: `null` is left out.
    pub fn present(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.iter().filter(|(_, value)| !value.is_null())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Fields<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'a>, A::Error> {
                let mut fields = Fields::default();
                while let Some(entry) = map.next_entry()? {
                    fields.0.push(entry);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Reader(std::marker::PhantomData))
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

/// A string, or a list of strings.
#[derive(Clone, Debug, Default)]
pub struct StopSequences<'a>(pub Vec<Text<'a>>);

impl Absent for StopSequences<'_> {
    fn absent(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for StopSequences<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = StopSequences<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list of strings")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(StopSequences(vec![Text(Cow::Borrowed(text))]))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(StopSequences(vec![Text(Cow::Owned(text.to_owned()))]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut stops = Vec::new();
                while let Some(stop) = list.next_element()? {
                    stops.push(stop);
                }
                Ok(StopSequences(stops))
            }
        }
        deserializer.deserialize_any(Reader(std::marker::PhantomData))
    }
}

impl Serialize for StopSequences<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A value that must be there.
pub(super) fn required<T, E: serde::de::Error>(value: Option<T>, field: &'static str) -> Result<T, E> {
    value.ok_or_else(|| E::missing_field(field))
}
