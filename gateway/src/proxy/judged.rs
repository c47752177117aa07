//! A look into answers whose status is good: some say in their text that they failed.

use crate::domain::trigger::plain;
use crate::error::{GatewayError, Kind};
use crate::state::Provider;

/// Refuses bytes that hold a text which the operator calls a failure.
pub(super) fn without_trigger(provider: &Provider, bytes: &[u8]) -> Result<(), GatewayError> {
    if provider.error_triggers.is_empty() {
        return Ok(());
    }
    let plain = plain(bytes);
    match provider.error_triggers.iter().find(|trigger| trigger.is_in(&plain)) {
        None => Ok(()),
        Some(trigger) => Err(GatewayError::upstream(Kind::Provider, trigger.written())
            .context("an error trigger stands in the provider's answer")),
    }
}
