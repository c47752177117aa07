//! What there is: by id for the eye, in full only where that was asked for.

use serde_json::{Value, json};

use super::{Known, Outcome, live};
use crate::config::keys_file::{self, KeyLine};
use crate::domain::rfc3339;
use crate::upstream::keys::key_id;

/// Id, state and note of every key.
pub(super) fn list(known: &Known) -> Result<Outcome, String> {
    let (keys, running) = match live::states(known) {
        Ok(keys) => (keys, None),
        Err(why) => {
            let each = lines(known)?.into_iter().map(|line| {
                json!({ "id": key_id(&line.secret), "note": line.note.as_deref(), "state": "unknown" })
            });
            (each.collect(), Some(why))
        }
    };
    if known.json {
        return Ok(Outcome::good(format!(
            "{}\n",
            json!({ "provider": known.name, "keys": keys, "offline": running })
        )));
    }
    let mut text = String::new();
    for key in &keys {
        let word = |name: &str| key[name].as_str().unwrap_or_default().to_owned();
        let mut state = word("state");
        if let Some(until) = key["until"].as_u64() {
            state.push_str(&format!(" until {} ({})", rfc3339(until / 1000), word("cause")));
        }
        for at in key["models"].as_array().into_iter().flatten() {
            let until = rfc3339(at["until"].as_u64().unwrap_or(0) / 1000);
            state.push_str(&format!(", not {} until {until}", at["model"].as_str().unwrap_or_default()));
        }
        text.push_str(format!("{}  {state}  {}", word("id"), word("note")).trim_end());
        text.push('\n');
    }
    let resting = keys.iter().filter(|key| key["state"] == "resting").count();
    text.push_str(&format!("{} keys, {resting} rest\n", keys.len()));
    if let Some(why) = running {
        text.push_str(&format!("states are not known: {why}\n"));
    }
    Ok(Outcome::good(text))
}

/// The keys themselves.
pub(super) fn export(known: &Known, reveal: bool) -> Result<Outcome, String> {
    if !reveal {
        return Err("this prints the keys themselves; say `--reveal` if that is what you want".to_owned());
    }
    let lines = lines(known)?;
    let text = if known.json {
        let keys: Vec<Value> = lines
            .iter()
            .map(|line| {
                json!({ "id": key_id(&line.secret), "key": line.secret.expose(), "note": line.note.as_deref() })
            })
            .collect();
        format!("{}\n", json!({ "provider": known.name, "keys": keys }))
    } else {
        lines.iter().map(|line| line.written() + "\n").collect()
    };
    Ok(Outcome::good(text))
}

/// Every key once, those of the configuration first.
fn lines(known: &Known) -> Result<Vec<KeyLine>, String> {
    let provider = known.provider()?;
    let own = provider.keys.iter().map(|secret| KeyLine { secret: secret.clone(), note: None });
    let mut lines: Vec<KeyLine> = own.collect();
    if let Some(file) = &provider.keys_file {
        keys_file::each_line(file, |_, line| lines.extend(line.ok().flatten()))
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let mut seen = std::collections::HashSet::new();
    lines.retain(|line| seen.insert(key_id(&line.secret)));
    Ok(lines)
}
