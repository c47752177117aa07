//! The configuration in force: defaults filled in, secrets masked, and where each key comes from.

use std::collections::BTreeMap;

use super::Loaded;
use super::annotate::Ordered;
use super::tree::{Node, Place, Route, Value};

/// As TOML. With `origin` every key stands on a line of its own, with the place it comes from behind it.
///
/// # Errors
/// When a value has no form in TOML.
pub fn effective(loaded: &Loaded, origin: bool) -> Result<String, String> {
    if !origin {
        return toml::to_string(&loaded.config).map_err(|error| error.to_string());
    }
    let text = serde_json::to_string(&loaded.config).map_err(|error| error.to_string())?;
    let ordered: Ordered = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut out = String::new();
    lines(&mut out, &Route::default(), &ordered, &loaded.origins);
    Ok(out)
}

fn lines(out: &mut String, route: &Route, value: &Ordered, origins: &BTreeMap<String, String>) {
    match value {
        Ordered::Value(serde_json::Value::Null) => {}
        Ordered::Value(_) => {
            let path = route.to_string();
            let origin = origins.get(&path).map_or("default", String::as_str);
            out.push_str(&format!("{path} = {}  # {origin}\n", value.inline()));
        }
        Ordered::Table(members) => {
            for (name, member) in members {
                lines(out, &route.key(name), member, origins);
            }
        }
    }
}

/// The place of every value in the tree, by its path. A list is one value.
pub(crate) fn origins(text: &str, root: &Node) -> BTreeMap<String, String> {
    let mut origins = BTreeMap::new();
    let newlines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    collect(&mut origins, &newlines, root, &Route::default());
    origins
}

fn collect(origins: &mut BTreeMap<String, String>, newlines: &[usize], node: &Node, route: &Route) {
    if let Value::Table(members) = &node.value {
        for (name, member) in members {
            collect(origins, newlines, &member.node, &route.key(name));
        }
        return;
    }
    let origin = match &node.place {
        Place::File(span) => format!("line {}", newlines.partition_point(|at| *at < span.start) + 1),
        Place::Override(_) => "override".to_owned(),
        Place::Stored(_) => "admin API".to_owned(),
    };
    origins.insert(route.to_string(), origin);
}
