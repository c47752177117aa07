//! The gateway as its users see it: a process with a configuration file, clients before it and providers behind it.

mod adapter;
mod admin;
mod auth;
mod chat;
mod cli;
mod client_sdk;
<<<<<<< HEAD
mod conformance;
mod fault;
mod hard_cases;
=======
mod errors;
mod fault;
mod losses;
>>>>>>> main
mod models;
mod operation;
mod property;
mod reload;
mod route;
mod stream;
mod support;
mod tidy;
mod usage;
mod vendors;
