//! The data plane: the life of a request.
//!
//! `service` takes an exchange from Pingora and hands it to `pipeline`, which is the product: find the dialect,
//! know the key, read the body, plan, hold what may be used (`permit`), try targets until one answers, deliver. `walk` walks the plan, `attempt` is one try
//! at one target and `attempt/came` reads what came back; `vigil` keeps the client company meanwhile. `answer` is what
//! came back, unsent; `booked` is the row of the ledger that each attempt leaves; `deliver` is the commit point, after which there is no other attempt. Whatever
//! happens, `service` hands one [`Record`](crate::domain::Record) to `observe`.

mod answer;
mod asked;
mod attempt;
mod booked;
mod cache_marks;
mod changes;
mod counted;
mod deliver;
mod door;
mod exchange;
mod hedge;
mod judged;
mod keeper;
mod limit_headers;
mod losses;
mod own_request;
mod pass_on;
mod permit;
mod pipeline;
mod provider_key;
mod rate_headers;
mod recall;
mod receive;
mod reject;
mod replay;
mod room;
mod service;
mod show;
mod spent;
mod stream;
mod vigil;
mod walk;

pub use own_request::OwnRequest;
pub use service::{Gateway, Ground};
