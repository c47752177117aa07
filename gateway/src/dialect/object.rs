//! JSON objects as raw fields: a value is checked when it is taken, and what nobody takes is carried on.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::error::GatewayError;

/// Where we are in the client's body. Printed only when something is wrong there.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// The body itself.
    Root,
    /// A field of an object.
    Field(&'p Path<'p>, &'p str),
    /// An element of a list.
    Item(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// The client's request is wrong here.
    pub(super) fn wrong(&self, message: impl Into<String>) -> GatewayError {
        match self {
            Self::Root => GatewayError::client(crate::error::Kind::InvalidRequest, message),
            _ => GatewayError::invalid(self.to_string(), message),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => formatter.write_str(name),
            Self::Field(parent, name) => write!(formatter, "{parent}.{name}"),
            Self::Item(parent, index) => write!(formatter, "{parent}[{index}]"),
        }
    }
}

/// Why `body` is not a `T`, with the path of the field.
pub(super) fn explain<'a, T: Deserialize<'a>>(body: &'a [u8]) -> GatewayError {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        let reason = deserializer.end().err().map_or_else(String::new, |error| error.to_string());
        return GatewayError::client(
            crate::error::Kind::InvalidRequest,
            format!("the body is not JSON: {reason}"),
        );
    };
    let path = error.path().to_string();
    let reason = error.into_inner();
    if !reason.is_data() {
        return GatewayError::client(
            crate::error::Kind::InvalidRequest,
            format!("the body is not JSON: {reason}"),
        );
    }
    match path.as_str() {
        "." | "" => GatewayError::client(crate::error::Kind::InvalidRequest, reason.to_string()),
        path => GatewayError::invalid(path, reason.to_string()),
    }
}

/// The fields of one object, in their order.
#[derive(Debug, Default)]
pub(super) struct Object<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads a whole body.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, GatewayError> {
        let wrong = |message: String| GatewayError::client(crate::error::Kind::InvalidRequest, message);
        let text = std::str::from_utf8(body)
            .map_err(|error| wrong(format!("the body is not UTF-8 (byte {})", error.valid_up_to())))?;
        serde_json::from_str(text).map_err(|error| {
            let what =
                if error.is_data() { "the body must be an object" } else { "the body is not valid JSON" };
            wrong(format!("{what}: {error}"))
        })
    }

    /// Reads `raw`, which stands at `path`.
    pub(super) fn read(raw: &'a RawValue, path: Path<'_>) -> Result<Self, GatewayError> {
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected an object"))
    }

    /// Reads a list of objects.
    pub(super) fn read_list(raw: &'a RawValue, path: Path<'_>) -> Result<Vec<Self>, GatewayError> {
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a list of objects"))
    }

    /// A field, left in place. `null` and absent mean the same.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (value.get() != "null").then_some(*value)
    }

    /// Takes a field out. `null` and absent mean the same; a field that stands twice is an error,
    /// because two readers could then see two different requests.
    pub(super) fn take(&mut self, name: &str, path: Path<'_>) -> Result<Option<&'a RawValue>, GatewayError> {
        let Some(position) = self.0.iter().position(|(key, _)| key == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.remove(position);
        if self.0.iter().any(|(key, _)| key == name) {
            return Err(Path::Field(&path, name).wrong("the field stands twice"));
        }
        Ok((value.get() != "null").then_some(value))
    }

    /// Takes a string out, still in its JSON spelling.
    pub(super) fn take_string(
        &mut self,
        name: &str,
        path: Path<'_>,
    ) -> Result<Option<&'a RawValue>, GatewayError> {
        let value = self.take(name, path)?;
        if value.is_some_and(|raw| !raw.get().starts_with('"')) {
            return Err(Path::Field(&path, name).wrong("expected a string"));
        }
        Ok(value)
    }

    /// Takes a string out that must be there.
    pub(super) fn need_string(&mut self, name: &str, path: Path<'_>) -> Result<&'a RawValue, GatewayError> {
        self.take_string(name, path)?.ok_or_else(|| Path::Field(&path, name).wrong("field required"))
    }

    /// Takes a string out and undoes its escapes.
    pub(super) fn take_text(
        &mut self,
        name: &str,
        path: Path<'_>,
    ) -> Result<Option<Cow<'a, str>>, GatewayError> {
        self.take_string(name, path)?.map(|raw| text(raw, Path::Field(&path, name))).transpose()
    }

    /// Takes a string out that must be there, and undoes its escapes.
    pub(super) fn need_text(&mut self, name: &str, path: Path<'_>) -> Result<Cow<'a, str>, GatewayError> {
        self.take_text(name, path)?.ok_or_else(|| Path::Field(&path, name).wrong("field required"))
    }

    /// Takes `true` or `false` out.
    pub(super) fn take_bool(&mut self, name: &str, path: Path<'_>) -> Result<Option<bool>, GatewayError> {
        let Some(raw) = self.take(name, path)? else {
            return Ok(None);
        };
        match raw.get() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(Path::Field(&path, name).wrong("expected true or false")),
        }
    }

    /// Takes a number out, in its own spelling: `1` stays `1` and `1.0` stays `1.0`.
    pub(super) fn take_number(
        &mut self,
        name: &str,
        path: Path<'_>,
    ) -> Result<Option<&'a RawValue>, GatewayError> {
        let value = self.take(name, path)?;
        if value
            .is_some_and(|raw| !raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()))
        {
            return Err(Path::Field(&path, name).wrong("expected a number"));
        }
        Ok(value)
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a raw value stands in the body it was read from: it is a slice of it, so the distance of the pointers tells.
pub(super) fn span_of(raw: &RawValue, body: &[u8]) -> Range<usize> {
    let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
    start..start + raw.get().len()
}

/// A JSON string without its escapes; copied only when it has some.
pub(super) fn text<'a>(raw: &'a RawValue, path: Path<'_>) -> Result<Cow<'a, str>, GatewayError> {
    decode(raw).ok_or_else(|| path.wrong("expected a string"))
}

/// A JSON string without its escapes, or nothing when it is not a string.
pub(super) fn decode(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str(raw.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// A string that is borrowed where it can be; a plain `Cow` would always be copied.
pub(super) struct Name<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object<'de>, M::Error> {
                let mut fields = Vec::with_capacity(6);
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
