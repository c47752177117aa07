//! What a file says that this version does not act on yet. Each line goes when the feature comes.

use super::tree::Node;
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
    if config.models.is_empty() {
        notes.push("no `[models]` are configured: every request will be answered with 404".to_owned());
    }
    notes
}
