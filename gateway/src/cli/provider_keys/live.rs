//! What a gateway that runs says of its provider keys.

use serde_json::Value;

use super::{Known, Outcome};
use crate::cli::admin::{ask, escaped};

/// Keys in one answer.
const PAGE: usize = 1000;

/// Lifts rests.
pub(super) fn restore(known: &Known, id: Option<&str>) -> Result<Outcome, String> {
    let mut path = format!("/admin/api/provider-keys/restore?provider={}", escaped(&known.name));
    if let Some(id) = id {
        path.push_str(&format!("&key={}", escaped(id)));
    }
    let answer = ask(&known.config, "POST", &path)?;
    let count = answer["restored"].as_u64().unwrap_or(0);
    let text = if known.json {
        format!("{answer}\n")
    } else {
        format!("{count} key{} may be asked again\n", if count == 1 { "" } else { "s" })
    };
    Ok(Outcome::good(text))
}

/// The states of all keys, as the running gateway knows them.
pub(super) fn states(known: &Known) -> Result<Vec<Value>, String> {
    let mut keys = Vec::new();
    let mut skip = 0;
    loop {
        let name = escaped(&known.name);
        let path = format!("/admin/api/provider-keys?provider={name}&limit={PAGE}&skip={skip}");
        let mut answer = ask(&known.config, "GET", &path)?;
        if let Some(Value::Array(part)) = answer.get_mut("keys").map(Value::take) {
            keys.extend(part);
        }
        match answer["next"].as_u64().and_then(|next| usize::try_from(next).ok()) {
            Some(next) if next > skip => skip = next,
            _ => return Ok(keys),
        }
    }
}
