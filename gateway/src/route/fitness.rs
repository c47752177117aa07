//! Whether a target fits a request: its condition, what it can do, and how much it takes.

use std::fmt;
use std::ops::Deref;

use tracing::warn;

use super::{Model, Question, Step, Why};
use crate::config::Capabilities;
use crate::domain::{Abilities, Asks, Circumstances, Condition, Operation, Target, Terms};
use crate::error::{GatewayError, Kind};

/// What a plan may want to know of a request beside its head.
#[derive(Clone, Copy)]
pub struct Facts<'q> {
    /// What is asked, looked for when somebody wants to know.
    pub asks: &'q (dyn Deref<Target = Asks> + Sync + 'q),
    /// The id of the client's dialect.
    pub dialect: &'static str,
    /// The conversation, where the client names it.
    pub session: Option<&'q str>,
    /// Unix time in seconds.
    pub now: u64,
}

/// Why a target does not fit a request. Waiting does not help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its condition does not hold.
    Condition(Condition),
    /// It lacks something that is asked.
    Lacks(Abilities),
    /// Its context is surely too small.
    Context {
        /// Tokens it would need, at least.
        tokens: u64,
        /// Tokens it has.
        limit: u64,
    },
    /// The body is larger than it takes.
    Body {
        /// Bytes of the body.
        bytes: u64,
        /// Bytes it takes.
        limit: u64,
    },
}

impl Unfit {
    /// For the client, who does not hear of the operator's rules.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Condition(_) => "it is not open to this request".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(condition) => write!(formatter, "its condition does not hold: {condition}"),
            Self::Lacks(lacking) => write!(formatter, "it lacks what is asked: {lacking}"),
            Self::Context { tokens, limit } => {
                write!(formatter, "its context of {limit} tokens is too small for about {tokens}")
            }
            Self::Body { bytes, limit } => {
                write!(formatter, "the body of {bytes} bytes is larger than the {limit} it takes")
            }
        }
    }
}

/// Why a target does not fit; `None`: it does, as far as is known before it is asked.
pub(super) fn unfit(terms: &Terms, model: &Model, question: &Question<'_>) -> Option<Unfit> {
    let facts = &question.facts;
    if let Some(limit) = terms.max_body {
        let bytes = facts.asks.body_bytes;
        if bytes > limit {
            return Some(Unfit::Body { bytes, limit });
        }
    }
    if let Some(condition) = terms.when.as_ref().filter(|condition| !holds(condition, question)) {
        return Some(Unfit::Condition(condition.clone()));
    }
    if model.capabilities == Capabilities::Strict {
        let lacking = lacking(terms, question);
        if !lacking.is_empty() {
            return Some(Unfit::Lacks(lacking));
        }
    }
    let limit = terms.context?;
    let tokens = needed(facts.asks);
    (tokens > limit).then_some(Unfit::Context { tokens, limit })
}

/// Tokens a request surely needs. An estimate may be a third too high, and must not refuse what would fit.
fn needed(asks: &Asks) -> u64 {
    if asks.operation != Operation::Chat {
        return 0;
    }
    asks.input_tokens - asks.input_tokens / 3 + asks.max_output.unwrap_or_default()
}

/// Whether targets that lack something are asked behind the others. Not where they are all alike: then nobody needs to
/// know what is asked.
pub(super) fn prefers(model: &Model) -> bool {
    let alike = |one: &Target, other: &Target| {
        let (one, other) = (&one.terms, &other.terms);
        one.can == other.can && one.cannot == other.cannot && one.offers.dialects == other.offers.dialects
    };
    let among = model.targets.iter().any(|target| target.provider().is_none());
    let differ = among
        || model.targets.first().is_some_and(|first| model.targets.iter().any(|one| !alike(one, first)));
    differ && model.capabilities == Capabilities::Prefer
}

/// What a target lacks of what is asked.
pub(super) fn lacking(terms: &Terms, question: &Question<'_>) -> Abilities {
    if !terms.may_lack() {
        return Abilities::default();
    }
    terms.lacks(question.facts.asks, question.facts.dialect)
}

