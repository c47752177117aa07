//! What a plan may want to know of a request beside its head.

use std::ops::Deref;

use crate::domain::Asks;

/// What a plan may want to know of a request beside its head.
#[derive(Clone, Copy)]
pub struct Facts<'q> {
    /// What is asked, looked for when somebody wants to know.
    pub asks: &'q (dyn Deref<Target = Asks> + Sync + 'q),
    /// The id of the client's dialect.
    pub dialect: &'static str,
    /// The conversation, where the client names it.
    pub session: Option<&'q str>,
    /// Unix time in seconds.
    pub now: u64,
}
