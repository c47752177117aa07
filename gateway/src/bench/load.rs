//! A load: who asks when.

use std::io;
use std::thread;
use std::time::Duration;

use super::address::Request;
use super::clock::{now, sleep_until, wake_in_time};
use super::connection::Connection;
use super::events::{self, Events};
use super::tally::{Outcome, Tally};

/// A thread's stack: it holds buffers on the heap.
const STACK: usize = 192 << 10;
/// All threads are there before the first request is due.
const AHEAD: Duration = Duration::from_millis(50);
/// Streams begin spread over this time, not in lockstep.
const SPREAD: Duration = Duration::from_millis(100);
/// After an error, so that a gateway that refuses at once is not asked a million times.
const AFTER_ERROR: Duration = Duration::from_millis(5);
/// What is kept of an answer that is an error.
const SAID: usize = 300;

/// When requests are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pattern {
    /// Each connection asks again when it has its answer.
    Saturate,
    /// So many requests a second, whether answers come or not.
    Rate(f64),
}

/// What is asked, how often, for how long.
#[derive(Clone, Debug)]
pub struct Load {
    pub request: Request,
    pub pattern: Pattern,
    pub connections: usize,
    pub duration: Duration,
    /// Answers are server-sent events.
    pub stream: bool,
}

/// When one connection asks.
#[derive(Clone, Copy)]
struct Schedule {
    begins: u64,
    ends: u64,
    pattern: Pattern,
    connections: u64,
}

impl Schedule {
    /// When the request of that number is to be sent; none: not any more.
    fn due(&self, number: u64) -> Option<u64> {
        let due = match self.pattern {
            Pattern::Saturate => now(),
            Pattern::Rate(rate) => self.begins + (number as f64 * 1e9 / rate) as u64,
        };
        (due < self.ends).then_some(due)
    }

    /// A rate that is not held is followed as long again, and no longer.
    fn gives_up(&self) -> u64 {
        self.ends + (self.ends - self.begins)
    }
}

impl Load {
    /// Asks until the time is over; every request that was begun is also ended. Of a rate that is not held, requests that
    /// were not sent when twice the time was over are errors.
    ///
    /// # Errors
    /// When no thread can be made. What goes wrong with requests is in the outcome.
    pub fn run(&self) -> Result<Outcome, String> {
        let connections = self.connections.max(1) as u64;
        let begins = now() + nanoseconds(AHEAD) + connections * 20_000;
        let ends = begins + nanoseconds(self.duration);
        let schedule = Schedule { begins, ends, pattern: self.pattern, connections };
        let mut sum = Tally::new()?;
        let empty = sum.clone();
        let asked: Result<(), String> = thread::scope(|scope| {
            let threads = (0..connections).map(|index| {
                let tally = empty.clone();
                let ask = move || self.ask(index, schedule, tally);
                thread::Builder::new().stack_size(STACK).spawn_scoped(scope, ask)
            });
            let threads: io::Result<Vec<_>> = threads.collect();
            let threads = threads.map_err(|error| format!("cannot start {connections} threads: {error}"))?;
            for thread in threads {
                sum.add(thread.join().map_err(|_| "a thread of the load ended early".to_owned())?);
            }
            Ok(())
        });
        asked?;
        Ok(sum.outcome((now() - begins) as f64 / 1e9))
    }

    /// One connection's share.
    fn ask(&self, index: u64, schedule: Schedule, mut tally: Tally) -> Tally {
        wake_in_time();
        let mut connection = Connection::new(self.request.address);
        // A connection that cannot be opened is told by the first request.
        let _ = connection.open();
        let spread = if self.stream { nanoseconds(SPREAD) * index / schedule.connections } else { 0 };
        sleep_until(schedule.begins + spread);
        let mut number = index;
        while let Some(due) = schedule.due(number) {
            if now() > schedule.gives_up() {
                let numbers = (number..).step_by(usize::try_from(schedule.connections).unwrap_or(usize::MAX));
                tally.late(numbers.take_while(|number| schedule.due(*number).is_some()).count() as u64);
                break;
            }
            if due > now() {
                sleep_until(due);
            }
            if !self.once(&mut connection, due, &mut tally) {
                thread::sleep(AFTER_ERROR);
            }
            number += schedule.connections;
        }
        tally.opened = connection.opened;
        tally
    }

    /// One request; whether it was answered.
    fn once(&self, connection: &mut Connection, due: u64, tally: &mut Tally) -> bool {
        let mut seen = Seen::default();
        let stream = self.stream;
        let ended = connection.exchange(&self.request.bytes, |piece, at| {
            seen.bytes += piece.len() as u64;
            let room = SAID.saturating_sub(seen.said.len());
            // Only the first answers are kept in part: they say what went wrong.
            if room > 0 && tally.answered == 0 {
                seen.said.extend(piece.iter().take(room));
            }
            if stream {
                seen.stream(piece, at, tally);
            }
            true
        });
        let took = now().saturating_sub(due);
        tally.bytes += seen.bytes;
        let said = || String::from_utf8_lossy(&seen.said).into_owned();
        match ended {
            Ok(200) if stream && !seen.is_whole() => {
                tally.error("stream", || format!("a stream without its end: {}", said()));
            }
            Ok(200) => {
                tally.answer(seen.bytes, stream.then_some(seen.events));
                tally.latency.record(took);
                if let Some(first) = seen.first {
                    tally.first_event.record(first.saturating_sub(due));
                }
                return true;
            }
            Ok(status) => tally.error(&status.to_string(), || format!("status {status}: {}", said())),
            Err(error) => tally.error("none", || error.to_string()),
        }
        false
    }
}

/// What came of one answer so far.
#[derive(Default)]
struct Seen {
    bytes: u64,
    said: Vec<u8>,
    pending: Events,
    events: u64,
    first: Option<u64>,
    last: u64,
    ended: bool,
    failed: bool,
}

impl Seen {
    fn stream(&mut self, piece: &[u8], at: u64, tally: &mut Tally) {
        let Self { pending, events, first, last, ended, failed, .. } = self;
        pending.push(piece, |event| {
            *ended |= events::is_last(event);
            *failed |= events::is_error(event);
            if !events::has_data(event) {
                return;
            }
            *events += 1;
            tally.events += 1;
            if first.is_none() {
                *first = Some(at);
            } else {
                tally.between.record(at - *last);
            }
            *last = at;
            if let Some(written) = events::mark(event) {
                tally.marked += 1;
                tally.age.record(at.saturating_sub(written));
            }
        });
    }

    fn is_whole(&self) -> bool {
        self.ended && !self.failed
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 4)
}
