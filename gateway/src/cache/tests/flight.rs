//! Answers that are coming: joined, followed, taken over.

#![expect(clippy::disallowed_methods, reason = "a reader is a task of its own, as a request is")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{kept, named, opening};
use crate::cache::flight::{Driver, Left, Reader};
use crate::cache::flights::{Flights, Lead};
use crate::cache::kept::Refusal;
use crate::cache::sink::Sink;
use crate::domain::{Record, Usage};
use crate::error::{GatewayError, Kind};

/// What the upstream says next: a piece, the end, or a failure.
type Says = Result<Option<&'static str>, &'static str>;

struct Upstream {
    says: mpsc::UnboundedSender<Says>,
    /// It was dropped.
    gone: Arc<AtomicBool>,
}

struct OnDrop(Arc<AtomicBool>, Option<Sink>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
        if let Some(sink) = self.1.take() {
            sink.bill(bill(1));
        }
    }
}

fn bill(output: u64) -> Record {
    Record { usage: Some(Usage { output: Some(output), ..Usage::default() }), ..Record::default() }
}

/// An upstream that says what the test says; a whole answer costs 5, a cut one 1.
fn upstream() -> (Upstream, impl FnOnce(Sink) -> Driver) {
    let (says, mut heard) = mpsc::unbounded_channel::<Says>();
    let gone = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&gone);
    let make = move |sink: Sink| -> Driver {
        Box::pin(async move {
            let mut cut = OnDrop(mark, Some(sink));
            let mut opened = false;
            loop {
                let said = heard.recv().await.unwrap_or(Err("the test is over"));
                let Some(sink) = &cut.1 else { return };
                match said {
                    Ok(Some(piece)) => {
                        if !std::mem::replace(&mut opened, true) {
                            sink.open(opening());
                        }
                        sink.tell(Bytes::from_static(piece.as_bytes())).await;
                    }
                    Ok(None) => {
                        sink.bill(bill(5));
                        sink.finish();
                        cut.1 = None;
                        return;
                    }
                    Err(why) => {
                        sink.bill(bill(0));
                        let error = GatewayError::upstream(Kind::Provider, why);
                        sink.refuse(Refusal { error, headers: http::HeaderMap::new(), reused: false });
                        cut.1 = None;
                        return;
                    }
                }
            }
        })
    };
    (Upstream { says, gone }, make)
}

impl Upstream {
    fn say(&self, piece: &'static str) {
        self.says.send(Ok(Some(piece))).unwrap();
    }

    fn finish(&self) {
        self.says.send(Ok(None)).unwrap();
    }

    fn fail(&self, why: &'static str) {
        self.says.send(Err(why)).unwrap();
    }
}

fn lead(limit: usize) -> Lead {
    Lead { request_id: "leader".to_owned(), asked: named("asked"), limit }
}

fn join(flights: &Flights, limit: usize) -> Reader {
    let never = |_: Sink| -> Driver { panic!("there is a flight already") };
    flights.join_or_lead(named("name"), lead(limit), never).unwrap()
}

async fn next(reader: &mut Reader) -> String {
    String::from_utf8(reader.next().await.unwrap().unwrap().to_vec()).unwrap()
}

