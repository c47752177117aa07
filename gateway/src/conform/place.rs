//! Where a value must stand in somebody's JSON: a small language of paths, and what counts as standing there.
//!
//! `messages[role=user].content[0].text`, `tools[*].name`, `messages[-1]`, `[type=delta&index=1].delta.text`.

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;

/// Where a value must stand.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Place {
    /// Somewhere below this path.
    At(String),
    /// Nowhere: this API has no place for it, for this reason.
    None {
        /// Why.
        none: String,
    },
    /// Well understood when nothing stands here: it is what happens anyway.
    Absent {
        /// The path.
        absent: String,
    },
    /// Below this path, in another form.
    Exact {
        /// The path.
        at: String,
        /// This value and no other.
        is: Option<Value>,
        /// A text that holds this.
        has: Option<String>,
        /// All texts below the path, one behind the other, hold it.
        #[serde(default)]
        join: bool,
        /// The texts below the path are base64; what they hold counts.
        #[serde(default)]
        base64: bool,
    },
    /// At one of these.
    Any(Vec<Place>),
}

impl Place {
    /// Why there is no place for it.
    pub(super) fn missing(&self) -> Option<&str> {
        match self {
            Self::None { none } => Some(none),
            Self::Any(places) => places.iter().find_map(Self::missing),
            _ => None,
        }
    }

    /// True when the value stands here.
    pub(super) fn holds(&self, root: &Value, value: &Value) -> bool {
        match self {
            Self::At(path) => resolve(root, path).into_iter().any(|found| agrees(found, value)),
            Self::None { .. } => false,
            Self::Absent { absent } => resolve(root, absent).is_empty(),
            Self::Any(places) => places.iter().any(|place| place.holds(root, value)),
            Self::Exact { at, is: Some(is), .. } => {
                resolve(root, at).into_iter().any(|found| same(found, is))
            }
            Self::Exact { at, has, join, base64, .. } => {
                let wanted = has.clone().map(Value::from).unwrap_or_else(|| value.clone());
                let found = resolve(root, at);
                let mut texts = Vec::new();
                found.iter().for_each(|found| leaves(found, &mut texts));
                match (join, base64) {
                    (true, _) => agrees(&Value::from(texts.concat()), &wanted),
                    (_, true) => texts.into_iter().filter_map(decoded).any(|text| agrees(&text, &wanted)),
                    _ => found.into_iter().any(|found| agrees(found, &wanted)),
                }
            }
        }
    }
}

/// The values a path leads to.
pub(super) fn resolve<'v>(root: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![root];
    for step in steps(path) {
        found = match step {
            Step::Field(name) => found.into_iter().filter_map(|value| value.get(name)).collect(),
            Step::Each => found.into_iter().flat_map(members).collect(),
            Step::Nth(place) => found.into_iter().filter_map(|value| nth(value, place)).collect(),
            Step::Where(conditions) => {
                found.into_iter().flat_map(members).filter(|value| meets(value, conditions)).collect()
            }
        };
    }
    found
}

enum Step<'p> {
    Field(&'p str),
    Each,
    Nth(i64),
    /// `type=text&index=1`.
    Where(&'p str),
}

fn meets(value: &Value, conditions: &str) -> bool {
    conditions.split('&').all(|condition| {
        let (field, wanted) = condition.split_once('=').unwrap_or((condition, ""));
        resolve(value, field).into_iter().any(|found| spelled(found) == wanted)
    })
}

fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, behind) = after.split_once(']').unwrap_or((after, ""));
            steps.push(match (inside, inside.parse()) {
                ("*", _) => Step::Each,
                (_, Ok(place)) => Step::Nth(place),
                _ => Step::Where(inside),
            });
            rest = behind;
            continue;
        }
        let rest_of = rest.strip_prefix('.').unwrap_or(rest);
        let end = rest_of.find(['.', '[']).unwrap_or(rest_of.len());
        let (name, behind) = rest_of.split_at(end);
        if !name.is_empty() {
            steps.push(Step::Field(name));
        }
        rest = behind;
    }
    steps
}

fn members(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn nth(value: &Value, place: i64) -> Option<&Value> {
    let list = value.as_array()?;
    let length = i64::try_from(list.len()).ok()?;
    let place = if place < 0 { length + place } else { place };
    list.get(usize::try_from(place).ok()?)
}

fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The wanted value stands in what was found: a text in a text, a list of texts in this order, an object with at least
/// these fields (also written as text), anything else exactly.
fn agrees(found: &Value, wanted: &Value) -> bool {
    match wanted {
        Value::String(text) => {
            let mut texts = Vec::new();
            leaves(found, &mut texts);
            texts.iter().any(|leaf| leaf.contains(text.as_str()))
        }
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_string) => {
            let mut texts = Vec::new();
            leaves(found, &mut texts);
            let all = texts.join("\n");
            let mut from = 0;
            list.iter().filter_map(Value::as_str).all(|text| {
                let at = all.get(from..).and_then(|rest| rest.find(text));
                from += at.unwrap_or(0);
                at.is_some()
            })
        }
        _ => match found {
            Value::String(text) if !wanted.is_string() => {
                serde_json::from_str::<Value>(text).is_ok_and(|read| same(&read, wanted))
            }
            _ => same(found, wanted),
        },
    }
}

/// Equal, where an object may say more than is wanted and `2` is `2.0`.
fn same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(name, value)| found.get(name).is_some_and(|found| same(found, value)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| same(found, wanted))
        }
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}

/// What base64 holds; in it again, if it names the one who wrote it (`causeway:anthropic:signature:…`).
fn decoded(text: &str) -> Option<Value> {
    let read = |text: &str| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
        String::from_utf8(bytes).ok()
    };
    let outer = read(text)?;
    let inner = outer.rsplit(':').next().and_then(read).unwrap_or_default();
    Some(Value::from(format!("{outer} {inner}")))
}

/// Every text below a value.
fn leaves<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(_) | Value::Object(_) => {
            members(value).into_iter().for_each(|member| leaves(member, texts));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
