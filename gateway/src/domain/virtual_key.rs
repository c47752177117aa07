//! A key we issued.

use std::sync::Arc;

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
            preferences: false,
            tags: Vec::new(),
        }
    }

    /// Whether it may ask for a model.
    pub fn may_use(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|pattern| pattern.matches(model)))
    }
}