async fn rest(reader: &mut Reader) -> String {
    let mut text = String::new();
    while let Some(piece) = reader.next().await.unwrap() {
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    text
}

/// Asks once, as a task does that has other things to wait for.
fn ask_once(reader: &mut Reader) -> bool {
    let next = std::pin::pin!(reader.next());
    next.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn paid(reader: Reader) -> Option<u64> {
    match reader.leave() {
        Left::Paying(record) => record.usage.and_then(|usage| usage.output),
        Left::Free(_) => None,
    }
}

#[tokio::test]
async fn who_comes_late_gets_what_was_said_and_then_what_comes() {
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    upstream.say("a");
    upstream.say("b");
    assert_eq!(leader.opening().await.unwrap().target, "provider/model");
    assert_eq!(next(&mut leader).await, "a");
    let mut follower = join(&flights, 1000);
    assert!(leader.leads() && !follower.leads());
    assert_eq!(follower.opening().await.unwrap().target, "provider/model");
    assert_eq!(next(&mut follower).await, "a");
    assert_eq!(next(&mut follower).await, "b");
    assert_eq!(next(&mut leader).await, "b");
    upstream.say("c");
    upstream.finish();
    assert_eq!((rest(&mut leader).await, rest(&mut follower).await), ("c".to_owned(), "c".to_owned()));
    assert_eq!((paid(follower), paid(leader)), (None, Some(5)));
    assert_eq!(flights.count(), 0);
}

#[tokio::test]
async fn when_the_one_who_pulled_leaves_another_goes_on() {
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    let mut follower = join(&flights, 1000);
    // The follower waits in a task of its own; the leader polls last, so the upstream would wake it.
    let following = tokio::spawn(async move { (rest(&mut follower).await, paid(follower)) });
    tokio::task::yield_now().await;
    assert!(!ask_once(&mut leader));
    assert_eq!(paid(leader), None);
    upstream.say("a");
    upstream.say("b");
    upstream.finish();
    let (heard, pays) = following.await.unwrap();
    assert_eq!((heard.as_str(), pays), ("ab", Some(5)));
    assert!(upstream.gone.load(Ordering::SeqCst));
}

#[tokio::test]
async fn when_nobody_is_left_the_call_ends_and_the_last_one_pays() {
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    let mut follower = join(&flights, 1000);
    upstream.say("a");
    assert_eq!(next(&mut leader).await, "a");
    assert_eq!(paid(leader), None);
    assert!(!upstream.gone.load(Ordering::SeqCst));
    assert_eq!(next(&mut follower).await, "a");
    assert_eq!(paid(follower), Some(1));
    assert!(upstream.gone.load(Ordering::SeqCst));
    assert_eq!(flights.count(), 0);
}

#[tokio::test]
async fn what_fails_fails_for_all_and_the_next_one_asks_anew() {
    let flights = Flights::default();
    let (first, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    let mut follower = join(&flights, 1000);
    first.fail("no answer");
    for reader in [&mut leader, &mut follower] {
        assert_eq!(reader.opening().await.unwrap_err().error.message, "no answer");
    }
    let (second, make) = upstream();
    let mut next_leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    assert!(next_leader.leads());
    second.say("a");
    second.fail("in the middle");
    drop((leader, follower));
    assert_eq!(flights.count(), 1, "the new flight is the one that is listed");
    assert_eq!(next(&mut next_leader).await, "a");
    assert_eq!(next_leader.next().await.unwrap_err().error.message, "in the middle");
}

#[tokio::test]
async fn a_flight_of_the_same_name_that_asks_something_else_is_not_joined() {
    let flights = Flights::default();
    let (_upstream, make) = upstream();
    let _leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    let other = Lead { asked: named("something else"), ..lead(1000) };
    let never = |_: Sink| -> Driver { panic!("the name is taken") };
    assert!(flights.join_or_lead(named("name"), other, never).is_none());
}

#[tokio::test]
async fn beyond_the_bound_nobody_joins_and_a_slow_reader_loses_nothing() {
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(4), make).unwrap();
    let mut slow = join(&flights, 4);
    for piece in ["aa", "bb", "cc", "dd"] {
        upstream.say(piece);
    }
    upstream.finish();
    let mut heard = String::new();
    for _ in 0..3 {
        heard.push_str(&next(&mut leader).await);
    }
    assert_eq!(heard, "aabbcc");
    // More than the bound lies before the slow one: now it is waited for.
    assert!(!ask_once(&mut leader));
    let (late, make) = super::flight::upstream();
    let late_reader = flights.join_or_lead(named("name"), lead(4), make).unwrap();
    assert!(late_reader.leads(), "the beginning is gone");
    drop((late, late_reader));
    let (fast, slow) = tokio::join!(rest(&mut leader), rest(&mut slow));
    assert_eq!((fast.as_str(), slow.as_str()), ("dd", "aabbccdd"));
}

#[tokio::test]
async fn an_upstream_that_is_always_ready_is_read_to_its_end() {
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(1 << 20), make).unwrap();
    let mut follower = join(&flights, 1 << 20);
    for _ in 0..10_000 {
        upstream.say("x");
    }
    upstream.finish();
    let (one, other) = tokio::join!(rest(&mut leader), rest(&mut follower));
    assert_eq!((one.len(), other.len()), (10_000, 10_000));
}

#[tokio::test]
async fn a_slow_reader_that_leaves_holds_up_nobody() {
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(2), make).unwrap();
    let slow = join(&flights, 2);
    for piece in ["aa", "bb", "cc"] {
        upstream.say(piece);
    }
    upstream.finish();
    let reading = tokio::spawn(async move { rest(&mut leader).await });
    tokio::task::yield_now().await;
    assert_eq!(paid(slow), None);
    assert_eq!(reading.await.unwrap(), "aabbcc");
}

