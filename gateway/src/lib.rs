//! Causeway: one road to every model. The map, in reading order, which is rank order.

// rank 0: plain data
pub mod domain;
pub mod error;
// rank 1
pub mod config;
pub mod mock;
// rank 2: strangers to one another
pub mod adapter;
pub mod auth;
pub mod dialect;
pub mod route;
pub mod upstream;
