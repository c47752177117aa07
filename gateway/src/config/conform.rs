//! Compares a tree with the schema: unknown keys, wrong types, values that cannot be read.
//!
//! What is wrong is reported and then taken out of the tree, so that the rest can still be read and cross-checked,
//! and one run tells everything. On the way it learns which strings may be shown in an error and which not.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value as Json;

use super::Problem;
use super::schema::{resolve, schema};
use super::suggest::{any_of, did_you_mean};
use super::text::{KIND, Text as _, refusal};
use super::tree::{Member, Node, Place, Route, Value};
use crate::domain::Condition;

/// What the comparison found.
#[derive(Default)]
pub(crate) struct Conformity {
    /// Everything that is wrong.
    pub(crate) problems: Vec<Problem>,
    /// What was taken out of the tree.
    pub(crate) dropped: Vec<Route>,
    /// Strings that are known not to be secrets.
    pub(crate) shown: Vec<Range<usize>>,
    /// Strings that are secrets, or may be.
    pub(crate) hidden: Vec<Range<usize>>,
}

/// Compares the whole file.
pub(crate) fn conform(root: &mut Node) -> Conformity {
    let mut conformity = Conformity::default();
    let place = root.place.clone();
    conformity.visit(root, schema(), &Route::default(), &place);
    conformity
}

impl Conformity {
    /// True when the node may stay.
    fn visit(&mut self, node: &mut Node, schema: &'static Json, route: &Route, key: &Place) -> bool {
        let schema = resolve(schema);
        let choices = schema.get("anyOf").and_then(Json::as_array);
        let moment = |schema: &Json| schema.get(KIND).and_then(Json::as_str) == Some("moment");
        if let Value::Datetime(text) = &node.value
            && (moment(schema) || choices.into_iter().flatten().map(resolve).any(moment))
        {
            node.value = Value::Text(text.clone());
        }
        let choice = choices.and_then(|choices| {
            coerce(node, choices);
            choices.iter().map(resolve).find(|choice| accepts(choice, &node.value))
        });
        match (choices, choice) {
            (_, Some(choice)) if is_word_of(choice, &node.value) => {
                return self.visit(node, choice, route, key);
            }
            (Some(_), Some(_)) => return self.wrong_type(node, schema, route),
            (Some(_), None) => return self.wrong_type(node, schema, route),
            (None, _) => coerce(node, std::slice::from_ref(schema)),
        }
        if matches!(node.value, Value::Broken) {
            self.hide(node);
            return self.drop(route);
        }
        if schema.get("type").is_none() && words(schema).is_empty() {
            return self.visit_free(node, route);
        }
        if !accepts(schema, &node.value) {
            return self.wrong_type(node, schema, route);
        }
        match node.value {
            Value::Table(_) => self.visit_table(node, schema, route, key),
            Value::List(_) => self.visit_list(node, schema, route),
            Value::Text(_) => self.visit_text(node, schema, route),
            _ => self.visit_number(node, schema, route),
        }
    }

    fn visit_table(&mut self, node: &mut Node, schema: &'static Json, route: &Route, key: &Place) -> bool {
        let Value::Table(members) = &mut node.value else { return true };
        let properties = schema.get("properties").and_then(Json::as_object);
        let others =
            schema.get("additionalProperties").filter(|others| others.is_object() || **others == true);
        let required = schema.get("required").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let required: Vec<&str> = required.iter().filter_map(Json::as_str).collect();
        let mut whole = true;
        let mut kept = BTreeMap::new();
        for (name, mut member) in std::mem::take(members) {
            let below = route.key(&name);
            if let Place::File(span) = &member.key {
                self.shown.push(span.clone());
            }
            let known = properties.and_then(|properties| properties.get(&name)).or(others);
            let Some(known) = known else {
                let names =
                    properties.map(|properties| properties.keys().map(String::as_str)).into_iter().flatten();
                self.unknown_key(&name, &member, &below, names.collect());
                continue;
            };
            if self.visit(&mut member.node, known, &below, &member.key) {
                kept.insert(name, member);
            } else if required.contains(&name.as_str()) {
                whole = false;
            }
        }
        for name in required {
            if !kept.contains_key(name) && !self.dropped.contains(&route.key(name)) {
                let place = if route.0.is_empty() { &node.place } else { key };
                let message = format!("`{name}` is missing in `{route}`");
                let help = properties.and_then(|properties| properties.get(name)).and_then(first_sentence);
                self.problems.push(Problem { help, ..place.problem(message, format!("without `{name}`")) });
                whole = false;
            }
        }
        node.value = Value::Table(kept);
        whole || self.drop(route)
    }

