//! Users: who owns keys, what their tier and their teams give them, and how they sign in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credits::{self, CreditView};
use super::fields::{self, BudgetInput, LimitsInput, given};
use super::known::Known;
use super::records::{Identity, KeyRecord, Role, UserRecord};
use super::{People, Refusal, passwords};
use crate::config::ModelPattern;
use crate::domain::{AddressRange, Micros, Secret, rfc3339};
use crate::store::{Key, Space};

/// Longest address (RFC 5321 §4.5.3.1.3, without the brackets).
const LONGEST_EMAIL: usize = 254;

/// A user to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewUser {
    /// Their address; one user has it. Nothing is sent there.
    #[schema(required, min_length = 1)]
    pub email: String,
    /// What they are called.
    pub name: String,
    /// `admin`, `viewer` or `member`.
    pub role: Role,
    /// Their tier. None: nobody counts.
    pub tier: Option<String>,
    /// The teams they belong to.
    pub teams: Vec<String>,
    /// The models their keys may ask for. None: all that their tier gives.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// Where their keys' requests may come from. Empty: anywhere.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<AddressRange>,
    /// How much their keys may ask together. A window that is here goes before the tier's own.
    pub limits: LimitsInput,
    /// How much their keys may spend together, beside what their tier says.
    pub budgets: Vec<BudgetInput>,
    /// What the operator notes.
    pub note: String,
}

/// What shall be different about a user. A field that is not there stays; one that is `null` is emptied.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangedUser {
    /// Their address.
    pub email: Option<String>,
    /// What they are called.
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// Their tier.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub tier: Option<Option<String>>,
    /// The teams they belong to: all of them anew. A key of theirs whose team they leave is closed.
    pub teams: Option<Vec<String>>,
    /// Neither they nor their keys get in.
    pub disabled: Option<bool>,
    /// Who they are at the issuer of `[admin.oidc]`; `null`: nobody yet, and the next sign-in with their address says.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Identity>)]
    pub oidc: Option<Option<Identity>>,
    /// The models their keys may ask for.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Option<Vec<ModelPattern>>>,
    /// Where their keys' requests may come from.
    #[schema(value_type = Option<Vec<String>>)]
    pub addresses: Option<Vec<AddressRange>>,
    /// How much their keys may ask together: all of it anew.
    pub limits: Option<LimitsInput>,
    /// How much their keys may spend together: all of it anew.
    pub budgets: Option<Vec<BudgetInput>>,
    /// What the operator notes.
    pub note: Option<String>,
}

/// A user as they are shown.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct UserView {
    /// Their id.
    pub id: String,
    /// Their address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their tier.
    pub tier: Option<String>,
    /// The teams they belong to.
    pub teams: Vec<String>,
    /// Neither they nor their keys get in.
    pub disabled: bool,
    /// Since when they are here.
    pub created: String,
    /// The models their keys may ask for.
    #[schema(value_type = Option<Vec<String>>)]
    pub models: Option<Vec<ModelPattern>>,
    /// Where their keys' requests may come from.
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<AddressRange>,
    /// How much their keys may ask together, without what their tier says.
    pub limits: LimitsInput,
    /// How much their keys may spend together, without what their tier says.
    pub budgets: Vec<BudgetInput>,
    /// More money for some time.
    pub credits: Vec<CreditView>,
    /// What their top-ups come to, in US dollars.
    #[schema(value_type = f64)]
    pub topped_up_usd: Micros,
    /// They can sign in with a password.
    pub has_password: bool,
    /// Who they are at the issuer of `[admin.oidc]`, once they have signed in there.
    pub oidc: Option<Identity>,
    /// They have a code for their first key that they have not used.
    pub has_code: bool,
    /// What the operator notes.
    pub note: String,
}

impl People {
    /// Makes a user.
    ///
    /// # Errors
    /// When a field is wrong or the address is somebody's.
    pub async fn create_user(&self, new: NewUser) -> Result<UserView, Refusal> {
        let _one = self.changing.lock().await;
        let record = UserRecord { id: new_id("user"), ..drafted(&new, self.now())? };
        self.add_user(record).await
    }

    /// Writes a user that is new. The caller holds the lock of changes.
    pub(super) async fn add_user(&self, record: UserRecord) -> Result<UserView, Refusal> {
        check(&self.known.read(), &record)?;
        self.claim(&record.email, &record.id).await?;
        self.shelf.put(at(&record.id), None, &record).await?;
        Ok(self.adopt_user(record).await)
    }

    /// All users, in order of their ids, which is that of their coming.
    pub fn users(&self) -> Vec<UserView> {
        let known = self.known.read();
        known.users.values().map(|user| view(&known, user)).collect()
    }

