//! When a token is fetched, by whom, and what the others get meanwhile. The clock is a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Cell, Fetched};
use crate::domain::Secret;
use crate::error::{GatewayError, Kind};

/// A cell, a clock that is set, an endpoint that counts.
struct Bench {
    cell: Cell,
    begin: Instant,
    seconds: AtomicU64,
    calls: AtomicUsize,
}

impl Bench {
    fn new() -> Self {
        let (cell, seconds, calls) = (Cell::default(), AtomicU64::new(0), AtomicUsize::new(0));
        Self { cell, begin: Instant::now(), seconds, calls }
    }

    fn at(&self, seconds: u64) -> &Self {
        self.seconds.store(seconds, Ordering::SeqCst);
        self
    }

    async fn get(&self, scope: &str, lifetime: Option<u64>) -> Result<String, Kind> {
        let clock = || self.begin + Duration::from_secs(self.seconds.load(Ordering::SeqCst));
        let fetch = async {
            let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
            match lifetime {
                Some(seconds) => Ok(Fetched {
                    token: Secret::new(format!("token-{call}")),
                    lifetime: Duration::from_secs(seconds),
                }),
                None => Err(GatewayError::upstream(Kind::Authentication, "refused")),
            }
        };
        let token = self.cell.get(scope, clock, fetch).await;
        token.map(|token| token.expose().to_owned()).map_err(|error| error.kind)
    }
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let bench = Bench::new();
    for (second, token) in [
        (0, "token-1"),
        (3299, "token-1"), // 300 s before its end it is renewed
        (3300, "token-2"),
        (6500, "token-2"),
        (20_000, "token-3"),
    ] {
        assert_eq!(bench.at(second).get("s", Some(3600)).await.as_deref(), Ok(token), "{second}");
    }
}

#[tokio::test]
async fn a_short_life_is_used_up_to_its_last_quarter() {
    let bench = Bench::new();
    for (second, token) in [(0, "token-1"), (29, "token-1"), (30, "token-2"), (31, "token-2")] {
        assert_eq!(bench.at(second).get("s", Some(40)).await.as_deref(), Ok(token), "{second}");
    }
}

#[tokio::test]
async fn the_old_token_serves_while_it_holds_and_the_endpoint_does_not() {
    let bench = Bench::new();
    assert_eq!(bench.get("s", Some(3600)).await.as_deref(), Ok("token-1"));
    assert_eq!(bench.at(3400).get("s", None).await.as_deref(), Ok("token-1"));
    // The endpoint is left alone for a moment.
    assert_eq!(bench.at(3401).get("s", None).await.as_deref(), Ok("token-1"));
    assert_eq!(bench.calls.load(Ordering::SeqCst), 2);
    assert_eq!(bench.at(3420).get("s", Some(3600)).await.as_deref(), Ok("token-3"));
    // Nothing is sent that ends on the way.
    assert_eq!(bench.at(3420 + 3590).get("s", None).await, Err(Kind::Authentication));
}

#[tokio::test]
async fn another_scope_is_another_token_and_a_refused_one_is_forgotten() {
    let bench = Bench::new();
    assert_eq!(bench.get("a", Some(3600)).await.as_deref(), Ok("token-1"));
    assert_eq!(bench.get("b", Some(3600)).await.as_deref(), Ok("token-2"));
    bench.cell.forget(&Secret::new("token-1"));
    assert_eq!(bench.get("b", Some(3600)).await.as_deref(), Ok("token-2"));
    bench.cell.forget(&Secret::new("token-2"));
    assert_eq!(bench.get("b", Some(3600)).await.as_deref(), Ok("token-3"));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "fifty requests at once are what is tested")]
async fn one_fetches_and_all_get_what_it_brings() {
    for fails in [false, true] {
        let (cell, gate) = (Arc::new(Cell::default()), Arc::new(Notify::new()));
        let calls = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (cell, gate, calls) = (Arc::clone(&cell), Arc::clone(&gate), Arc::clone(&calls));
                tokio::spawn(async move {
                    let fetch = async {
                        calls.fetch_add(1, Ordering::SeqCst);
                        gate.notified().await;
                        if fails {
                            return Err(GatewayError::upstream(Kind::Authentication, "refused"));
                        }
                        Ok(Fetched { token: Secret::new("token"), lifetime: Duration::from_secs(3600) })
                    };
                    cell.get("s", Instant::now, fetch).await
                })
            })
            .collect();
        // Everybody has asked before the endpoint answers; on one thread a turn of the runtime is enough.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        gate.notify_one();
        for task in tasks {
            assert_eq!(task.await.expect("no panic").is_err(), fails);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn who_leaves_while_fetching_hands_it_on() {
    let bench = Bench::new();
    let never = std::future::pending();
    let left = tokio::time::timeout(Duration::from_millis(1), bench.cell.get("s", Instant::now, never)).await;
    assert!(left.is_err());
    assert_eq!(bench.get("s", Some(60)).await.as_deref(), Ok("token-1"));
}
