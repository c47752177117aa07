//! Causeway: one road to every model. The map, in reading order, which is rank order.
//!
//! A module uses only modules of lower ranks; modules of one rank are strangers to one another. A test keeps it so.

// rank 6: the command line
pub mod cli;
// rank 5: construct, wire, listen
pub mod app;
pub mod server;
// rank 4: compose; they do not know each other
pub mod admin;
pub mod conform;
pub mod proxy;
// rank 3: what a request looks up
pub mod state;
// rank 2: strangers to one another
pub mod account;
pub mod adapter;
pub mod auth;
pub mod cache;
pub mod conversation;
pub mod dialect;
pub mod limit;
pub mod people;
pub mod route;
pub mod upstream;
pub mod vault;
// rank 1
pub mod bench;
pub mod config;
pub mod mock;
pub mod observe;
pub mod seal;
pub mod store;
// rank 0: plain data, and arithmetic on it
pub mod balance;
pub mod domain;
pub mod error;
