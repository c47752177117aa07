//! Which key is next, which ones rest and for how long. Time and chance are parameters.

use super::*;
use crate::domain::Rate;

mod limits;
mod many;
mod naive;
mod rests;

/// A moment to begin with.
const T0: Millis = 1_700_000_000_000;
const SECOND: Millis = 1000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;

fn given(keys: usize) -> impl Iterator<Item = Given> {
    (0..keys).map(|key| Given { secret: Secret::new(format!("sk-number-{key:06}")), note: None })
}

fn pool_with(keys: usize, settings: Settings) -> Arc<Pool> {
    Arc::new(Pool::new(("vendor", "https://vendor.example"), given(keys), settings).expect("plain keys"))
}

fn pool(keys: usize, choice: Choice) -> Arc<Pool> {
    pool_with(keys, Settings { choice, ..Settings::default() })
}

fn at<'a>(model: &'a str) -> Ask<'a> {
    Ask { model, ..Ask::default() }
}

/// The key of one choice.
#[track_caller]
fn choose(pool: &Pool, model: &str, now: Millis) -> ChosenKey {
    pool.choose(&at(model), now).expect("a key that may be used").expect("a pool with keys")
}

#[track_caller]
fn all_rest(pool: &Pool, model: &str, now: Millis) -> GatewayError {
    let error = pool.choose(&at(model), now).expect_err("all should rest");
    assert!(error.keys_rest());
    error
}

fn failure(blame: Blame) -> Failure {
    let status = match blame {
        Blame::Key => Some(401),
        Blame::Quota => Some(402),
        Blame::Rate => Some(429),
        _ => Some(500),
    };
    Failure { blame, status, retry_after: None }
}

fn after(blame: Blame, seconds: u64) -> Failure {
    Failure { retry_after: Some(Duration::from_secs(seconds)), ..failure(blame) }
}

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}
