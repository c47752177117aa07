//! Random sequences: never more probes than there may be, never shut for ever, and the same phases as a naive model.

use std::time::{Duration, Instant};

use super::{Breaker, Care, Change, Circuit, Entry, Failure, Phase, Ticket, failure, told, with};
use crate::domain::Blame;

/// What a child would write down: how many failed in a row, and what follows.
#[derive(Debug, PartialEq)]
enum Naive {
    Closed { failed: u32 },
    Open { until: Duration, times: u32 },
    Half { succeeded: u32, times: u32 },
}

struct Run {
    circuit: Circuit,
    care: Care,
    breaker: Breaker,
    start: Instant,
    now: Duration,
    naive: Naive,
    /// Requests on their way, with the number of changes when they began.
    running: Vec<(Ticket, u32, bool)>,
    changes: u32,
}

impl Run {
    fn new(seed: &mut fastrand::Rng) -> Self {
        let breaker = Breaker {
            failures: seed.u32(1..5),
            window: None,
            open: Duration::from_secs(seed.u64(1..5)),
            longest: Duration::from_secs(seed.u64(5..20)),
            probes: seed.u32(1..4),
            successes: seed.u32(1..4),
        };
        Self {
            circuit: Circuit::default(),
            care: with(breaker),
            breaker,
            start: Instant::now(),
            now: Duration::ZERO,
            naive: Naive::Closed { failed: 0 },
            running: Vec::new(),
            changes: 0,
        }
    }

    fn at(&self) -> Instant {
        self.start + self.now
    }

    fn probes(&self) -> u32 {
        let here = |(_, began, probe): &&(Ticket, u32, bool)| *probe && *began == self.changes;
        u32::try_from(self.running.iter().filter(here).count()).expect("few")
    }

    fn begin(&mut self) {
        let (may, probe) = match self.naive {
            Naive::Closed { .. } => (true, false),
            Naive::Open { until, .. } => (self.now >= until, true),
            Naive::Half { .. } => (self.probes() < self.breaker.probes, true),
        };
        let admitted = self.circuit.admit(self.at(), &self.care, Entry::Regular);
        assert_eq!(admitted.is_ok(), may, "{:?} at {:?}", self.naive, self.now);
        if let (Naive::Open { times, .. }, true) = (&self.naive, may) {
            self.naive = Naive::Half { succeeded: 0, times: *times };
            self.changes += 1;
        }
        if let Ok((ticket, _)) = admitted {
            self.running.push((ticket, self.changes, probe));
        }
        assert!(self.probes() <= self.breaker.probes);
    }

    fn open(&mut self, times: u32) {
        let time = (self.breaker.open * 2_u32.pow(times.min(10))).min(self.breaker.longest);
        self.naive = Naive::Open { until: self.now + time, times };
        self.changes += 1;
    }

    /// One of those on their way comes back.
    fn end(&mut self, random: &mut fastrand::Rng) {
        if self.running.is_empty() {
            return;
        }
        let (ticket, began, probe) = self.running.swap_remove(random.usize(..self.running.len()));
        let current = began == self.changes;
        match random.u32(0..4) {
            0 => {
                let change = self.circuit.answered(ticket, &self.care);
                match &mut self.naive {
                    Naive::Closed { failed } if current => *failed = 0,
                    Naive::Half { succeeded, .. } if current && probe => {
                        *succeeded += 1;
                        if *succeeded >= self.breaker.successes {
                            assert_eq!(change, Some(Change::Closed));
                            self.naive = Naive::Closed { failed: 0 };
                            self.changes += 1;
                        }
                    }
                    _ => assert_eq!(change, None),
                }
            }
            1 | 2 => {
                self.circuit.failed(ticket, failure(Blame::Network), self.at(), &self.care);
                match &mut self.naive {
                    Naive::Closed { failed } if current => {
                        *failed += 1;
                        if *failed >= self.breaker.failures {
                            self.open(0);
                        }
                    }
                    Naive::Half { times, .. } if current && probe => {
                        let times = *times + 1;
                        self.open(times);
                    }
                    _ => {}
                }
            }
            _ => self.circuit.release(ticket),
        }
    }

    fn agree(&self) {
        let same = match (&self.naive, self.circuit.phase()) {
            (Naive::Closed { .. }, Phase::Closed) => true,
            (Naive::Open { until, .. }, Phase::Open { until: found }) => found == self.start + *until,
            (Naive::Half { succeeded, .. }, Phase::HalfOpen { running, succeeded: found }) => {
                running == self.probes() && found == *succeeded
            }
            _ => false,
        };
        assert!(same, "{:?} and {:?} at {:?}", self.naive, self.circuit, self.now);
    }
}

#[test]
fn it_does_what_a_naive_model_does() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..500 {
        let mut run = Run::new(&mut random);
        for _ in 0..200 {
            match random.u32(0..5) {
                0 | 1 => run.begin(),
                2 | 3 => run.end(&mut random),
                _ => run.now += Duration::from_millis(random.u64(0..3000)),
            }
            run.agree();
        }
    }
}

/// Whatever has happened, a lone target is asked again within a bounded time, and one answer is enough.
#[test]
fn a_lone_target_is_never_out_of_reach_for_ever() {
    const BLAMES: [Blame; 6] =
        [Blame::Route, Blame::Rate, Blame::Overload, Blame::Provider, Blame::Network, Blame::Client];
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..500 {
        let mut run = Run::new(&mut random);
        run.breaker = Breaker { successes: 1, ..run.breaker };
        run.care = with(run.breaker);
        for _ in 0..100 {
            run.now += Duration::from_millis(random.u64(0..3000));
            let now = run.at();
            let Ok((ticket, _)) = run.circuit.admit(now, &run.care, Entry::LastResort) else { continue };
            let how = told(random.choice(BLAMES).expect("one"), random.u64(0..100_000));
            let how = Failure { retry_after: how.retry_after.filter(|_| random.bool()), ..how };
            run.circuit.failed(ticket, how, now, &run.care);
        }
        let longest = run.care.rests.longest_rate.max(run.breaker.longest);
        let now = run.at() + longest;
        let (ticket, _) = run.circuit.admit(now, &run.care, Entry::LastResort).expect("it is asked again");
        run.circuit.answered(ticket, &run.care);
        assert_eq!(run.circuit.phase(), Phase::Closed);
        run.circuit.admit(now, &run.care, Entry::Regular).expect("and then by all");
    }
}
