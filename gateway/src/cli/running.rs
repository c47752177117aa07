//! A gateway that runs, asked and changed from a shell. Results go to stdout; how to undo a change goes to stderr.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Place, admin};

/// Which gateway, and how its answers are told.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Running {
    /// The configuration file: it says where the admin listener is [default: as for `serve`]
    #[arg(short, long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Set one value over the file's: `--set admin.listen=127.0.0.1:9090`
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    overrides: Vec<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Say what the gateway would be told, and change nothing
    #[arg(long, global = true)]
    dry_run: bool,
}

/// Something to be changed.
pub(super) struct Change {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// The command that takes it back; `Err`: why nothing does.
    pub(super) undo: Result<String, String>,
}

/// What a command prints, or the one sentence of what went wrong.
pub(super) type Told = Result<String, String>;

impl Running {
    /// What stands at a path.
    pub(super) fn look(&self, path: &str) -> Result<Value, String> {
        self.tell("GET", path, None)
    }

    /// All pages of a list.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        let (mut items, mut after) = (Vec::new(), String::new());
        let sign = if path.contains('?') { '&' } else { '?' };
        loop {
            let mut page = self.look(&format!("{path}{sign}limit=1000{after}"))?;
            items.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            let Some(next) = page["next"].as_str() else { return Ok(items) };
            after = format!("&after={}", admin::escaped(next));
        }
    }

    /// Changes something, unless it shall only be said what would be.
    pub(super) fn change(&self, change: &Change, show: impl FnOnce(&Value) -> String) -> Told {
        self.do_change(change, |_| String::new(), show)
    }

    /// Makes something whose id only the gateway knows: the command that takes it back ends with it.
    pub(super) fn make(&self, change: &Change, show: impl FnOnce(&Value) -> String) -> Told {
        self.do_change(change, |made| format!(" {}", quoted(&cell(&made["id"]))), show)
    }

    fn do_change(
        &self,
        change: &Change,
        id: impl FnOnce(&Value) -> String,
        show: impl FnOnce(&Value) -> String,
    ) -> Told {
        let Change { method, path, body, undo } = change;
        if self.dry_run {
            let told = json!({ "method": method, "path": path, "body": body });
            let text = match body {
                Some(body) => format!("would ask: {method} {path} {body}\n"),
                None => format!("would ask: {method} {path}\n"),
            };
            return Ok(if self.json { format!("{told:#}\n") } else { text });
        }
        let answer = self.tell(method, path, body.as_ref())?;
        let hint = match undo {
            Ok(command) => format!("undo: {command}{}", id(&answer)),
            Err(why) => format!("this cannot be undone: {why}"),
        };
        super::complain(&[hint]);
        Ok(self.told(&answer, show))
    }

    /// Whether nothing shall be changed.
    pub(super) fn is_trial(&self) -> bool {
        self.dry_run
    }

    /// Whether JSON is wanted.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// A question that is too long for a query.
    pub(super) fn ask(&self, path: &str, body: Option<&Value>) -> Result<Value, String> {
        self.tell("POST", path, body)
    }

    /// An answer as JSON or for a person.
    pub(super) fn told(&self, answer: &Value, show: impl FnOnce(&Value) -> String) -> String {
        if self.json { format!("{answer:#}\n") } else { show(answer) }
    }

    /// A list as JSON or as a table.
    pub(super) fn told_all(
        &self,
        items: Vec<Value>,
        head: &[&str],
        row: fn(&Value) -> Vec<String>,
    ) -> String {
        if self.json {
            return format!("{:#}\n", json!({ "version": 1, "items": items }));
        }
        table(head, &items.iter().map(row).collect::<Vec<_>>())
    }

    fn tell(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let place = Place { config: self.config.clone(), overrides: self.overrides.clone() };
        let loaded = place.origin().load().map_err(|error| error.to_string())?;
        admin::tell(&loaded.config, method, path, body)
    }
}

/// The end of a command.
pub(super) fn end(told: Told) -> ExitCode {
    match told {
        Ok(text) => {
            super::say(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            super::complain(&[problem]);
            ExitCode::FAILURE
        }
    }
}

/// A body in which nothing stands that was not given; `more` is JSON that goes over it.
pub(super) fn body(given: Vec<(&str, Value)>, more: Option<&str>) -> Result<Value, String> {
    let filled = given.into_iter().filter(|(_, value)| !value.is_null());
    let mut fields: Map<String, Value> = filled.map(|(name, value)| (name.to_owned(), value)).collect();
    if let Some(text) = more {
        let more: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| format!("--body is no JSON object: {error}"))?;
        fields.extend(more);
    }
    Ok(Value::Object(fields))
}

/// The same fields as they were before.
pub(super) fn as_before(before: &Value, body: &Value) -> Value {
    let was = |name: &String| {
        let closed = || Value::from(before["state"] == "disabled");
        let value = before.get(name).cloned();
        (name.clone(), value.unwrap_or_else(|| if name == "disabled" { closed() } else { Value::Null }))
    };
    Value::Object(body.as_object().into_iter().flatten().map(|(name, _)| was(name)).collect())
}

/// One word of a shell.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@/:".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A field as it stands in a table.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// One thing, field by field.
pub(super) fn fields(thing: &Value) -> String {
    let lines = thing.as_object().into_iter().flatten().filter(|(_, value)| {
        let empty =
            value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        !value.is_null() && !empty && *value != ""
    });
    let lines: Vec<_> = lines.map(|(name, value)| vec![name.clone(), cell(value)]).collect();
    table(&[], &lines)
}

/// Lines under their names.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = head.iter().map(|word| (*word).to_owned()).collect();
    let lines = (!head.is_empty()).then_some(&head).into_iter().chain(rows);
    let lines: Vec<&Vec<String>> = lines.collect();
    let columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let wide = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|text| text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_undone_by_what_was_there_before() {
        let before =
            json!({ "note": "old", "team": null, "state": "disabled", "limits": { "requests": ["1/min"] } });
        let change = json!({ "note": "new", "team": "a", "disabled": false, "limits": {} });
        let undo =
            json!({ "note": "old", "team": null, "disabled": true, "limits": { "requests": ["1/min"] } });
        assert_eq!(as_before(&before, &change), undo);
    }

    #[test]
    fn words_survive_a_shell_and_columns_stand_under_each_other() {
        assert_eq!(quoted("web-1@x"), "web-1@x");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        let rows = [vec!["ü".to_owned(), "b".to_owned()], vec!["long".to_owned(), String::new()]];
        assert_eq!(table(&["a", "why"], &rows), "a     why\nü     b\nlong\n");
        assert_eq!(fields(&json!({ "name": "x", "tags": [], "note": "" })), "name  x\n");
    }

    #[test]
    fn what_is_not_given_is_not_said_and_json_goes_over_it() {
        let given = || vec![("note", json!("a")), ("team", Value::Null)];
        assert_eq!(body(given(), None), Ok(json!({ "note": "a" })));
        assert_eq!(
            body(given(), Some(r#"{"note":null,"tags":["x"]}"#)),
            Ok(json!({ "note": null, "tags": ["x"] }))
        );
        assert!(body(given(), Some("[]")).is_err());
    }
}
