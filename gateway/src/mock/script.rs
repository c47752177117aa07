//! The body of an answer as a list of steps: send, wait, cut, hang.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use super::fault::Fault;
use super::record::Watch;
use super::settings::Knobs;

/// Long enough for what was sent before a cut to leave the machine.
const BEFORE_CUT: Duration = Duration::from_millis(5);
/// Pieces of a whole answer that is sent slowly.
const SLOW_PIECES: usize = 8;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Send(Bytes),
    Wait(Duration),
    Cut,
    Hang,
}

/// What a stream consists of: events, and the vendor's error in case one is wanted in between.
pub(super) struct Stream {
    pub(super) events: Vec<Bytes>,
    pub(super) error: Bytes,
}

/// The steps of a stream: the events, paced, with the fault in its place.
pub(super) fn stream(stream: Stream, knobs: &Knobs) -> Vec<Step> {
    let mut steps = opening(knobs.first_token);
    let pace = if knobs.rate > 0.0 { Some(Duration::from_secs_f64(1.0 / knobs.rate)) } else { None };
    let pause = knobs.fault.and_then(Fault::pause).or(pace);
    for (index, event) in stream.events.into_iter().enumerate() {
        match knobs.fault {
            Some(Fault::Cut(events)) if events == index => {
                steps.push(Step::Cut);
                return steps;
            }
            Some(Fault::HangAfter(events)) if events == index => {
                steps.push(Step::Hang);
                return steps;
            }
            Some(Fault::ErrorEvent(events)) if events == index => {
                steps.push(Step::Send(stream.error));
                return steps;
            }
            _ => {}
        }
        if let Some(pause) = pause.filter(|_| index > 0) {
            steps.push(Step::Wait(pause));
        }
        steps.push(Step::Send(event));
    }
    bytewise(steps, knobs.fault)
}

/// The steps of an answer that is not a stream.
pub(super) fn whole(body: Vec<u8>, knobs: &Knobs, pieces: usize) -> Vec<Step> {
    let mut wait = knobs.first_token;
    if knobs.rate > 0.0 {
        // As long as the same answer would have taken as a stream.
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        wait += Duration::from_secs_f64(f64::from(pieces) / knobs.rate);
    }
    let mut steps = opening(wait);
    let half = body.len() / 2;
    let body = Bytes::from(body);
    match knobs.fault {
        Some(Fault::Cut(_)) => steps.extend([Step::Send(body.slice(..half)), Step::Cut]),
        Some(Fault::HangAfter(_)) => steps.extend([Step::Send(body.slice(..half)), Step::Hang]),
        Some(Fault::Slow(pause)) => {
            for piece in pieces_of(&body, body.len().div_ceil(SLOW_PIECES)) {
                steps.extend([Step::Wait(Duration::from_millis(pause)), Step::Send(piece)]);
            }
        }
        _ => steps.push(Step::Send(body)),
    }
    bytewise(steps, knobs.fault)
}

fn opening(wait: Duration) -> Vec<Step> {
    if wait.is_zero() { Vec::new() } else { vec![Step::Wait(wait)] }
}

/// The faults that count bytes.
fn bytewise(steps: Vec<Step>, fault: Option<Fault>) -> Vec<Step> {
    match fault {
        Some(Fault::CutBytes(most)) => cut_after(steps, most),
        Some(Fault::Trickle(size)) => {
            let mut small = Vec::new();
            for step in steps {
                let Step::Send(bytes) = step else {
                    small.push(step);
                    continue;
                };
                for piece in pieces_of(&bytes, size) {
                    // A wait of no time lets the bytes before it leave in a write of their own.
                    small.extend([Step::Send(piece), Step::Wait(Duration::ZERO)]);
                }
            }
            small
        }
        _ => steps,
    }
}

fn cut_after(steps: Vec<Step>, most: usize) -> Vec<Step> {
    let mut left = most;
    let mut kept = Vec::new();
    for step in steps {
        match step {
            Step::Send(bytes) if bytes.len() > left => {
                kept.push(Step::Send(bytes.slice(..left)));
                break;
            }
            Step::Send(bytes) => {
                left -= bytes.len();
                kept.push(Step::Send(bytes));
            }
            step => kept.push(step),
        }
    }
    kept.push(Step::Cut);
    kept
}

fn pieces_of(bytes: &Bytes, size: usize) -> Vec<Bytes> {
    let size = size.max(1);
    (0..bytes.len()).step_by(size).map(|start| bytes.slice(start..(start + size).min(bytes.len()))).collect()
}

/// A body that plays its steps.
pub(super) struct Script {
    steps: VecDeque<Step>,
    /// The time the last wait ended by plan, so that waits do not add up their lateness.
    clock: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    watch: Watch,
}

impl Script {
    pub(super) fn new(steps: Vec<Step>, watch: Watch) -> Self {
        Self { steps: steps.into(), clock: Instant::now(), timer: None, watch }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(timer) = &mut self.timer {
                if timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.timer = None;
            }
            match self.steps.pop_front() {
                Some(Step::Send(bytes)) if bytes.is_empty() => {}
                Some(Step::Send(bytes)) => {
                    self.watch.sent();
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(Duration::ZERO)) => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Wait(pause)) => {
                    self.clock += pause;
                    self.timer = Some(Box::pin(tokio::time::sleep_until(self.clock)));
                }
                Some(Step::Cut) if self.watch.is_open() => {
                    self.watch.finish();
                    self.steps.push_front(Step::Cut);
                    self.timer = Some(Box::pin(tokio::time::sleep(BEFORE_CUT)));
                }
                Some(Step::Cut) => return Poll::Ready(Some(Err(io::Error::other("cut on purpose")))),
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                None => {
                    self.watch.complete();
                    return Poll::Ready(None);
                }
            }
        }
    }
}
