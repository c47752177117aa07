//! Reasoning state for clients that cannot carry it.
//!
//! A model that thinks and then calls tools wants its signatures back with the results. A client of a dialect that has
//! no place for them (OpenAI chat: `role`, `content`, `tool_calls` and nothing else) drops them. So what an answer with
//! calls said beside the calls is kept here, under the client's key and the first call's id, with its provenance. When
//! that call comes back without its state, and goes to the very model it came from, the state is put back.
//!
//! `turn` gathers the state of an answer, `recall` puts it back into a request. Both work on canonical chat.

mod recall;
mod turn;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::recall::Recalled;
pub use self::turn::Turn;
use crate::store::{Batch, Key, Space, Store};

/// The largest state of one turn that is kept. The longest thoughts of today are a tenth of it.
const LARGEST: usize = 2 << 20;

/// Where state comes from, and the only place where it may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The adapter's vendor.
    pub vendor: String,
    /// The configured provider: one account there.
    pub provider: String,
    /// The provider's own model name: Gemini binds its signatures to it.
    pub model: String,
}

/// The state of one turn.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    provenance: Provenance,
    calls: Vec<Call>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra_content: Option<Box<RawValue>>,
    /// Content whose parts carry state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    content: Vec<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    order: Vec<String>,
}

/// A call of a tool, and how to know it again.
#[derive(Debug, Serialize, Deserialize)]
struct Call {
    id: String,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra_content: Option<Box<RawValue>>,
}

/// The state of all clients.
#[derive(Clone)]
pub struct Vault {
    store: Arc<dyn Store>,
}

impl Vault {
    /// A vault in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Keeps what a turn said beside its calls, if there is any state in it. Waits for nothing, and the next request
    /// finds it. A vault that fails must not fail an answer: it is logged, and the state is lost.
    pub fn keep(&self, tenant: &str, provenance: &Provenance, turn: Turn) {
        let Some(kept) = turn.into_kept(provenance) else { return };
        let Some(first) = kept.calls.first() else { return };
        let key = key(tenant, &first.id);
        let Ok(bytes) = serde_json::to_vec(&kept) else { return };
        if bytes.len() > LARGEST {
            tracing::warn!(bytes = bytes.len(), "reasoning state is too large to be kept for the client");
            return;
        }
        if let Err(error) = self.store.note(Batch::default().put(key, bytes, Space::Vault.life())) {
            tracing::error!(%error, "reasoning state could not be kept for the client");
        }
    }

    /// Everything that is kept for the calls in a canonical request.
    pub async fn recall(&self, tenant: &str, canonical: &[u8]) -> Recalled {
        let wanted = recall::wanted(canonical);
        if wanted.is_empty() {
            return Recalled::default();
        }
        let keys = wanted.iter().map(|wanted| key(tenant, &wanted.call)).collect();
        match self.store.get_all(keys).await {
            Ok(found) => Recalled::new(wanted, found),
            Err(error) => {
                tracing::error!(%error, "kept reasoning state could not be read");
                Recalled::default()
            }
        }
    }
}

fn key(tenant: &str, call: &str) -> Key {
    Space::Vault.key(&[tenant, call])
}

/// How a call is known again: by its name and arguments, however their JSON is spaced.
fn digest(name: &str, arguments: &str) -> String {
    let arguments = serde_json::from_str::<serde_json::Value>(arguments)
        .map_or(Cow::Borrowed(arguments.trim()), |value| Cow::Owned(value.to_string()));
    // No arguments are sent as nothing or as an empty object.
    let arguments = if arguments.is_empty() { "{}" } else { &*arguments };
    let mut hasher = blake3::Hasher::new();
    hasher.update(&name.len().to_be_bytes()).update(name.as_bytes()).update(arguments.as_bytes());
    hasher.finalize().to_hex().chars().take(32).collect()
}

#[cfg(test)]
mod tests;