    fn visit_list(&mut self, node: &mut Node, schema: &'static Json, route: &Route) -> bool {
        let Value::List(list) = &mut node.value else { return true };
        let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or(0);
        if (list.len() as u64) < least {
            let problem = node.place.problem(format!("`{route}` is empty"), "at least one is needed");
            self.problems.push(problem);
            return self.drop(route);
        }
        let Some(items) = schema.get("items") else { return true };
        let length = list.len();
        let mut kept = Vec::with_capacity(length);
        for (index, mut item) in std::mem::take(list).into_iter().enumerate() {
            let place = item.place.clone();
            if self.visit(&mut item, items, &route.index(index), &place) {
                kept.push(item);
            }
        }
        if kept.len() < length {
            // Indexes have moved: what was wrong in an item now counts as wrong in the list.
            let inside = |dropped: &Route| dropped.0.len() > route.0.len() && dropped.0.starts_with(&route.0);
            self.dropped.retain(|dropped| !inside(dropped));
            self.dropped.push(route.clone());
        }
        let whole = kept.len() as u64 >= least;
        node.value = Value::List(kept);
        whole || self.drop(route)
    }

    fn visit_text(&mut self, node: &Node, schema: &'static Json, route: &Route) -> bool {
        let Value::Text(text) = &node.value else { return true };
        let kind = schema.get(KIND).and_then(Json::as_str).unwrap_or_default();
        if kind == "secret" {
            self.hide(node);
            return true;
        }
        self.show(node);
        let words = words(schema);
        if !words.is_empty() {
            if words.contains(&text.as_str()) {
                return true;
            }
            let message = format!("`{text}` is not a word for `{route}`");
            let help = did_you_mean(text, words.iter().copied(), "write");
            self.problems.push(Problem { help, ..node.place.problem(message, "not known") });
            return self.drop(route);
        }
        if kind == Condition::KIND {
            return self.visit_condition(node, text, route);
        }
        let Some((message, written)) = refusal(kind, text) else { return true };
        if kind.starts_with("url") && text.contains(['@', '?', '#']) {
            // It may hold a password or a key.
            self.shown.pop();
            self.hide(node);
        }
        let help = Some(format!("write {written}"));
        self.problems.push(Problem { help, ..node.place.problem(message, format!("in `{route}`")) });
        self.drop(route)
    }

    /// A condition is pointed at where it is wrong, as far as that place is known.
    fn visit_condition(&mut self, node: &Node, text: &str, route: &Route) -> bool {
        let Err(fault) = Condition::read(text) else { return true };
        let mut problem = node.place.problem(fault.to_string(), format!("in `{route}`"));
        problem.help = Some(format!("write {}", Condition::WRITTEN));
        // Nothing but a pair of quotes around it: no escapes and no second line, so its letters stand where they stand.
        if let (Some(span), Some((1, column))) = (&problem.span, fault.place)
            && span.len() == text.len() + 2
            && let Some((offset, letter)) = text.char_indices().nth(column - 1)
        {
            let start = span.start + 1 + offset;
            problem.span = Some(start..start + letter.len_utf8());
        }
        self.problems.push(problem);
        self.drop(route)
    }

    fn visit_number(&mut self, node: &Node, schema: &'static Json, route: &Route) -> bool {
        let number = match node.value {
            Value::Integer(integer) => integer as f64,
            Value::Float(float) => float,
            _ => return true,
        };
        let bound = |name: &str| schema.get(name).and_then(Json::as_f64);
        let (least, most) = (bound("minimum"), bound("maximum"));
        let low = least.is_some_and(|least| number < least);
        if number.is_finite() && !low && most.is_none_or(|most| number <= most) {
            return self.exact(node, schema, route);
        }
        let message = format!("`{route}` is out of range");
        let help = match (least, most) {
            (Some(least), Some(most)) if least == most => Some(format!("it must be {least}")),
            (Some(least), Some(most)) => Some(format!("it must be from {least} to {most}")),
            (Some(least), None) => Some(format!("it must be at least {least}")),
            _ => None,
        };
        self.problems.push(Problem { help, ..node.place.problem(message, "out of range") });
        self.drop(route)
    }

