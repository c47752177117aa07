//! The control plane: health, metrics and the admin API, on a listener and a runtime of its own.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | 200 while the process runs |
//! | `/readyz` | 200 while requests are taken; 503 from the moment it is told to stop |
//! | `/metrics` | Prometheus text; open on loopback, else it wants the admin password (`[admin] metrics`) |
//! | `/admin/api/openapi.json` | all of `/admin/api/…`, as OpenAPI 3.1 |
//!
//! `service` listens; `router` is the list of all operations; `rights` says who may do each of them; `guard` stands before
//! all of them: it knows who asks (`caller`, `sessions`, `tries`), refuses what is not allowed and has every change noted
//! (`audit`). Each resource is a file with its handlers and a function `routes`. `desk` is what handlers work with, `reading`
//! how they read what is asked, `refusal` how they say no.

mod audit;
mod caller;
mod config;
mod credits;
mod desk;
mod dollars;
mod explain;
mod guard;
mod health;
mod keys;
mod limits;
mod listed;
mod me;
mod models;
mod oidc;
mod openapi;
mod overview;
mod password;
mod plugins;
mod prices;
mod provider_keys;
mod providers;
mod reading;
mod refusal;
mod reprice;
mod requests;
mod rights;
mod router;
mod row_view;
mod running;
mod service;
mod session;
mod sessions;
mod settings;
mod sign_ups;
mod span;
mod straight;
mod targets;
mod teams;
mod tries;
mod usage;
mod users;

pub use config::{Control, Reloaded};
pub use desk::{Desk, Parts};
pub use health::Readiness;
pub use password::{Password, password};
pub use service::Service;
