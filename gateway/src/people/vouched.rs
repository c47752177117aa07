//! People whom an OpenID Connect issuer vouches for: which user they are, or become.

use super::records::{Identity, Role, UserRecord};
use super::users::{self, NewUser, UserView, drafted};
use super::{People, Refusal, fields};

/// Longest issuer and subject; OpenID Connect Core, 2, ends the latter at 255.
const LONGEST: usize = 512;

/// Somebody, as an issuer vouches for them.
#[derive(Clone, Debug)]
pub struct Vouched {
    /// Who they are there.
    pub identity: Identity,
    /// Their address, when the issuer has verified it.
    pub email: Option<String>,
    /// What they are called.
    pub name: String,
}

/// What is done with who comes in.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The role they have from now on. None: a user keeps theirs.
    pub role: Option<Role>,
    /// The role of a user who is made of who is none. None: no user is made.
    pub new: Option<Role>,
}

/// Who came in.
#[derive(Clone, Debug)]
pub struct Welcomed {
    /// The user.
    pub user: UserView,
    /// The user as they were before, if something about them has changed; of one who was made, nothing.
    pub before: Option<UserView>,
    /// They were made just now.
    pub made: bool,
}

impl People {
    /// The user that somebody is. The first time it is the address that tells, from then on the issuer's own name for
    /// them, so that an address that is given to somebody else there lets nobody in here.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] when they are no user, a disabled one, or the user of that address is somebody else.
    pub async fn welcome(&self, vouched: &Vouched, terms: Terms) -> Result<Welcomed, Refusal> {
        vouched.identity.check()?;
        let _one = self.changing.lock().await;
        match self.vouched_for(vouched)? {
            Some(id) => self.let_in(&id, vouched, terms).await,
            None => self.take_in(vouched, terms).await,
        }
    }

    /// The id of the user that somebody is.
    fn vouched_for(&self, vouched: &Vouched) -> Result<Option<String>, Refusal> {
        let known = self.known.read();
        let same = |user: &&UserRecord| user.oidc.as_ref() == Some(&vouched.identity);
        if let Some(user) = known.users.values().find(same) {
            return Ok(Some(user.id.clone()));
        }
        let Some(user) = vouched.email.as_deref().and_then(|email| known.user_at(email)) else {
            return Ok(None);
        };
        // The identity at an issuer that is asked no more says nothing.
        match &user.oidc {
            Some(other) if other.issuer == vouched.identity.issuer => Err(Refusal::Forbidden(
                "the user of this address is somebody else at the issuer; an operator can change that"
                    .to_owned(),
            )),
            _ => Ok(Some(user.id.clone())),
        }
    }

    async fn let_in(&self, id: &str, vouched: &Vouched, terms: Terms) -> Result<Welcomed, Refusal> {
        let found = self.shelf.get::<UserRecord>(users::at(id)).await?;
        let (seen, before) = found.ok_or_else(|| users::missing(id))?;
        if before.disabled {
            return Err(Refusal::Forbidden("this user is disabled".to_owned()));
        }
        let role = terms.role.unwrap_or(before.role);
        let record = UserRecord { oidc: Some(vouched.identity.clone()), role, ..before.clone() };
        if record == before {
            return Ok(Welcomed { user: self.user(id)?, before: None, made: false });
        }
        let before = users::view(&self.known.read(), &before);
        self.shelf.put(users::at(id), Some(seen), &record).await?;
        let user = self.adopt_user(record).await;
        Ok(Welcomed { user, before: Some(before), made: false })
    }

    async fn take_in(&self, vouched: &Vouched, terms: Terms) -> Result<Welcomed, Refusal> {
        let Some(role) = terms.new else {
            return Err(Refusal::Forbidden("there is no user here with this address".to_owned()));
        };
        let Some(email) = vouched.email.clone() else {
            return Err(Refusal::Forbidden(
                "the issuer tells no address of theirs that it has verified".to_owned(),
            ));
        };
        // What a stranger is called is not worth a refusal.
        let name = fields::text("name", &vouched.name).unwrap_or_default();
        let new = NewUser { email, name, role, ..NewUser::default() };
        let record = UserRecord {
            id: users::new_id("user"),
            oidc: Some(vouched.identity.clone()),
            ..drafted(&new, self.now())?
        };
        let user = self.add_user(record).await?;
        Ok(Welcomed { user, before: None, made: true })
    }
}

impl Identity {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for (path, text) in [("oidc.issuer", &self.issuer), ("oidc.subject", &self.subject)] {
            if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
                let message = format!("from one to {LONGEST} letters are wanted");
                return Err(Refusal::invalid(path, message));
            }
        }
        Ok(())
    }
}
