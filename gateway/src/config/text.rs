//! Values that are written as one string: how serde reads them, how they print, what the schema says of them.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::hedge::HedgeAfter;
use super::limits::{Period, Rates};
use super::model::{Destination, ModelPattern, RetryCondition, TargetName};
use super::moment::Moment;
use super::plugin::{Digest, Source};
use super::server::ListenAddress;
use super::statuses::Statuses;
use crate::domain::{AddressRange, ByteSize, Condition, Micros, Rate, Secret, Timespan, TimespanRange};

/// The schema's word for a string that one of our types reads.
pub(crate) const KIND: &str = "x-kind";

/// A value written as one string.
pub(crate) trait Text: FromStr<Err = String> + Display {
    /// Its word in the schema.
    const KIND: &'static str;
    /// What an editor may check without us.
    const PATTERN: &'static str;
    /// How it is written; the help of an error.
    const WRITTEN: &'static str;
}

/// The schema of a [`Text`].
pub(crate) fn schema_of<T: Text>() -> Schema {
    // What stands in braces is known only later.
    let pattern = format!("{}|\\$\\{{", T::PATTERN);
    json_schema!({ "type": "string", "pattern": pattern, "description": T::WRITTEN, "x-kind": T::KIND })
}

/// Gives a [`Text`] its serde and schema implementations; the orphan rule forbids one for all.
macro_rules! text_values {
    ($($type:ty),+ $(,)?) => {$(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as ::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(::serde::de::Error::custom)
            }
        }

        impl ::schemars::JsonSchema for $type {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                <$type as $crate::config::text::Text>::KIND.into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::config::text::schema_of::<$type>()
            }
        }
    )+};
}
pub(crate) use text_values;

impl Text for Timespan {
    const KIND: &'static str = "duration";
    const PATTERN: &'static str = r"^[0-9]+(us|ms|s|m|h|d)$";
    const WRITTEN: &'static str = "a whole number and one of the units us, ms, s, m, h, d, as in \"60s\"";
}

impl Text for TimespanRange {
    const KIND: &'static str = "duration-range";
    const PATTERN: &'static str = r"^[0-9]+(us|ms|s|m|h|d)\.\.[0-9]+(us|ms|s|m|h|d)$";
    const WRITTEN: &'static str = "the shortest and the longest duration, as in \"200ms..5s\"";
}

impl Text for ByteSize {
    const KIND: &'static str = "size";
    const PATTERN: &'static str = r"^[0-9]+(B|KB|MB|GB|KiB|MiB|GiB)$";
    const WRITTEN: &'static str =
        "a whole number and one of the units B, KB, MB, GB, KiB, MiB, GiB, as in \"32MiB\"";
}

impl Text for Rate {
    const KIND: &'static str = "rate";
    const PATTERN: &'static str = r"^[0-9]+[kKMG]?/(s|min|h|day)$";
    const WRITTEN: &'static str =
        "a count (k, M and G are thousands) per s, min, h or day, as in \"600/min\"";
}

impl Text for AddressRange {
    const KIND: &'static str = "address-range";
    const PATTERN: &'static str = r"^[0-9A-Fa-f.:]+(/[0-9]+)?$";
    const WRITTEN: &'static str =
        "an IP address, or a range of them with the number of bits they share, as in \"10.0.0.0/8\"";
}

text_values!(Timespan, TimespanRange, ByteSize, Rate, AddressRange);

