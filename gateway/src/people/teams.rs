//! Teams: keys that share a budget, and the people who own them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credits::{self, CreditView};
use super::fields::{self, BudgetInput, LimitsInput, given};
use super::known::Known;
use super::records::TeamRecord;
use super::{Allowed, People, Refusal};
use crate::config::ModelPattern;
use crate::domain::rfc3339;
use crate::store::{Key, Space};

/// A team to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewTeam {
    /// Its name, for good.
    #[schema(required, min_length = 1)]
    pub name: String,
    /// What it is.
    pub note: String,
    /// The models its keys may ask for. None: all.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// How much its keys may ask together.
    pub limits: LimitsInput,
    /// How much its keys may spend together.
    pub budgets: Vec<BudgetInput>,
}

/// What shall be different about a team. A field that is not there stays; one that is `null` is emptied.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangedTeam {
    /// What it is.
    pub note: Option<String>,
    /// The models its keys may ask for.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Option<Vec<ModelPattern>>>,
    /// How much its keys may ask together: all of it anew.
    pub limits: Option<LimitsInput>,
    /// How much its keys may spend together: all of it anew.
    pub budgets: Option<Vec<BudgetInput>>,
}

/// A team as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TeamView {
    /// Its name.
    pub name: String,
    /// `store`, or `file`: then it is read only.
    pub source: &'static str,
    /// What it is.
    pub note: String,
    /// Since when it is there.
    pub created: Option<String>,
    /// The models its keys may ask for.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// How much its keys may ask together.
    pub limits: LimitsInput,
    /// How much its keys may spend together.
    pub budgets: Vec<BudgetInput>,
    /// More money for some time.
    pub credits: Vec<CreditView>,
    /// Who belongs to it, by id.
    pub members: Vec<String>,
    /// Its keys that are not revoked, by name.
    pub keys: Vec<String>,
}

impl People {
    /// Makes a team.
    ///
    /// # Errors
    /// When a field is wrong or the name is taken.
    pub async fn create_team(&self, new: NewTeam) -> Result<TeamView, Refusal> {
        let _one = self.changing.lock().await;
        fields::few("models", new.models.as_deref().unwrap_or_default())?;
        let mut allowed = Allowed::default();
        new.limits.put_into(&mut allowed)?;
        BudgetInput::put_into(&new.budgets, &mut allowed)?;
        let record = TeamRecord {
            name: fields::name("name", &new.name)?,
            note: fields::text("note", &new.note)?,
            created: self.now(),
            models: new.models,
            allowed,
        };
        if self.known.read().in_file.teams.contains_key(&record.name) {
            let message = format!("there is a team `{}` in the configuration file", record.name);
            return Err(Refusal::Conflict(message));
        }
        self.shelf.put(at(&record.name), None, &record).await.map_err(|refusal| match refusal {
            Refusal::Conflict(_) => Refusal::Conflict(format!("there is a team `{}` already", record.name)),
            other => other,
        })?;
        Ok(self.adopt_team(record).await)
    }

    /// All teams, those of the configuration among them, in order of name.
    pub fn teams(&self) -> Vec<TeamView> {
        let known = self.known.read();
        let stored = known.teams.values().map(|team| view(&known, team, "store"));
        let mut views: Vec<_> =
            stored.chain(known.in_file.teams.values().map(|team| view(&known, team, "file"))).collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        views
    }

    /// One team.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn team(&self, name: &str) -> Result<TeamView, Refusal> {
        let known = self.known.read();
        let in_file = known.in_file.teams.get(name).map(|team| view(&known, team, "file"));
        let stored = || known.teams.get(name).map(|team| view(&known, team, "store"));
        in_file.or_else(stored).ok_or_else(|| missing(name))
    }

    /// Changes a team. It counts from the next request on.
    ///
    /// # Errors
    /// When a field is wrong, there is no such team, or it is in the file.
    pub async fn change_team(&self, name: &str, change: ChangedTeam) -> Result<TeamView, Refusal> {
        let _one = self.changing.lock().await;
        self.is_ours(name)?;
        let found = self.shelf.get::<TeamRecord>(at(name)).await?;
        let (seen, mut record) = found.ok_or_else(|| missing(name))?;
        if let Some(note) = change.note {
            record.note = fields::text("note", &note)?;
        }
        if let Some(models) = change.models {
            fields::few("models", models.as_deref().unwrap_or_default())?;
            record.models = models;
        }
        if let Some(limits) = change.limits {
            limits.put_into(&mut record.allowed)?;
        }
        if let Some(budgets) = change.budgets {
            BudgetInput::put_into(&budgets, &mut record.allowed)?;
        }
        self.shelf.put(at(name), Some(seen), &record).await?;
        Ok(self.adopt_team(record).await)
    }

    /// Removes a team that has neither members nor keys.
    ///
    /// # Errors
    /// When it has some, there is no such team, or it is in the file.
    pub async fn remove_team(&self, name: &str) -> Result<(), Refusal> {
        let _one = self.changing.lock().await;
        self.is_ours(name)?;
        let team = self.team(name)?;
        if !(team.members.is_empty() && team.keys.is_empty()) {
            let (members, keys) = (team.members.len(), team.keys.len());
            let message = format!("the team `{name}` still has {members} members and {keys} keys");
            return Err(Refusal::Conflict(message));
        }
        self.shelf.remove(at(name)).await?;
        self.known.write().teams.remove(name);
        self.tell().await;
        Ok(())
    }

    fn is_ours(&self, name: &str) -> Result<(), Refusal> {
        if self.known.read().in_file.teams.contains_key(name) {
            let message = format!("the team `{name}` stands in the configuration file; change it there");
            return Err(Refusal::Conflict(message));
        }
        Ok(())
    }

    pub(super) async fn adopt_team(&self, record: TeamRecord) -> TeamView {
        self.known.write().teams.insert(record.name.clone(), record.clone());
        self.recompile(|_, key| key.team.as_ref() == Some(&record.name));
        let view = view(&self.known.read(), &record, "store");
        self.tell().await;
        view
    }
}

pub(super) fn at(name: &str) -> Key {
    Space::Team.key(&[name])
}

fn missing(name: &str) -> Refusal {
    Refusal::NotFound(format!("there is no team `{name}`"))
}

fn view(known: &Known, team: &TeamRecord, source: &'static str) -> TeamView {
    let is_in = |teams: &[String]| teams.contains(&team.name);
    let all = known.keys.values().chain(known.in_file.keys.values());
    let keys = all.filter(|key| key.revoked.is_none() && key.team.as_ref() == Some(&team.name));
    TeamView {
        name: team.name.clone(),
        source,
        note: team.note.clone(),
        created: (team.created > 0).then(|| rfc3339(team.created)),
        models: team.models.clone(),
        limits: LimitsInput::of(&team.allowed),
        budgets: BudgetInput::of(&team.allowed),
        credits: credits::views(&team.allowed),
        members: known.users.values().filter(|user| is_in(&user.teams)).map(|user| user.id.clone()).collect(),
        keys: keys.map(|key| key.name.clone()).collect(),
    }
}
