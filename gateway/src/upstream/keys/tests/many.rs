//! Many keys: the cost of a choice, fairness, the key of a conversation.

use super::*;

const MANY: usize = 100_000;

#[test]
fn round_robin_asks_every_key_once_before_any_twice() {
    let pool = pool(1000, Choice::RoundRobin);
    for _ in 0..3 {
        let mut round: Vec<String> = (0..1000).map(|_| choose(&pool, "m", T0).id()).collect();
        round.sort();
        round.dedup();
        assert_eq!(round.len(), 1000);
    }
}

#[test]
fn a_choice_costs_the_same_among_many_and_when_most_rest() {
    for choice in [Choice::RoundRobin, Choice::Random, Choice::Fixed, Choice::Smart] {
        let pool = pool(MANY, choice);
        let steps = || pool.state.lock().steps();
        for _ in 0..1000 {
            choose(&pool, "m", T0);
        }
        assert!(steps() <= 4 * 1000, "{choice:?}: {}", steps());
        // All but ten go to rest, one after the other: each rest is looked at once.
        let mut random = fastrand::Rng::with_seed(7);
        while pool.counts(T0).usable > 10 {
            for _ in 0..(MANY / 10) {
                let Ok(Some(key)) = pool.choose_with(&at("m"), T0, &mut |below| random.usize(..below)) else {
                    break;
                };
                if pool.state.lock().rests.len() < MANY - 10 {
                    pool.failed(key, "m", failure(Blame::Quota), T0);
                }
            }
        }
        let before = steps();
        for _ in 0..MANY {
            choose(&pool, "m", T0 + SECOND);
        }
        let (rested, choices) = (MANY as u64, MANY as u64);
        assert!(steps() - before <= rested + 4 * choices, "{choice:?}: {}", steps() - before);
    }
}

#[test]
fn rests_at_a_model_cost_one_step_each() {
    let pool = pool(MANY, Choice::RoundRobin);
    for _ in 0..MANY - 1 {
        let key = choose(&pool, "m", T0);
        pool.failed(key, "m", after(Blame::Rate, 600), T0);
    }
    let before = pool.state.lock().steps();
    for _ in 0..1000 {
        choose(&pool, "m", T0 + SECOND);
    }
    assert!(pool.state.lock().steps() - before <= MANY as u64 + 1000);
    // The others are not touched by it: the first key was asked before there was a rest, the second is next there.
    let other = choose(&pool, "other", T0 + SECOND);
    assert_eq!(pool.list(Wanted { resting: false, skip: 1, limit: 1 }, T0).keys[0].id, other.id());
}

#[test]
fn random_choices_are_even() {
    let pool = pool(10, Choice::Random);
    let mut random = fastrand::Rng::with_seed(42);
    let mut counts: HashMap<String, f64> = HashMap::new();
    for _ in 0..10_000 {
        let key =
            pool.choose_with(&at("m"), T0, &mut |below| random.usize(..below)).expect("one").expect("keys");
        *counts.entry(key.id()).or_default() += 1.0;
    }
    let chi: f64 = counts.values().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
    // Nine degrees of freedom: above 27.9 once in a thousand times.
    assert!(counts.len() == 10 && chi < 27.9, "{chi}");
}

#[test]
fn fixed_stays_with_the_first_that_may_be_used() {
    let pool = pool(3, Choice::Fixed);
    let first = choose(&pool, "m", T0);
    assert_eq!(choose(&pool, "m", T0).id(), first.id());
    pool.failed(first, "m", failure(Blame::Key), T0);
    let second = choose(&pool, "m", T0);
    assert_ne!(second.id(), first.id());
    assert_eq!(choose(&pool, "m", T0).id(), second.id());
    assert_eq!(choose(&pool, "m", T0 + MINUTE).id(), first.id());
}

#[test]
fn smart_prefers_success_and_tries_everyone() {
    // Refusals never rest a key here, so that only success counts.
    let resting = Resting { after: u32::MAX, ..Resting::default() };
    let pool = pool_with(20, Settings { choice: Choice::Smart, resting, ..Settings::default() });
    let mut random = fastrand::Rng::with_seed(3);
    let bad: Vec<String> = pool.each().take(10).map(ChosenKey::id).collect();
    let (mut asked, mut bad_asked) = (HashMap::new(), 0);
    for turn in 0..20_000 {
        let key =
            pool.choose_with(&at("m"), T0, &mut |below| random.usize(..below)).expect("one").expect("keys");
        if bad.contains(&key.id()) {
            pool.failed(key, "m", failure(Blame::Key), T0);
            bad_asked += u32::from(turn >= 10_000);
        } else {
            pool.succeeded(key, "m");
        }
        if turn >= 10_000 {
            *asked.entry(key.id()).or_insert(0) += 1;
        }
    }
    assert!(bad_asked < 2000, "bad keys were asked {bad_asked} times of 10,000");
    assert_eq!(asked.len(), 20, "a key was never tried again");
}

