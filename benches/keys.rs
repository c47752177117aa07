//! What the choice of a provider key costs, for one key and for many.

use causeway::domain::Secret;
use causeway::upstream::keys::{Ask, Choice, Given, Pool, Preferred, Settings};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const MANY: [usize; 3] = [1, 1_000, 100_000];
const NOW: u64 = 1_700_000_000_000;

fn pool(keys: usize, choice: Choice) -> Pool {
    let given = (0..keys).map(|key| Given { secret: Secret::new(format!("sk-number-{key:06}")), note: None });
    Pool::new(("vendor", "https://vendor.example"), given, Settings { choice, ..Settings::default() })
        .expect("plain keys")
}

fn choose(bencher: Bencher, keys: usize, choice: Choice) {
    let pool = pool(keys, choice);
    let ask = Ask { model: "m", ..Ask::default() };
    bencher.bench_local(|| pool.choose(black_box(&ask), NOW));
}

#[divan::bench(args = MANY)]
fn round_robin(bencher: Bencher, keys: usize) {
    choose(bencher, keys, Choice::RoundRobin);
}

#[divan::bench(args = MANY)]
fn random(bencher: Bencher, keys: usize) {
    choose(bencher, keys, Choice::Random);
}

#[divan::bench(args = MANY)]
fn smart(bencher: Bencher, keys: usize) {
    choose(bencher, keys, Choice::Smart);
}

#[divan::bench(args = MANY)]
fn of_a_conversation(bencher: Bencher, keys: usize) {
    let pool = pool(keys, Choice::RoundRobin);
    let mut conversation = 0;
    bencher.bench_local(|| {
        conversation += 1;
        let preferred = Some(Preferred::Conversation(conversation));
        pool.choose(&Ask { model: "m", preferred, ..Ask::default() }, NOW)
    });
}
