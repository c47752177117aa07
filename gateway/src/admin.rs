//! The control plane: health, readiness and metrics, on a listener of its own.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | 200 while the process runs |
//! | `/readyz` | 200 while requests are taken; 503 from the moment it is told to stop |
//! | `/metrics` | Prometheus text; on an address others can reach it wants the admin password |
//! | `/admin/targets` | how every target is doing, as JSON |
//! | `/admin/targets/lift` | POST `?target=provider/model`, `?provider=…` or `?all=true`: whatever there is against it is forgotten |
//! | `/admin/targets/rest` | POST the same and `&for=10m`: it is not asked for so long |
//! | `/admin/provider-keys` | how many provider keys may be asked and how many rest; with `?provider=…` the keys themselves, by id |
//! | `/admin/provider-keys/restore` | POST: lifts the rests of a provider's keys, or of one |
//! | `/admin/api/explain` | which targets a request would get, and why (`?model=…&key=…`), or did get (`?request=<id>`) |
//!
//! What stands below `/admin/` wants the password as `/metrics` does.

mod explain;
mod provider_keys;
mod service;
mod targets;

pub use explain::Explaining;
pub use service::{Admin, Readiness};
pub use targets::Targets;
