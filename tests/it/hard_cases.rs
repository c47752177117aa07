//! Forty cases that gateways get wrong, each as a test with its number; README.md lists them with what is expected.
//!
//! Those of translation go through the translation itself (a dialect and an adapter in its sandbox, see `support/translation.rs`), those of
//! bytes and connections through the real binary. Most are also tested elsewhere, in more detail; here each has its name.

mod also;
mod connections;
mod media;
mod settings;
mod streams;
mod thinking;
mod tools;
mod turns;
