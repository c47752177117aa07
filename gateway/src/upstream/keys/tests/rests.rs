//! Rests: who gets one, how long it is, how it ends, and what survives.

use super::*;

#[test]
fn a_refused_key_rests_and_comes_back() {
    let pool = pool(2, Choice::RoundRobin);
    let bad = choose(&pool, "m", T0);
    pool.failed(bad, "m", failure(Blame::Key), T0);
    for _ in 0..10 {
        assert_ne!(choose(&pool, "m", T0 + 59 * SECOND).id(), bad.id());
    }
    let seen: Vec<String> = (0..2).map(|_| choose(&pool, "m", T0 + 60 * SECOND).id()).collect();
    assert!(seen.contains(&bad.id()));
}

#[test]
fn rests_of_a_refused_key_double_up_to_the_longest_and_begin_again_after_a_success() {
    let pool = pool(2, Choice::Fixed);
    let mut now = T0;
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        let bad = choose(&pool, "m", now);
        pool.failed(bad, "m", failure(Blame::Key), now);
        let listed = pool.list(Wanted { resting: true, skip: 0, limit: 9 }, now);
        let rest = listed.keys.first().and_then(|key| key.rest).expect("a rest");
        assert_eq!(rest.until - now, minutes * MINUTE);
        now = rest.until;
    }
    let good = choose(&pool, "m", now);
    pool.succeeded(good, "m");
    let bad = choose(&pool, "m", now);
    pool.failed(bad, "m", failure(Blame::Key), now);
    assert_eq!(choose(&pool, "m", now + MINUTE).id(), bad.id());
}

#[test]
fn what_was_under_way_when_a_rest_began_changes_nothing() {
    let pool = pool(3, Choice::Fixed);
    let first = choose(&pool, "m", T0);
    let second = choose(&pool, "m", T0);
    let third = choose(&pool, "m", T0);
    pool.failed(first, "m", failure(Blame::Key), T0);
    // The same news again is no second rest, and an old success no recovery.
    pool.failed(second, "m", failure(Blame::Key), T0);
    pool.succeeded(third, "m");
    let listed = pool.list(Wanted { resting: true, skip: 0, limit: 9 }, T0);
    assert_eq!(listed.keys.len(), 1);
    assert_eq!(listed.keys[0].rest.map(|rest| rest.until), Some(T0 + MINUTE));
}

#[test]
fn only_so_many_refusals_in_a_row_rest_a_key() {
    let settings = Settings { resting: Resting { after: 3, ..Resting::default() }, ..Settings::default() };
    let pool = pool_with(2, Settings { choice: Choice::Fixed, ..settings });
    let refuse = |times: usize| {
        for _ in 0..times {
            let key = choose(&pool, "m", T0);
            pool.failed(key, "m", failure(Blame::Key), T0);
        }
    };
    let first = choose(&pool, "m", T0);
    refuse(2);
    pool.succeeded(choose(&pool, "m", T0), "m");
    refuse(2);
    assert_eq!(choose(&pool, "m", T0).id(), first.id());
    refuse(1);
    assert_ne!(choose(&pool, "m", T0).id(), first.id());
}

#[test]
fn a_rate_limit_rests_a_key_at_one_model_until_the_provider_says() {
    let pool = pool(2, Choice::Fixed);
    let key = choose(&pool, "m", T0);
    pool.failed(key, "m", after(Blame::Rate, 5), T0);
    assert_ne!(choose(&pool, "m", T0 + 4 * SECOND).id(), key.id());
    assert_eq!(choose(&pool, "other", T0).id(), key.id());
    assert_eq!(choose(&pool, "m", T0 + 5 * SECOND).id(), key.id());
    // Without a word it is half a minute.
    pool.failed(choose(&pool, "m", T0 + HOUR), "m", failure(Blame::Rate), T0 + HOUR);
    assert_ne!(choose(&pool, "m", T0 + HOUR + 29 * SECOND).id(), key.id());
    assert_eq!(choose(&pool, "m", T0 + HOUR + 30 * SECOND).id(), key.id());
}

