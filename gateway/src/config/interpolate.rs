//! Puts `${VAR}` and its kin into string leaves, after parsing, so that no value can change the document's shape.

use std::path::Path;

use super::tree::{Node, Value};
use super::{Environment, Problem};

/// Larger files are no secrets.
const MOST_BYTES: u64 = 64 * 1024;

/// Replaces what is in braces in every string of the file; strings that cannot be filled become broken.
pub(crate) fn fill(node: &mut Node, environment: Environment<'_>, problems: &mut Vec<Problem>) {
    match &mut node.value {
        Value::Text(text) if node.loose.is_none() && text.contains('$') => match expand(text, environment, 0)
        {
            Ok(filled) if filled == *text => {}
            Ok(filled) => {
                node.loose = Some(filled.clone());
                node.value = Value::Text(filled);
            }
            Err(refusal) => {
                problems.push(Problem {
                    help: refusal.help,
                    ..node.place.problem(refusal.message, refusal.label)
                });
                node.value = Value::Broken;
            }
        },
        Value::List(list) => list.iter_mut().for_each(|node| fill(node, environment, problems)),
        Value::Table(members) => {
            members.values_mut().for_each(|member| fill(&mut member.node, environment, problems));
        }
        _ => {}
    }
}

struct Refusal {
    message: String,
    label: String,
    help: Option<String>,
}

impl Refusal {
    fn new(message: String, label: &str, help: &str) -> Self {
        Self { message, label: label.to_owned(), help: (!help.is_empty()).then(|| help.to_owned()) }
    }
}

/// One string with everything in braces replaced; a `$` before anything but `{` and `$` is itself.
fn expand(text: &str, environment: Environment<'_>, depth: usize) -> Result<String, Refusal> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let Some(end) = closing_brace(inside) else {
                return Err(Refusal::new(
                    "`${` without its `}`".to_owned(),
                    "not closed",
                    "write `$$` for a plain dollar sign before a brace",
                ));
            };
            filled.push_str(&value_of(inside.get(..end).unwrap_or_default(), environment, depth)?);
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            filled.push('$');
            rest = after;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(index),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn value_of(inside: &str, environment: Environment<'_>, depth: usize) -> Result<String, Refusal> {
    if let Some(path) = inside.strip_prefix("file:") {
        return file(Path::new(path));
    }
    if let Some(name) = inside.strip_prefix("cred:") {
        return credential(name, environment);
    }
    let end =
        inside.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    let value = environment(name);
    if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) || depth > 8 {
        return Err(not_a_variable());
    }
    let filled = value.filter(|value| rest.is_empty() || !value.is_empty());
    match (filled, rest.get(..2)) {
        (Some(value), None | Some(":-" | ":?")) if rest.is_empty() || rest.starts_with(':') => Ok(value),
        (None, Some(":-")) => expand(rest.get(2..).unwrap_or_default(), environment, depth + 1),
        (None, Some(":?")) => Err(Refusal::new(
            format!("environment variable `{name}` is not set: {}", rest.get(2..).unwrap_or_default()),
            "needed here",
            "",
        )),
        (None, None) if rest.is_empty() => Err(Refusal::new(
            format!("environment variable `{name}` is not set"),
            "needed here",
            &format!("set it, or give a default: `${{{name}:-…}}`"),
        )),
        _ => Err(not_a_variable()),
    }
}

fn not_a_variable() -> Refusal {
    Refusal::new(
        "what stands in `${…}` is not understood".to_owned(),
        "not understood",
        "write `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `${file:/path}` or `${cred:name}`; `$$` is a plain dollar sign",
    )
}

fn credential(name: &str, environment: Environment<'_>) -> Result<String, Refusal> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(Refusal::new(
            "the name of a credential is a file name without folders".to_owned(),
            "not a credential's name",
            "",
        ));
    }
    let Some(folder) = environment("CREDENTIALS_DIRECTORY") else {
        return Err(Refusal::new(
            format!("credential `{name}` cannot be read: `CREDENTIALS_DIRECTORY` is not set"),
            "needed here",
            &format!("systemd sets it for a unit with `LoadCredential={name}:/path`"),
        ));
    };
    file(&Path::new(&folder).join(name))
}

fn file(path: &Path) -> Result<String, Refusal> {
    let refuse =
        |why: String| Refusal::new(format!("cannot read `{}`: {why}", path.display()), "needed here", "");
    if !path.is_absolute() {
        return Err(refuse("the path must start at the root".to_owned()));
    }
    let size = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
    if !size.is_file() || size.len() > MOST_BYTES {
        return Err(refuse("it is not a file of at most 64 KiB".to_owned()));
    }
    let mut text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
