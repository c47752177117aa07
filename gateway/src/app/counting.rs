//! Where limits and budgets are counted: in this process, or on the server that many nodes share.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{OnLoss, OnLossByScope, Store as Settings};
use crate::observe::Observer;
use crate::store::holds::lease::{self, Leased, Policy, Without};
use crate::store::holds::{Holds, Local};
use crate::store::{self, Shared};

/// How often it is told what happened without the server.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Counters, and what looks after them.
pub struct Counting {
    holds: Arc<dyn Holds>,
    leased: Option<Arc<Leased>>,
}

impl Counting {
    /// On the server where there is one.
    pub fn new(settings: &Settings, shared: Option<Shared>) -> Self {
        let Some(shared) = shared else {
            return Self { holds: Arc::new(Local::new(store::clock())), leased: None };
        };
        let leased = Arc::new(Leased::new(Arc::new(shared), policy(settings), store::clock()));
        Self { holds: Arc::<Leased>::clone(&leased), leased: Some(leased) }
    }

    /// The counters.
    pub fn holds(&self) -> Arc<dyn Holds> {
        Arc::clone(&self.holds)
    }

    /// Books what was spent without the server, and tells how much that was.
    pub async fn run(&self, observer: &Observer) -> Infallible {
        let Some(leased) = &self.leased else { return std::future::pending().await };
        let telling = async {
            let mut told = Without::default();
            loop {
                tokio::time::sleep(TOLD_EVERY).await;
                let now = leased.without();
                for (outcome, more) in [
                    ("denied", now.denied - told.denied),
                    ("leased", now.leased - told.leased),
                    ("allowed", now.allowed - told.allowed),
                ] {
                    observer.metrics().store_lost.with_label_values(&[outcome]).inc_by(more);
                }
                told = now;
            }
        };
        tokio::join!(leased.keep_booking(), telling).0
    }
}

fn policy(settings: &Settings) -> Policy {
    let read = |on_loss: Option<OnLoss>| {
        on_loss.map(|on_loss| match on_loss {
            OnLoss::Deny => lease::OnLoss::Deny,
            OnLoss::Lease => lease::OnLoss::Lease,
            OnLoss::Allow => lease::OnLoss::Allow,
        })
    };
    let said = read(settings.on_loss);
    let OnLossByScope { global, key, user, team, model, provider } = settings.on_loss_by_scope;
    let by_scope = [
        ("global", read(global)),
        ("key", read(key)),
        ("user", read(user)),
        ("team", read(team)),
        ("model", read(model)),
        ("provider", read(provider)),
    ];
    Policy {
        by_scope,
        money: said.unwrap_or(lease::OnLoss::Deny),
        rates: said.unwrap_or(lease::OnLoss::Lease),
        share: millionths(settings.lease.share),
        most: settings.lease.usd.get(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the check of the configuration leaves shares between 0 and 1"
)]
fn millionths(share: f64) -> u32 {
    (share * 1e6).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scope;

    #[test]
    fn every_scope_can_have_a_policy() {
        let deny = Some(OnLoss::Deny);
        let on_loss_by_scope =
            OnLossByScope { global: deny, key: deny, user: deny, team: deny, model: deny, provider: deny };
        let policy = policy(&Settings { on_loss_by_scope, ..Settings::default() });
        let name = || "one".into();
        let scopes = [
            Scope::Global,
            Scope::Key(name()),
            Scope::User(name()),
            Scope::Team(name()),
            Scope::Model(name()),
            Scope::Provider(name()),
        ];
        for scope in scopes {
            let named = format!("{scope}/requests/60");
            let found = policy.by_scope.iter().find(|(word, _)| named.split('/').next() == Some(word));
            assert_eq!(found.and_then(|(_, said)| *said), Some(lease::OnLoss::Deny), "{scope}");
        }
    }
}
