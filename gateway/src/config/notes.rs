//! What a file says that this version does not act on yet. Each line goes when the feature comes.

use super::tree::{Node, Value};
use super::{Config, Source};

/// One short line per part of the file that has no effect yet.
pub(crate) fn of(config: &Config, root: &Node) -> Vec<String> {
    let mut notes = Vec::new();
    if root.member("requests").is_some() {
        notes.push("`[requests]` is not stored yet".to_owned());
    }
    if !config.otel.endpoint.is_empty() {
        notes.push("`[otel] endpoint` is not used yet".to_owned());
    }
    for (name, plugin) in &config.plugins {
        if !matches!(plugin.source, Source::File(_)) {
            notes.push(format!("`[plugins.{name}] source` is not fetched yet: only `file:` is"));
        }
    }
    of_keys(root, &mut notes);
    if config.models.is_empty() {
        notes.push("no `[models]` are configured: every request will be answered with 404".to_owned());
    }
    notes
}

fn of_keys(root: &Node, notes: &mut Vec<String>) {
    let parts = [("keys", "limits"), ("keys", "budget"), ("teams", "limits"), ("teams", "budget")];
    for (section, part) in parts {
        let Some(Value::Table(members)) = root.member(section).map(|member| &member.node.value) else {
            continue;
        };
        for (name, _) in members.iter().filter(|(_, member)| member.node.member(part).is_some()) {
            let name = super::tree::key_text(name);
            notes.push(format!("`[{section}.{name}] {part}` is not enforced yet"));
        }
    }
    let defaults = root.member("defaults").and_then(|member| member.node.member("key"));
    if defaults.is_some_and(|member| member.node.member("limits").is_some()) {
        notes.push("`[defaults.key] limits` is not enforced yet".to_owned());
    }
}
