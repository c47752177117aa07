//! JSON Schema as Gemini reads it. Its JSON Schema fields take any schema and silently ignore much of it
//! (<https://ai.google.dev/api/generate-content#FIELDS.response_json_schema>): what can be said in its words is said so, the
//! rest is reported. A schema that needs nothing goes as it came, byte by byte.

mod all_of;
mod reference;
mod tree;

use std::borrow::Cow;

use plugin_sdk::Losses;
use plugin_sdk::chat::{Absent, Json};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use tree::Members;
pub use tree::Tree;

/// A schema as it came, or in Gemini's words.
#[derive(Clone, Debug)]
pub enum Schema<'a> {
    /// As it came.
    Same(Json<'a>),
    /// Rewritten.
    Tree(Tree<'a>),
}

impl Absent for Schema<'_> {}

impl<'de: 'a, 'a> Deserialize<'de> for Schema<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self::Same)
    }
}

impl Serialize for Schema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Same(json) => json.serialize(serializer),
            Self::Tree(tree) => tree.serialize(serializer),
        }
    }
}

/// Keywords that make a rewrite necessary.
const TELLING: [&str; 8] = ["$ref", "allOf", "oneOf", "const", "enum", "nullable", "$schema", "$comment"];

/// Constraints Gemini ignores; they stay where they are, as a hint to the model.
const IGNORED: [&str; 21] = [
    "pattern",
    "minLength",
    "maxLength",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "$dynamicRef",
];

/// Deeper than this, and larger, nothing is written out; see [`reference`].
const DEEPEST: usize = 64;
const LARGEST: usize = 4096;

/// The schema in Gemini's words; `path` is where it stands.
pub(crate) fn rewrite<'a>(schema: &Json<'a>, path: &str, losses: &mut Losses) -> Schema<'a> {
    let telling = needs_rewrite(&schema.text());
    let Some(root) = telling.then(|| schema.read::<Tree<'a>>()).flatten() else {
        return Schema::Same(schema.clone());
    };
    let mut rewriter = Rewriter { root: &root, losses, expanding: Vec::new(), depth: 0, written: 0 };
    let tree = rewriter.schema(&root, path);
    Schema::Tree(tree)
}

/// Whether a keyword stands in it that Gemini does not read as it is. One pass over what stands between quotes; that a text may
/// say the same costs no more than the rewrite.
fn needs_rewrite(schema: &str) -> bool {
    let mut pieces = schema.split('"').peekable();
    while let Some(piece) = pieces.next() {
        let mut of_several = || {
            let behind = pieces.peek().and_then(|next| next.trim_start().strip_prefix(':'));
            behind.is_some_and(|value| value.trim_start().starts_with('['))
        };
        if TELLING.contains(&piece) || IGNORED.contains(&piece) || (piece == "type" && of_several()) {
            return true;
        }
    }
    false
}

struct Rewriter<'r, 'a, 'l> {
    root: &'r Tree<'a>,
    losses: &'l mut Losses,
    /// The references we are inside of.
    expanding: Vec<String>,
    depth: usize,
    /// Schemas written so far.
    written: usize,
}

