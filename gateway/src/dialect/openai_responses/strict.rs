//! Whether a schema can be followed strictly.

use serde_json::Value;

/// Functions of this API are strict unless they say otherwise, and it leaves those alone whose schema cannot be. Providers
/// refuse such a schema when it is called strict, so this is found out here.
pub(super) fn can_be(schema: &str) -> bool {
    serde_json::from_str(schema).is_ok_and(|schema: Value| schema.get("type").is_some() && fits(&schema))
}

/// Every object closed, every property required, all the way down. `serde_json` has bounded the depth.
fn fits(schema: &Value) -> bool {
    let Some(members) = schema.as_object() else { return false };
    let properties = members.get("properties").and_then(Value::as_object);
    if properties.is_some() || members.get("type").is_some_and(|kind| kind == "object") {
        let closed = members.get("additionalProperties") == Some(&Value::Bool(false));
        let required = members.get("required").and_then(Value::as_array);
        let demanded = |name: &String| required.is_some_and(|list| list.iter().any(|entry| entry == name));
        if !closed || !properties.is_none_or(|properties| properties.keys().all(demanded)) {
            return false;
        }
    }
    let lists =
        ["anyOf", "oneOf", "allOf"].iter().filter_map(|name| members.get(*name)?.as_array()).flatten();
    let maps =
        ["properties", "$defs", "definitions"].iter().filter_map(|name| members.get(*name)?.as_object());
    lists.chain(maps.flat_map(|map| map.values())).chain(members.get("items")).all(fits)
}