    /// Money must be a whole number of micro-dollars.
    fn exact(&mut self, node: &Node, schema: &'static Json, route: &Route) -> bool {
        if schema.get(KIND).and_then(Json::as_str) != Some("usd") {
            return true;
        }
        let Err(message) = node.to_json().to_string().parse::<crate::domain::Micros>() else { return true };
        self.problems.push(node.place.problem(message, format!("in `{route}`")));
        self.drop(route)
    }

    /// A value whose shape is someone else's business: a plugin's options.
    fn visit_free(&mut self, node: &Node, route: &Route) -> bool {
        self.hide(node);
        if !holds_nothing_odd(node) {
            let message = format!("`{route}` holds a number that JSON cannot carry");
            self.problems.push(node.place.problem(message, "not finite"));
            return self.drop(route);
        }
        true
    }

    fn unknown_key(&mut self, name: &str, member: &Member, route: &Route, known: Vec<&str>) {
        self.hide(&member.node);
        let parent = Route(route.0.iter().take(route.0.len().saturating_sub(1)).cloned().collect());
        let message = match parent.0.is_empty() {
            true => format!("unknown section or key `{name}`"),
            false => format!("unknown key `{name}` in `{parent}`"),
        };
        let help = did_you_mean(name, known.iter().copied(), "known here:");
        self.problems.push(Problem { help, ..member.key.problem(message, "not known") });
        self.drop(route);
    }

    fn wrong_type(&mut self, node: &Node, schema: &'static Json, route: &Route) -> bool {
        if !matches!(node.value, Value::Broken) {
            let wanted = wanted(schema);
            let message = format!("`{route}` must be {wanted}, not {}", name_of(&node.value));
            let list = accepts_list_of(schema, &node.value);
            let help = list.then(|| "put it in brackets: `[…]`".to_owned());
            self.problems.push(Problem { help, ..node.place.problem(message, format!("not {wanted}")) });
        }
        if may_hold_secret(schema) {
            self.hide(node)
        } else {
            self.show_all(node)
        }
        self.drop(route)
    }

    fn drop(&mut self, route: &Route) -> bool {
        self.dropped.push(route.clone());
        false
    }

    fn show(&mut self, node: &Node) {
        if let Place::File(span) = &node.place {
            self.shown.push(span.clone());
        }
    }

    fn show_all(&mut self, node: &Node) {
        match &node.value {
            Value::List(list) => list.iter().for_each(|node| self.show_all(node)),
            Value::Text(_) => self.show(node),
            _ => self.hide(node),
        }
    }

    fn hide(&mut self, node: &Node) {
        match (&node.value, &node.place) {
            (Value::List(list), _) => list.iter().for_each(|node| self.hide(node)),
            (Value::Table(members), _) => members.values().for_each(|member| self.hide(&member.node)),
            (Value::Text(_) | Value::Broken, Place::File(span)) => self.hidden.push(span.clone()),
            _ => {}
        }
    }
}

/// True for secrets, and for tables: what should have been a table may hold anything.
fn may_hold_secret(schema: &'static Json) -> bool {
    let below = |name: &str| schema.get(name).and_then(Json::as_array).into_iter().flatten();
    schema.get(KIND).and_then(Json::as_str) == Some("secret")
        || type_of(schema) == "object"
        || schema.get("items").map(resolve).is_some_and(may_hold_secret)
        || below("anyOf").map(resolve).any(|choice| choice.get(KIND).is_some_and(|kind| kind == "secret"))
}

fn holds_nothing_odd(node: &Node) -> bool {
    match &node.value {
        Value::Float(float) => float.is_finite(),
        Value::List(list) => list.iter().all(holds_nothing_odd),
        Value::Table(members) => members.values().all(|member| holds_nothing_odd(&member.node)),
        _ => true,
    }
}

