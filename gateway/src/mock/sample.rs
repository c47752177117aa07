//! The smallest JSON that satisfies a JSON Schema (or Google's dialect of it).

use serde_json::{Map, Value};

/// Schemas that refer to themselves end here.
const DEEPEST: usize = 24;

/// A value for `schema`. Another `variant` gives another value where the schema lets it.
pub(super) fn of(schema: &Value, variant: usize) -> Value {
    Sampler { root: schema, variant }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    variant: usize,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return found.map_or(Value::Null, |found| self.value(found, depth + 1));
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array).filter(|values| !values.is_empty())
        {
            return values.get(self.variant % values.len()).cloned().unwrap_or_default();
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(first) =
                schema.get(word).and_then(Value::as_array).and_then(|choices| choices.first())
            {
                return self.value(first, depth + 1);
            }
        }
        self.typed(schema, depth)
    }

    fn typed(&self, schema: &Value, depth: usize) -> Value {
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => kind.to_ascii_lowercase(),
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str).unwrap_or("null").to_owned(),
            _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object".to_owned(),
            _ if schema.get("items").is_some() => "array".to_owned(),
            _ => "string".to_owned(),
        };
        match kind.as_str() {
            "object" => Value::Object(self.object(schema, depth)),
            "array" => Value::Array(self.array(schema, depth)),
            "integer" => self.number(schema, true),
            "number" => self.number(schema, false),
            "boolean" => Value::Bool(self.variant.is_multiple_of(2)),
            "null" => Value::Null,
            _ => Value::String(self.text(schema)),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Map<String, Value> {
        let mut fields = Map::new();
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(more) = self.value(part, depth + 1) {
                fields.extend(more);
            }
        }
        let properties = schema.get("properties");
        for name in
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            let value = properties.and_then(|properties| properties.get(name));
            fields.insert(
                name.to_owned(),
                value.map_or(Value::from("x"), |value| self.value(value, depth + 1)),
            );
        }
        fields
    }

    fn array(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0).min(64);
        let Some(items) = schema.get("items") else { return Vec::new() };
        // One item although none would do: an empty list hides what an item looks like.
        let wanted = if depth > DEEPEST / 2 { least } else { least.max(1) };
        (0..wanted).map(|_| self.value(items, depth + 1)).collect()
    }

    fn number(&self, schema: &Value, whole: bool) -> Value {
        let bound = |word: &str| schema.get(word).and_then(Value::as_f64);
        let mut number = 1.0 + f64::from(u32::try_from(self.variant).unwrap_or_default());
        if let Some(least) = bound("minimum") {
            number = number.max(least.ceil());
        }
        if let Some(least) = bound("exclusiveMinimum") {
            number = number.max(least.floor() + 1.0);
        }
        if let Some(most) = bound("maximum") {
            number = number.min(most.floor());
        }
        if let Some(most) = bound("exclusiveMaximum") {
            number = number.min(most.ceil() - 1.0);
        }
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
            number = (number / step).ceil() * step;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a sample; the bounds of a schema are small")]
        if whole { Value::from(number as i64) } else { Value::from(number) }
    }

    fn text(&self, schema: &Value) -> String {
        let known = match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => "2026-01-01T00:00:00Z",
            Some("date") => "2026-01-01",
            Some("time") => "12:00:00Z",
            Some("email") => "x@example.com",
            Some("uri") => "https://example.com/x",
            Some("uuid") => "00000000-0000-4000-8000-000000000000",
            _ => "",
        };
        if !known.is_empty() {
            return known.to_owned();
        }
        let letter = char::from(b'x' + u8::try_from(self.variant % 3).unwrap_or_default());
        let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1).clamp(1, 4096);
        std::iter::repeat_n(letter, usize::try_from(least).unwrap_or(1)).collect()
    }
}
