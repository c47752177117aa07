//! What members see of themselves.

use serde::Serialize;
use utoipa::ToSchema;

use super::records::UserRecord;
use super::tiers::TierView;
use super::users::{self, UserView, missing};
use super::{People, Refusal};
use crate::domain::{Bounds, Scope};

/// Somebody, as they see themselves.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Me {
    /// Who they are; without what the operator noted.
    pub user: UserView,
    /// Their tier.
    pub tier: Option<TierView>,
}

impl People {
    /// Somebody, as they see themselves.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn me(&self, user: &str) -> Result<Me, Refusal> {
        let user = UserView { note: String::new(), ..self.user(user)? };
        let tier = user.tier.as_deref().and_then(|tier| self.tier(tier).ok());
        Ok(Me { user, tier })
    }

    /// Which of these models a user's keys may ask for, in their order.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn models_of(
        &self,
        user: &str,
        models: impl IntoIterator<Item = String>,
    ) -> Result<Vec<String>, Refusal> {
        let known = self.known.read();
        let user = known.users.get(user).ok_or_else(|| missing(user))?;
        let tier = user.tier.as_deref().and_then(|tier| known.tiers.get(tier));
        let lists = [user.models.as_deref(), tier.and_then(|tier| tier.models.as_deref())];
        let may = |model: &String| {
            lists.into_iter().flatten().all(|list| list.iter().any(|pattern| pattern.matches(model)))
        };
        Ok(models.into_iter().filter(may).collect())
    }

    /// Everything that holds for a key, a user or a team of the store, in the order in which it is asked: for showing how
    /// much of it is used.
    ///
    /// # Errors
    /// When there is none, or it is no such scope.
    pub fn bounds(&self, scope: &Scope) -> Result<Vec<Bounds>, Refusal> {
        let known = self.known.read();
        let missing = || Refusal::NotFound(format!("there is no {scope}"));
        match scope {
            Scope::Key(name) => {
                let key = known.keys.get(name.as_ref()).ok_or_else(missing)?;
                Ok(known.compiled(key).bounds.to_vec())
            }
            Scope::User(id) => {
                let user = known.users.get(id.as_ref()).ok_or_else(missing)?;
                Ok(vec![known.bounds_of(user)])
            }
            Scope::Team(name) => {
                let team = known.team(name).ok_or_else(missing)?;
                Ok(vec![super::known::bounds_of_team(team)])
            }
            Scope::Global | Scope::Model(_) | Scope::Provider(_) => Err(missing()),
        }
    }

    /// Users whose e-mail, name or id holds a text, whatever its capital letters.
    pub fn find_users(&self, text: &str) -> Vec<UserView> {
        let known = self.known.read();
        let text = text.to_lowercase();
        let holds = |user: &&UserRecord| {
            [&user.email, &user.name, &user.id].into_iter().any(|field| field.to_lowercase().contains(&text))
        };
        known.users.values().filter(holds).map(|user| users::view(&known, user)).collect()
    }
}
