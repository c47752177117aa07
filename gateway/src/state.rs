//! Everything a request looks up: immutable, swapped whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::HeaderName;

use crate::adapter::{Passage, Pool};
use crate::auth::Keyring;
use crate::config::{Headers, Probe, Statuses};
use crate::domain::{AddressRange, Offers, PriceBook, Rules, Trigger};
use crate::route::Table;
use crate::upstream::{self, Caps, Timeouts};

mod answers;
mod bounds;
mod build;
mod care;
mod explain;
mod in_file;
mod key_check;
mod limits;
mod master;
mod model_facts;
mod options;
mod prices;
mod provider_keys;
pub mod settings;
mod terms;
mod way_out;

pub use answers::Answers;
pub use build::{build, routes_alone};
pub use in_file::in_file;
pub use key_check::Asked;
pub use limits::Limits;
pub use master::{Mismatch, master_of};
pub use settings::Settings;
pub use way_out::way_out;

/// One configuration, compiled. A request uses one from start to end.
pub struct Snapshot {
    /// Counts up with each successful load; 1 is the first.
    pub generation: u64,
    /// Who may ask.
    pub keyring: Keyring,
    /// What may be asked, and where it goes.
    pub routes: Table,
    /// What it costs there.
    pub prices: Arc<PriceBook>,
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
    /// Proxies in front of us whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// Headers of the operator's own that name a conversation.
    pub session_headers: Vec<HeaderName>,
    /// What holds whoever asks.
    pub limits: Limits,
}

impl Snapshot {
    /// How many requests each gate lets through.
    pub fn caps(&self) -> Vec<(Arc<str>, Caps)> {
        let own = self.providers.iter().filter(|(_, provider)| provider.caps.is_any());
        let own = own.map(|(name, provider)| (Arc::clone(name), provider.caps));
        let models = self.providers.values().flat_map(|provider| provider.model_caps.values());
        let cap = |cap: u32| Caps { concurrent: Some(cap), ..Caps::default() };
        own.chain(models.map(|(name, most)| (Arc::clone(name), cap(*most)))).collect()
    }
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
    /// How many requests it may get.
    pub caps: Caps,
    /// How many some of its models may get at a time, by the name of the model, and the names of their gates. `*` is for
    /// all that are passed on.
    pub model_caps: BTreeMap<String, (Arc<str>, u32)>,
    /// It tells usage in a stream when it is asked to.
    pub stream_usage: bool,
    /// The client dialects it speaks itself, as far as its options allow.
    pub passages: Vec<Passage>,
    /// What it offers, whichever of its models is asked.
    pub offers: Arc<Offers>,
    /// What requests to it may say.
    pub rules: Rules,
    /// How its targets are asked whether they are back.
    pub probe: Option<Probe>,
    /// What makes a failure of a good answer.
    pub error_triggers: Vec<Trigger>,
    /// The statuses that are the fault of the key.
    pub blame_key: Option<Statuses>,
}

impl Provider {
    /// The passage for a client dialect, if the provider speaks it.
    pub fn passage(&self, dialect: &str) -> Option<&Passage> {
        self.passages.iter().find(|passage| passage.dialect == dialect)
    }
}
