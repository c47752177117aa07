//! Strangers who would like to come in: they ask, an operator decides, and a code lets them in once.
//!
//! Nothing is sent to anybody. Whoever asks is told the same whether their address is known or not, and the work is the
//! same too. The code that an approval gives is handed over by the operator, and is good for one key.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::{IssuedKey, Maker, NewKey};
use super::records::{CodeRecord, Role, SignUpRecord, UserRecord};
use super::users::{self, NewUser, UserView};
use super::{People, Refusal, fields, passwords};
use crate::domain::{Secret, rfc3339};
use crate::store::{Batch, Class, Key, Space};

/// A code is good for so long, in seconds.
const CODE_LIFE: u64 = 7 * 24 * 60 * 60;
/// So many from one address within the hour.
const PER_ADDRESS: i64 = 5;
/// So many from everywhere within the hour.
const TOGETHER: i64 = 1_000;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Somebody who would like to come in.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewSignUp {
    /// Their address.
    #[schema(required, min_length = 1)]
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they want it for.
    pub note: String,
}

/// A sign-up as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignUpView {
    /// Its id.
    pub id: String,
    /// Their address.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they wrote.
    pub note: String,
    /// When.
    pub at: String,
    /// It was rejected: the same address is not taken again until this is forgotten.
    pub rejected: bool,
}

/// What somebody gets who is let in.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Approval {
    /// Their tier. None: nobody counts.
    pub tier: Option<String>,
    /// The teams they belong to.
    pub teams: Vec<String>,
    /// What they are called, if not as they said.
    pub name: Option<String>,
}

/// A code for somebody's first key, shown this once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Who is meant.
    pub user: UserView,
    /// What they send to [`People::redeem`]. It is kept nowhere.
    #[serde(serialize_with = "super::keys::exposed")]
    #[schema(value_type = String)]
    pub code: Secret,
    /// Until when it is good.
    pub until: String,
}

/// What a code is exchanged for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redemption {
    /// The code.
    #[serde(deserialize_with = "fields::hidden")]
    #[schema(value_type = String, required)]
    pub code: Secret,
    /// The name of the key. None: one is made from the address.
    #[serde(default)]
    pub key_name: Option<String>,
    /// A password to sign in with from now on. None: no signing in.
    #[serde(default, deserialize_with = "fields::maybe_hidden")]
    #[schema(value_type = Option<String>, min_length = 12)]
    pub password: Option<Secret>,
}

impl People {
    /// Notes that somebody would like to come in. What comes back says nothing about whether the address was known.
    ///
    /// # Errors
    /// When signing up is not open, a field is wrong, or there were too many from this address or altogether.
    pub async fn sign_up(&self, new: NewSignUp, from: IpAddr) -> Result<(), Refusal> {
        if !self.known.read().in_file.sign_up {
            return Err(Refusal::NotFound("nobody signs up here by themselves; ask the operator".to_owned()));
        }
        let email = users::email("email", &new.email)?;
        let (name, note) = (fields::text("name", &new.name)?, fields::text("note", &new.note)?);
        self.not_too_often(from).await?;
        let _one = self.changing.lock().await;
        let id = self.sign_up_id(&email);
        let is_known = {
            let known = self.known.read();
            known.user_at(&email).is_some() || known.sign_ups.contains_key(&id)
        };
        let record = SignUpRecord { id, email, name, note, at: self.now(), rejected: false };
        if is_known || self.shelf.get::<SignUpRecord>(at(&record.id)).await?.is_some() {
            // As much work as for a stranger.
            let seen = Batch::default().put(Space::Counter.key(&["sign-up", "seen"]), vec![1], Some(HOUR));
            self.shelf.store.write(seen, Class::Durable).await?;
        } else {
            self.shelf.put(at(&record.id), None, &record).await?;
            self.known.write().sign_ups.insert(record.id.clone(), record);
        }
        self.tell().await;
        Ok(())
    }

