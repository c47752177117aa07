//! How much may be asked and spent, as it is written on a command line.

use clap::Args;
use serde_json::{Value, json};

/// What somebody may.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Allowed {
    /// A model that may be asked; one `*` stands for any text. Once for each [default: all]
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Requests per time, as in `600/min`. Once for each window; instead of all limits there were
    #[arg(long, value_name = "RATE")]
    requests: Vec<String>,
    /// Tokens per time, as in `1M/min`. Once for each window; instead of all limits there were
    #[arg(long, value_name = "RATE")]
    tokens: Vec<String>,
    /// Requests at the same time; instead of all limits there were
    #[arg(long, value_name = "COUNT")]
    concurrent: Option<u32>,
}

/// What somebody may spend.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Budgets {
    /// US dollars per `hour`, `day`, `week`, `month`, `total` or a rolling time, as in `20/month` or `3/24h`. Once for each;
    /// instead of all budgets there were
    #[arg(long = "budget", value_name = "USD/PERIOD")]
    budgets: Vec<String>,
}

impl Allowed {
    /// As fields of a body.
    pub(super) fn given(&self) -> Vec<(&'static str, Value)> {
        let Self { models, requests, tokens, concurrent } = self;
        let limited = !requests.is_empty() || !tokens.is_empty() || concurrent.is_some();
        let limits = limited.then(|| {
            let mut limits = json!({ "requests": requests, "tokens": tokens });
            if let Some(concurrent) = concurrent {
                limits["concurrent"] = (*concurrent).into();
            }
            limits
        });
        vec![("models", some(models)), ("limits", limits.unwrap_or_default())]
    }
}

impl Budgets {
    /// As a field of a body.
    pub(super) fn given(&self) -> Result<(&'static str, Value), String> {
        let budgets = self.budgets.iter().map(|text| budget(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(("budgets", if budgets.is_empty() { Value::Null } else { budgets.into() }))
    }
}

/// A list that is there when it holds something.
pub(super) fn some(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

/// An amount as JSON's own number, digit by digit.
pub(super) fn dollars(text: &str) -> Result<Value, String> {
    let number: Option<serde_json::Number> = serde_json::from_str(text).ok();
    number
        .map(Value::Number)
        .ok_or_else(|| format!("`{text}` is not an amount of US dollars: write it like 20 or 0.05"))
}

fn budget(text: &str) -> Result<Value, String> {
    let (usd, per) =
        text.split_once('/').ok_or_else(|| format!("`{text}` is not a budget: write it like 20/month"))?;
    Ok(json!({ "usd": dollars(usd)?, "per": per }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_budgets_are_written_short() {
        let allowed =
            Allowed { requests: vec!["60/min".to_owned()], concurrent: Some(3), ..Allowed::default() };
        let limits = json!({ "requests": ["60/min"], "tokens": [], "concurrent": 3 });
        assert_eq!(allowed.given(), [("models", Value::Null), ("limits", limits)]);
        assert_eq!(Allowed::default().given(), [("models", Value::Null), ("limits", Value::Null)]);
        let budgets = Budgets { budgets: vec!["20.5/month".to_owned(), "3/24h".to_owned()] };
        let expected = json!([{ "usd": 20.5, "per": "month" }, { "usd": 3, "per": "24h" }]);
        assert_eq!(budgets.given(), Ok(("budgets", expected)));
        for wrong in ["20", "x/day", "/day", "1e/day", "NaN/day"] {
            assert!(budget(wrong).is_err(), "{wrong}");
        }
    }
}
