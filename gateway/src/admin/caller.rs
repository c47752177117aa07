//! Who asks, and what he carries to show it.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Secret, VirtualKey};
use crate::people::{self, UserView};

/// What somebody may do here, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    /// Himself only.
    Member,
    /// Reads everything but secrets.
    Viewer,
    /// Everything.
    Admin,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// `admin` for who has the admin password, else the user's name.
    pub(super) name: String,
    /// What he may do.
    pub(super) role: Role,
    /// The user's id; none for who has the admin password.
    pub(super) user: Option<String>,
    /// How he showed it.
    pub(super) way: Way,
}

/// How somebody showed who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The admin password with the request.
    Password,
    /// A virtual key with the request.
    Key,
    /// A session's cookie.
    Session(Secret),
}

impl Way {
    /// A word for the audit log.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Key => "key",
            Self::Session(_) => "session",
        }
    }
}

impl Caller {
    /// A user, by what the store says of them.
    pub(super) fn user(user: &UserView) -> Self {
        let role = match user.role {
            people::Role::Admin => Role::Admin,
            people::Role::Viewer => Role::Viewer,
            people::Role::Member => Role::Member,
        };
        Self { name: user.email.clone(), role, user: Some(user.id.clone()), way: Way::Password }
    }

    /// Who has a virtual key is its owner, but may do no more with it than look at themselves.
    pub(super) fn key(key: &VirtualKey) -> Self {
        let user = key.user.as_deref().map(str::to_owned);
        Self { name: key.id.to_string(), role: Role::Member, user, way: Way::Key }
    }

    /// Who has the admin password.
    pub(super) fn with_password() -> Self {
        Self { name: "admin".to_owned(), role: Role::Admin, user: None, way: Way::Password }
    }
}

/// What a request carries to show who sends it.
pub(super) enum Carried {
    /// As bearer, or as the password of any user in basic authentication.
    Credential(Secret),
    /// A session.
    Cookie(Secret),
    /// Something that cannot be read.
    Unreadable,
    /// Nothing.
    Nothing,
}

/// The name of the session's cookie.
pub(super) const COOKIE: &str = "causeway_session";

impl Carried {
    /// A credential goes before a cookie.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        match headers.get(header::AUTHORIZATION) {
            Some(value) => match value.to_str().ok().and_then(credential) {
                Some(secret) => Self::Credential(secret),
                None => Self::Unreadable,
            },
            None => cookie(headers, COOKIE).map_or(Self::Nothing, Self::Cookie),
        }
    }
}

fn credential(value: &str) -> Option<Secret> {
    let (scheme, value) = value.split_once(' ')?;
    let given = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => value.trim().to_owned(),
        "basic" => {
            let plain = base64::engine::general_purpose::STANDARD.decode(value.trim()).ok()?;
            String::from_utf8(plain).ok()?.split_once(':')?.1.to_owned()
        }
        _ => return None,
    };
    Some(Secret::new(given)).filter(|given| !given.expose().is_empty())
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| Secret::new(value))
}

/// Where somebody asks from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) std::net::IpAddr);

impl Peer {
    /// Nobody said.
    pub(super) fn unknown() -> Self {
        Self(std::net::Ipv4Addr::UNSPECIFIED.into())
    }
}

/// A browser says where the page comes from that asks it to; what others send by themselves has no origin.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && !is_from_here(headers)
}

/// The page comes from this very host.
pub(super) fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some((_, authority)) = text(header::ORIGIN).and_then(|origin| origin.split_once("://")) else {
        return false;
    };
    text(header::HOST) == Some(authority)
}
