//! What was used: sums over rows, by whatever they are asked by.

use std::collections::BTreeMap;

use super::Ledger;
use super::place::Moment;
use super::sums::Sums;
use crate::domain::LedgerRow;
use crate::store::{Key, Scan, Space, StoreError};

const MILLIS_PER_DAY: u64 = 86_400_000;
const MILLIS_PER_HOUR: u64 = 3_600_000;
/// Entries of one page.
const AT_ONCE: usize = 512;

/// What sums are told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// The day, in UTC: `2026-11-21`.
    Day,
    /// The hour, in UTC: `2026-11-21T09`.
    Hour,
    /// The virtual key.
    Key,
    /// The user.
    User,
    /// The team.
    Team,
    /// The model as it is configured.
    Model,
    /// The provider.
    Provider,
    /// The provider's own model.
    Target,
}

impl By {
    /// Every one.
    pub const ALL: [Self; 8] =
        [Self::Day, Self::Hour, Self::Key, Self::User, Self::Team, Self::Model, Self::Provider, Self::Target];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Key => "key",
            Self::User => "user",
            Self::Team => "team",
            Self::Model => "model",
            Self::Provider => "provider",
            Self::Target => "target",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.name() == name)
    }
}

/// Which rows count; what is `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The virtual key.
    pub key: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The model as it is configured.
    pub model: Option<String>,
    /// The provider.
    pub provider: Option<String>,
    /// The provider's own model.
    pub target: Option<String>,
}

impl Filter {
    fn takes(&self, of: &Of<'_>) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        fits(&self.key, of.key)
            && fits(&self.user, of.user)
            && fits(&self.team, of.team)
            && fits(&self.model, of.model)
            && fits(&self.provider, of.provider)
            && fits(&self.target, of.target)
    }

    /// Whether it takes a row.
    pub fn takes_row(&self, row: &LedgerRow) -> bool {
        self.takes(&Of {
            when: "",
            key: &row.key,
            user: row.user.as_deref().unwrap_or_default(),
            team: row.team.as_deref().unwrap_or_default(),
            model: &row.model,
            provider: &row.provider,
            target: &row.target,
        })
    }
}

/// Which sums are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SumQuery {
    /// From this moment, Unix time in milliseconds; the whole of its day, or hour.
    pub from: u64,
    /// Until before this moment; the whole of its day, or hour.
    pub to: u64,
    /// One line for each of these together; none: one line for all.
    pub by: Vec<By>,
    /// Which rows count.
    pub filter: Filter,
}

/// Sums, and what they are of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SumLine {
    /// In the order of the question.
    pub of: Vec<(By, String)>,
    /// The sums.
    pub sums: Sums,
}

/// The parts of a sum's key.
struct Of<'k> {
    when: &'k str,
    key: &'k str,
    user: &'k str,
    team: &'k str,
    model: &'k str,
    provider: &'k str,
    target: &'k str,
}

impl<'k> Of<'k> {
    fn read(key: &'k Key) -> Option<Self> {
        let parts = key.parts()?;
        let [_, when, key, user, team, model, provider, target, _] = *parts.as_slice() else { return None };
        Some(Self { when, key, user, team, model, provider, target })
    }

    fn of(&self, by: By) -> &'k str {
        match by {
            By::Day => self.when.get(..10).unwrap_or(self.when),
            By::Hour => self.when,
            By::Key => self.key,
            By::User => self.user,
            By::Team => self.team,
            By::Model => self.model,
            By::Provider => self.provider,
            By::Target => self.target,
        }
    }
}

impl Ledger {
    /// Sums over rows, sorted by what they are of. Hours are kept for a year, days for ever.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sums(&self, query: &SumQuery) -> Result<Vec<SumLine>, StoreError> {
        let hourly = query.by.contains(&By::Hour);
        let (unit, step) = if hourly { ("hour", MILLIS_PER_HOUR) } else { ("day", MILLIS_PER_DAY) };
        let mut sums: BTreeMap<Vec<String>, Sums> = BTreeMap::new();
        let first = self.first_day(unit).await?.max(query.from / step * step);
        let mut at = first;
        while at < query.to {
            let moment = Moment::of(at);
            let when = if hourly { moment.day_and_hour() } else { moment.day() };
            let prefix = match &query.filter.key {
                // Those of one key stand together.
                Some(key) => Space::Sum.key(&[unit, when, key]),
                None => Space::Sum.key(&[unit, when]),
            };
            self.add_all(prefix, query, &mut sums).await?;
            at = at.saturating_add(step);
        }
        let line = |(of, sums): (Vec<String>, Sums)| SumLine {
            of: query.by.iter().copied().zip(of).collect(),
            sums,
        };
        Ok(sums.into_iter().map(line).collect())
    }

    async fn add_all(
        &self,
        prefix: Key,
        query: &SumQuery,
        sums: &mut BTreeMap<Vec<String>, Sums>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let scan = Scan { prefix: prefix.clone(), after, limit: AT_ONCE };
            let page = self.store.scan(scan).await?;
            for (key, value) in &page.entries {
                let Some(of) = Of::read(key).filter(|of| query.filter.takes(of)) else { continue };
                let Ok(found) = serde_json::from_slice::<Sums>(value) else {
                    tracing::error!(%key, "a sum of the ledger is not what was written");
                    continue;
                };
                let of = query.by.iter().map(|by| of.of(*by).to_owned()).collect();
                sums.entry(of).or_default().add(&found);
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// When the first sum begins: nobody needs to look before.
    async fn first_day(&self, unit: &str) -> Result<u64, StoreError> {
        let scan = Scan { prefix: Space::Sum.key(&[unit]), after: None, limit: 1 };
        let page = self.store.scan(scan).await?;
        let first = page.entries.first().and_then(|(key, _)| Some(Of::read(key)?.when.to_owned()));
        Ok(first.and_then(|day| moment_of(&day)).unwrap_or(u64::MAX))
    }
}

/// The beginning of a day or an hour as it stands in keys, Unix time in milliseconds.
fn moment_of(when: &str) -> Option<u64> {
    let (day, hour) = when.split_once('T').unwrap_or((when, "00"));
    let seconds = crate::domain::date::seconds_of_rfc3339(&format!("{day}T{hour}:00:00Z"))?;
    Some(seconds.saturating_mul(1000))
}
