//! How much may be asked and spent, as it is written down, and what the limits make of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Allowance, Bounds, CalendarUnit, Micros, Period, Raise, Rate, Scope, Timespan};

/// How much may be asked and spent. What is not given is not limited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allowed {
    /// Requests per window; all windows count.
    pub requests: Vec<Rate>,
    /// Tokens per window, prompt and answer together; all windows count.
    pub tokens: Vec<Rate>,
    /// Requests at the same time.
    pub concurrent: Option<u32>,
    /// Money per period; all periods count.
    pub budgets: Vec<Budget>,
    /// More money for some time.
    pub credits: Vec<Credit>,
}

/// Money per period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// How much.
    pub limit_micros: i64,
    /// When it starts again.
    pub per: Per,
    /// Whose midnight it is: an IANA name. None: UTC.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Shares of it at which to warn.
    #[serde(default)]
    pub warn_at: Vec<f64>,
    /// The model that answers instead when it is used up.
    #[serde(default)]
    pub downgrade: Option<String>,
}

/// More money for some time, on top of every budget of the one who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Its id.
    pub id: String,
    /// How much.
    pub amount_micros: i64,
    /// From when, Unix time.
    pub from: u64,
    /// To when, Unix time.
    #[serde(default)]
    pub until: Option<u64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who gave it, for the reader.
    #[serde(default)]
    pub by: String,
}

/// When a budget starts again: `hour`, `day`, `week`, `month`, `total`, or a rolling time as in `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// A unit of the calendar.
    Calendar(CalendarUnit),
    /// What was spent so long ago no longer counts.
    Rolling(Timespan),
    /// Never.
    Total,
}

const UNITS: [(&str, CalendarUnit); 4] = [
    ("hour", CalendarUnit::Hour),
    ("day", CalendarUnit::Day),
    ("week", CalendarUnit::Week),
    ("month", CalendarUnit::Month),
];

impl FromStr for Per {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == text) {
            return Ok(Self::Calendar(*unit));
        }
        if text == "total" {
            return Ok(Self::Total);
        }
        match text.parse::<Timespan>() {
            Ok(span) if Duration::from(span) >= Duration::from_secs(60) => Ok(Self::Rolling(span)),
            Ok(_) => Err(format!("`{text}` is too short for a budget; a minute is the least")),
            Err(_) => Err(format!(
                "`{text}` is no period: write hour, day, week, month, total, or a rolling time as in 24h"
            )),
        }
    }
}

impl fmt::Display for Per {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(unit) => {
                let name = UNITS.iter().find(|(_, known)| known == unit).map_or("", |(name, _)| name);
                formatter.write_str(name)
            }
            Self::Rolling(span) => span.fmt(formatter),
            Self::Total => formatter.write_str("total"),
        }
    }
}

impl Serialize for Per {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Per {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Allowed {
    /// These, and of `others` the windows that are not among them.
    pub(super) fn over(&self, others: Option<&Self>) -> (Vec<Rate>, Vec<Rate>, Option<u32>) {
        let Some(others) = others else {
            return (self.requests.clone(), self.tokens.clone(), self.concurrent);
        };
        let joined = |own: &[Rate], others: &[Rate]| {
            let others = others.iter().filter(|other| own.iter().all(|own| own.per != other.per));
            own.iter().chain(others).copied().collect()
        };
        let concurrent = self.concurrent.or(others.concurrent);
        (joined(&self.requests, &others.requests), joined(&self.tokens, &others.tokens), concurrent)
    }

    /// The budgets, each with its credits.
    pub(super) fn money(&self) -> impl Iterator<Item = Allowance> {
        self.budgets.iter().map(|budget| Allowance {
            name: format!("budget-{}", budget.per).into(),
            limit: Micros(budget.limit_micros),
            period: budget.period(),
            warn_at: budget.warn_at.clone(),
            downgrade: budget.downgrade.as_deref().map(Arc::from),
            raises: self.raises(),
        })
    }

    /// The credits.
    pub(super) fn raises(&self) -> Vec<Raise> {
        let raise = |credit: &Credit| Raise {
            micros: Micros(credit.amount_micros),
            from: credit.from,
            until: credit.until,
        };
        self.credits.iter().map(raise).collect()
    }

    /// What the limits make of it.
    pub fn bounds(&self, scope: Scope) -> Bounds {
        let (requests, tokens, concurrent) = self.over(None);
        Bounds { scope, requests, tokens, concurrent, money: self.money().collect() }
    }

    /// Where one of these is wider than `limit`: the path and the words.
    pub(super) fn beyond(&self, limit: &Self) -> Option<(String, String)> {
        let rates = [("requests", &self.requests, &limit.requests), ("tokens", &self.tokens, &limit.tokens)];
        for (name, own, limit) in rates {
            for (index, rate) in own.iter().enumerate() {
                if let Some(most) = limit.iter().find(|most| most.per == rate.per && most.count < rate.count)
                {
                    return Some((format!("limits.{name}[{index}]"), most.to_string()));
                }
            }
        }
        if let Some((most, _)) = limit.concurrent.zip(self.concurrent).filter(|(most, own)| most < own) {
            return Some(("limits.concurrent".to_owned(), most.to_string()));
        }
        let limits: BTreeMap<String, i64> =
            limit.budgets.iter().map(|budget| (budget.per.to_string(), budget.limit_micros)).collect();
        for (index, budget) in self.budgets.iter().enumerate() {
            let most = limits.get(&budget.per.to_string()).filter(|most| **most < budget.limit_micros);
            if let Some(most) = most {
                return Some((format!("budgets[{index}].usd"), Micros(*most).to_string()));
            }
        }
        None
    }
}

impl Budget {
    fn period(&self) -> Period {
        match self.per {
            Per::Calendar(unit) => Period::Calendar(unit, self.time_zone.as_deref().map(Arc::from)),
            Per::Rolling(span) => Period::Rolling(span.into()),
            Per::Total => Period::Total,
        }
    }
}
