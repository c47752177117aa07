//! A provider, that provider's own model name, and a weight.

use std::sync::Arc;

use super::terms::Terms;

/// One place a request can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The provider's own model name; `*` in it is replaced by the name that was asked for.
    pub model: String,
    /// Its share among the targets of a model; 0: drained.
    pub weight: u32,
    /// On which terms it is asked.
    pub terms: Terms,
}

impl Target {
    /// The name to send upstream when `asked` was asked for. A leading `provider/` was addressing, not name.
    pub fn model_for(&self, asked: &str) -> String {
        if !self.model.contains('*') {
            return self.model.clone();
        }
        let addressed = asked.strip_prefix(self.provider.as_ref()).and_then(|rest| rest.strip_prefix('/'));
        self.model.replacen('*', addressed.unwrap_or(asked), 1)
    }
}

#[cfg(test)]
mod tests;
