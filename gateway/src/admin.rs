//! The control plane: health, readiness and metrics, on a listener of its own.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | 200 while the process runs |
//! | `/readyz` | 200 while requests are taken; 503 from the moment it is told to stop |
//! | `/metrics` | Prometheus text; on an address others can reach it wants the admin password |
//! | `/admin/api/explain` | which targets a request would get, and why (`?model=…&key=…`), or did get (`?request=<id>`); guarded as `/metrics` |

mod explain;
mod service;

pub use explain::Explaining;
pub use service::{Admin, Readiness};