#[tokio::test]
async fn a_maker_that_panics_ends_the_answer_for_the_others() {
    let flights = Flights::default();
    let make = |sink: Sink| -> Driver {
        Box::pin(async move {
            sink.open(opening());
            sink.tell(Bytes::from_static(b"a")).await;
            panic!("a maker of a test");
        })
    };
    let mut leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    let mut follower = join(&flights, 1000);
    assert_eq!(next(&mut leader).await, "a");
    assert_eq!(next(&mut follower).await, "a");
    assert!(tokio::spawn(async move { drop(leader.next().await) }).await.is_err());
    assert_eq!(follower.next().await.unwrap_err().error.kind, Kind::Internal);
}

#[tokio::test]
async fn an_answer_that_is_complete_reads_like_one_that_comes() {
    let mut reader = Reader::of(&kept(&["a", "b"]), "cache");
    let opening = reader.opening().await.unwrap();
    assert_eq!(opening.reused.as_ref().map(|reused| (reused.kind, reused.made)), Some(("cache", 1_000)));
    assert_eq!(next(&mut reader).await, "a");
    assert_eq!(rest(&mut reader).await, "b");
    match reader.leave() {
        Left::Free(usage) => assert_eq!(usage.unwrap().output, Some(9)),
        Left::Paying(_) => panic!("it was paid for when it was made"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_on_many_threads_hears_the_same() {
    for round in 0..50 {
        let flights = Flights::default();
        let (upstream, make) = upstream();
        let leader = flights.join_or_lead(named("name"), lead(1 << 20), make).unwrap();
        let mut crowd = vec![leader];
        crowd.extend((0..19).map(|_| join(&flights, 1 << 20)));
        // A third of them leaves in the middle, the leader among them.
        let tasks: Vec<_> = crowd
            .into_iter()
            .enumerate()
            .map(|(number, mut reader)| {
                tokio::spawn(async move {
                    let mut heard = String::new();
                    while let Some(piece) = reader.next().await.unwrap() {
                        heard.push_str(std::str::from_utf8(&piece).unwrap());
                        if number % 3 == 0 && heard.len() > 20 {
                            return (String::new(), paid(reader));
                        }
                    }
                    (heard, paid(reader))
                })
            })
            .collect();
        let saying = tokio::spawn(async move {
            for _ in 0..100 {
                upstream.say("x");
                if fastrand::u8(..4) == 0 {
                    tokio::task::yield_now().await;
                }
            }
            upstream.finish();
        });
        saying.await.unwrap();
        let mut bills = 0;
        for (number, task) in tasks.into_iter().enumerate() {
            let waited = tokio::time::timeout(std::time::Duration::from_secs(30), task).await;
            let (heard, pays) = waited.expect("a reader was never woken").unwrap();
            assert!(heard.len() == 100 || number % 3 == 0, "round {round}: {}", heard.len());
            bills += u32::from(pays.is_some());
        }
        assert_eq!(bills, 1, "round {round}");
    }
}

#[test]
fn a_poll_that_finds_the_maker_busy_is_not_lost() {
    // Polled twice without a wake in between: nothing is there, and nothing breaks.
    let flights = Flights::default();
    let (upstream, make) = upstream();
    let mut leader = flights.join_or_lead(named("name"), lead(1000), make).unwrap();
    assert!(!ask_once(&mut leader));
    assert!(!ask_once(&mut leader));
    upstream.say("a");
    let mut next = Box::pin(leader.next());
    let polled = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(Some(_)))));
}
