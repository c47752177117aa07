//! What comes in, field by field: its form, and whether it may be so.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::allowed::{Allowed, Budget, Per};
use super::refusal::Refusal;
use crate::domain::{Micros, Rate, Secret};

/// Longest name of a key, a team or a tier.
const LONGEST_NAME: usize = 64;
/// Longest free text.
const LONGEST_TEXT: usize = 1_000;
/// Most entries of a list.
const MOST: usize = 100;

/// How much may be asked. What is not given is not limited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsInput {
    /// Requests per window, as in `["600/min", "10k/day"]`; all windows count.
    #[schema(value_type = Vec<String>)]
    pub requests: Vec<Rate>,
    /// Tokens per window, prompt and answer together; all windows count.
    #[schema(value_type = Vec<String>)]
    pub tokens: Vec<Rate>,
    /// Requests at the same time.
    #[schema(value_type = Option<u64>, maximum = 4294967295_u64)]
    pub concurrent: Option<u32>,
}

/// Money per period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetInput {
    /// US dollars.
    #[schema(value_type = f64)]
    pub usd: Micros,
    /// `hour`, `day`, `week`, `month`, `total`, or a rolling time as in `24h`.
    #[schema(value_type = String)]
    pub per: Per,
    /// Whose midnight it is: an IANA name. None: UTC.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Shares of it at which to warn, each between 0 and 1.
    #[serde(default)]
    pub warn_at: Vec<f64>,
    /// The model that answers instead when it is used up. None: requests are refused.
    #[serde(default)]
    pub downgrade: Option<String>,
}

/// A field that is not there stays as it is, and one that is `null` is emptied.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A secret that comes in.
pub(super) fn hidden<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// The same where it may be missing.
pub(super) fn maybe_hidden<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(Secret::new))
}

/// The name of a key, a team or a tier: it stands in paths, in the ledger and in metrics.
pub(super) fn name(path: &str, text: &str) -> Result<String, Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && text.len() <= LONGEST_NAME && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    let message =
        format!("up to {LONGEST_NAME} letters, digits and `-_.@` are wanted, a letter or a digit first");
    Err(Refusal::invalid(path, message))
}

/// Free text.
pub(super) fn text(path: &str, text: &str) -> Result<String, Refusal> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(Refusal::invalid(path, format!("it has more than {LONGEST_TEXT} characters")));
    }
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err(Refusal::invalid(path, "it holds a control character"));
    }
    Ok(text.to_owned())
}

/// Words for conditions.
pub(super) fn tags(path: &str, tags: &[String]) -> Result<Vec<String>, Refusal> {
    few(path, tags)?;
    for (index, tag) in tags.iter().enumerate() {
        let fits = !tag.is_empty() && tag.len() <= LONGEST_NAME && !tag.chars().any(char::is_control);
        if !fits {
            let message =
                format!("1 to {LONGEST_NAME} characters are wanted, none of them a control character");
            return Err(Refusal::invalid(format!("{path}[{index}]"), message));
        }
    }
    Ok(tags.to_vec())
}

/// A list that is not too long.
pub(super) fn few<T>(path: &str, list: &[T]) -> Result<(), Refusal> {
    if list.len() > MOST {
        return Err(Refusal::invalid(path, format!("it has more than {MOST} entries")));
    }
    Ok(())
}

/// An amount of money that is more than nothing.
pub(super) fn amount(path: &str, amount: Micros) -> Result<i64, Refusal> {
    match amount.get() {
        micros if micros > 0 => Ok(micros),
        0 => Err(Refusal::invalid(path, "it is zero")),
        _ => Err(Refusal::invalid(path, "it is below zero")),
    }
}

impl LimitsInput {
    /// Puts these into the place of what was there.
    pub(super) fn put_into(&self, allowed: &mut Allowed) -> Result<(), Refusal> {
        for (name, rates) in [("requests", &self.requests), ("tokens", &self.tokens)] {
            let path = format!("limits.{name}");
            few(&path, rates)?;
            let mut windows = BTreeSet::new();
            for (index, rate) in rates.iter().enumerate() {
                if !windows.insert(rate.per) {
                    return Err(Refusal::invalid(
                        format!("{path}[{index}]"),
                        "there is a limit for this window already",
                    ));
                }
            }
        }
        if self.concurrent == Some(0) {
            return Err(Refusal::invalid("limits.concurrent", "it is zero: nothing would ever pass"));
        }
        allowed.requests.clone_from(&self.requests);
        allowed.tokens.clone_from(&self.tokens);
        allowed.concurrent = self.concurrent;
        Ok(())
    }

    /// As they are shown.
    pub(super) fn of(allowed: &Allowed) -> Self {
        let Allowed { requests, tokens, concurrent, .. } = allowed.clone();
        Self { requests, tokens, concurrent }
    }
}

impl BudgetInput {
    /// Puts these into the place of what was there.
    pub(super) fn put_into(budgets: &[Self], allowed: &mut Allowed) -> Result<(), Refusal> {
        few("budgets", budgets)?;
        let mut periods = BTreeSet::new();
        let mut checked = Vec::with_capacity(budgets.len());
        for (index, budget) in budgets.iter().enumerate() {
            let at = |field: &str| format!("budgets[{index}].{field}");
            if !periods.insert(budget.per.to_string()) {
                return Err(Refusal::invalid(at("per"), "there is a budget for this period already"));
            }
            if budget.warn_at.iter().any(|share| !(0.0..=1.0).contains(share)) {
                return Err(Refusal::invalid(at("warn_at"), "each share lies between 0 and 1"));
            }
            few(&at("warn_at"), &budget.warn_at)?;
            checked.push(Budget {
                limit_micros: amount(&at("usd"), budget.usd)?,
                per: budget.per,
                time_zone: budget
                    .time_zone
                    .as_deref()
                    .map(|zone| time_zone(&at("time_zone"), zone))
                    .transpose()?,
                warn_at: budget.warn_at.clone(),
                downgrade: budget
                    .downgrade
                    .as_deref()
                    .map(|model| text(&at("downgrade"), model))
                    .transpose()?,
            });
        }
        allowed.budgets = checked;
        Ok(())
    }

    /// As they are shown.
    pub(super) fn of(allowed: &Allowed) -> Vec<Self> {
        let shown = |budget: &Budget| Self {
            usd: Micros(budget.limit_micros),
            per: budget.per,
            time_zone: budget.time_zone.clone(),
            warn_at: budget.warn_at.clone(),
            downgrade: budget.downgrade.clone(),
        };
        allowed.budgets.iter().map(shown).collect()
    }
}

/// The name of a time zone.
pub(super) fn time_zone(path: &str, zone: &str) -> Result<String, Refusal> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
    if zone.is_empty() || zone.len() > LONGEST_NAME || !zone.bytes().all(fits) {
        return Err(Refusal::invalid(path, "it is no name of a time zone, as in Europe/Berlin"));
    }
    Ok(zone.to_owned())
}
