//! JSON that keeps its keys in the order they were written in, as the vendors' answers do.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A JSON value to be written.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Object(Vec<(&'static str, Tree)>),
    List(Vec<Tree>),
    Leaf(Value),
}

/// An object with these fields.
pub(super) fn object<const N: usize>(fields: [(&'static str, Tree); N]) -> Tree {
    Tree::Object(fields.into())
}

/// `null`.
pub(super) const NULL: Tree = Tree::Leaf(Value::Null);

impl Tree {
    /// The same object with one more field; anything else stays what it is.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Tree>) -> Self {
        if let Self::Object(fields) = &mut self {
            fields.push((name, value.into()));
        }
        self
    }

    /// The same object, with one more field if there is a value.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl Into<Tree>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Compact JSON.
    pub(super) fn compact(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Indented JSON, as Google writes it.
    pub(super) fn pretty(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
            Self::List(items) => serializer.collect_seq(items),
            Self::Leaf(value) => value.serialize(serializer),
        }
    }
}

impl From<&str> for Tree {
    fn from(text: &str) -> Self {
        Self::Leaf(Value::String(text.to_owned()))
    }
}

impl From<String> for Tree {
    fn from(text: String) -> Self {
        Self::Leaf(Value::String(text))
    }
}

impl From<u64> for Tree {
    fn from(number: u64) -> Self {
        Self::Leaf(number.into())
    }
}

impl From<usize> for Tree {
    fn from(number: usize) -> Self {
        Self::Leaf(number.into())
    }
}

impl From<f64> for Tree {
    fn from(number: f64) -> Self {
        Self::Leaf(number.into())
    }
}

impl From<bool> for Tree {
    fn from(yes: bool) -> Self {
        Self::Leaf(yes.into())
    }
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        Self::Leaf(value)
    }
}

impl From<Vec<Tree>> for Tree {
    fn from(items: Vec<Tree>) -> Self {
        Self::List(items)
    }
}

impl<T: Into<Tree>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Self {
        value.map_or(NULL, Into::into)
    }
}
