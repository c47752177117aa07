//! What is said when no target of a plan may be asked now.

use std::time::Duration;

use super::Plan;
use crate::error::{GatewayError, Kind};

impl Plan {
    /// Nobody may be asked: when somebody may be again, and for the operator why each was passed over.
    pub fn nobody(&self) -> GatewayError {
        let back = self.passed_over.iter().filter_map(|(_, why)| why.back_in()).min();
        let resting = self.passed_over.iter().filter(|(_, why)| why.back_in().is_some());
        let limited = back.is_some() && resting.clone().all(|(_, why)| why.is_rate());
        let kind = if limited { Kind::RateLimited } else { Kind::Overloaded };
        let message = match back {
            None => "every target of this model is out of service".to_owned(),
            Some(back) => format!(
                "every target of this model rests after failures; the first is back in {} s",
                whole_seconds(back)
            ),
        };
        let reasons = self.passed_over.iter();
        let reasons: Vec<_> =
            reasons.map(|(step, why)| format!("`{}/{}`: {why}", step.provider, step.model)).collect();
        GatewayError { retry_after: back, ..GatewayError::gateway(kind, message) }.context(reasons.join(", "))
    }
}

fn whole_seconds(duration: Duration) -> u128 {
    duration.as_millis().div_ceil(1000).max(1)
}
