//! Memory and time limits per call, and what a broken limit looks like to the rest of the gateway.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::{ResourceLimiter, Store, Trap, UpdateDeadline};

use crate::error::GatewayError;

/// Limits of one adapter. Both grow with the bytes handed over, so that a large body is not a crime:
/// memory by four times the bytes, time by 100 ms for each MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory per instance (`[plugins.x] memory`).
    pub memory: usize,
    /// CPU time per call (`[plugins.x] budget`).
    pub budget: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, budget: Duration::from_millis(50) }
    }
}

/// What a store carries: its limits, and how much of them is used.
pub(super) struct Confined {
    limits: Limits,
    /// Bytes allowed to the call that runs now.
    memory_cap: usize,
    memory_used: usize,
    memory_refused: bool,
    /// CPU time of this thread when the call must end.
    deadline: Duration,
    pub(super) adapter: String,
    /// Lines this call may still log.
    pub(super) log_lines_left: u8,
}

impl Confined {
    pub(super) fn new(adapter: &str, limits: Limits) -> Self {
        Self {
            limits,
            memory_cap: limits.memory,
            memory_used: 0,
            memory_refused: false,
            deadline: Duration::ZERO,
            adapter: adapter.to_owned(),
            log_lines_left: 0,
        }
    }

    /// Bytes of linear memory in use; it never shrinks.
    pub(super) fn memory_used(&self) -> usize {
        self.memory_used
    }
}

impl ResourceLimiter for Confined {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_used.saturating_add(desired.saturating_sub(current));
        if total > self.memory_cap {
            self.memory_refused = true;
            return Ok(false);
        }
        self.memory_used = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 20_000)
    }
}

/// A store whose guest is bound to its limits.
pub(super) fn store(engine: &wasmtime::Engine, adapter: &str, limits: Limits) -> Store<Confined> {
    let mut store = Store::new(engine, Confined::new(adapter, limits));
    store.limiter(|confined| confined);
    // One stream at a time; handles cost the host memory, not the guest.
    store.set_max_component_handles(64);
    // The epoch only says that a tick went by; what counts is this thread's CPU time, so that a busy
    // machine does not make an honest adapter look like a looping one.
    store.epoch_deadline_callback(|context| {
        Ok(if cpu_time() >= context.data().deadline {
            UpdateDeadline::Interrupt
        } else {
            UpdateDeadline::Continue(1)
        })
    });
    store
}

/// Runs one call into the guest. After an error the store must not be used again.
pub(super) fn call<T>(
    store: &mut Store<Confined>,
    bytes: usize,
    function: &'static str,
    run: impl FnOnce(&mut Store<Confined>) -> wasmtime::Result<T>,
) -> Result<T, GatewayError> {
    let confined = store.data_mut();
    let limits = confined.limits;
    // 100 ns a byte: several times what our own adapters need on a quiet machine, as CPU time grows on a busy one.
    let allowance = Duration::from_nanos((bytes as u64).saturating_mul(100));
    confined.memory_cap = limits.memory.saturating_add(bytes.saturating_mul(4));
    confined.memory_refused = false;
    confined.deadline = cpu_time() + limits.budget + allowance;
    confined.log_lines_left = 20;
    // A guest may hand over the same piece of its memory many times; the host would copy it as often.
    let fuel = confined.memory_cap;
    store.set_hostcall_fuel(fuel);
    store.set_epoch_deadline(1);
    run(store).map_err(|error| judge(store.data(), function, &error))
}

fn judge(confined: &Confined, function: &'static str, error: &wasmtime::Error) -> GatewayError {
    let adapter = &confined.adapter;
    let message = match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            format!("adapter `{adapter}` used up its {:?} in {function}", confined.limits.budget)
        }
        _ if confined.memory_refused => {
            format!(
                "adapter `{adapter}` asked for more than its {} bytes of memory in {function}",
                confined.memory_cap
            )
        }
        Some(trap) => format!("adapter `{adapter}` trapped in {function}: {trap}"),
        None => format!("adapter `{adapter}` failed in {function}"),
    };
    GatewayError::plugin(message).context(format!("{error:#}").replace('\n', " "))
}

fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    // Both fields are positive by definition of the clock.
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
