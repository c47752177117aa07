//! The control plane: health, readiness and metrics, on a listener of its own.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | 200 while the process runs |
//! | `/readyz` | 200 while requests are taken; 503 from the moment it is told to stop |
//! | `/metrics` | Prometheus text; on an address others can reach it wants the admin password |

mod service;

pub use service::{Admin, Readiness};
