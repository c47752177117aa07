//! Tiers: how users pay, and what they get for it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fields::{self, LimitsInput, given};
use super::known::Known;
use super::records::{TierPlan, TierRecord};
use super::{Allowed, People, Refusal};
use crate::config::ModelPattern;
use crate::domain::Micros;
use crate::store::{Key, Space};

/// How the users of a tier pay, as it comes in and is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Plan {
    /// From a balance: what was topped up, less what was spent. At the floor requests get 402.
    PayAsYouGo {
        /// How low the balance may go, in US dollars. Below zero it is credit that the operator gives. None: 0.
        #[serde(default)]
        #[schema(value_type = f64)]
        floor_usd: Micros,
    },
    /// So much each calendar month; then requests get 402 until the next one.
    Subscription {
        /// How much, in US dollars.
        #[schema(value_type = f64)]
        allowance_usd: Micros,
        /// Whose midnight begins the month: an IANA name. None: UTC.
        #[serde(default)]
        time_zone: Option<String>,
    },
    /// Nobody counts.
    Unlimited,
}

/// A tier to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTier {
    /// Its name, for good.
    #[schema(required, min_length = 1)]
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub note: String,
    /// How its users pay.
    pub plan: Plan,
    /// The models its users' keys may ask for. None: all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// How much each of its users may ask.
    #[serde(default)]
    pub limits: LimitsInput,
}

/// What shall be different about a tier. A field that is not there stays; one that is `null` is emptied.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangedTier {
    /// What it is.
    pub note: Option<String>,
    /// How its users pay.
    pub plan: Option<Plan>,
    /// The models its users' keys may ask for.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Option<Vec<ModelPattern>>>,
    /// How much each of its users may ask: all of it anew.
    pub limits: Option<LimitsInput>,
}

/// A tier as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TierView {
    /// Its name.
    pub name: String,
    /// What it is.
    pub note: String,
    /// How its users pay.
    pub plan: Plan,
    /// The models its users' keys may ask for.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// How much each of its users may ask.
    pub limits: LimitsInput,
    /// How many users it has.
    pub users: usize,
}

impl People {
    /// Makes a tier.
    ///
    /// # Errors
    /// When a field is wrong or the name is taken.
    pub async fn create_tier(&self, new: NewTier) -> Result<TierView, Refusal> {
        let _one = self.changing.lock().await;
        fields::few("models", new.models.as_deref().unwrap_or_default())?;
        let mut allowed = Allowed::default();
        new.limits.put_into(&mut allowed)?;
        let record = TierRecord {
            name: fields::name("name", &new.name)?,
            note: fields::text("note", &new.note)?,
            plan: written(&new.plan)?,
            models: new.models,
            allowed,
        };
        self.shelf.put(at(&record.name), None, &record).await.map_err(|refusal| match refusal {
            Refusal::Conflict(_) => Refusal::Conflict(format!("there is a tier `{}` already", record.name)),
            other => other,
        })?;
        Ok(self.adopt_tier(record).await)
    }

    /// All tiers, in order of name.
    pub fn tiers(&self) -> Vec<TierView> {
        let known = self.known.read();
        known.tiers.values().map(|tier| view(&known, tier)).collect()
    }

    /// One tier.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn tier(&self, name: &str) -> Result<TierView, Refusal> {
        let known = self.known.read();
        known.tiers.get(name).map(|tier| view(&known, tier)).ok_or_else(|| missing(name))
    }

    /// Changes a tier. It counts from the next request on, for all its users.
    ///
    /// # Errors
    /// When a field is wrong or there is no such tier.
    pub async fn change_tier(&self, name: &str, change: ChangedTier) -> Result<TierView, Refusal> {
        let _one = self.changing.lock().await;
        let found = self.shelf.get::<TierRecord>(at(name)).await?;
        let (seen, mut record) = found.ok_or_else(|| missing(name))?;
        if let Some(note) = change.note {
            record.note = fields::text("note", &note)?;
        }
        if let Some(plan) = change.plan {
            record.plan = written(&plan)?;
        }
        if let Some(models) = change.models {
            fields::few("models", models.as_deref().unwrap_or_default())?;
            record.models = models;
        }
        if let Some(limits) = change.limits {
            limits.put_into(&mut record.allowed)?;
        }
        self.shelf.put(at(name), Some(seen), &record).await?;
        Ok(self.adopt_tier(record).await)
    }

    /// Removes a tier that nobody has.
    ///
    /// # Errors
    /// When somebody has it, or there is no such tier.
    pub async fn remove_tier(&self, name: &str) -> Result<(), Refusal> {
        let _one = self.changing.lock().await;
        let users = self.tier(name)?.users;
        if users > 0 {
            return Err(Refusal::Conflict(format!("the tier `{name}` still has {users} users")));
        }
        self.shelf.remove(at(name)).await?;
        self.known.write().tiers.remove(name);
        self.tell().await;
        Ok(())
    }

    async fn adopt_tier(&self, record: TierRecord) -> TierView {
        self.known.write().tiers.insert(record.name.clone(), record.clone());
        self.recompile_of_users(|user| user.tier.as_ref() == Some(&record.name));
        let view = view(&self.known.read(), &record);
        self.tell().await;
        view
    }
}

fn written(plan: &Plan) -> Result<TierPlan, Refusal> {
    Ok(match plan {
        Plan::PayAsYouGo { floor_usd } => TierPlan::PayAsYouGo { floor_micros: floor_usd.get() },
        Plan::Subscription { allowance_usd, time_zone } => TierPlan::Subscription {
            allowance_micros: fields::amount("plan.allowance_usd", *allowance_usd)?,
            time_zone: time_zone
                .as_deref()
                .map(|zone| fields::time_zone("plan.time_zone", zone))
                .transpose()?,
        },
        Plan::Unlimited => TierPlan::Unlimited,
    })
}

fn shown(plan: &TierPlan) -> Plan {
    match plan {
        TierPlan::PayAsYouGo { floor_micros } => Plan::PayAsYouGo { floor_usd: Micros(*floor_micros) },
        TierPlan::Subscription { allowance_micros, time_zone } => {
            Plan::Subscription { allowance_usd: Micros(*allowance_micros), time_zone: time_zone.clone() }
        }
        TierPlan::Unlimited => Plan::Unlimited,
    }
}

fn at(name: &str) -> Key {
    Space::Tier.key(&[name])
}

fn missing(name: &str) -> Refusal {
    Refusal::NotFound(format!("there is no tier `{name}`"))
}

fn view(known: &Known, tier: &TierRecord) -> TierView {
    TierView {
        name: tier.name.clone(),
        note: tier.note.clone(),
        plan: shown(&tier.plan),
        models: tier.models.clone(),
        limits: LimitsInput::of(&tier.allowed),
        users: known.users.values().filter(|user| user.tier.as_ref() == Some(&tier.name)).count(),
    }
}
