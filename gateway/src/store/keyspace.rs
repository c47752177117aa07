//! Every kind of key we write.
//!
//! A key is the name of its space, a slash, and its parts, each with its length before it: no part can be taken for
//! another's beginning, and keys with the same first parts stand together.

use std::fmt;
use std::time::Duration;

/// Longest part that stands in a key as it is; of a longer one its digest does.
const LONGEST: usize = 512;

/// What a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// About the store itself: `format`.
    Meta,
    /// When something expires; kept by the backends, for all other spaces.
    Due,
    /// Reasoning state that a client cannot carry: virtual key, tool call.
    Vault,
    /// Answers of the Responses API with what was asked: virtual key, response.
    Response,
    /// Answers to requests with an `Idempotency-Key`: a digest of virtual key and header.
    Idempotency,
    /// Counters that end by themselves.
    Counter,
    /// What rests until some time: its kind, provider, id, model.
    Rest,
    /// Rows of the ledger: day, hour, minute, id.
    Usage,
    /// Sums of them: `day` or `hour`, which, virtual key, user, team, model, provider, target, node.
    Sum,
    /// What was spent of a counter of money: its place, node.
    Budget,
    /// How far each file of the usage journal is in here: its name.
    Journal,
    /// What was made through the admin API: section, name.
    Setting,
    /// Sealed secrets: the store's root; provider keys by provider and id.
    Secret,
    /// Sessions of the dashboard: a digest of the token.
    Session,
    /// Who changed what: an id that sorts from the newest to the oldest.
    Audit,
    /// Keys that we issued: name.
    VirtualKey,
    /// When each of them was used last: name.
    KeyUsed,
    /// People: id.
    User,
    /// Whose an address is: address.
    UserEmail,
    /// Keys that share a budget: name.
    Team,
    /// How people pay: name.
    Tier,
    /// What they paid: user, id.
    TopUp,
    /// Who would like to come in: id.
    SignUp,
    /// Marks that move when something in a space has changed: the space's name.
    Epoch,
}

impl Space {
    /// Every space.
    pub const ALL: [Self; 24] = [
        Self::Meta,
        Self::Due,
        Self::Vault,
        Self::Response,
        Self::Idempotency,
        Self::Counter,
        Self::Rest,
        Self::Usage,
        Self::Sum,
        Self::Budget,
        Self::Journal,
        Self::Setting,
        Self::Secret,
        Self::Session,
        Self::Audit,
        Self::VirtualKey,
        Self::KeyUsed,
        Self::User,
        Self::UserEmail,
        Self::Team,
        Self::Tier,
        Self::TopUp,
        Self::SignUp,
        Self::Epoch,
    ];

    /// Its name, as it stands in keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Due => "due",
            Self::Vault => "vault",
            Self::Response => "response",
            Self::Idempotency => "idempotency",
            Self::Counter => "counter",
            Self::Rest => "rest",
            Self::Usage => "usage",
            Self::Sum => "sum",
            Self::Budget => "budget",
            Self::Journal => "journal",
            Self::Setting => "setting",
            Self::Secret => "secret",
            Self::Session => "session",
            Self::Audit => "audit",
            Self::VirtualKey => "virtual_key",
            Self::KeyUsed => "key_used",
            Self::User => "user",
            Self::UserEmail => "user_email",
            Self::Team => "team",
            Self::Tier => "tier",
            Self::TopUp => "top_up",
            Self::SignUp => "sign_up",
            Self::Epoch => "epoch",
        }
    }

    /// How long what stands here is kept.
    pub fn life(self) -> Option<Duration> {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        match self {
            Self::Vault | Self::Idempotency => Some(DAY),
            // As long as OpenAI keeps its own.
            Self::Response => Some(DAY.saturating_mul(30)),
            // People who were never answered.
            Self::SignUp => Some(DAY.saturating_mul(90)),
            Self::Meta | Self::Due | Self::Counter | Self::Rest => None,
            // Rows go when the operator says, sums and money stay.
            Self::Usage | Self::Sum | Self::Budget | Self::Journal => None,
            Self::Session | Self::Audit => None,
            Self::VirtualKey | Self::KeyUsed | Self::Epoch | Self::Setting | Self::Secret => None,
            Self::User | Self::UserEmail | Self::Team | Self::Tier | Self::TopUp => None,
        }
    }

    /// How many bytes of records that expire may stand here. When there are more, those go first that would expire first.
    pub fn limit(self) -> u64 {
        match self {
            Self::Vault | Self::Idempotency => 256 << 20,
            Self::Response => 4 << 30,
            // A hundred thousand keys, each at a few models.
            Self::Rest => 128 << 20,
            Self::Session => 16 << 20,
            Self::Audit => 1 << 30,
            Self::SignUp => 16 << 20,
            Self::Meta | Self::Due | Self::Counter => u64::MAX,
            Self::Usage | Self::Sum | Self::Budget | Self::Journal => u64::MAX,
            Self::VirtualKey | Self::KeyUsed | Self::Epoch | Self::Setting | Self::Secret => u64::MAX,
            Self::User | Self::UserEmail | Self::Team | Self::Tier | Self::TopUp => u64::MAX,
        }
    }

    /// Whether a gateway that lost what stands here lost something: who may do what, what was spent, what was set. The
    /// rest ends by itself within hours or days, can be made anew, and is larger than all else: it stays out of
    /// snapshots and is carried by `causeway store export`.
    pub fn is_in_snapshots(self) -> bool {
        !matches!(
            self,
            Self::Meta
                | Self::Due
                | Self::Vault
                | Self::Response
                | Self::Idempotency
                | Self::Counter
                | Self::Rest
                | Self::Session
        )
    }

    /// Whether what stands here belongs to this one store and goes nowhere else.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Meta | Self::Due)
    }

    /// The space of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|space| space.name() == name)
    }

    /// A key in this space, or the beginning of several.
    pub fn key(self, parts: &[&str]) -> Key {
        let mut bytes = self.prefix();
        for part in parts {
            let digest;
            let part = if part.len() > LONGEST {
                digest = format!("\u{1}{}", blake3::hash(part.as_bytes()).to_hex());
                digest.as_str()
            } else {
                part
            };
            // At most LONGEST, which fits.
            bytes.extend_from_slice(&u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Key(bytes)
    }

    /// What all its keys begin with.
    pub(super) fn prefix(self) -> Vec<u8> {
        format!("{}/", self.name()).into_bytes()
    }

    /// The space of a key.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let name = key.split(|byte| *byte == b'/').next()?;
        Self::ALL.into_iter().find(|space| space.name().as_bytes() == name)
    }
}

/// A key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub(super) Vec<u8>);

impl Key {
    /// The space it belongs to, or `None` when these bytes are no key of ours.
    pub fn space(&self) -> Option<Space> {
        Space::of(&self.0)
    }

    /// Its parts, or `None` when these bytes are no key of ours.
    pub fn parts(&self) -> Option<Vec<&str>> {
        let slash = self.0.iter().position(|byte| *byte == b'/')?;
        let mut rest = self.0.get(slash + 1..)?;
        let mut parts = Vec::new();
        while let Some((length, behind)) = rest.split_first_chunk::<2>() {
            let (part, after) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            parts.push(std::str::from_utf8(part).ok()?);
            rest = after;
        }
        rest.is_empty().then_some(parts)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (Space::of(&self.0), self.parts()) {
            (Some(space), Some(parts)) => write!(formatter, "{}/{}", space.name(), parts.join("/")),
            _ => write!(formatter, "{}", String::from_utf8_lossy(&self.0).escape_debug()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({self})")
    }
}
