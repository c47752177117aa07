//! What is asked of the server: one Lua script per verb, so that each is one step for everybody else.

use redis::Script;

/// The scripts of the store.
pub(super) struct Verbs {
    pub(super) establish: Script,
    pub(super) write: Script,
    /// The same for batches that only remove: a full server must take them.
    pub(super) remove: Script,
    pub(super) swap: Script,
    pub(super) increment: Script,
    pub(super) scan: Script,
    pub(super) sweep: Script,
    pub(super) hold: Script,
    pub(super) settle: Script,
    pub(super) look: Script,
    pub(super) raise: Script,
}

/// A first line makes the server ask before the script begins whether it may: without it, a script that removes before it
/// writes would be let through by a full server.
const ASKED_BEFORE: &str = "#!lua\n";
const EVEN_WHEN_FULL: &str = "#!lua flags=allow-oom\n";
const ONLY_READS: &str = "#!lua flags=no-writes\n";

impl Verbs {
    pub(super) fn new() -> Self {
        let on_records =
            |first: &str, code: &str| Script::new(&[first, include_str!("lua/book.lua"), code].concat());
        let on_counters =
            |first: &str, code: &str| Script::new(&[first, include_str!("lua/count.lua"), code].concat());
        Self {
            establish: Script::new(include_str!("lua/establish.lua")),
            write: on_records(ASKED_BEFORE, include_str!("lua/write.lua")),
            remove: on_records(EVEN_WHEN_FULL, include_str!("lua/write.lua")),
            swap: on_records(ASKED_BEFORE, include_str!("lua/swap.lua")),
            increment: on_records(ASKED_BEFORE, include_str!("lua/increment.lua")),
            scan: on_records(ONLY_READS, include_str!("lua/scan.lua")),
            sweep: on_records(EVEN_WHEN_FULL, include_str!("lua/sweep.lua")),
            hold: on_counters(ASKED_BEFORE, include_str!("lua/hold.lua")),
            settle: on_counters(EVEN_WHEN_FULL, include_str!("lua/settle.lua")),
            look: on_counters(EVEN_WHEN_FULL, include_str!("lua/look.lua")),
            raise: on_counters(EVEN_WHEN_FULL, include_str!("lua/raise.lua")),
        }
    }
}
