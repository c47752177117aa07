//! The control plane: health, readiness and metrics, on a listener of its own.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | 200 while the process runs |
//! | `/readyz` | 200 while requests are taken; 503 from the moment it is told to stop |
//! | `/metrics` | Prometheus text; on an address others can reach it wants the admin password |
//! | `/admin/provider-keys` | how many provider keys may be asked and how many rest; with `?provider=…` the keys themselves, by id |
//! | `/admin/provider-keys/restore` | POST: lifts the rests of a provider's keys, or of one |
//!
//! What stands below `/admin/` wants the password as `/metrics` does.

mod provider_keys;
mod service;

pub use service::{Admin, Readiness};
