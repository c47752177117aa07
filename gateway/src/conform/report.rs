//! The table for people and for programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::verdict::{Table, Verdict};

/// The table for programs: dialect, provider, row → what came of it.
pub fn json(table: &Table) -> String {
    let mut dialects: Map<String, Value> = Map::new();
    for (dialect, provider, row, verdict) in table.each() {
        let providers = dialects.entry(dialect).or_insert_with(|| Value::from(Map::new()));
        let Some(providers) = providers.as_object_mut() else { continue };
        let rows = providers.entry(provider).or_insert_with(|| Value::from(Map::new()));
        if let Some(rows) = rows.as_object_mut() {
            rows.insert(row.to_owned(), Value::from(verdict.to_string()));
        }
    }
    let mut text = serde_json::to_string_pretty(&Value::from(dialects)).unwrap_or_default();
    text.push('\n');
    text
}

const PREFACE: &str = "\
# What survives translation

Written by `causeway conform --write`; do not edit. Each cell is one feature from one client API to one adapter (or back), run
through the dialect and the adapter in its sandbox with fixtures of unmistakable values. No provider was asked.

| word | means |
|---|---|
| **=** | untouched: client and provider speak the same API, the bytes pass through |
| **yes** | everything is in its place on the other side |
| **part** | not all of it; a loss names what is missing or changed (note below the table) |
| **no** | refused by name, before anything is sent (note) |
| **–** | one of the two APIs has no words for it (note) |
| **silent** | the client's API has no place for it, and nobody is told (note) |
| **FAIL** | lost without a word (note) |

Rows: `request/…` from client to provider, `answer/…` and `stream/…` back, `loop/…` an answer sent back in the next
request, `error/…` a provider's refusal. Streams also run cut at every byte, in pieces of 1 and 3 bytes, with CRLF, comments,
padding, a byte order mark and a missing end.
";

/// The table for people.
pub fn markdown(table: &Table) -> String {
    let mut text = PREFACE.to_owned();
    text.push_str("\n## In short\n\n| client | provider | = | yes | part | no | – | silent | FAIL |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for (dialect, providers) in &table.cells {
        for (provider, rows) in providers {
            let count = |word: &str| rows.values().filter(|verdict| sign(verdict) == word).count();
            let counts =
                ["=", "yes", "part", "no", "–", "silent", "FAIL"].map(|word| count(word).to_string());
            text.push_str(&format!("| {dialect} | {provider} | {} |\n", counts.join(" | ")));
        }
    }
    for (dialect, providers) in &table.cells {
        text.push_str(&chapter(table, dialect, providers));
    }
    text
}

type Rows = BTreeMap<String, Verdict>;

fn chapter(table: &Table, dialect: &str, providers: &BTreeMap<String, Rows>) -> String {
    let names: Vec<&str> = providers.keys().map(String::as_str).collect();
    let mut text = format!("\n## Clients of {dialect}\n\n| feature | {} |\n|---", names.join(" | "));
    text.push_str(&"|---".repeat(names.len()));
    text.push_str("|\n");
    let mut notes: Vec<&str> = Vec::new();
    for row in &table.rows {
        let cells = providers.values().map(|rows| match rows.get(&row.id) {
            Some(verdict) => noted(verdict, &mut notes),
            None => "FAIL".to_owned(),
        });
        let cells: Vec<String> = cells.collect();
        text.push_str(&format!("| `{}` {} | {} |\n", row.id, row.about, cells.join(" | ")));
    }
    text.push('\n');
    for (index, note) in notes.iter().enumerate() {
        text.push_str(&format!("{}. {}\n", index + 1, escaped(note)));
    }
    text
}

/// A cell with the number of its note.
fn noted<'n>(verdict: &'n Verdict, notes: &mut Vec<&'n str>) -> String {
    let Some(reason) = verdict.reason() else { return sign(verdict).to_owned() };
    let place = notes.iter().position(|note| *note == reason).unwrap_or_else(|| {
        notes.push(reason);
        notes.len() - 1
    });
    format!("{} <sup>{}</sup>", sign(verdict), place + 1)
}

fn sign(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Untouched => "=",
        Verdict::Works => "yes",
        Verdict::Lossy(_) => "part",
        Verdict::Impossible(_) => "no",
        Verdict::Unsaid(_) => "–",
        Verdict::Silent(_) => "silent",
        Verdict::Fail(_) => "FAIL",
    }
}

/// Vendors' words must not become markup.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('<', "&lt;").replace('|', "\\|").replace('*', "\\*").replace('\n', " ")
}
