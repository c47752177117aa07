//! The pool against a model so plain that it cannot be wrong: a list of keys and times, looked through each time.

use super::*;

/// One key as plainly as can be.
#[derive(Clone, Default)]
struct Plain {
    until: Millis,
    models: HashMap<&'static str, Millis>,
}

impl Plain {
    fn free(&self, model: &str, now: Millis) -> bool {
        self.until <= now && self.models.get(model).is_none_or(|until| *until <= now)
    }

    fn back(&self, model: &str) -> Millis {
        self.until.max(self.models.get(model).copied().unwrap_or(0))
    }
}

const MODELS: [&str; 3] = ["a", "b", "c"];

/// A thousand random things happen; who may be chosen is the same in both.
fn run(choice: Choice, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let keys = random.usize(1..12);
    let pool = pool(keys, choice);
    let ids: HashMap<String, usize> = pool.each().map(ChosenKey::id).zip(0..).collect();
    let mut plain = vec![Plain::default(); keys];
    let mut under_way: Vec<(ChosenKey, &'static str)> = Vec::new();
    let mut now = T0;
    for step in 0..1000 {
        let told = format!("{choice:?}, seed {seed}, step {step}");
        let model = MODELS[random.usize(..MODELS.len())];
        match random.u32(..10) {
            0..6 => {
                let free = plain.iter().any(|key| key.free(model, now));
                match pool.choose_with(&at(model), now, &mut |below| random.usize(..below)) {
                    Ok(Some(key)) => {
                        let own = &plain[ids[&key.id()]];
                        // Only where nobody may be asked, one that was refused is tried.
                        assert!(own.free(model, now) || (!free && own.until > now), "{told}");
                        under_way.push((key, model));
                    }
                    Ok(None) => panic!("{told}: no keys"),
                    Err(error) => {
                        assert!(!free, "{told}: {error}");
                        let first = plain.iter().map(|key| key.back(model)).min().unwrap_or(0);
                        assert_eq!(error.retry_after, Some(Duration::from_millis(first - now)), "{told}");
                    }
                }
            }
            6..8 if !under_way.is_empty() => {
                let (key, model) = under_way.swap_remove(random.usize(..under_way.len()));
                let blame = [Blame::Quota, Blame::Rate, Blame::Provider][random.usize(..3)];
                let seconds = random.u64(1..200);
                let before = pool.counts(now).resting;
                pool.failed(key, model, after(blame, seconds), now);
                let own = &mut plain[ids[&key.id()]];
                let until = now + seconds * SECOND;
                match blame {
                    Blame::Rate => {
                        let known = own.models.entry(model).or_insert(0);
                        *known = until.max(*known);
                    }
                    // Old news of a key that rests is no news.
                    Blame::Quota if pool.counts(now).resting > before || own.until > now => {
                        let listed = pool.list(Wanted { resting: false, skip: 0, limit: keys }, now);
                        let rest = listed.keys[ids[&key.id()]].rest.map_or(0, |rest| rest.until);
                        assert!(rest == until || rest == own.until, "{told}");
                        own.until = rest;
                    }
                    _ => {}
                }
            }
            8 => {
                let key = random.usize(..keys);
                let id = pool.each().nth(key).expect("a key").id();
                pool.restore(Some(&id));
                plain[key] = Plain::default();
            }
            _ => now += random.u64(..60 * SECOND),
        }
        let resting = plain.iter().filter(|key| key.until > now).count();
        assert_eq!(pool.counts(now).resting, resting, "{told}");
    }
}

#[test]
fn the_pool_agrees_with_a_plain_list() {
    for seed in 0..60 {
        for choice in [Choice::RoundRobin, Choice::Random, Choice::Fixed, Choice::Smart] {
            run(choice, seed);
        }
    }
}