/// Why a text is refused as a value of that kind, and how it is written; `None` when it is fine.
pub(crate) fn refusal(kind: &str, text: &str) -> Option<(String, &'static str)> {
    match kind {
        Timespan::KIND => refused_by::<Timespan>(text),
        TimespanRange::KIND => refused_by::<TimespanRange>(text),
        ByteSize::KIND => refused_by::<ByteSize>(text),
        Rate::KIND => refused_by::<Rate>(text),
        Rates::KIND => refused_by::<Rates>(text),
        Period::KIND => refused_by::<Period>(text),
        AddressRange::KIND => refused_by::<AddressRange>(text),
        ListenAddress::KIND => refused_by::<ListenAddress>(text),
        TargetName::KIND => refused_by::<TargetName>(text),
        Destination::KIND => refused_by::<Destination>(text),
        Moment::KIND => refused_by::<Moment>(text),
        ModelPattern::KIND => refused_by::<ModelPattern>(text),
        RetryCondition::KIND => refused_by::<RetryCondition>(text),
        HedgeAfter::KIND => refused_by::<HedgeAfter>(text),
        Statuses::KIND => refused_by::<Statuses>(text),
        Source::KIND => refused_by::<Source>(text),
        Digest::KIND => refused_by::<Digest>(text),
        Condition::KIND => refused_by::<Condition>(text),
        "url" => refused_url(text),
        "url-or-empty" if text.is_empty() => None,
        "url-or-empty" => refused_url(text),
        _ => None,
    }
}

fn refused_by<T: Text>(text: &str) -> Option<(String, &'static str)> {
    T::from_str(text).err().map(|message| (message, T::WRITTEN))
}

/// An address of a server. It may hold a credential by mistake, so it is never repeated in the message.
fn refused_url(text: &str) -> Option<(String, &'static str)> {
    let written = "the scheme, the host and a path at most, as in \"https://api.example.com/v1\"";
    let refuse = |why: &str| Some((format!("not an address of a server: {why}"), written));
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return refuse("it must start with `https://` or `http://`");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return refuse("it holds a user name or password; a key belongs into `keys`");
    }
    if rest.contains(['?', '#']) {
        return refuse("it holds a query or a fragment");
    }
    let Ok(address) = text.parse::<http::Uri>() else {
        return refuse("it holds a character that no address has, or a port that is none");
    };
    match address.host() {
        None | Some("") => refuse("the host is missing"),
        Some(_) if authority.ends_with(':') || address.port_u16() == Some(0) => refuse("the port is missing"),
        Some(_) => None,
    }
}

impl Serialize for Micros {
    /// A number of dollars, for showing only: amounts under a billion dollars keep every digit.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_string().parse::<i64>() {
            Ok(dollars) => serializer.serialize_i64(dollars),
            Err(_) => serializer.serialize_f64(self.to_string().parse().map_err(serde::ser::Error::custom)?),
        }
    }
}

impl<'de> Deserialize<'de> for Micros {
    /// The shortest decimal of a parsed number is the one that was written (up to 15 digits), so nothing is rounded.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        number.to_string().parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Micros {
    fn schema_name() -> Cow<'static, str> {
        "usd".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "description": "US dollars, as in 20 or 0.05", "x-kind": "usd" })
    }
}

/// Secrets: read as text, shown as `***`.
pub(crate) mod secret {
    use std::collections::BTreeMap;

    use super::{
        Cow, Deserialize, Deserializer, JsonSchema, Schema, SchemaGenerator, Secret, Serializer, json_schema,
    };

    /// The schema of a secret.
    pub(crate) struct SecretText;

    impl JsonSchema for SecretText {
        fn schema_name() -> Cow<'static, str> {
            "secret".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({
                "type": "string",
                "description": "a secret, best written as \"${NAME}\" or \"${file:/run/secrets/name}\"",
                "x-kind": "secret"
            })
        }
    }

    pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }

    pub(crate) fn read_optional<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret>, D::Error> {
        Option::<String>::deserialize(deserializer).map(|text| text.map(Secret::new))
    }

    pub(crate) fn read_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
        Vec::<String>::deserialize(deserializer).map(|list| list.into_iter().map(Secret::new).collect())
    }

    pub(crate) fn mask<S: Serializer>(_: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }

    pub(crate) fn mask_optional<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => mask(secret, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn read_map<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, Secret>, D::Error> {
        let map = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(map.into_iter().map(|(name, text)| (name, Secret::new(text))).collect())
    }

    pub(crate) fn mask_map<S: Serializer>(
        secrets: &BTreeMap<String, Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(secrets.keys().map(|name| (name, "***")))
    }

    pub(crate) fn mask_list<S: Serializer>(secrets: &[Secret], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(secrets.iter().map(|_| "***"))
    }
}
