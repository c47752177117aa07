//! The gateway as its users see it: a process with a configuration file, clients before it and providers behind it.

mod adapter;
mod chat;
mod support;
mod tidy;
