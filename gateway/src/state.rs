//! Everything a request looks up: immutable, swapped whole.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderName;

use crate::adapter::{Passage, Pool};
use crate::auth::Keyring;
use crate::config::Headers;
use crate::domain::Rules;
use crate::route::Table;
use crate::upstream::{self, Timeouts};

mod answers;
mod build;
mod model_facts;
mod options;

pub use answers::Answers;
pub use build::build;

/// One configuration, compiled. A request uses one from start to end.
pub struct Snapshot {
    /// Counts up with each successful load; 1 is the first.
    pub generation: u64,
    /// Who may ask.
    pub keyring: Keyring,
    /// What may be asked, and where it goes.
    pub routes: Table,
    /// Who answers, by name.
    pub providers: HashMap<Arc<str>, Arc<Provider>>,
    /// Largest request body in bytes.
    pub max_body: usize,
    /// How long an attempt may take, before a provider's own word.
    pub timeouts: Timeouts,
    /// Which answers may serve other requests.
    pub answers: Answers,
    /// What response headers tell about us.
    pub headers: Headers,
    /// Headers of the operator's own that name a conversation.
    pub session_headers: Vec<HeaderName>,
}

/// One provider: its network side and its translation.
pub struct Provider {
    /// Where it is and which keys it has.
    pub upstream: upstream::Provider,
    /// Instances of its adapter.
    pub adapter: Pool,
    /// The adapter's name, for metrics.
    pub plugin: Arc<str>,
    /// How long its attempts may take.
    pub timeouts: Timeouts,
    /// It tells usage in a stream when it is asked to.
    pub stream_usage: bool,
    /// The client dialects it speaks itself, as far as its options allow.
    pub passages: Vec<Passage>,
    /// What requests to it may say.
    pub rules: Rules,
}

impl Provider {
    /// The passage for a client dialect, if the provider speaks it.
    pub fn passage(&self, dialect: &str) -> Option<&Passage> {
        self.passages.iter().find(|passage| passage.dialect == dialect)
    }
}
