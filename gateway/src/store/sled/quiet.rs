//! Panics inside sled: caught, and told in our words instead of on stderr.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether what panics on this thread is told by its caller.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs something of sled's; a panic is an error with its text.
pub(super) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panicked| {
            // sled's own threads have no caller; the thread that waits for them tells.
            let its_own = std::thread::current().name().is_some_and(|name| name.starts_with("sled"));
            if !QUIET.get() && !its_own {
                usual(panicked);
            }
        }));
    });
    let before = QUIET.replace(true);
    let done = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(before);
    done.map_err(|panic| text(panic.as_ref()))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    // The first line: what follows is for whoever writes sled.
    let line = text.and_then(|text| text.lines().next()).unwrap_or("no reason given");
    format!("the engine panicked over them ({line})")
}