    /// One user.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn user(&self, id: &str) -> Result<UserView, Refusal> {
        let known = self.known.read();
        known.users.get(id).map(|user| view(&known, user)).ok_or_else(|| missing(id))
    }

    /// A user by their address, whatever its capital letters; one who is disabled too.
    pub fn user_by_email(&self, email: &str) -> Option<UserView> {
        let known = self.known.read();
        known.user_at(email.trim()).map(|user| view(&known, user))
    }

    /// Changes a user. It counts from the next request on.
    ///
    /// # Errors
    /// When a field is wrong, there is no such user, or the address is somebody's.
    pub async fn change_user(&self, id: &str, change: ChangedUser) -> Result<UserView, Refusal> {
        let _one = self.changing.lock().await;
        let (seen, before) = self.shelf.get::<UserRecord>(at(id)).await?.ok_or_else(|| missing(id))?;
        let mut record = before.clone();
        change.put_into(&mut record)?;
        check(&self.known.read(), &record)?;
        let moved = !record.email.eq_ignore_ascii_case(&before.email);
        if moved {
            self.claim(&record.email, id).await?;
        }
        self.shelf.put(at(id), Some(seen), &record).await?;
        if moved {
            self.shelf.remove(email_at(&before.email)).await?;
        }
        Ok(self.adopt_user(record).await)
    }

    /// Removes a user for good, and takes their keys back. What they spent stays in the ledger.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn remove_user(&self, id: &str) -> Result<(), Refusal> {
        let _one = self.changing.lock().await;
        let (_, user) = self.shelf.get::<UserRecord>(at(id)).await?.ok_or_else(|| missing(id))?;
        let owned: Vec<String> = {
            let known = self.known.read();
            let owned = known.keys.values().filter(|key| key.owner.as_deref() == Some(id));
            owned.filter(|key| key.revoked.is_none()).map(|key| key.name.clone()).collect()
        };
        // First the keys: a crash in between leaves a user without keys, not keys without a user.
        for name in owned {
            let key = super::keys::at(&name);
            let Some((seen, record)) = self.shelf.get::<KeyRecord>(key.clone()).await? else { continue };
            let record = KeyRecord { revoked: Some(self.now()), secrets: Vec::new(), ..record };
            self.shelf.put(key, Some(seen), &record).await?;
            self.put_key(record);
        }
        self.shelf.remove(at(id)).await?;
        self.shelf.remove(email_at(&user.email)).await?;
        self.known.write().users.remove(id);
        self.tell().await;
        Ok(())
    }

    /// Sets a user's password; `None`: they cannot sign in with one any more. Hashing takes a moment and happens off the
    /// worker.
    ///
    /// # Errors
    /// When it is too short or there is no such user.
    pub async fn set_password(&self, id: &str, password: Option<Secret>) -> Result<(), Refusal> {
        let hash = match password {
            None => None,
            Some(password) => Some(passwords::hash(password).await?),
        };
        let _one = self.changing.lock().await;
        let (seen, record) = self.shelf.get::<UserRecord>(at(id)).await?.ok_or_else(|| missing(id))?;
        let record = UserRecord { password: hash, ..record };
        self.shelf.put(at(id), Some(seen), &record).await?;
        self.adopt_user(record).await;
        Ok(())
    }

    /// The user who signs in with an address and a password. Whether the address is unknown or the password wrong takes
    /// the same time and looks the same.
    ///
    /// # Errors
    /// When the hash could not be computed.
    pub async fn sign_in(&self, email: &str, password: Secret) -> Result<Option<UserView>, Refusal> {
        let (known_hash, id) = {
            let known = self.known.read();
            let user = known.user_at(email.trim()).filter(|user| !user.disabled);
            user.and_then(|user| Some((user.password.clone()?, user.id.clone()))).unzip()
        };
        let is_right = passwords::verify(password, known_hash).await?;
        // They may have been disabled meanwhile.
        let user = id.filter(|_| is_right).and_then(|id| self.user(&id).ok());
        Ok(user.filter(|user| !user.disabled))
    }

    /// Makes an address a user's own, if it is nobody's. An entry that a crash left behind counts for nothing.
    async fn claim(&self, email: &str, id: &str) -> Result<(), Refusal> {
        let taken = || Refusal::Conflict("there is a user with this address already".to_owned());
        let key = email_at(email);
        let found = self.shelf.get::<String>(key.clone()).await?;
        if let Some((_, owner)) = &found
            && owner != id
            && let Some((_, owner)) = self.shelf.get::<UserRecord>(at(owner)).await?
            && owner.email.eq_ignore_ascii_case(email)
        {
            return Err(taken());
        }
        let put = self.shelf.put(key, found.map(|(seen, _)| seen), &id.to_owned()).await;
        put.map_err(|refusal| if matches!(refusal, Refusal::Conflict(_)) { taken() } else { refusal })
    }

    /// Lets a user that was written count, here and elsewhere.
    pub(super) async fn adopt_user(&self, record: UserRecord) -> UserView {
        self.known.write().users.insert(record.id.clone(), record.clone());
        self.recompile_of_users(|user| user.id == record.id);
        let view = view(&self.known.read(), &record);
        self.tell().await;
        view
    }
}