#[test]
fn absurd_words_of_a_provider_are_bounded() {
    for (blame, longest) in [(Blame::Rate, HOUR), (Blame::Quota, 24 * HOUR)] {
        for told in [Duration::from_secs(1_000_000_000), Duration::MAX] {
            let pool = pool(2, Choice::Fixed);
            let key = choose(&pool, "m", T0);
            pool.failed(key, "m", Failure { retry_after: Some(told), ..failure(blame) }, T0);
            assert_ne!(choose(&pool, "m", T0 + longest - 1).id(), key.id(), "{blame:?}");
            assert_eq!(choose(&pool, "m", T0 + longest).id(), key.id(), "{blame:?}");
        }
        // Nor does zero mean that it may be asked in the same breath.
        let pool = pool(2, Choice::Fixed);
        let key = choose(&pool, "m", T0);
        pool.failed(key, "m", after(blame, 0), T0);
        assert_ne!(choose(&pool, "m", T0).id(), key.id(), "{blame:?}");
    }
}

#[test]
fn a_used_up_quota_rests_a_key_for_hours_at_every_model() {
    let pool = pool(2, Choice::Fixed);
    let key = choose(&pool, "m", T0);
    pool.failed(key, "m", failure(Blame::Quota), T0);
    assert_ne!(choose(&pool, "other", T0 + 6 * HOUR - 1).id(), key.id());
    assert_eq!(choose(&pool, "other", T0 + 6 * HOUR).id(), key.id());
}

#[test]
fn a_forbidden_model_rests_a_key_there_and_three_of_them_everywhere() {
    let pool = pool(2, Choice::Fixed);
    let forbidden = Failure { status: Some(403), ..failure(Blame::Key) };
    let first = choose(&pool, "a", T0);
    pool.failed(first, "a", forbidden, T0);
    assert_ne!(choose(&pool, "a", T0).id(), first.id());
    assert_eq!(choose(&pool, "b", T0).id(), first.id());
    pool.failed(choose(&pool, "b", T0), "b", forbidden, T0);
    pool.failed(choose(&pool, "c", T0), "c", forbidden, T0);
    assert_ne!(choose(&pool, "d", T0).id(), first.id());
}

#[test]
fn faults_of_others_do_not_touch_a_key() {
    let pool = pool(1, Choice::RoundRobin);
    for blame in
        [Blame::Client, Blame::Overload, Blame::Route, Blame::Provider, Blame::Network, Blame::Plugin]
    {
        let key = choose(&pool, "m", T0);
        pool.failed(key, "m", after(blame, 60), T0);
        assert_eq!(choose(&pool, "m", T0).id(), key.id(), "{blame:?}");
    }
}

#[test]
fn when_all_rest_the_error_tells_the_earliest_return() {
    let pool = pool(3, Choice::RoundRobin);
    for seconds in [50, 20, 90] {
        pool.failed(choose(&pool, "m", T0), "m", after(Blame::Rate, seconds), T0);
    }
    let error = all_rest(&pool, "m", T0 + 5 * SECOND);
    assert_eq!(error.retry_after, Some(Duration::from_secs(15)));
    assert_eq!((error.kind, error.origin), (Kind::RateLimited, crate::error::Origin::Upstream));
    assert!(!error.to_string().contains("sk-number"));
    choose(&pool, "m", T0 + 20 * SECOND);

    let pool = super::pool(2, Choice::RoundRobin);
    for _ in 0..2 {
        pool.failed(choose(&pool, "m", T0), "m", failure(Blame::Quota), T0);
    }
    let error = all_rest(&pool, "m", T0 + SECOND);
    assert_eq!((error.kind, error.retry_after), (Kind::Overloaded, Some(Duration::from_secs(6 * 3600 - 1))));
}