/// Whether a condition holds. One that cannot be answered does not, and the operator hears of it once.
fn holds(condition: &Condition, question: &Question<'_>) -> bool {
    let Question { key, asked, head, facts, .. } = *question;
    let Facts { asks, dialect, session, now } = facts;
    let answer = condition.holds(&Circumstances { model: asked, head, key, asks, dialect, session, now });
    answer.unwrap_or_else(|why| {
        if condition.is_first_failure() {
            warn!(condition = %condition, why, model = asked, "a condition could not be answered and counts as false");
        }
        false
    })
}

/// The model's own condition, when it does not hold.
pub(super) fn closed_to<'m>(model: &'m Model, question: &Question<'_>) -> Option<&'m Condition> {
    model.when.as_ref().filter(|condition| !holds(condition, question))
}

/// The model's own condition.
///
/// # Errors
/// [`Kind::Permission`] naming the model.
pub(super) fn admit(model: &Model, question: &Question<'_>) -> Result<(), GatewayError> {
    match closed_to(model, question) {
        None => Ok(()),
        Some(condition) => {
            let message = format!("the model `{}` is not open to this request", question.asked);
            Err(closed(message).context(format!("its condition does not hold: {condition}")))
        }
    }
}

fn closed(message: String) -> GatewayError {
    GatewayError { param: Some("model".to_owned()), ..GatewayError::client(Kind::Permission, message) }
}

/// What is asked when no target and no fallback fits: a larger context, where one is kept for that.
///
/// # Errors
/// What [`refusal`] says, where it says something.
pub(super) fn without_any(
    asked: &str,
    passed_over: &[(Step, Why)],
    larger: &[Step],
) -> Result<Vec<Step>, GatewayError> {
    match refusal(asked, passed_over) {
        None => Ok(Vec::new()),
        Some(error) if error.kind == Kind::ContextLength && !larger.is_empty() => Ok(larger.to_vec()),
        Some(error) => Err(error),
    }
}

/// The answer to a request that fits no target, if that is why there is none. `None`: there are other reasons, and
/// waiting may help.
fn refusal(asked: &str, passed_over: &[(Step, Why)]) -> Option<GatewayError> {
    let mut found = Vec::new();
    for (step, why) in passed_over {
        if let Why::Unfit(unfit) = why {
            found.push((step, unfit));
        } else if *why != Why::Drained {
            return None;
        }
    }
    let unfit = || found.iter().map(|(_, unfit)| *unfit);
    let lacking: Vec<_> = found
        .iter()
        .filter_map(|(step, unfit)| match unfit {
            Unfit::Lacks(lacking) => Some(format!("`{}/{}` lacks {lacking}", step.provider, step.model)),
            _ => None,
        })
        .collect();
    if !lacking.is_empty() {
        let message =
            format!("no target of the model `{asked}` can do what is asked: {}", lacking.join("; "));
        return Some(GatewayError::client(Kind::Unsupported, message));
    }
    let context = unfit().filter_map(|unfit| match unfit {
        Unfit::Context { tokens, limit } => Some((*limit, *tokens)),
        _ => None,
    });
    if let Some((limit, tokens)) = context.max() {
        let message = format!(
            "this request needs about {tokens} tokens, and the largest context of the model `{asked}` has {limit}"
        );
        return Some(GatewayError::client(Kind::ContextLength, message));
    }
    let body = unfit().filter_map(|unfit| match unfit {
        Unfit::Body { bytes, limit } => Some((*limit, *bytes)),
        _ => None,
    });
    if let Some((limit, bytes)) = body.max() {
        let message =
            format!("the body has {bytes} bytes, and a target of the model `{asked}` takes {limit} at most");
        return Some(GatewayError::client(Kind::TooLarge, message));
    }
    let conditions: Vec<_> = found.iter().map(|(_, unfit)| unfit.to_string()).collect();
    (!conditions.is_empty()).then(|| {
        closed(format!("no target of the model `{asked}` is open to this request"))
            .context(conditions.join("; "))
    })
}

#[cfg(test)]
mod tests;
