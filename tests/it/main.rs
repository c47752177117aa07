//! The gateway as its users see it: a process with a configuration file, clients before it and providers behind it.

mod adapter;
mod admin;
mod auth;
mod chat;
mod cli;
mod client_agent;
mod client_sdk;
mod completions;
mod errors;
mod fault;
mod losses;
mod models;
mod ollama;
mod operation;
mod reload;
mod responses;
mod route;
mod store;
mod stream;
mod support;
mod tidy;
mod usage;
mod vault;
mod vendors;
