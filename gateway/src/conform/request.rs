//! From client to vendor: everything that was said is in its place, or named as lost, or refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Pair;
use super::fixture::{Asked, Said};
use super::place::{Place, resolve};
use super::verdict::{Verdict, told};
use crate::domain::Envelope;
use crate::domain::http::{Loss, UpstreamRequest};

impl Pair<'_> {
    /// The verdict on a request.
    pub(super) fn request(&self) -> Verdict {
        let (body, headers, streamed) = match self.speaking.asked(&self.feature.id) {
            None => return Verdict::Fail("the dialect has no fixture for it".to_owned()),
            Some(Asked::Unsaid { unsaid }) => return Verdict::Unsaid(unsaid.clone()),
            Some(Asked::Body { body, headers, streamed }) => (body, headers, *streamed),
        };
        match self.speaking.envelope(body, headers, streamed) {
            Ok(envelope) => self.carried(&envelope),
            Err(error) => Verdict::refused(&error),
        }
    }

    /// An answer of this vendor, sent back by the client in its next request.
    pub(super) fn again(&self) -> Verdict {
        if let Some(Asked::Unsaid { unsaid }) = self.speaking.asked(&self.feature.id) {
            return Verdict::Unsaid(unsaid.clone());
        }
        let first = self.feature.after.as_deref().unwrap_or_default();
        if let Some(unsaid) = self.subject.vendor.answers.get(first).and_then(|answer| answer.unsaid.clone())
        {
            return Verdict::Unsaid(unsaid);
        }
        let answer = match self.client_answer(first) {
            Ok((answer, _)) => answer,
            Err(verdict) => return verdict,
        };
        let echo = &self.speaking.requests.echo;
        let Some(then) = echo.then.get(&self.feature.id) else {
            return Verdict::Fail("the dialect does not say how it goes on".to_owned());
        };
        let Some(Asked::Body { body, headers, .. }) = self.speaking.asked(&self.feature.id) else {
            return Verdict::Fail("the dialect has no fixture for it".to_owned());
        };
        let Some(taken) = resolve(&answer, &echo.take).first().map(|taken| (*taken).clone()) else {
            return Verdict::Fail(format!("the answer has no {}", echo.take));
        };
        let mut said = match taken {
            Value::Array(list) if echo.each => list,
            taken => vec![taken],
        };
        if let Some((field, around)) = &echo.around {
            said = said.into_iter().map(|message| wrapped(field, around, message)).collect();
        }
        said.extend(then.iter().cloned());
        let mut body = body.clone();
        if let Some(Value::Array(history)) = body.get_mut(&echo.into) {
            history.append(&mut said);
        }
        match self.speaking.envelope(&body, headers, false) {
            Ok(envelope) => self.carried(&envelope),
            Err(error) => Verdict::Fail(format!("our own answer is refused when it comes back: {error}")),
        }
    }

    fn carried(&self, envelope: &Envelope) -> Verdict {
        if envelope.passable && self.subject.passes(self.speaking.id()) {
            return Verdict::Untouched;
        }
        let canonical = match self.speaking.dialect.canonical(envelope) {
            Ok(canonical) => canonical,
            Err(error) => return Verdict::refused(&error),
        };
        let route = self.subject.route(&self.feature.id, self.speaking.id(), envelope.stream);
        match self.subject.request(&route, &canonical) {
            Ok((request, lost)) => {
                let losses: Vec<Loss> =
                    self.speaking.dialect.dropped(envelope).into_iter().chain(lost).collect();
                judge(&seen(&request), &self.feature.says, &self.subject.vendor.taken.request, &losses)
            }
            Err(error) => Verdict::refused(&error),
        }
    }
}

/// How much of what came out a failure shows.
const SHOWN: usize = 3000;

fn wrapped(field: &str, around: &Map<String, Value>, message: Value) -> Value {
    let mut wrapped = around.clone();
    wrapped.insert(field.to_owned(), message);
    Value::from(wrapped)
}

/// A request as a tree: its body, and beside it `$path` and `$headers`.
fn seen(request: &UpstreamRequest) -> Value {
    let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let headers: Map<String, Value> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(value.to_str().unwrap_or_default())))
        .collect();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("$path".to_owned(), json!(request.path));
        fields.insert("$headers".to_owned(), headers.into());
    }
    body
}

/// Everything said is in its place, or a loss names it.
pub(super) fn judge(
    found: &Value,
    says: &BTreeMap<String, Said>,
    places: &BTreeMap<String, Place>,
    losses: &[Loss],
) -> Verdict {
    let mut silent = Vec::new();
    for (meaning, said) in says {
        let named = losses.iter().any(|loss| said.losses.iter().any(|part| loss.field.contains(part)));
        let Some(place) = places.get(meaning) else {
            return Verdict::Fail(format!("no place is written down for `{meaning}`"));
        };
        if place.holds(found, &said.value) || named {
            continue;
        }
        match place.missing() {
            Some(why) => silent.push(why),
            None => return Verdict::Fail(gone(meaning, said, losses, found)),
        }
    }
    silent.dedup();
    if silent.is_empty() { Verdict::complete(losses) } else { Verdict::Silent(silent.join("; ")) }
}

fn gone(meaning: &str, said: &Said, losses: &[Loss], found: &Value) -> String {
    let other = if losses.is_empty() { String::new() } else { format!(" (only {})", told(losses)) };
    let found: String = found.to_string().chars().take(SHOWN).collect();
    format!("`{meaning}` ({}) is not in its place and no loss names it{other}, in {found}", said.value)
}
