//! Merging JSON objects as text, so that the order of a schema's properties survives.

use plugin_sdk::chat::{Fields, Json};

/// Deeper objects are replaced, not merged: the walk recurses.
const MAX_DEPTH: usize = 16;

/// `theirs` on top of `ours`: objects field by field, `tools` one after the other, everything else is replaced.
pub(super) fn objects(ours: &str, theirs: &Fields<'_>) -> String {
    merge(ours, theirs, MAX_DEPTH)
}

fn merge(ours: &str, theirs: &Fields<'_>, depth: usize) -> String {
    let own: Fields<'_> = serde_json::from_str(ours).unwrap_or_default();
    let mut out = String::with_capacity(ours.len());
    for (name, value) in own.iter() {
        let other = theirs.present().find(|(other, _)| same(name, other));
        let merged = other.map(|(_, other)| field(name, value, other, depth));
        write(&mut out, name, merged.as_deref().unwrap_or(&value.text()));
    }
    for (name, value) in theirs.present() {
        if !own.iter().any(|(own, _)| same(own, name)) {
            write(&mut out, name, &value.text());
        }
    }
    if out.is_empty() {
        return "{}".to_owned();
    }
    out.push('}');
    out
}

fn field(name: &str, ours: &Json<'_>, theirs: &Json<'_>, depth: usize) -> String {
    let (ours, text) = (ours.text(), theirs.text());
    match (ours.as_bytes().first(), text.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) if depth > 0 => {
            merge(&ours, &theirs.read::<Fields<'_>>().unwrap_or_default(), depth - 1)
        }
        (Some(b'['), Some(b'[')) if name == "tools" => joined(&ours, &text),
        _ => text.into_owned(),
    }
}

/// Two lists as one.
fn joined(first: &str, second: &str) -> String {
    let inner = |list: &str| list.get(1..list.len().saturating_sub(1)).unwrap_or_default().trim().to_owned();
    match (inner(first), inner(second)) {
        (first, second) if first.is_empty() => format!("[{second}]"),
        (first, second) if second.is_empty() => format!("[{first}]"),
        (first, second) => format!("[{first},{second}]"),
    }
}

fn write(out: &mut String, name: &str, value: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    out.push_str(&serde_json::Value::from(name).to_string());
    out.push(':');
    out.push_str(value);
}

/// Google reads `safety_settings` as `safetySettings`; both at once it refuses.
fn same(camel: &str, other: &str) -> bool {
    if !other.contains('_') {
        return camel == other;
    }
    let mut upper = false;
    let mut spelled = String::with_capacity(other.len());
    for letter in other.chars() {
        match letter {
            '_' => upper = true,
            letter if std::mem::take(&mut upper) => spelled.push(letter.to_ascii_uppercase()),
            letter => spelled.push(letter),
        }
    }
    camel == spelled || camel == other
}
