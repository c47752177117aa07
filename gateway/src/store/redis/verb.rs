//! What is asked of the server: one Lua script per verb, so that each is one step for everybody else.

use redis::Script;

/// The scripts of the store.
pub(super) struct Verbs {
    pub(super) establish: Script,
    pub(super) write: Script,
    pub(super) swap: Script,
    pub(super) increment: Script,
    pub(super) scan: Script,
    pub(super) sweep: Script,
}

impl Verbs {
    pub(super) fn new() -> Self {
        let on_records = |code: &str| Script::new(&[include_str!("lua/book.lua"), code].concat());
        Self {
            establish: Script::new(include_str!("lua/establish.lua")),
            write: on_records(include_str!("lua/write.lua")),
            swap: on_records(include_str!("lua/swap.lua")),
            increment: on_records(include_str!("lua/increment.lua")),
            scan: on_records(include_str!("lua/scan.lua")),
            sweep: on_records(include_str!("lua/sweep.lua")),
        }
    }
}
