//! A word to the operator when a share of a budget is spent, once for each share.

use super::count::{self, Counted, What};
use crate::domain::{Micros, Scope};
use crate::observe::Metrics;
use crate::store::holds::{Place, Settled};

/// A counter whose shares are watched.
pub(super) struct Watched {
    place: Place,
    scope: Scope,
    budget: String,
    limit: i64,
    shares: Vec<f64>,
}

impl Watched {
    pub(super) fn of(counted: &Counted<'_>) -> Option<Self> {
        let What::Money { allowance, limit, .. } = &counted.what else { return None };
        (!allowance.warn_at.is_empty()).then(|| Self {
            place: counted.part(0).place,
            scope: counted.scope.clone(),
            budget: format!("{} {}", allowance.word(), count::per(&allowance.period)),
            limit: *limit,
            shares: allowance.warn_at.clone(),
        })
    }

    /// The largest share that was crossed on the way from one amount to another.
    fn crossed(&self, before: i64, after: i64) -> Option<f64> {
        let threshold = |share: f64| self.limit as f64 * share;
        let crossed = |share: &f64| (before as f64) < threshold(*share) && after as f64 >= threshold(*share);
        self.shares.iter().copied().filter(crossed).reduce(f64::max)
    }
}

/// Tells what a settlement crossed, and what was used beyond what was held.
pub(super) fn tell(metrics: &Metrics, watched: &[Watched], settled: &Settled) {
    if settled.overrun > 0 {
        metrics.budget_overruns.inc();
        metrics.budget_overrun_micros.inc_by(settled.overrun);
    }
    for spent in &settled.money {
        let Some(watched) = watched.iter().find(|watched| watched.place == spent.place) else { continue };
        let Some(share) = watched.crossed(spent.before, spent.after) else { continue };
        metrics.budget_warnings.with_label_values(&[count::kind(&watched.scope)]).inc();
        tracing::warn!(
            scope = %watched.scope,
            budget = watched.budget,
            share,
            spent = %Micros(spent.after),
            limit = %Micros(watched.limit),
            "so much of a budget is spent"
        );
    }
}
