//! Limits per key and window.

use super::*;

fn limited(requests: &[&str], tokens: &[&str]) -> Settings {
    let limits = |texts: &[&str]| texts.iter().map(|text| rate(text)).collect();
    let default = Limits { requests: limits(requests), tokens: limits(tokens) };
    Settings { rules: Rules { default, models: Vec::new() }, ..Settings::default() }
}

#[test]
fn a_key_over_its_limit_is_passed_over_until_there_is_room() {
    let pool = pool_with(2, limited(&["3/min"], &[]));
    for _ in 0..6 {
        choose(&pool, "m", T0);
    }
    let error = all_rest(&pool, "m", T0);
    assert_eq!(error.kind, Kind::RateLimited);
    let back = error.retry_after.expect("a time");
    assert!((Duration::from_secs(60)..=Duration::from_secs(68)).contains(&back), "{back:?}");
    choose(&pool, "m", T0 + millis(back));
}

#[test]
fn every_window_counts() {
    let pool = pool_with(1, limited(&["2/s", "5/min"], &[]));
    let mut now = T0;
    for _ in 0..2 {
        choose(&pool, "m", now);
        choose(&pool, "m", now);
        all_rest(&pool, "m", now);
        now += 2 * SECOND;
    }
    choose(&pool, "m", now);
    // The minute is full; the second is not.
    assert!(all_rest(&pool, "m", now).retry_after > Some(Duration::from_secs(50)));
}

#[test]
fn tokens_count_when_the_answer_is_there() {
    let pool = pool_with(2, Settings { choice: Choice::Fixed, ..limited(&[], &["1k/min"]) });
    let first = choose(&pool, "m", T0);
    pool.spent(first, "m", 999, T0);
    assert_eq!(choose(&pool, "m", T0).id(), first.id());
    pool.spent(first, "m", 5000, T0);
    assert_ne!(choose(&pool, "m", T0).id(), first.id());
    assert_eq!(choose(&pool, "m", T0 + 70 * SECOND).id(), first.id());
}

#[test]
fn a_models_own_limit_stands_for_the_default_and_the_longest_beginning_wins() {
    let limits = |text: &str| Limits { requests: vec![rate(text)], tokens: Vec::new() };
    let models = vec![
        ("gpt-*".to_owned(), limits("2/min")),
        ("gpt-4o-*".to_owned(), limits("3/min")),
        ("gpt-4o-mini".to_owned(), limits("4/min")),
        ("free".to_owned(), Limits::default()),
    ];
    let settings = Settings { rules: Rules { default: limits("1/min"), models }, ..Settings::default() };
    for (model, times) in [("gpt-4o-mini", 4), ("gpt-4o-x", 3), ("gpt-5", 2), ("claude", 1)] {
        let pool = pool_with(1, settings.clone());
        for _ in 0..times {
            choose(&pool, model, T0);
        }
        all_rest(&pool, model, T0);
        choose(&pool, "free", T0);
    }
    // What one rule covers is counted together.
    let pool = pool_with(1, settings);
    choose(&pool, "gpt-5", T0);
    choose(&pool, "gpt-6", T0);
    all_rest(&pool, "gpt-7", T0);
}

/// No window of that length ever holds more than the limit, and room comes back at most an eighth late.
#[test]
fn windows_hold_against_every_pace() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let count = random.u64(1..8);
        let pool = pool_with(1, limited(&[&format!("{count}/min")], &[]));
        let mut log: Vec<Millis> = Vec::new();
        let mut now = T0 + random.u64(..MINUTE);
        for _ in 0..300 {
            let pace = if random.bool() { 3 * SECOND } else { 30 * SECOND };
            now += random.u64(..pace);
            let inside = |span: Millis| log.iter().filter(|at| **at + span > now).count() as u64;
            match pool.choose(&at("m"), now) {
                Ok(_) => {
                    assert!(inside(MINUTE) < count, "seed {seed}");
                    log.push(now);
                }
                Err(error) => {
                    assert!(inside(MINUTE + MINUTE / 8) >= count, "seed {seed}");
                    let back = now + millis(error.retry_after.expect("a time"));
                    assert!(back > now && back <= now + MINUTE + MINUTE / 8, "seed {seed}");
                }
            }
        }
        assert!(log.len() > 20);
    }
}

#[test]
fn a_reload_with_the_same_limits_keeps_the_counts() {
    let before = pool_with(1, limited(&["1/min"], &[]));
    choose(&before, "m", T0);
    let same = pool_with(1, limited(&["1/min"], &[]));
    same.follow(&before);
    all_rest(&same, "m", T0);
    let other = pool_with(1, limited(&["2/min"], &[]));
    other.follow(&same);
    choose(&other, "m", T0);
}
