//! The monotonic clock in nanoseconds, and a sleep that ends when it should.

use std::num::NonZeroU64;

use rustix::thread::{clock_nanosleep_absolute, set_current_timer_slack};
use rustix::time::{ClockId, Timespec, clock_gettime};

const SECOND: u64 = 1_000_000_000;

/// `CLOCK_MONOTONIC` in nanoseconds: the same for all processes of a machine, so that one may stamp what another reads.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * SECOND + now.tv_nsec.unsigned_abs()
}

/// Sleeps until [`now`] is `moment`.
pub(super) fn sleep_until(moment: u64) {
    let seconds = i64::try_from(moment / SECOND).unwrap_or(i64::MAX);
    let nanoseconds = i64::try_from(moment % SECOND).unwrap_or_default();
    let until = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    while let Err(rustix::io::Errno::INTR) = clock_nanosleep_absolute(ClockId::Monotonic, &until) {}
}

/// The kernel may wake a thread 50 µs late by default, which would be in every figure.
pub(super) fn wake_in_time() {
    // Where it cannot be set, figures are a little worse, for all who are compared.
    let _ = set_current_timer_slack(NonZeroU64::new(1));
}