/// The words of an enumeration.
fn words(schema: &'static Json) -> Vec<&'static str> {
    let listed = |name: &str| schema.get(name).and_then(Json::as_array).into_iter().flatten();
    let constants = listed("oneOf").flat_map(|choice| {
        let several = choice.get("enum").and_then(Json::as_array).into_iter().flatten();
        choice.get("const").into_iter().chain(several)
    });
    constants.chain(listed("enum")).filter_map(Json::as_str).collect()
}

/// False for a text that is none of the words a choice consists of.
fn is_word_of(choice: &'static Json, value: &Value) -> bool {
    let words = words(choice);
    !matches!(value, Value::Text(text) if !words.is_empty() && !words.contains(&text.as_str()))
}

fn type_of(schema: &'static Json) -> &'static str {
    match schema.get("type").and_then(Json::as_str) {
        Some(name) => name,
        None if !words(schema).is_empty() => "string",
        None => "",
    }
}

fn accepts(schema: &'static Json, value: &Value) -> bool {
    matches!(
        (type_of(schema), value),
        ("", _)
            | ("string", Value::Text(_))
            | ("integer", Value::Integer(_))
            | ("number", Value::Integer(_) | Value::Float(_))
            | ("boolean", Value::Boolean(_))
            | ("array", Value::List(_))
            | ("object", Value::Table(_))
    )
}

fn accepts_list_of(schema: &'static Json, value: &Value) -> bool {
    let items = schema.get("items").map(resolve);
    items.is_some_and(|items| {
        let choices = items.get("anyOf").and_then(Json::as_array);
        choices.map_or_else(
            || accepts(items, value),
            |choices| choices.iter().any(|choice| accepts(resolve(choice), value)),
        )
    })
}

/// Reads loose text as the first of the wanted types that it can be read as.
fn coerce(node: &mut Node, schemas: &'static [Json]) {
    let Some(text) = node.loose.clone() else { return };
    if schemas.iter().map(resolve).any(|schema| accepts(schema, &node.value) && words(schema).is_empty()) {
        return;
    }
    let read = schemas.iter().map(resolve).find_map(|schema| match type_of(schema) {
        "integer" => text.trim().parse().ok().map(Value::Integer),
        "number" => text.trim().parse().ok().map(Value::Float),
        "boolean" => text.trim().parse().ok().map(Value::Boolean),
        "array" if !matches!(node.value, Value::List(_)) => Some(Value::List(split_list(node, &text))),
        "string" if words(schema).is_empty() || words(schema).contains(&text.as_str()) => {
            Some(Value::Text(text.clone()))
        }
        _ => None,
    });
    if let Some(value) = read {
        node.value = value;
    }
}

/// `a,b` from outside, where a list is wanted.
fn split_list(node: &Node, text: &str) -> Vec<Node> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let item = |part: &str| Node {
        value: Value::Text(part.to_owned()),
        place: node.place.clone(),
        loose: Some(part.to_owned()),
    };
    parts.map(item).collect()
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Text(_) => "a string",
        Value::Integer(_) => "an integer",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::List(_) => "a list",
        Value::Table(_) => "a table",
        Value::Broken => "nothing",
    }
}

fn wanted(schema: &'static Json) -> String {
    if let Some(choices) = schema.get("anyOf").and_then(Json::as_array) {
        let mut names: Vec<String> = choices.iter().map(|choice| wanted(resolve(choice))).collect();
        names.dedup();
        return names.join(" or ");
    }
    match (type_of(schema), words(schema).as_slice()) {
        ("string", []) => "a string".to_owned(),
        ("string", words) => any_of(words),
        ("integer", _) => "an integer".to_owned(),
        ("number", _) => "a number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("array", _) => "a list".to_owned(),
        _ => "a table".to_owned(),
    }
}

fn first_sentence(schema: &Json) -> Option<String> {
    let description = schema.get("description").and_then(Json::as_str)?;
    let end = description.find(". ").unwrap_or(description.len());
    let sentence = description.get(..end)?.trim_end_matches('.');
    let mut letters = sentence.chars();
    let first = letters.next()?;
    if letters.clone().next().is_some_and(char::is_uppercase) {
        return Some(sentence.to_owned());
    }
    Some(format!("{}{}", first.to_lowercase(), letters.as_str()))
}
