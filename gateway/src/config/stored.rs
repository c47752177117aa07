//! What was made through the admin API: entries of some sections, and provider keys typed in. A layer over the file.
//!
//! The file goes first: a name that stands in it cannot be taken. Nothing here is interpolated: whoever may make a
//! provider may not thereby read the gateway's environment or files.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Config;
use super::tree::{Member, Node, Place, Value, key_text};
use crate::domain::Secret;

/// A section whose entries can be made through the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// `[providers.*]`
    Providers,
    /// `[models.*]`
    Models,
    /// `[prices.*]`
    Prices,
}

impl Section {
    /// Every section.
    pub const ALL: [Self; 3] = [Self::Providers, Self::Models, Self::Prices];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Providers => "providers",
            Self::Models => "models",
            Self::Prices => "prices",
        }
    }

    /// The section of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    /// Whether an entry of this name stands in a configuration.
    pub fn holds(self, config: &Config, name: &str) -> bool {
        match self {
            Self::Providers => config.providers.contains_key(name),
            Self::Models => config.models.contains_key(name),
            Self::Prices => config.prices.contains_key(name),
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One entry.
#[derive(Clone, PartialEq)]
pub struct StoredEntry {
    /// Where it belongs.
    pub section: Section,
    /// Its name.
    pub name: String,
    /// What the file would say of it. It may hold secrets.
    pub value: Json,
    /// Of a provider with secrets: where they may be sent. None: nobody has looked yet.
    pub origin: Option<String>,
}

impl fmt::Debug for StoredEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", path_of(self.section, &self.name))
    }
}

/// A provider key that was typed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedKey {
    /// Its id, as pools show it.
    pub id: String,
    /// The key.
    pub secret: Secret,
    /// The operator's word on it.
    pub note: Option<String>,
    /// Where it may be sent. None: nobody has looked yet.
    pub origin: Option<String>,
}

/// Everything that was made through the admin API.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// Entries, in order of section and name.
    pub entries: Vec<StoredEntry>,
    /// Keys by provider, whether it stands in the file or not.
    pub keys: BTreeMap<String, Vec<TypedKey>>,
}

/// What no file says of a provider.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// It was made through the admin API: it may only be at a public address.
    pub made: bool,
    /// Where its secrets may be sent; none: wherever it is.
    pub origin: Option<String>,
    /// Keys typed in for it.
    pub keys: Vec<TypedKey>,
}

impl PartialEq for Kept {
    /// Whether the operator would say that something changed: an origin follows from the rest.
    fn eq(&self, other: &Self) -> bool {
        let ids =
            |kept: &Self| kept.keys.iter().map(|key| (key.id.clone(), key.note.clone())).collect::<Vec<_>>();
        self.made == other.made && ids(self) == ids(other)
    }
}

/// `providers.acme`, as a file would have it.
pub fn path_of(section: Section, name: &str) -> String {
    format!("{section}.{}", key_text(name))
}

/// Puts entries into the tree. Those that the file has, too, stay out; their paths are returned.
pub(crate) fn apply(root: &mut Node, stored: &Stored) -> Vec<String> {
    let mut shadowed = Vec::new();
    let Value::Table(sections) = &mut root.value else { return shadowed };
    for entry in &stored.entries {
        let path = path_of(entry.section, &entry.name);
        let place = Place::Stored(path.clone());
        let empty = || Member { key: place.clone(), node: node(Value::Table(BTreeMap::new()), &place) };
        let section = sections.entry(entry.section.name().to_owned()).or_insert_with(empty);
        let Value::Table(members) = &mut section.node.value else { continue };
        if members.contains_key(&entry.name) {
            shadowed.push(path);
            continue;
        }
        members
            .insert(entry.name.clone(), Member { key: place.clone(), node: node_of(&entry.value, &place) });
    }
    shadowed
}

/// Tells the providers what no file says of them.
pub(crate) fn tell(config: &mut Config, stored: &Stored, root: &Node) {
    for (name, provider) in &mut config.providers {
        let section = root.member("providers").and_then(|section| section.node.member(name));
        let made = section.is_some_and(|member| matches!(member.key, Place::Stored(_)));
        let own = |entry: &&StoredEntry| made && entry.section == Section::Providers && entry.name == *name;
        let entry = stored.entries.iter().find(own);
        provider.kept = Kept {
            made,
            origin: entry.and_then(|entry| entry.origin.clone()),
            keys: stored.keys.get(name).cloned().unwrap_or_default(),
        };
    }
}

fn node(value: Value, place: &Place) -> Node {
    Node { value, place: place.clone(), loose: None }
}

fn node_of(value: &Json, place: &Place) -> Node {
    let value = match value {
        Json::Null => Value::Broken,
        Json::Bool(boolean) => Value::Boolean(*boolean),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, float) => Value::Float(float.unwrap_or(f64::NAN)),
        },
        Json::Array(list) => Value::List(list.iter().map(|item| node_of(item, place)).collect()),
        Json::Object(members) => {
            // A member that is null is as good as none.
            let said = members.iter().filter(|(_, value)| !value.is_null());
            let member = |(name, value): (&String, &Json)| {
                (name.clone(), Member { key: place.clone(), node: node_of(value, place) })
            };
            Value::Table(said.map(member).collect())
        }
    };
    node(value, place)
}

/// A configuration as a file: what is masked becomes `${…}`, named after its place.
///
/// # Errors
/// When a value has no form in TOML.
pub fn as_file(mut value: Json) -> Result<String, String> {
    named(&mut value, &mut vec!["CAUSEWAY".to_owned()]);
    toml::to_string(&value).map_err(|error| error.to_string())
}

/// Names what is masked, doubles dollar signs that would be taken for a name, and leaves out what is null.
fn named(value: &mut Json, path: &mut Vec<String>) {
    match value {
        Json::String(text) if text == "***" => {
            let word = |part: &String| {
                let plain = |letter: char| {
                    if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' }
                };
                part.chars().map(plain).collect::<String>()
            };
            let words: Vec<String> = path.iter().map(word).collect();
            *text = format!("${{{}}}", words.join("_"));
        }
        Json::String(text) if text.contains("${") || text.contains("$$") => *text = text.replace('$', "$$"),
        Json::Array(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                path.push((index + 1).to_string());
                named(item, path);
                path.pop();
            }
        }
        Json::Object(members) => {
            members.retain(|_, member| !member.is_null());
            for (name, member) in members.iter_mut() {
                path.push(name.clone());
                named(member, path);
                path.pop();
            }
        }
        _ => {}
    }
}
