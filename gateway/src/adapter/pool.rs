//! Ready instances of one adapter with one provider's options; one instance per exchange, never shared.

use std::sync::Arc;

use parking_lot::Mutex;

use super::registry::Loaded;
use super::sandbox::Limits;
use super::{Manifest, Translator};
use crate::error::GatewayError;

/// Idle instances kept per provider. An instance holds 35 to 140 KB.
const WARM: usize = 64;

/// Instances for one provider.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    loaded: Arc<Loaded>,
    options: String,
    limits: Limits,
    /// `None`: the adapter is not trusted to keep nothing between exchanges, so each gets a fresh instance.
    idle: Option<Mutex<Vec<Box<dyn Translator>>>>,
}

impl Pool {
    /// Checks the options with the adapter itself, and keeps the instance made for that.
    ///
    /// # Errors
    /// What the adapter says of the options.
    pub fn open(loaded: Arc<Loaded>, options: String, limits: Limits) -> Result<Self, GatewayError> {
        let first = loaded.instance(limits, &options)?;
        let idle = loaded.is_trusted().then(|| Mutex::new(vec![first]));
        Ok(Self { shared: Arc::new(Shared { loaded, options, limits, idle }) })
    }

    /// What the adapter says of itself.
    pub fn manifest(&self) -> &Manifest {
        self.shared.loaded.manifest()
    }

    /// `sha256` of the component, in lower-case hex.
    pub fn digest(&self) -> &str {
        self.shared.loaded.digest()
    }

    /// An instance for one exchange.
    ///
    /// # Errors
    /// When every slot is taken or the adapter cannot start.
    pub fn checkout(&self) -> Result<Lease, GatewayError> {
        let warm = self.shared.idle.as_ref().and_then(|idle| idle.lock().pop());
        let translator = match warm {
            Some(translator) => translator,
            None => self.shared.loaded.instance(self.shared.limits, &self.shared.options)?,
        };
        Ok(Lease { translator: Some(translator), pool: self.clone() })
    }
}

/// An instance in use; it goes back on drop if it is in order.
pub struct Lease {
    translator: Option<Box<dyn Translator>>,
    pool: Pool,
}

impl Lease {
    /// The instance.
    ///
    /// # Errors
    /// Never before the lease is dropped; there is no panic to say so with.
    pub fn translator(&mut self) -> Result<&mut (dyn Translator + 'static), GatewayError> {
        self.translator.as_deref_mut().ok_or_else(|| GatewayError::plugin("the instance is gone"))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(idle) = &self.pool.shared.idle else { return };
        let Some(mut translator) = self.translator.take() else { return };
        if !translator.reset() {
            return;
        }
        let mut idle = idle.lock();
        if idle.len() < WARM {
            idle.push(translator);
        }
    }
}
