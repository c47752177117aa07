//! Where a provider may be whose address came through the admin API: out on the internet, or where the operator allows.
//!
//! The name is looked up once per connection, every address it has is looked at, and the connection goes to one of
//! those: what the name means a moment later does not matter. Redirects are never followed, by anybody.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::domain::{AddressRange, reserved};

/// Finds the addresses of a host, instead of the system.
pub type Lookup = Arc<dyn Fn(&str, u16) -> std::io::Result<Vec<SocketAddr>> + Send + Sync>;

/// What keeps a provider away from one's own network.
#[derive(Clone, Default)]
pub struct Guard {
    allowed: Arc<[AddressRange]>,
    pub(super) lookup: Option<Lookup>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Guard").field(&self.allowed).finish()
    }
}

impl Guard {
    /// One that lets through public addresses, and these.
    pub fn new(allowed: &[AddressRange]) -> Self {
        Self { allowed: allowed.into(), lookup: None }
    }

    /// Asks this instead of the system for addresses.
    #[must_use]
    pub fn looking_up(self, lookup: Lookup) -> Self {
        Self { lookup: Some(lookup), ..self }
    }

    /// Looks at every address of a host.
    ///
    /// # Errors
    /// Which one it must not have, and why: one is enough.
    pub fn check(&self, addresses: &[SocketAddr]) -> Result<(), String> {
        for address in addresses.iter().map(SocketAddr::ip) {
            let Some(word) = reserved(address) else { continue };
            if !self.allowed.iter().any(|range| range.contains(address)) {
                return Err(format!(
                    "is at {address} ({word}); a provider made through the admin API must be at a public address, \
                     unless `[admin] allow_private` names it"
                ));
            }
        }
        Ok(())
    }
}