impl<'a> Rewriter<'_, 'a, '_> {
    /// One schema.
    fn schema(&mut self, schema: &Tree<'a>, path: &str) -> Tree<'a> {
        let Tree::Object(members) = schema else { return schema.clone() };
        self.written += 1;
        if self.depth >= DEEPEST || self.written > LARGEST {
            self.losses
                .add(path, "gemini gets this schema cut off here: it is too deep or too large written out");
            return reference::stump(members);
        }
        self.depth += 1;
        let rewritten = match members.text("$ref") {
            Some(reference) => self.reference(reference, members, path),
            None => self.members(members, path),
        };
        self.depth -= 1;
        rewritten
    }

    fn members(&mut self, members: &Members<'a>, path: &str) -> Tree<'a> {
        let mut written = Members::default();
        for (name, value) in &members.0 {
            self.member(name, value, &format!("{path}.{name}"), &mut written);
        }
        if let Some(Tree::List(parts)) = members.get("allOf") {
            let parts: Vec<Tree<'a>> = parts
                .iter()
                .enumerate()
                .map(|(index, part)| self.schema(part, &format!("{path}.allOf[{index}]")))
                .collect();
            all_of::merge(&mut written, parts, path, self.losses);
        }
        split_types(&mut written);
        Tree::Object(written)
    }

    fn member(&mut self, name: &str, value: &Tree<'a>, path: &str, written: &mut Members<'a>) {
        match name {
            // All references are written out, so nobody looks here any more; the others mean nothing to a model.
            "$defs" | "definitions" | "$schema" | "$comment" | "$id" | "$anchor" | "allOf" => {}
            "properties" => {
                let Tree::Object(properties) = value else { return };
                let properties = properties.0.iter();
                let properties = properties
                    .map(|(name, each)| (name.clone(), self.schema(each, &format!("{path}.{name}"))))
                    .collect();
                written.put("properties", Tree::Object(Members(properties)));
            }
            "items" | "prefixItems" | "anyOf" | "additionalProperties" | "additionalItems" => {
                let tuple = name == "items" && matches!(value, Tree::List(_));
                let value = self.one_or_several(value, path);
                written.put(if tuple { "prefixItems" } else { name }, value);
            }
            "oneOf" if written.get("anyOf").is_none() => {
                self.losses.add(path, "gemini reads oneOf as anyOf");
                let value = self.one_or_several(value, path);
                written.put("anyOf", value);
            }
            "oneOf" => self.losses.add(path, "gemini cannot choose twice in one place"),
            "const" => {
                self.choices(vec![value.clone()], path, written);
            }
            "enum" => {
                if let Tree::List(values) = value {
                    self.choices(values.clone(), path, written);
                }
            }
            // OpenAPI's word, which JSON Schema does not have.
            "nullable" => {
                if value.value() == Some(Value::Bool(true)) {
                    make_nullable(written);
                }
            }
            "type" => {
                if written.get("type").is_none() {
                    written.put("type", value.clone());
                }
            }
            word => {
                if IGNORED.contains(&word) {
                    self.losses.add(path, "gemini does not hold the model to it");
                }
                written.0.push((Cow::Owned(word.to_owned()), value.clone()));
            }
        }
    }

    fn one_or_several(&mut self, value: &Tree<'a>, path: &str) -> Tree<'a> {
        match value {
            Tree::List(schemas) => {
                let schemas = schemas.iter().enumerate();
                Tree::List(
                    schemas.map(|(index, each)| self.schema(each, &format!("{path}[{index}]"))).collect(),
                )
            }
            one => self.schema(one, path),
        }
    }

    /// `enum` takes strings and numbers; `null` is a type, the rest is lost.
    fn choices(&mut self, values: Vec<Tree<'a>>, path: &str, written: &mut Members<'a>) {
        let kind = |value: &Tree<'a>| match value.value() {
            Some(Value::String(_)) => "string",
            Some(Value::Number(number)) if number.is_f64() => "number",
            Some(Value::Number(_)) => "integer",
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "boolean",
            _ => "object",
        };
        let (nulls, values): (Vec<_>, Vec<_>) = values.into_iter().partition(|value| kind(value) == "null");
        let kinds: Vec<&str> = values.iter().map(kind).collect();
        let nullable = !nulls.is_empty();
        if values.is_empty() {
            written.put("type", Tree::text("null"));
            return;
        }
        if kinds.iter().any(|kind| matches!(*kind, "boolean" | "object")) {
            self.losses.add(path, "gemini chooses among strings and numbers only");
        } else {
            written.put("enum", Tree::List(values));
        }
        let first = kinds.first().copied().unwrap_or_default();
        if kinds.iter().all(|kind| *kind == first) && first != "object" && written.get("type").is_none() {
            written.put("type", Tree::text(first));
        }
        if nullable {
            make_nullable(written);
        }
    }
}

/// Adds `null` to the type, where there is one.
fn make_nullable(schema: &mut Members<'_>) {
    let null = Tree::text("null");
    match schema.get_mut("type") {
        Some(Tree::List(types)) if types.iter().all(|kind| kind.value() != null.value()) => types.push(null),
        Some(kind @ Tree::Leaf(_)) if kind.value() != null.value() => {
            *kind = Tree::List(vec![kind.clone(), null])
        }
        _ => {}
    }
}

/// One type, or one and `null`, is all a place can have; several become a choice of schemas.
fn split_types(schema: &mut Members<'_>) {
    let Some(Tree::List(types)) = schema.get("type") else { return };
    let null = Some(Value::from("null"));
    if types.iter().filter(|kind| kind.value() != null).count() < 2 || schema.get("anyOf").is_some() {
        return;
    }
    let types = types.clone();
    schema.0.retain(|(name, _)| name != "type");
    let about = |name: &str| ["title", "description", "default", "examples"].contains(&name);
    let (about, constraints): (Vec<_>, Vec<_>) =
        std::mem::take(&mut schema.0).into_iter().partition(|(name, _)| about(name));
    let choices = types.into_iter().map(|kind| {
        let mut choice = Members(vec![(Cow::Borrowed("type"), kind)]);
        choice.0.extend(constraints.iter().cloned());
        Tree::Object(choice)
    });
    schema.0 = about;
    schema.put("anyOf", Tree::List(choices.collect()));
}

#[cfg(test)]
mod tests;
