//! The JSON schema out of the same structs: for editors, for the checks, and for `config/causeway.toml`.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::Config;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(Config).to_value();
    without_null(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "Causeway configuration".into());
    }
    schema
});

/// The schema of the whole file.
pub fn schema() -> &'static Json {
    &SCHEMA
}

/// As it is published: `config/schema.json`.
pub fn schema_text() -> String {
    format!("{:#}\n", *SCHEMA)
}

/// What a schema says after following its `$ref`.
pub(crate) fn resolve(schema: &'static Json) -> &'static Json {
    let mut schema = schema;
    // The structs do not refer to themselves; the bound keeps a future mistake from hanging.
    for _ in 0..8 {
        let Some(name) =
            schema.get("$ref").and_then(Json::as_str).and_then(|link| link.strip_prefix("#/$defs/"))
        else {
            return schema;
        };
        let Some(found) = SCHEMA.get("$defs").and_then(|definitions| definitions.get(name)) else {
            return schema;
        };
        schema = found;
    }
    schema
}

/// TOML has no null: what is optional is left out.
fn without_null(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if object.get("default").is_some_and(Json::is_null) {
                object.remove("default");
            }
            if let Some(Json::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Json::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            for (key, value) in object {
                // A default is a value, not a schema; its nulls are keys that are left out.
                if key == "default" { without_null_values(value) } else { without_null(value) }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}

fn without_null_values(value: &mut Json) {
    if let Json::Object(object) = value {
        object.retain(|_, value| !value.is_null());
        object.values_mut().for_each(without_null_values);
    }
}
