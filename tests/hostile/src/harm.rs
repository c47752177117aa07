//! What eats time, memory or patience. Each of these ends the call, or should.

use std::hint::black_box;

/// Does it, if the mode is one of these.
pub(crate) fn does(mode: &str) {
    match mode {
        "loop" => loop_for_ever(),
        "memory" => eat_memory(),
        "leak" => std::mem::forget(vec![1_u8; 4 << 20]),
        "trap" => std::process::abort(),
        "panic" => panic!("on purpose"),
        "recursion" => drop(dig(u64::MAX)),
        "flood" => flood(),
        "realloc" => crate::allocator::refuse(),
        "handles" => make_handles(),
        _ => {}
    }
}

fn loop_for_ever() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Asks and never writes: filling pages costs time, and on a slow machine the time would run out before the memory.
fn eat_memory() {
    let mut eaten = Vec::new();
    loop {
        eaten.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

/// Not a tail call, and nothing the compiler could fold.
fn dig(depth: u64) -> u64 {
    let room = black_box([depth; 32]);
    if black_box(depth) == 0 { room[0] } else { dig(depth - 1).wrapping_add(black_box(&room)[7]) }
}

/// A thousand lines with everything a log should not hold; twenty of them count.
fn flood() {
    let line = format!("flood\r\n{{\"level\":\"forged\"}}\u{1b}[2J{}", "ü".repeat(4_000));
    for _ in 0..1_000 {
        crate::log(&line);
    }
}

/// Handles cost the host memory, not the guest.
fn make_handles() {
    #[cfg(target_arch = "wasm32")]
    {
        use plugin_sdk::bindings::exports::causeway::adapter::translate as export;
        struct Nothing;
        impl export::GuestResponseStream for Nothing {
            fn push(&self, _: Vec<u8>) -> Result<plugin_sdk::Step, plugin_sdk::Failure> {
                Ok(plugin_sdk::Step::default())
            }
            fn finish(&self) -> Result<plugin_sdk::Step, plugin_sdk::Failure> {
                Ok(plugin_sdk::Step::default())
            }
        }
        loop {
            std::mem::forget(export::ResponseStream::new(Nothing));
        }
    }
}

/// What a module that never comes back from its start function starts with: the tests point the start section here.
#[cfg(target_arch = "wasm32")]
#[unsafe(export_name = "spin")]
extern "C" fn spin() {
    loop_for_ever();
}