#[test]
fn a_refused_key_is_tried_now_and_then_when_nothing_else_is_there() {
    let pool = pool(1, Choice::RoundRobin);
    pool.failed(choose(&pool, "m", T0), "m", failure(Blame::Key), T0);
    let (mut tried, mut seconds) = (0, 0);
    while seconds < 60 {
        seconds += 1;
        if let Ok(Some(key)) = pool.choose(&at("m"), T0 + seconds * SECOND) {
            tried += 1;
            pool.failed(key, "m", failure(Blame::Key), T0 + seconds * SECOND);
        }
    }
    assert_eq!(tried, 6);
    let key = choose(&pool, "m", T0 + 2 * MINUTE);
    pool.succeeded(key, "m");
    for _ in 0..3 {
        choose(&pool, "m", T0 + 2 * MINUTE);
    }
}

#[test]
fn the_only_key_does_not_rest_on_a_guess() {
    let pool = pool(1, Choice::RoundRobin);
    pool.failed(choose(&pool, "m", T0), "m", failure(Blame::Rate), T0);
    pool.failed(choose(&pool, "m", T0), "m", after(Blame::Rate, 9), T0);
    assert_eq!(all_rest(&pool, "m", T0).retry_after, Some(Duration::from_secs(9)));
}

#[test]
fn a_key_that_was_just_tried_is_avoided_while_there_are_others() {
    for choice in [Choice::RoundRobin, Choice::Random, Choice::Fixed, Choice::Smart] {
        let pool = pool(3, choice);
        let mut tried = Vec::new();
        for _ in 0..3 {
            assert_eq!(pool.has_another("m", &tried, T0), tried.len() < 3);
            let ask = Ask { avoid: &tried, ..at("m") };
            let key = pool.choose(&ask, T0).expect("another").expect("keys");
            assert!(tried.iter().all(|tried: &ChosenKey| tried.id() != key.id()), "{choice:?}");
            tried.push(key);
        }
        assert!(!pool.has_another("m", &tried, T0));
        let error = pool.choose(&Ask { avoid: &tried, ..at("m") }, T0).expect_err("none is left");
        assert!(error.keys_rest(), "{choice:?}");
    }
}

#[test]
fn a_reload_carries_what_is_known_and_drops_keys_that_are_gone() {
    let before = pool(4, Choice::Fixed);
    let first = choose(&before, "m", T0);
    before.failed(first, "m", failure(Blame::Quota), T0);
    let second = choose(&before, "m", T0);
    before.failed(second, "m", after(Blame::Rate, 600), T0);
    let late = choose(&before, "m", T0);
    // The same keys, another order, one less and one more.
    let keys: Vec<Given> = given(5).collect();
    let keys = [4, 3, 2, 1].map(|at| keys[at].clone());
    let place = ("vendor", "https://vendor.example");
    let settings = Settings { choice: Choice::RoundRobin, ..Settings::default() };
    let after_it = Arc::new(Pool::new(place, keys, settings).expect("plain keys"));
    after_it.follow(&before);
    let seen: Vec<String> = (0..6).map(|_| choose(&after_it, "m", T0).id()).collect();
    assert!(!seen.contains(&second.id()) && !seen.contains(&first.id()));
    assert!(seen.contains(&late.id()));
    assert_eq!(after_it.counts(T0), Counts { keys: 4, usable: 4, resting: 0, limited: 1 });
    // What a request on the old configuration finds out is known to the new one.
    before.failed(late, "m", failure(Blame::Key), T0);
    assert_eq!(after_it.counts(T0).resting, 1);
    // Elsewhere nothing of it counts.
    let moved = Arc::new(
        Pool::new(("vendor", "https://other.example"), given(4), Settings::default()).expect("keys"),
    );
    moved.follow(&after_it);
    assert_eq!(moved.counts(T0), Counts { keys: 4, usable: 4, resting: 0, limited: 0 });
}

#[test]
fn rests_are_lifted_by_hand_one_or_all() {
    let pool = pool(3, Choice::Fixed);
    let first = choose(&pool, "m", T0);
    pool.failed(first, "m", failure(Blame::Key), T0);
    let second = choose(&pool, "m", T0);
    pool.failed(second, "m", failure(Blame::Rate), T0);
    assert_eq!(pool.restore(Some("nonsense")), None);
    assert_eq!(pool.restore(Some("0123456789ab")), None);
    assert_eq!(pool.restore(Some(&first.id())), Some(1));
    // Who comes back joins; the first of the list is first again.
    assert_eq!(choose(&pool, "m", T0).id(), first.id());
    assert_eq!(pool.restore(None), Some(1));
    assert_eq!(pool.counts(T0), Counts { keys: 3, usable: 3, resting: 0, limited: 0 });
    assert!(pool.list(Wanted { resting: true, skip: 0, limit: 9 }, T0).keys.is_empty());
}