    /// All sign-ups that wait or were rejected, the oldest first.
    pub fn sign_ups(&self) -> Vec<SignUpView> {
        let known = self.known.read();
        let life = Space::SignUp.life().map_or(u64::MAX, |life| life.as_secs());
        let alive = known.sign_ups.values().filter(|one| one.at.saturating_add(life) > self.now());
        let mut found: Vec<&SignUpRecord> = alive.collect();
        found.sort_by_key(|one| one.at);
        found.into_iter().map(view).collect()
    }

    /// Lets somebody in: a member with a code for their first key, which `secret` becomes.
    ///
    /// # Errors
    /// When there is no such sign-up, a field is wrong, or the address is a user's by now.
    pub async fn approve_sign_up(
        &self,
        id: &str,
        approval: Approval,
        secret: Secret,
    ) -> Result<Invitation, Refusal> {
        let _one = self.changing.lock().await;
        let (_, asked) = self.shelf.get::<SignUpRecord>(at(id)).await?.ok_or_else(|| missing(id))?;
        let new = NewUser {
            email: asked.email,
            name: approval.name.unwrap_or(asked.name),
            role: Role::Member,
            tier: approval.tier,
            teams: approval.teams,
            ..NewUser::default()
        };
        let (code, written, until) = self.code(&secret);
        let record = UserRecord {
            id: users::new_id("user"),
            code: Some(written),
            note: asked.note,
            ..users::drafted(&new, self.now())?
        };
        let user = self.add_user(record).await?;
        self.forget(id).await?;
        Ok(Invitation { user, code, until })
    }

    /// Does not let somebody in. Their address is not taken again until the sign-up is forgotten, after 90 days or by
    /// [`People::remove_sign_up`].
    ///
    /// # Errors
    /// When there is no such sign-up.
    pub async fn reject_sign_up(&self, id: &str) -> Result<SignUpView, Refusal> {
        let _one = self.changing.lock().await;
        let (seen, record) = self.shelf.get::<SignUpRecord>(at(id)).await?.ok_or_else(|| missing(id))?;
        let record = SignUpRecord { rejected: true, ..record };
        self.shelf.put(at(id), Some(seen), &record).await?;
        let shown = view(&record);
        self.known.write().sign_ups.insert(id.to_owned(), record);
        self.tell().await;
        Ok(shown)
    }

    /// Forgets a sign-up.
    ///
    /// # Errors
    /// When there is no such sign-up.
    pub async fn remove_sign_up(&self, id: &str) -> Result<(), Refusal> {
        let _one = self.changing.lock().await;
        self.shelf.get::<SignUpRecord>(at(id)).await?.ok_or_else(|| missing(id))?;
        self.forget(id).await
    }

    /// Gives a user a code for a key, which `secret` becomes; one that they had before is no longer good.
    ///
    /// # Errors
    /// When there is no such user.
    pub async fn invite_user(&self, id: &str, secret: Secret) -> Result<Invitation, Refusal> {
        let _one = self.changing.lock().await;
        let found = self.shelf.get::<UserRecord>(users::at(id)).await?;
        let (seen, record) = found.ok_or_else(|| users::missing(id))?;
        let (code, written, until) = self.code(&secret);
        let record = UserRecord { code: Some(written), ..record };
        self.shelf.put(users::at(id), Some(seen), &record).await?;
        Ok(Invitation { user: self.adopt_user(record).await, code, until })
    }