impl ChangedUser {
    fn put_into(self, record: &mut UserRecord) -> Result<(), Refusal> {
        if let Some(address) = self.email {
            record.email = email("email", &address)?;
        }
        if let Some(name) = self.name {
            record.name = fields::text("name", &name)?;
        }
        if let Some(note) = self.note {
            record.note = fields::text("note", &note)?;
        }
        if let Some(models) = self.models {
            fields::few("models", models.as_deref().unwrap_or_default())?;
            record.models = models;
        }
        if let Some(addresses) = self.addresses {
            fields::few("addresses", &addresses)?;
            record.addresses = addresses;
        }
        if let Some(limits) = self.limits {
            limits.put_into(&mut record.allowed)?;
        }
        if let Some(budgets) = self.budgets {
            BudgetInput::put_into(&budgets, &mut record.allowed)?;
        }
        if let Some(Some(identity)) = &self.oidc {
            identity.check()?;
        }
        record.oidc = self.oidc.unwrap_or_else(|| record.oidc.take());
        record.role = self.role.unwrap_or(record.role);
        record.tier = self.tier.unwrap_or_else(|| record.tier.take());
        record.teams = self.teams.unwrap_or_else(|| std::mem::take(&mut record.teams));
        record.disabled = self.disabled.unwrap_or(record.disabled);
        Ok(())
    }
}

/// A user without an id, of what came in.
pub(super) fn drafted(new: &NewUser, now: u64) -> Result<UserRecord, Refusal> {
    let mut record = UserRecord {
        id: String::new(),
        email: email("email", &new.email)?,
        name: fields::text("name", &new.name)?,
        role: new.role,
        tier: new.tier.clone(),
        teams: new.teams.clone(),
        disabled: false,
        created: now,
        models: new.models.clone(),
        addresses: new.addresses.clone(),
        allowed: super::Allowed::default(),
        password: None,
        oidc: None,
        code: None,
        note: fields::text("note", &new.note)?,
    };
    fields::few("models", new.models.as_deref().unwrap_or_default())?;
    fields::few("addresses", &new.addresses)?;
    new.limits.put_into(&mut record.allowed)?;
    BudgetInput::put_into(&new.budgets, &mut record.allowed)?;
    Ok(record)
}

/// What a user names must be there.
fn check(known: &Known, user: &UserRecord) -> Result<(), Refusal> {
    if let Some(tier) = user.tier.as_ref().filter(|tier| !known.tiers.contains_key(*tier)) {
        return Err(Refusal::invalid("tier", format!("there is no tier `{tier}`")));
    }
    fields::few("teams", &user.teams)?;
    let taken = |other: &&UserRecord| other.id != user.id && other.oidc == user.oidc;
    if user.oidc.is_some() && known.users.values().any(|other| taken(&other)) {
        return Err(Refusal::Conflict("there is a user with this identity at the issuer already".to_owned()));
    }
    for (index, team) in user.teams.iter().enumerate() {
        if known.team(team).is_none() {
            return Err(Refusal::invalid(format!("teams[{index}]"), format!("there is no team `{team}`")));
        }
    }
    Ok(())
}

/// An address, its domain in small letters. What stands before the `@` is the receiver's own business.
pub(super) fn email(path: &str, text: &str) -> Result<String, Refusal> {
    let refuse = || Err(Refusal::invalid(path, "it is no e-mail address"));
    let text = text.trim();
    let Some((local, domain)) = text.rsplit_once('@') else { return refuse() };
    let of_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let of_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let is_label = |label: &str| !(label.is_empty() || label.starts_with('-') || label.ends_with('-'));
    let fits = text.len() <= LONGEST_EMAIL
        && (1..=64).contains(&local.len())
        && local.bytes().all(of_local)
        && domain.bytes().all(of_domain)
        && domain.split('.').all(is_label);
    if fits { Ok(format!("{local}@{}", domain.to_ascii_lowercase())) } else { refuse() }
}

/// An id that nobody has, and that sorts by time.
pub(super) fn new_id(kind: &str) -> String {
    format!("{kind}-{}", ulid::Ulid::generate().to_string().to_ascii_lowercase())
}

pub(super) fn at(id: &str) -> Key {
    Space::User.key(&[id])
}

fn email_at(email: &str) -> Key {
    Space::UserEmail.key(&[&email.to_ascii_lowercase()])
}

pub(super) fn missing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no user `{id}`"))
}

pub(super) fn view(known: &Known, user: &UserRecord) -> UserView {
    UserView {
        id: user.id.clone(),
        email: user.email.clone(),
        name: user.name.clone(),
        role: user.role,
        tier: user.tier.clone(),
        teams: user.teams.clone(),
        disabled: user.disabled,
        created: rfc3339(user.created),
        models: user.models.clone(),
        addresses: user.addresses.clone(),
        limits: LimitsInput::of(&user.allowed),
        budgets: BudgetInput::of(&user.allowed),
        credits: credits::views(&user.allowed),
        topped_up_usd: Micros(known.topped_up.get(&user.id).copied().unwrap_or(0)),
        has_password: user.password.is_some(),
        oidc: user.oidc.clone(),
        has_code: user.code.is_some(),
        note: user.note.clone(),
    }
}
