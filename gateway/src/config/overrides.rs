//! Values from outside the file: `--set a.b.c=value` and `CAUSEWAY__A__B__C=value`.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::Problem;
use super::tree::{Member, Node, Place, Route, Step, Value, key_text, read};

/// What an environment variable that overrides a key begins with.
const PREFIX: &str = "CAUSEWAY__";

/// The overrides among environment variables, as `a.b.c=value` lines in the order of their names.
/// `CAUSEWAY__SERVER__MAX_BODY=1MiB` is `server.max_body=1MiB`; names are lower-cased.
pub fn overrides_in(variables: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
    let lines = variables.into_iter().filter_map(|(name, value)| {
        let path = name.strip_prefix(PREFIX)?;
        let keys: Vec<String> = path.split("__").map(|key| key_text(&key.to_ascii_lowercase())).collect();
        Some((keys.join("."), value))
    });
    let ordered: BTreeMap<String, String> = lines.collect();
    ordered.into_iter().map(|(path, value)| format!("{path}={value}")).collect()
}

/// Puts overrides into the tree, later ones over earlier ones.
pub(crate) fn apply(root: &mut Node, overrides: &[String], problems: &mut Vec<Problem>) {
    for line in overrides {
        if let Err(problem) = apply_one(root, line) {
            problems.push(problem);
        }
    }
}

fn apply_one(root: &mut Node, line: &str) -> Result<(), Problem> {
    let refuse = |message: String| {
        Problem {
        message,
        span: None,
        label: String::new(),
        help: Some("write `section.key=value`, with quotes around names that hold dots: `models.\"gpt-5.1\".balance=cheapest`".to_owned()),
    }
    };
    let (path, text) = split(line).ok_or_else(|| refuse("an override without `=`".to_owned()))?;
    let keys = keys_of(path).ok_or_else(|| refuse(format!("`{path}` is not the path of a key")))?;
    let route = Route(keys.iter().cloned().map(Step::Key).collect()).to_string();
    let place = Place::Override(route.clone());
    let Some((last, tables)) = keys.split_last() else {
        return Err(refuse("an override without a key".to_owned()));
    };
    let mut table = root;
    for key in tables {
        let Value::Table(members) = &mut table.value else {
            return Err(refuse(format!("`{route}` cannot be set: `{key}` is not inside a table")));
        };
        let empty = || Member {
            key: place.clone(),
            node: Node { value: Value::Table(BTreeMap::new()), place: place.clone(), loose: None },
        };
        table = &mut members.entry(key.clone()).or_insert_with(empty).node;
    }
    let Value::Table(members) = &mut table.value else {
        return Err(refuse(format!("`{route}` cannot be set: `{last}` is not inside a table")));
    };
    members.insert(last.clone(), Member { key: place.clone(), node: value_of(text, &place) });
    Ok(())
}

/// At the first `=` that stands outside quotes.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (index, letter) in line.char_indices() {
        match (quote, letter) {
            (None, '=') => return Some((line.get(..index)?.trim(), line.get(index + 1..)?)),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

/// The keys of a dotted path, read as TOML reads them.
fn keys_of(path: &str) -> Option<Vec<String>> {
    if path.contains(['\n', '\r', '#', '=']) {
        return None;
    }
    let line = format!("{path} = 0");
    let table = DeTable::parse(&line).ok()?;
    let mut keys = Vec::new();
    let mut table = table.get_ref();
    loop {
        let (key, value) = table.iter().next()?;
        keys.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(keys),
        }
    }
}

/// A TOML value where the text is one, else the text itself.
fn value_of(text: &str, place: &Place) -> Node {
    let (document, problems) = read(&format!("value = {text}"));
    let parsed = match document.value {
        Value::Table(mut members) if problems.is_empty() && members.len() == 1 => members.remove("value"),
        _ => None,
    };
    let mut node = parsed
        .map_or(Node { value: Value::Text(text.to_owned()), place: place.clone(), loose: None }, |member| {
            member.node
        });
    settle(&mut node, place);
    // A quoted string is already what it says; anything else may be read as text, too.
    node.loose = Some(match &node.value {
        Value::Text(text) => text.clone(),
        _ => text.to_owned(),
    });
    node
}

/// Overrides are taken as they are: nothing in them is interpolated, and their place is the override.
fn settle(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::Text(text) => node.loose = Some(text.clone()),
        Value::List(list) => list.iter_mut().for_each(|node| settle(node, place)),
        Value::Table(members) => members.values_mut().for_each(|member| {
            member.key = place.clone();
            settle(&mut member.node, place);
        }),
        _ => {}
    }
}
