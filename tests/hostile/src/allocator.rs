//! An allocator that can be told to trap: the host calls it to hand over arguments, before any function runs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

struct Sulking;

static REFUSES: AtomicBool = AtomicBool::new(false);

/// From now on nothing is allocated.
pub(crate) fn refuse() {
    REFUSES.store(true, Ordering::Relaxed);
}

// SAFETY: hands everything to the system's allocator, or ends the program.
unsafe impl GlobalAlloc for Sulking {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSES.load(Ordering::Relaxed) {
            std::process::abort();
        }
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `place` came from `alloc` above, with this layout.
        unsafe { System.dealloc(place, layout) }
    }
}

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Sulking = Sulking;

/// Natively nobody calls it, but it should compile.
#[cfg(not(target_arch = "wasm32"))]
const _: Sulking = Sulking;
