//! Operations of the store per second, for each place it can be kept in: one writer, and sixty-four at once.
//!
//! A Redis or Valkey server is asked where `CAUSEWAY_BENCH_REDIS_URL` names one. Its records are left there under the
//! prefix `bench`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use causeway::domain::Cost;
use causeway::store::holds::{Hold, Holds, Local, Part, Rule, Settle, Unit};
use causeway::store::{Address, Batch, Class, Memory, Redis, Sled, Space, Store, clock};

/// So long each figure is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// The size of a value: a key, a setting, a small answer.
const VALUE: usize = 512;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(all());
}

async fn all() {
    println!("{:<10} {:<28} {:>12} {:>12}", "store", "operation", "1 at a time", "64 at once");
    of_store("memory", Arc::new(Memory::new(clock()))).await;
    let folder = std::env::temp_dir().join(format!("causeway-bench-{}", std::process::id()));
    match Sled::open(&folder, clock()) {
        Ok(sled) => of_store("sled", Arc::new(sled)).await,
        Err(error) => println!("sled: {error}"),
    }
    let _ = std::fs::remove_dir_all(&folder);
    of_holds("memory", Arc::new(Local::new(clock()))).await;
    let Ok(url) = std::env::var("CAUSEWAY_BENCH_REDIS_URL") else {
        println!("redis: CAUSEWAY_BENCH_REDIS_URL names no server");
        return;
    };
    let address =
        Address { prefix: "bench".to_owned(), timeout: Duration::from_secs(10), ..Address::new(&url) };
    match Redis::open(address) {
        Ok(redis) => {
            let holds = redis.holds();
            of_store("redis", Arc::new(redis)).await;
            of_holds("redis", Arc::new(holds)).await;
        }
        Err(error) => println!("redis: {error}"),
    }
}

async fn of_store(name: &str, store: Arc<dyn Store>) {
    let key = |number: u64| Space::Response.key(&["bench", &(number % 10_000).to_string()]);
    let value = vec![7_u8; VALUE];
    let put = |number: u64| Batch::default().put(key(number), value.clone(), Some(Duration::from_secs(600)));
    figure(name, "write, durable", async |number| {
        store.write(put(number), Class::Durable).await.expect("written");
    })
    .await;
    figure(name, "write, relaxed", async |number| {
        store.write(put(number), Class::Relaxed).await.expect("written");
    })
    .await;
    figure(name, "get", async |number| drop(store.get(key(number)).await.expect("read"))).await;
    let counter = Space::Counter.key(&["bench"]);
    figure(name, "increment", async |_| {
        store.increment(counter.clone(), 1, None).await.expect("counted");
    })
    .await;
}

async fn of_holds(name: &str, holds: Arc<dyn Holds>) {
    let run = fastrand::u64(..);
    let part = |place: &str, unit, rule, amount| Part { place: place.into(), unit, rule, amount };
    let rate = Rule::Rate { count: 1 << 40, per: Duration::from_secs(60) };
    let money = Rule::Money { limit: i64::MAX, rolling: None, life: None };
    let parts = vec![
        part("bench/requests", Unit::Requests, rate, 1),
        part("bench/tokens", Unit::Tokens, rate, 1_000),
        part("bench/running", Unit::Concurrent, Rule::Concurrent { most: 1 << 20 }, 1),
        part("bench/key", Unit::Money, money, 1_000),
        part("bench/team", Unit::Money, money, 1_000),
    ];
    figure(name, "hold five and settle", async |number| {
        let id = format!("{run}-{number}");
        let hold = Hold { id: id.clone(), within: Duration::from_secs(60), parts: parts.clone() };
        holds.hold(hold).await.expect("held");
        holds.settle(Settle { id, tokens: Some(10), cost: Some(Cost(7)) }).await.expect("settled");
    })
    .await;
}

/// Prints how often something can be done in a second, alone and beside others.
async fn figure(store: &str, what: &str, one: impl AsyncFn(u64)) {
    let number = AtomicU64::new(0);
    let mut rates = Vec::new();
    for at_once in [1, 64] {
        let before = number.load(Ordering::Relaxed);
        let started = Instant::now();
        let worker = || async {
            while started.elapsed() < MEASURED {
                one(number.fetch_add(1, Ordering::Relaxed)).await;
                // What never waits would leave the others no turn.
                tokio::task::yield_now().await;
            }
        };
        let mut workers: Vec<_> = (0..at_once).map(|_| Box::pin(worker())).collect();
        std::future::poll_fn(|context| {
            workers.retain_mut(|worker| worker.as_mut().poll(context).is_pending());
            if workers.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        let done = number.load(Ordering::Relaxed) - before;
        rates.push(done as f64 / started.elapsed().as_secs_f64());
    }
    println!("{store:<10} {what:<28} {:>10.0}/s {:>10.0}/s", rates[0], rates[1]);
}
