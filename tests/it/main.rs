//! The gateway as its users see it: a process with a configuration file, clients before it and providers behind it.

mod adapter;
mod admin;
mod auth;
mod chat;
mod cli;
mod client_agent;
mod client_cloud;
mod client_sdk;
mod cloud;
mod completions;
mod conformance;
mod errors;
mod fault;
mod hard_cases;
mod losses;
mod models;
mod ollama;
mod operation;
mod property;
mod reload;
mod route;
mod stream;
mod support;
mod tidy;
mod usage;
mod vendors;
