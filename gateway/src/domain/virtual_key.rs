//! A key we issued.

use std::net::IpAddr;
use std::sync::Arc;

use super::address_range::AddressRange;
use super::bounds::Bounds;
use super::pattern::Pattern;

/// Who may ask, and for what. The secret itself is not in here.
#[derive(Clone, Debug)]
pub struct VirtualKey {
    /// Its name in the configuration or the store.
    pub id: Arc<str>,
    /// The team whose budget it shares.
    pub team: Option<Arc<str>>,
    /// The user it belongs to.
    pub user: Option<Arc<str>>,
    /// How much may be asked with it: its own, its user's, its team's and its maker's.
    pub bounds: Arc<[Bounds]>,
    /// Models it may ask for; `None`: all.
    pub models: Option<Vec<Pattern>>,
    /// What its user, their tier and its team may ask for: each of these lists must hold the model too.
    pub within: Vec<Arc<[Pattern]>>,
    /// Where its requests may come from: each of these lists must hold the client's address.
    pub addresses: Vec<Arc<[AddressRange]>>,
    /// When it ends, in Unix time.
    pub expires: Option<u64>,
    /// It ends because another secret took its place.
    pub replaced: bool,
    /// Why no request is taken with it, for the client.
    pub closed: Option<Arc<str>>,
    /// Its requests may say which targets they want.
    pub preferences: bool,
    /// Words about it, for conditions.
    pub tags: Vec<String>,
}

impl VirtualKey {
    /// A key that may ask for everything.
    pub fn named(id: &str) -> Self {
        Self {
            id: id.into(),
            team: None,
            user: None,
            bounds: [].into(),
            models: None,
            within: Vec::new(),
            addresses: Vec::new(),
            expires: None,
            replaced: false,
            closed: None,
            preferences: false,
            tags: Vec::new(),
        }
    }

    /// Whether it may ask for a model.
    pub fn may_use(&self, model: &str) -> bool {
        let held = |models: &[Pattern]| models.iter().any(|pattern| pattern.matches(model));
        self.models.as_deref().is_none_or(held) && self.within.iter().all(|models| held(models))
    }

    /// Whether its requests may come from an address. `None`: it is not known, as with a socket in the file system.
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        let held = |ranges: &Arc<[AddressRange]>| {
            address.is_some_and(|address| ranges.iter().any(|range| range.contains(address)))
        };
        self.addresses.iter().all(held)
    }
}
