//! The ledger: every request to a provider leaves one row, and what the rows say is what the provider counted itself.

mod books;
mod crash;
mod identity;
mod restored;
mod rows;
