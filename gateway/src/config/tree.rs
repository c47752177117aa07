//! A TOML document as a tree in which every value knows its place.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Bytes of the file.
    File(Range<usize>),
    /// An override from the command line or the environment, named by its path.
    Override(String),
    /// The entry of the admin API that holds it, named by its path.
    Stored(String),
}

impl Place {
    /// A problem at this place.
    pub(crate) fn problem(&self, message: impl Into<String>, label: impl Into<String>) -> Problem {
        let (message, label) = (message.into(), label.into());
        match self {
            Self::File(span) => Problem { message, span: Some(span.clone()), label, help: None },
            Self::Override(path) => {
                let message = format!("{message} (set from outside the file: `{path}`)");
                Problem { message, span: None, label: String::new(), help: None }
            }
            Self::Stored(path) => Problem::of_stored(path, message),
        }
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) value: Value,
    /// Where it was written.
    pub(crate) place: Place,
    /// The text it was given as, when that text has no TOML type of its own: an override, or the result of
    /// `${…}`. It may be read as whatever is wanted there.
    pub(crate) loose: Option<String>,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A string.
    Text(String),
    /// An integer. TOML's are 64 bits wide.
    Integer(i64),
    /// A float, finite or not.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time, as text.
    Datetime(String),
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Member>),
    /// Something whose problem has been reported already.
    Broken,
}

/// A key's value in a table.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Where the key was written.
    pub(crate) key: Place,
    /// Its value.
    pub(crate) node: Node,
}

/// One step down a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into a table.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// A way from the root to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route(pub(crate) Vec<Step>);

impl Route {
    /// Through these tables.
    pub(crate) fn keys(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Step::Key((*name).to_owned())).collect())
    }

    /// One table further.
    pub(crate) fn key(&self, name: &str) -> Self {
        self.and(Step::Key(name.to_owned()))
    }

    /// One list further.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.and(Step::Index(index))
    }

    fn and(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Key(name) => {
                    formatter.write_str(if index > 0 { "." } else { "" })?;
                    formatter.write_str(&key_text(name))?;
                }
            }
        }
        Ok(())
    }
}

/// A key as TOML wants it: quoted unless it is bare.
pub(crate) fn key_text(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) {
        return name.to_owned();
    }
    toml::Value::String(name.to_owned()).to_string()
}

/// Reads a document as far as it can be read, with everything that is wrong with its syntax.
pub(crate) fn read(text: &str) -> (Node, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let problems = errors.iter().map(|error| Problem {
        message: error.message().lines().next().unwrap_or("not valid TOML").to_owned(),
        span: error.span(),
        label: "not valid TOML".to_owned(),
        help: None,
    });
    let problems = problems.collect();
    let span = table.span();
    (Node { value: table_of(table.into_inner()), place: Place::File(span), loose: None }, problems)
}

fn table_of(table: DeTable<'_>) -> Value {
    let member = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let place = Place::File(key.span());
        let name: std::borrow::Cow<'_, str> = key.into_inner();
        (name.into_owned(), Member { key: place, node: node_of(value) })
    };
    Value::Table(table.into_iter().map(member).collect())
}

fn node_of(value: Spanned<DeValue<'_>>) -> Node {
    let place = Place::File(value.span());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            // Beyond 64 bits: as a float it fails every range, and so is reported with them.
            Err(_) => Value::Float(f64::INFINITY),
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
        DeValue::Array(list) => Value::List(list.into_iter().map(node_of).collect()),
        DeValue::Table(table) => table_of(table),
    };
    Node { value, place, loose: None }
}

impl Node {
    /// The member of a table.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        match &self.value {
            Value::Table(members) => members.get(name),
            _ => None,
        }
    }

    /// The names in a table.
    pub(crate) fn names(&self) -> Vec<&str> {
        match &self.value {
            Value::Table(members) => members.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The place to blame for what lies at `route`: the value, the key of a table, or as far down as the tree goes.
    pub(crate) fn place_of(&self, route: &Route) -> &Place {
        let (mut node, mut place) = (self, &self.place);
        for step in &route.0 {
            let next = match (step, &node.value) {
                (Step::Key(name), Value::Table(members)) => {
                    members.get(name).map(|member| (&member.node, Some(&member.key)))
                }
                (Step::Index(index), Value::List(list)) => list.get(*index).map(|node| (node, None)),
                _ => None,
            };
            let Some((found, key)) = next else { return place };
            node = found;
            place = match (&node.value, key) {
                (Value::Table(_), Some(key)) => key,
                _ => &node.place,
            };
        }
        place
    }

    /// The place of the key at the end of `route`; the value's where there is none.
    pub(crate) fn place_of_key(&self, route: &Route) -> &Place {
        let mut node = self;
        let mut key = None;
        for step in &route.0 {
            let Step::Key(name) = step else { return self.place_of(route) };
            let Some(member) = node.member(name) else { return self.place_of(route) };
            (node, key) = (&member.node, Some(&member.key));
        }
        key.unwrap_or(&self.place)
    }

    /// The same as JSON, for serde. What is broken is left out.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Text(text) | Value::Datetime(text) => text.as_str().into(),
            Value::Integer(integer) => (*integer).into(),
            Value::Float(float) => (*float).into(),
            Value::Boolean(boolean) => (*boolean).into(),
            Value::List(list) => list.iter().map(Self::to_json).collect(),
            Value::Table(members) => {
                let whole = members.iter().filter(|(_, member)| !matches!(member.node.value, Value::Broken));
                whole.map(|(name, member)| (name.clone(), member.node.to_json())).collect()
            }
            Value::Broken => serde_json::Value::Null,
        }
    }
}
