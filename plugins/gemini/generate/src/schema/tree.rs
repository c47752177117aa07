//! JSON that keeps the order of its members: the order of properties is the order in which a model writes them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use plugin_sdk::chat::Text;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'a> {
    /// An object.
    Object(Members<'a>),
    /// A list.
    List(Vec<Tree<'a>>),
    /// Anything else.
    Leaf(Leaf<'a>),
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Leaf<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, a boolean or `null`.
    Plain(Value),
}

/// The members of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members<'a>(pub Vec<(Cow<'a, str>, Tree<'a>)>);

impl<'a> Members<'a> {
    /// The member of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Tree<'a>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The member of this name.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Tree<'a>> {
        self.0.iter_mut().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// A string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Tree::Leaf(Leaf::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Sets a member.
    pub(super) fn put(&mut self, name: &str, value: Tree<'a>) {
        match self.get_mut(name) {
            Some(own) => *own = value,
            None => self.0.push((Cow::Owned(name.to_owned()), value)),
        }
    }
}

impl Tree<'_> {
    /// A string.
    pub(super) fn text(text: &str) -> Self {
        Self::Leaf(Leaf::Text(Cow::Owned(text.to_owned())))
    }

    /// A value without parts.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Self::Leaf(Leaf::Text(text)) => Some(Value::from(&**text)),
            Self::Leaf(Leaf::Plain(value)) => Some(value.clone()),
            _ => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Tree<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a ()>);
        impl<'a> Reader<'a> {
            fn plain<E>(value: impl Into<Value>) -> Result<Tree<'a>, E> {
                Ok(Tree::Leaf(Leaf::Plain(value.into())))
            }
        }
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Tree<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree<'a>, E> {
                Self::plain(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Tree<'a>, E> {
                Self::plain(value)
            }

            fn visit_u64<E>(self, value: u64) -> Result<Tree<'a>, E> {
                Self::plain(value)
            }

            fn visit_i64<E>(self, value: i64) -> Result<Tree<'a>, E> {
                Self::plain(value)
            }

            fn visit_f64<E>(self, value: f64) -> Result<Tree<'a>, E> {
                Self::plain(Number::from_f64(value).map_or(Value::Null, Value::Number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree<'a>, E> {
                Ok(Tree::Leaf(Leaf::Text(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree<'a>, E> {
                Ok(Tree::Leaf(Leaf::Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree<'a>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Tree::List(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree<'a>, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<Text<'a>, _>()? {
                    members.0.push((name.into_inner(), value));
                }
                Ok(Tree::Object(members))
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(members) => {
                serializer.collect_map(members.0.iter().map(|(name, value)| (name, value)))
            }
            Self::List(values) => serializer.collect_seq(values),
            Self::Leaf(Leaf::Text(text)) => serializer.serialize_str(text),
            Self::Leaf(Leaf::Plain(value)) => value.serialize(serializer),
        }
    }
}
