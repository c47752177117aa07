//! Model and key → the targets to try, in order.

use std::sync::Arc;

use crate::domain::{Target, VirtualKey};
use crate::error::{GatewayError, Kind};

mod balance;
mod retry;
mod table;
mod variant;

pub use retry::{Judgement, Retry};
pub use table::{Model, Table};

/// One target, resolved for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The provider's name in the configuration.
    pub provider: Arc<str>,
    /// The provider's own model name.
    pub model: String,
}

/// Targets to try, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The model as it is configured.
    pub model: Arc<Model>,
    /// Best first.
    pub targets: Vec<Step>,
    /// In order, each once, when the targets have failed.
    pub fallback: Vec<Step>,
    /// The effort of reasoning that the model's name asked for.
    pub effort: Option<&'static str>,
}

impl Table {
    /// Which targets may serve a request, best first.
    ///
    /// # Errors
    /// [`Kind::ModelNotFound`] naming close ones, [`Kind::Permission`] for a model the key may not use.
    pub fn plan(&self, key: &VirtualKey, asked: &str) -> Result<Plan, GatewayError> {
        let (model, asked, effort) = self.read(asked).ok_or_else(|| self.unknown(key, asked))?;
        if !key.may_use(asked) {
            return Err(GatewayError {
                param: Some("model".to_owned()),
                ..GatewayError::client(
                    Kind::Permission,
                    format!("this key may not use the model `{asked}`; ask the gateway's operator to add it"),
                )
            });
        }
        let targets = balance::weighted(&model.targets, &mut |bound| fastrand::u32(0..bound));
        let step =
            |target: &Target| Step { provider: Arc::clone(&target.provider), model: target.model_for(asked) };
        Ok(Plan {
            model: Arc::clone(model),
            targets: targets.into_iter().map(step).collect(),
            fallback: model.fallback.iter().map(step).collect(),
            effort,
        })
    }

    /// The model a name stands for, its name without an effort, and the effort. A name that is configured as it stands is
    /// that name.
    fn read<'a>(&self, asked: &'a str) -> Option<(&Arc<Model>, &'a str, Option<&'static str>)> {
        if let Some(model) = self.named(asked) {
            return Some((model, asked, None));
        }
        if let Some(variant) = variant::split(asked) {
            let named = self.named(variant.model);
            let found = named.or_else(|| variant.with_patterns.then(|| self.find(variant.model)).flatten());
            if let Some(model) = found {
                return Some((model, variant.model, Some(variant.effort)));
            }
        }
        self.find(asked).map(|model| (model, asked, None))
    }

    fn unknown(&self, key: &VirtualKey, asked: &str) -> GatewayError {
        let close = self.close_to(asked, |name| key.may_use(name));
        let hint = if close.is_empty() {
            "see /v1/models for what there is".to_owned()
        } else {
            format!(
                "did you mean {}?",
                close.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )
        };
        GatewayError {
            param: Some("model".to_owned()),
            ..GatewayError::client(Kind::ModelNotFound, format!("the model `{asked}` does not exist; {hint}"))
        }
    }
}

#[cfg(test)]
mod tests;
