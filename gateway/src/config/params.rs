//! `params` of a model or a provider: what requests may say, changed before they are sent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Changes to the parameters of a request, in this order: `rename`, `remove`, `default`, `set`, `max_tokens`. The rules of a
/// model come before those of the provider that is asked. Fields have the names of OpenAI's chat API and of canonical
/// chat; inner ones are written `reasoning.max_tokens`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Params {
    /// Fields that get another name. One that stands under the new name already stays as it is.
    pub rename: BTreeMap<String, String>,
    /// Fields that are taken out.
    pub remove: Vec<String>,
    /// Values for fields the request does not give. Tables are merged.
    pub default: BTreeMap<String, serde_json::Value>,
    /// Values for fields whatever the request says. Tables are merged.
    pub set: BTreeMap<String, serde_json::Value>,
    /// Most tokens an answer may have: requests for more, and those that do not say, are sent with this. Default: no cap.
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u64>,
}

/// Fields that routing and streaming rest on.
const FIXED: [&str; 4] = ["model", "messages", "stream", "stream_options"];

impl Params {
    /// The first path that no rule may touch, and where it stands in the table.
    pub(crate) fn problem(&self) -> Option<(&'static str, &str, &'static str)> {
        let renamed = self.rename.iter().flat_map(|(from, to)| [from, to]).map(|path| ("rename", path));
        let removed = self.remove.iter().map(|path| ("remove", path));
        let given = self.default.keys().map(|path| ("default", path));
        let set = self.set.keys().map(|path| ("set", path));
        for (place, path) in renamed.chain(removed).chain(given).chain(set) {
            if path.split('.').any(str::is_empty) {
                return Some((place, path, "is no path of a field"));
            }
            if FIXED.contains(&path.split('.').next().unwrap_or_default()) {
                return Some((place, path, "is not a parameter: the gateway itself rests on it"));
            }
        }
        None
    }
}