    /// Exchanges a code for a key, once. `secret` becomes the key's.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] when the code is unknown, used or too old; when a field is wrong or the name is taken the
    /// code stays good.
    pub async fn redeem(&self, redemption: Redemption, secret: Secret) -> Result<IssuedKey, Refusal> {
        let refuse = || Refusal::Forbidden("the code is not known, was used, or is too old".to_owned());
        let hash = self.code_hash(redemption.code.expose());
        let user = {
            let known = self.known.read();
            let fits = |user: &&UserRecord| {
                let code = user.code.as_ref().filter(|code| code.until > self.now());
                let own = code.and_then(|code| blake3::Hash::from_hex(&code.hash).ok());
                own.is_some_and(|own| own == hash) && !user.disabled
            };
            known.users.values().find(fits).cloned().ok_or_else(refuse)?
        };
        let password = match redemption.password {
            None => None,
            Some(password) => Some(passwords::hash(password).await?),
        };
        let name = redemption.key_name.unwrap_or_else(|| key_name(&user));
        let maker = Maker::Member(user.id.clone());
        let _one = self.changing.lock().await;
        let draft = self.draft_key(&maker, &NewKey { name, ..NewKey::default() }, &secret)?;
        let found = self.shelf.get::<UserRecord>(users::at(&user.id)).await?;
        // Two at once find the same code: the second finds it used.
        let (seen, record) = found.filter(|(_, record)| record.code == user.code).ok_or_else(refuse)?;
        let record = UserRecord { code: None, password: password.or(record.password), ..record };
        self.shelf.put(users::at(&user.id), Some(seen), &record).await?;
        self.adopt_user(record).await;
        let key = self.add_key(draft).await?;
        Ok(IssuedKey { secret, key })
    }

    /// A code of a secret, how it is written down, and until when it is good.
    fn code(&self, secret: &Secret) -> (Secret, CodeRecord, String) {
        let bare = secret.expose().strip_prefix("cw-").unwrap_or(secret.expose());
        let code = Secret::new(format!("code-{bare}"));
        let until = self.now().saturating_add(CODE_LIFE);
        let hash = self.code_hash(code.expose()).to_hex().to_string();
        (code, CodeRecord { hash, until }, rfc3339(until))
    }

    /// No code is ever a key.
    fn code_hash(&self, code: &str) -> blake3::Hash {
        self.hash(&format!("code: {}", code.trim()))
    }

    /// The same for the same address, whatever its capital letters, and not to be guessed.
    fn sign_up_id(&self, email: &str) -> String {
        let hash = self.hash(&format!("sign-up: {}", email.to_ascii_lowercase())).to_hex();
        format!("sign-up-{}", hash.chars().take(20).collect::<String>())
    }

    async fn not_too_often(&self, from: IpAddr) -> Result<(), Refusal> {
        let from = match from.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            // Whoever has one address of a network of 64 bits has them all.
            IpAddr::V6(address) => format!("{:x}::/64", address.to_bits() >> 64),
        };
        for (who, most) in [(from.as_str(), PER_ADDRESS), ("everybody", TOGETHER)] {
            let key = Space::Counter.key(&["sign-up", who]);
            if self.shelf.store.increment(key, 1, Some(HOUR)).await? > most {
                return Err(Refusal::TooMany(HOUR));
            }
        }
        Ok(())
    }

    async fn forget(&self, id: &str) -> Result<(), Refusal> {
        self.shelf.remove(at(id)).await?;
        self.known.write().sign_ups.remove(id);
        self.tell().await;
        Ok(())
    }
}

/// What stands before the `@`, as far as names may look so, and what makes it one of its own.
fn key_name(user: &UserRecord) -> String {
    let local = user.email.split('@').next().unwrap_or_default();
    let letters = local.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter));
    let own: String = user.id.chars().rev().take(6).collect();
    let name: String = letters.skip_while(|letter| !letter.is_ascii_alphanumeric()).take(40).collect();
    if name.is_empty() { format!("key-{own}") } else { format!("{name}-{own}") }
}

fn at(id: &str) -> Key {
    Space::SignUp.key(&[id])
}

fn missing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no sign-up `{id}`"))
}

fn view(record: &SignUpRecord) -> SignUpView {
    let SignUpRecord { id, email, name, note, at, rejected } = record.clone();
    SignUpView { id, email, name, note, at: rfc3339(at), rejected }
}
