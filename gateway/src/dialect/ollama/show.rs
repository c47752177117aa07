//! Ollama's questions about models: `/api/tags`, `/api/show`, `/api/ps` and `/api/version`. What a gateway cannot know
//! (size, family, quantization, template) is empty or zero.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::facts;
use crate::dialect::model_list::ModelEntry;
use crate::domain::rfc3339;
use crate::error::{GatewayError, Kind};

/// Stands where Ollama names a family of models; a gateway has all of them.
const ARCHITECTURE: &str = "causeway";

/// The model that a body of `/api/show` names.
///
/// # Errors
/// 400 when it names none.
pub fn asked(body: &[u8]) -> Result<String, GatewayError> {
    facts::shown(body)
}

/// No such model, in the words Ollama's clients look for.
pub fn not_found(model: &str) -> GatewayError {
    let error = GatewayError::client(Kind::ModelNotFound, format!("model '{model}' not found"));
    GatewayError { param: Some("model".to_owned()), ..error }
}

/// `GET /api/version`.
pub fn version() -> Vec<u8> {
    json!({ "version": super::VERSION }).to_string().into_bytes()
}

/// `GET /api/ps`: nothing is in our memory.
pub fn loaded() -> Vec<u8> {
    json!({ "models": [] }).to_string().into_bytes()
}

/// `POST /api/show`. `can` says what an adapter says of itself: `tools`, `images`, `reasoning`.
pub fn model(entry: &ModelEntry, can: impl Fn(&str) -> bool) -> Vec<u8> {
    let sees =
        if entry.facts.input.is_empty() { can("images") } else { entry.facts.input.contains(&"image") };
    let known = [("tools", can("tools")), ("vision", sees), ("thinking", can("reasoning"))];
    let mut capabilities = vec!["completion"];
    capabilities.extend(known.into_iter().filter(|(_, can)| *can).map(|(word, _)| word));
    let mut about = json!({ "general.architecture": ARCHITECTURE, "general.basename": entry.id });
    if let Some(context) = entry.facts.context {
        // Where clients look for it: below the name of the architecture.
        about[format!("{ARCHITECTURE}.context_length")] = context.into();
    }
    let body = json!({
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": details(),
        "model_info": about,
        "capabilities": capabilities,
        "modified_at": rfc3339(entry.created),
    });
    body.to_string().into_bytes()
}

/// One model of `/api/tags`. The digest is one of the name: `ollama list` shows its first twelve digits.
pub(in crate::dialect) fn tag(entry: &ModelEntry) -> Value {
    let digest = Sha256::digest(entry.id.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "name": entry.id,
        "model": entry.id,
        "modified_at": rfc3339(entry.created),
        "size": 0,
        "digest": digest,
        "details": details(),
    })
}

fn details() -> Value {
    json!({
        "parent_model": "",
        "format": "",
        "family": "",
        "families": [],
        "parameter_size": "",
        "quantization_level": "",
    })
}
