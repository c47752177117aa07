//! What could not be carried across, gathered while translating.

use crate::Loss;
use crate::chat::{Fields, Json};

/// Losses of one call; each field is named once.
#[derive(Debug, Default)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// `field` is a path in canonical form (`messages[2].content[0].citations`), `reason` one clause in lower case.
    pub fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        let field = field.into();
        if self.0.iter().all(|loss| loss.field != field) {
            self.0.push(Loss { field, reason: reason.into() });
        }
    }

    /// Adds a loss when `lost` is there.
    pub fn add_if<T>(&mut self, lost: &Option<T>, field: impl Into<String>, reason: impl Into<String>) {
        if lost.is_some() {
            self.add(field, reason);
        }
    }

    /// Every field that says something is lost; `prefix` is the path of the object (empty: the top).
    pub fn add_fields(&mut self, fields: &Fields<'_>, prefix: &str, reason: &str) {
        for (name, _) in fields.present() {
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            self.add(path, reason);
        }
    }

    /// Each entry of `vendor` but this vendor's own.
    pub fn add_foreign(&mut self, vendor: &Fields<'_>, own: &str, prefix: &str) {
        for (name, _) in vendor.present().filter(|(name, _)| *name != own) {
            self.add(format!("{prefix}vendor.{name}"), format!("only {name} understands it"));
        }
    }

    /// The vendor's own fields of a message, part, call, tool or piece of reasoning (`vendor.<own>` in its `rest`); all
    /// other fields that say something are lost. `path` is that of the object.
    pub fn own_fields<'a>(&mut self, rest: &Fields<'a>, own: &str, path: &str) -> Fields<'a> {
        let mut found = Fields::default();
        for (name, value) in rest.present() {
            if name != "vendor" {
                self.add(format!("{path}.{name}"), format!("{own} has no such field"));
                continue;
            }
            let vendors: Fields<'a> = value.read().unwrap_or_default();
            self.add_foreign(&vendors, own, &format!("{path}."));
            found = vendors.get(own).and_then(Json::read).unwrap_or_default();
        }
        found
    }

    /// Opaque state (`extra_content`), none of which this vendor understands; `path` is that of the object it is bound to.
    pub fn add_state(&mut self, state: &Option<Json<'_>>, path: &str) {
        let fields: Fields<'_> = state.as_ref().and_then(Json::read).unwrap_or_default();
        for (name, _) in fields.present() {
            self.add(format!("{path}.extra_content.{name}"), format!("only {name} understands it"));
        }
    }

    /// Nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For the answer.
    pub fn into_vec(self) -> Vec<Loss> {
        self.0
    }
}
