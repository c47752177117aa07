//! Credits: more money for some time, on top of every budget of a key, a user or a team. What was spent of one counts like
//! any other money, so where nothing starts again it is owed when the credit ends.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::allowed::{Allowed, Credit};
use super::known::Known;
use super::records::{KeyRecord, TeamRecord, UserRecord};
use super::users::new_id;
use super::{People, Refusal, fields, keys, teams, users};
use crate::config::moment::Moment;
use crate::domain::{Micros, rfc3339};

/// Whose a credit is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreditOwner {
    /// A key of the store, by name.
    Key(String),
    /// A user, by id.
    User(String),
    /// A team of the store, by name.
    Team(String),
}

/// A credit to be given.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewCredit {
    /// US dollars.
    #[schema(value_type = f64, required)]
    pub usd: Micros,
    /// From when. None: from now.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Moment>,
    /// To when. None: for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Moment>,
    /// Why.
    pub reason: String,
}

/// A credit as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreditView {
    /// Its id.
    pub id: String,
    /// US dollars.
    #[schema(value_type = f64)]
    pub usd: Micros,
    /// From when.
    pub from: String,
    /// To when; none: for good.
    pub until: Option<String>,
    /// Why.
    pub reason: String,
    /// Who gave it.
    pub by: String,
}

impl People {
    /// Gives a credit. It counts from the next request on, within its time.
    ///
    /// # Errors
    /// When a field is wrong, there is no such owner, or they have no budget that could be raised.
    pub async fn add_credit(
        &self,
        owner: &CreditOwner,
        new: NewCredit,
        by: &str,
    ) -> Result<CreditView, Refusal> {
        let _one = self.changing.lock().await;
        let from = new.from.as_ref().map_or_else(|| self.now(), |from| from.seconds);
        let until = new.until.as_ref().map(|until| until.seconds);
        if until.is_some_and(|until| until <= from || until <= self.now()) {
            return Err(Refusal::invalid("until", "it does not lie behind its beginning and now"));
        }
        let credit = Credit {
            id: new_id("credit"),
            amount_micros: fields::amount("usd", new.usd)?,
            from,
            until,
            reason: fields::text("reason", &new.reason)?,
            by: by.to_owned(),
        };
        let shown = view(&credit);
        self.with_allowed(owner, |allowed, has_money| {
            if !has_money {
                let message = "there is no budget and no balance that a credit could raise";
                return Err(Refusal::Conflict(message.to_owned()));
            }
            fields::few("usd", &allowed.credits)?;
            allowed.credits.push(credit);
            let sum =
                allowed.credits.iter().try_fold(0_i64, |sum, credit| sum.checked_add(credit.amount_micros));
            sum.map(drop).ok_or_else(|| Refusal::invalid("usd", "the credits come to too much"))
        })
        .await?;
        Ok(shown)
    }

    /// Ends a credit now.
    ///
    /// # Errors
    /// When there is no such owner or credit.
    pub async fn end_credit(&self, owner: &CreditOwner, id: &str) -> Result<(), Refusal> {
        let _one = self.changing.lock().await;
        let now = self.now();
        self.with_allowed(owner, |allowed, _| {
            let credit = allowed.credits.iter_mut().find(|credit| credit.id == id);
            let credit = credit.ok_or_else(|| Refusal::NotFound(format!("there is no credit `{id}`")))?;
            credit.until = Some(credit.until.map_or(now, |until| until.min(now)));
            Ok(())
        })
        .await
    }

    /// Changes what an owner is allowed, and lets it count. The caller holds the lock of changes.
    async fn with_allowed(
        &self,
        owner: &CreditOwner,
        change: impl FnOnce(&mut Allowed, bool) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let missing = |what: &str, name: &str| Refusal::NotFound(format!("there is no {what} `{name}`"));
        match owner {
            CreditOwner::Key(name) => {
                let found = self.shelf.get::<KeyRecord>(keys::at(name)).await?;
                let (seen, mut record) =
                    found.filter(|(_, key)| key.revoked.is_none()).ok_or_else(|| missing("key", name))?;
                let has_money = !record.allowed.budgets.is_empty();
                change(&mut record.allowed, has_money)?;
                self.shelf.put(keys::at(name), Some(seen), &record).await?;
                self.put_key(record);
                self.tell().await;
            }
            CreditOwner::User(id) => {
                let found = self.shelf.get::<UserRecord>(users::at(id)).await?;
                let (seen, mut record) = found.ok_or_else(|| missing("user", id))?;
                let has_money = has_money(&self.known.read(), &record);
                change(&mut record.allowed, has_money)?;
                self.shelf.put(users::at(id), Some(seen), &record).await?;
                self.adopt_user(record).await;
            }
            CreditOwner::Team(name) => {
                let found = self.shelf.get::<TeamRecord>(teams::at(name)).await?;
                let (seen, mut record) = found.ok_or_else(|| missing("team", name))?;
                let has_money = !record.allowed.budgets.is_empty();
                change(&mut record.allowed, has_money)?;
                self.shelf.put(teams::at(name), Some(seen), &record).await?;
                self.adopt_team(record).await;
            }
        }
        Ok(())
    }
}

fn has_money(known: &Known, user: &UserRecord) -> bool {
    !known.bounds_of(user).money.is_empty()
}

/// The credits as they are shown.
pub(super) fn views(allowed: &Allowed) -> Vec<CreditView> {
    allowed.credits.iter().map(view).collect()
}

fn view(credit: &Credit) -> CreditView {
    CreditView {
        id: credit.id.clone(),
        usd: Micros(credit.amount_micros),
        from: rfc3339(credit.from),
        until: credit.until.map(rfc3339),
        reason: credit.reason.clone(),
        by: credit.by.clone(),
    }
}
