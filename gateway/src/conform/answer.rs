//! From vendor to client: whole answers and refusals.

use serde_json::{Value, json};

use super::Pair;
use super::fixture::{Answered, Asked};
use super::request::judge;
use super::verdict::Verdict;
use crate::dialect::AnswerFacts;
use crate::dialect::lost::Lost;
use crate::domain::Envelope;
use crate::domain::http::Loss;

impl Pair<'_> {
    /// The verdict on a whole answer.
    pub(super) fn whole(&self) -> Verdict {
        match self.client_answer(&self.feature.id) {
            Ok((answer, losses)) => judge(&answer, &self.feature.says, &self.speaking.places.whole, &losses),
            Err(verdict) => verdict,
        }
    }

    /// What the client gets for this feature's answer, and what was lost.
    pub(super) fn client_answer(&self, feature: &str) -> Result<(Value, Vec<Loss>), Verdict> {
        let answered = self.answered(feature)?;
        let Some(body) = &answered.whole else {
            return Err(Verdict::Fail("the vendor's fixture has no whole answer".to_owned()));
        };
        if self.subject.passes(self.speaking.id()) && self.feature.id == feature {
            return Err(Verdict::Untouched);
        }
        let route = self.subject.route(feature, self.speaking.id(), false);
        let headers = super::fixture::header_map(&answered.headers);
        let fail = |error: crate::error::GatewayError| Verdict::Fail(error.to_string());
        let answer = self.subject.response(&route, &headers, body.to_string().as_bytes()).map_err(fail)?;
        let envelope = self.asking(feature, false)?;
        let dialect = self.speaking.dialect;
        let mut losses = answer.losses;
        losses.extend(dialect.keeps().map(Lost::new).iter_mut().flat_map(|lost| lost.of(&answer.body)));
        let written = dialect.whole_for(&facts(&envelope), &envelope, &answer.body).map_err(fail)?;
        let read = serde_json::from_slice(&written)
            .map_err(|error| Verdict::Fail(format!("the client's answer is not JSON: {error}")))?;
        Ok((read, losses))
    }

    /// The vendor's fixture for an answer.
    pub(super) fn answered(&self, feature: &str) -> Result<&Answered, Verdict> {
        let answered = self.subject.vendor.answers.get(feature);
        let answered =
            answered.ok_or_else(|| Verdict::Fail("the adapter has no fixture for it".to_owned()))?;
        match &answered.unsaid {
            Some(unsaid) => Err(Verdict::Unsaid(unsaid.clone())),
            None => Ok(answered),
        }
    }

    /// The request with which a client of this dialect asks for such an answer.
    pub(super) fn asking(&self, feature: &str, streamed: bool) -> Result<Envelope, Verdict> {
        let known = self.catalogue.features.iter().find(|known| known.id == feature);
        let asks = known.and_then(|feature| feature.asks.as_deref()).unwrap_or("text");
        let asked = [asks, "text"].into_iter().find_map(|feature| match self.speaking.asked(feature) {
            Some(Asked::Body { body, headers, .. }) => Some((body, headers)),
            _ => None,
        });
        let (body, headers) =
            asked.ok_or_else(|| Verdict::Fail("the dialect has no fixture for `text`".to_owned()))?;
        let envelope = self.speaking.envelope(body, headers, streamed);
        envelope.map_err(|error| Verdict::Fail(error.to_string()))
    }

    /// The verdict on a vendor's refusal.
    pub(super) fn error(&self) -> Verdict {
        let Some(refused) = self.subject.vendor.errors.get(&self.feature.id) else {
            return Verdict::Fail("the adapter has no fixture for it".to_owned());
        };
        if let Some(unsaid) = &refused.unsaid {
            return Verdict::Unsaid(unsaid.clone());
        }
        let headers = super::fixture::header_map(&refused.headers);
        let body = match &refused.body {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let error = self.subject.error(refused.status, &headers, body.as_bytes());
        let dialect = self.speaking.dialect;
        let told = dialect.error(&error, "request");
        let told: Value = serde_json::from_slice(&told).unwrap_or_default();
        let wait = error.retry_after.and_then(|wait| u64::try_from(wait.as_millis()).ok());
        let found = json!({
            "status": dialect.error_status(&error),
            "kind": error.kind.as_str(),
            "retry_after_ms": wait,
            "body": told,
        });
        judge(&found, &self.feature.says, &self.speaking.places.error, &[])
    }
}

/// What the gateway knows beside the body.
pub(super) fn facts(envelope: &Envelope) -> AnswerFacts {
    AnswerFacts {
        request_id: "conformance".to_owned(),
        created: 1_700_000_000,
        waited: std::time::Duration::ZERO,
        model: envelope.model.clone(),
    }
}
