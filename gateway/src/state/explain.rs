//! What would happen to a request, and why, said by the very plan it would get.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Snapshot;
use crate::domain::VirtualKey;
use crate::route::{Clues, Fleet, Imagined, Plan};

impl Snapshot {
    /// The plan for a request that nobody sent. `stored` knows the keys that stand in no file.
    ///
    /// # Errors
    /// What is wrong with the words, or what the request would be told.
    pub fn explain(
        &self,
        words: impl IntoIterator<Item = (String, String)>,
        fleet: &Fleet,
        stored: impl Fn(&str) -> Option<Arc<VirtualKey>>,
    ) -> Result<Plan, String> {
        let imagined = Imagined::read(words)?;
        let key = match &imagined.key {
            Some(name) => self
                .keyring
                .named(name)
                .or_else(|| stored(name))
                .ok_or_else(|| format!("there is no key `{name}`"))?,
            None => Arc::new(VirtualKey { preferences: true, ..VirtualKey::named("any") }),
        };
        if imagined.wishes() && !key.preferences {
            return Err(format!("the key `{}` may not wish: `preferences` is false", key.id));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let clues = Clues { headers: &self.session_headers, ..Clues::default() };
        imagined.at(now).plan(&self.routes, &key, fleet, clues).map_err(|error| error.to_string())
    }
}
