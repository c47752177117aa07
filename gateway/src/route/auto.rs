//! `auto`: the first of a list of models that can do what is asked.

use super::fitness::{self, Unfit};
use super::{Model, Question, Table};
use crate::domain::{Terms, VirtualKey};
use crate::error::{GatewayError, Kind};

/// The name that stands for the list.
pub const AUTO: &str = "auto";

impl Table {
    /// Whether `auto` stands for anything that a key may use.
    pub fn has_auto(&self, key: &VirtualKey) -> bool {
        self.auto.iter().any(|name| self.permitted(key, name).is_ok())
    }

    /// The model that stands in for `auto`; `None`: something else was asked for, and is never swapped.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] naming what each model lacks, [`Kind::Permission`] when the key may use none of them.
    pub(super) fn chosen(&self, question: &Question<'_>) -> Result<Option<&str>, GatewayError> {
        if question.asked != AUTO || self.auto.is_empty() {
            return Ok(None);
        }
        let mut passed_over = Vec::new();
        for name in &self.auto {
            let Ok(reading) = self.permitted(question.key, name) else { continue };
            let model = reading.model;
            let question = Question { asked: name, ..*question };
            if let Err(error) = fitness::admit(model, &question) {
                passed_over.push(error.message);
                continue;
            }
            let open = self.serving(model);
            match open.map(|(target, model)| fit(&target.terms, model, &question)).min_by_key(Option::is_some)
            {
                Some(None) => return Ok(Some(name)),
                Some(Some(why)) => passed_over.push(format!("`{name}`: {why}")),
                None => {}
            }
        }
        if passed_over.is_empty() {
            let message = "this key may use none of the models behind `auto`";
            return Err(GatewayError {
                param: Some("model".to_owned()),
                ..GatewayError::client(Kind::Permission, message)
            });
        }
        let message = format!("no model behind `auto` can do what is asked: {}", passed_over.join("; "));
        Err(GatewayError::client(Kind::Unsupported, message))
    }
}

/// Why a target cannot do what is asked, and lacking is a reason here whatever its model says.
fn fit(terms: &Terms, model: &Model, question: &Question<'_>) -> Option<String> {
    let facts = &question.facts;
    if !terms.does(facts.asks, facts.dialect) {
        return Some(format!("it cannot do {}", facts.asks.operation.as_str()));
    }
    let lacking = terms.lacks(facts.asks, facts.dialect);
    let lacking = (!lacking.is_empty()).then_some(Unfit::Lacks(lacking));
    lacking.or_else(|| fitness::unfit(terms, model, question)).map(|why| why.told())
}