#[test]
fn a_conversation_keeps_its_key_while_it_may_be_used() {
    for keys in [2, 10, 1000] {
        let pool = pool(keys, Choice::RoundRobin);
        let ask =
            |conversation: u64| Ask { preferred: Some(Preferred::Conversation(conversation)), ..at("m") };
        let key = |conversation: u64, now| pool.choose(&ask(conversation), now).expect("one").expect("keys");
        for conversation in 0..50 {
            let own = key(conversation, T0);
            assert_eq!(key(conversation, T0).id(), own.id());
        }
        let own = key(7, T0);
        pool.failed(own, "m", failure(Blame::Key), T0);
        let other = key(7, T0);
        assert_ne!(other.id(), own.id());
        assert_eq!(key(7, T0).id(), other.id());
        assert_eq!(key(7, T0 + MINUTE).id(), own.id());
        assert_eq!(
            pool.choose(&Ask { preferred: Some(Preferred::Key(other)), ..at("m") }, T0).expect("one"),
            Some(ChosenKey { serial: pool.state.lock().next_serial() - 1, ..other })
        );
    }
}

#[test]
fn conversations_spread_and_few_move_when_a_key_goes() {
    for keys in [10, 500] {
        let place = ("vendor", "https://vendor.example");
        let all = pool(keys, Choice::RoundRobin);
        let fewer = Pool::new(place, given(keys).skip(1), Settings::default()).expect("keys");
        let gone = all.each().next().map(ChosenKey::id);
        let own = |pool: &Pool, conversation| {
            let ask = Ask { preferred: Some(Preferred::Conversation(conversation)), ..at("m") };
            pool.choose(&ask, T0).expect("one").expect("keys").id()
        };
        let mut counts: HashMap<String, usize> = HashMap::new();
        let many = keys as u64 * 100;
        for conversation in 0..many {
            let conversation = mixed(conversation);
            let before = own(&all, conversation);
            if Some(&before) != gone.as_ref() {
                assert_eq!(own(&fewer, conversation), before);
            }
            *counts.entry(before).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or(0);
        assert!(counts.len() * 10 >= keys * 9 && most <= 300, "{} of {keys} keys, most {most}", counts.len());
    }
}

#[test]
fn equal_keys_are_one_and_ids_tell_nothing() {
    let key = |text: &str, note: &str| Given { secret: Secret::new(text), note: Some(note.into()) };
    let keys = [key("sk-secret-a", "first"), key("sk-secret-b", ""), key("sk-secret-a", "again")];
    let pool = Pool::new(("vendor", "https://v.example"), keys, Settings::default()).expect("keys");
    assert_eq!(pool.len(), 2);
    let listed = pool.list(Wanted { resting: false, skip: 0, limit: 10 }, T0);
    let text = serde_json::to_string(&listed).expect("JSON");
    assert!(text.contains("first") && !text.contains("again") && !text.contains("secret"), "{text}");
    assert_eq!(listed.keys[0].id, key_id(&Secret::new("sk-secret-a")));
    assert!(!format!("{pool:?}").contains("sk-secret"));
    let part = pool.list(Wanted { resting: false, skip: 0, limit: 1 }, T0);
    assert_eq!((part.keys.len(), part.next), (1, Some(1)));
    assert_eq!(pool.list(Wanted { resting: false, skip: 1, limit: 1 }, T0).next, None);
}

#[test]
fn a_repeated_key_is_scrubbed_from_few_and_from_many() {
    for keys in [3, 1000] {
        let pool = pool(keys, Choice::RoundRobin);
        for text in
            ["Incorrect API key provided: sk-number-000002.", "key=sk-number-000002&x", "(sk-number-000002)"]
        {
            let mut text = text.to_owned();
            pool.scrub(&mut text);
            assert!(text.contains("***") && !text.contains("sk-number"), "{text}");
        }
    }
}

#[test]
fn a_provider_without_keys_has_none_to_choose() {
    let pool = pool(0, Choice::RoundRobin);
    assert_eq!(pool.choose(&at("m"), T0).expect("no error"), None);
    assert_eq!(pool.counts(T0), Counts::default());
    assert!(!pool.has_another("m", &[], T0));
}
