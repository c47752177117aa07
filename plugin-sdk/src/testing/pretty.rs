//! Differences of two JSON trees, one line per place.

use serde_json::Value;

/// Adds a line for every place where the trees differ.
pub(super) fn differences(path: &str, expected: &Value, actual: &Value, lines: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                differences(
                    &format!("{path}.{name}"),
                    value,
                    actual.get(name).unwrap_or(&Value::Null),
                    lines,
                );
            }
            for (name, value) in actual.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                lines.push(format!("{path}.{name}: not expected, came {value}"));
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            let longest = expected.len().max(actual.len());
            for index in 0..longest {
                let (expected, actual) = (expected.get(index), actual.get(index));
                let path = format!("{path}[{index}]");
                differences(&path, expected.unwrap_or(&Value::Null), actual.unwrap_or(&Value::Null), lines);
            }
        }
        _ if expected == actual => {}
        _ => lines.push(format!("{path}:\n    expected {expected}\n    came     {actual}")),
    }
}