#[test]
fn refused_keys_are_due_for_a_question_past_half_of_their_rest() {
    let pool = pool(3, Choice::Fixed);
    let refused = choose(&pool, "m", T0);
    pool.failed(refused, "m", failure(Blame::Key), T0);
    pool.failed(choose(&pool, "m", T0), "m", failure(Blame::Quota), T0);
    assert!(pool.due(5, T0 + 29 * SECOND).is_empty());
    let due = pool.due(5, T0 + 30 * SECOND);
    assert_eq!(due.iter().map(|key| key.id()).collect::<Vec<_>>(), [refused.id()]);
    pool.put_off(due[0], T0 + 30 * SECOND);
    assert!(pool.due(5, T0 + 44 * SECOND).is_empty());
    let due = pool.due(5, T0 + 45 * SECOND);
    pool.succeeded(due[0], "");
    assert_eq!(pool.counts(T0 + 45 * SECOND).resting, 1);
    assert_eq!(choose(&pool, "m", T0 + 45 * SECOND).id(), refused.id());
}

#[tokio::test]
async fn a_restart_keeps_long_rests_and_forgets_those_of_removed_keys() {
    use crate::store::{Memory, Scan, Space, Store};
    let store: Arc<dyn Store> = Arc::new(Memory::new(Arc::new(|| T0)));
    let ledger = || Ledger::new(Arc::clone(&store), "vendor");
    let kept = || async {
        let scan = Scan { prefix: Space::Rest.key(&[]), after: None, limit: 100 };
        store.scan(scan).await.expect("a page").entries.len()
    };
    let before = pool(4, Choice::Fixed);
    before.keep_in(ledger());
    let fail = |failure: Failure| {
        let key = choose(&before, "m/1", T0);
        before.failed(key, "m/1", failure, T0);
        key
    };
    let keys = [fail(failure(Blame::Key)), fail(failure(Blame::Quota)), fail(after(Blame::Rate, 300))];
    fail(after(Blame::Rate, 3));
    assert_eq!(kept().await, 3);

    let again = pool(4, Choice::Fixed);
    again.keep_in(ledger());
    assert_eq!(again.resume(T0 + SECOND).await, Ok(3));
    let usable = choose(&again, "m/1", T0 + SECOND);
    assert!(keys.iter().all(|key| key.id() != usable.id()));
    assert_eq!(choose(&again, "other", T0 + SECOND).id(), keys[2].id());
    assert_eq!(again.list(Wanted { resting: true, skip: 0, limit: 9 }, T0).keys.len(), 3);
    // The next refusal of the first is its second in a row.
    again.failed(choose(&again, "m", T0 + MINUTE), "m", failure(Blame::Key), T0 + MINUTE);
    assert_eq!(
        again.list(Wanted { resting: true, skip: 0, limit: 1 }, T0 + MINUTE).keys[0]
            .rest
            .map(|rest| rest.until),
        Some(T0 + 3 * MINUTE)
    );

    // Without the first three.
    let fewer = Arc::new(
        Pool::new(("vendor", "https://vendor.example"), given(4).skip(3), Settings::default()).expect("keys"),
    );
    fewer.keep_in(ledger());
    assert_eq!(fewer.resume(T0 + SECOND).await, Ok(0));
    assert_eq!(kept().await, 0);

    // A success takes the record away.
    let last = choose(&fewer, "m", T0);
    fewer.failed(last, "m", failure(Blame::Quota), T0);
    assert_eq!(kept().await, 1);
    assert_eq!(fewer.restore(None), Some(1));
    assert_eq!(kept().await, 0);
}
