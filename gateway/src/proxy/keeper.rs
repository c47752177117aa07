//! Gathers an answer's reasoning state for a client that cannot carry it, and hands it to the vault.

use crate::state::Provider;
use crate::vault::{Provenance, Turn, Vault};

/// Where state comes from, or would go to.
pub(super) fn provenance(provider: &Provider, model: &str) -> Provenance {
    Provenance {
        vendor: provider.adapter.manifest().provider.clone(),
        provider: provider.upstream.name.to_string(),
        model: model.to_owned(),
    }
}

/// One answer's state while it comes in.
pub(super) struct Keeper {
    vault: Vault,
    tenant: String,
    provenance: Provenance,
    turn: Option<Turn>,
}

impl Keeper {
    /// Of an answer to `tenant` that comes from `provenance`.
    pub(super) fn new(vault: Vault, tenant: &str, provenance: Provenance) -> Self {
        Self { vault, tenant: tenant.to_owned(), provenance, turn: Some(Turn::default()) }
    }

    /// Takes a whole canonical answer or one chunk. The state is in the vault before the client hears of the end:
    /// its next request may come at once.
    pub(super) fn take(&mut self, canonical: &[u8]) {
        let Some(turn) = &mut self.turn else { return };
        turn.take(canonical);
        if turn.has_ended()
            && let Some(turn) = self.turn.take()
        {
            self.vault.keep(&self.tenant, &self.provenance, turn);
        }
    }
}
