//! Sessions begin, last as long as they are used, and end.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::store::Memory;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HOUR: u64 = 3_600_000;

fn clocked() -> (Arc<AtomicU64>, Clock, Arc<Memory>) {
    let time = Arc::new(AtomicU64::new(1_800_000_000_000));
    let shown = Arc::clone(&time);
    let clock: Clock = Arc::new(move || shown.load(Ordering::Relaxed));
    let store = Arc::new(Memory::new(Arc::clone(&clock)));
    (time, clock, store)
}

fn sessions(store: &Arc<Memory>, clock: &Clock, password: &str) -> Sessions {
    let store: Arc<dyn Store> = Arc::clone(store) as _;
    Sessions::new(store, Arc::clone(clock), Duration::from_secs(12 * 3600), Secret::new(password))
}

#[tokio::test]
async fn a_session_lasts_as_long_as_it_is_used_but_not_for_ever() {
    let (time, clock, store) = clocked();
    let sessions = sessions(&store, &clock, "a-long-password");
    let begun = sessions.begin(&Caller::with_password(), HERE).await.unwrap();
    for _ in 0..71 {
        time.fetch_add(10 * HOUR, Ordering::Relaxed);
        assert!(sessions.find(begun.token.clone()).await.unwrap().is_some());
    }
    time.fetch_add(10 * HOUR, Ordering::Relaxed);
    assert!(sessions.find(begun.token.clone()).await.unwrap().is_none(), "thirty days are over");
    let begun = sessions.begin(&Caller::with_password(), HERE).await.unwrap();
    time.fetch_add(12 * HOUR, Ordering::Relaxed);
    assert!(sessions.find(begun.token).await.unwrap().is_none(), "nobody used it");
}

#[tokio::test]
async fn a_session_ends_with_the_password_it_was_begun_with() {
    let (_, clock, store) = clocked();
    let begun =
        sessions(&store, &clock, "a-long-password").begin(&Caller::with_password(), HERE).await.unwrap();
    let other = sessions(&store, &clock, "another-password");
    assert!(other.find(begun.token.clone()).await.unwrap().is_none());
    let same = sessions(&store, &clock, "a-long-password");
    assert!(same.find(begun.token).await.unwrap().is_none(), "it is gone for good");
}

#[tokio::test]
async fn there_are_never_too_many_and_the_token_is_not_in_the_store() {
    let (time, clock, store) = clocked();
    let sessions = sessions(&store, &clock, "a-long-password");
    let first = sessions.begin(&Caller::with_password(), HERE).await.unwrap();
    for _ in 0..MOST {
        time.fetch_add(1000, Ordering::Relaxed);
        sessions.begin(&Caller::with_password(), HERE).await.unwrap();
    }
    let all = sessions.all().await.unwrap();
    assert_eq!(all.len(), MOST);
    assert!(sessions.find(first.token.clone()).await.unwrap().is_none(), "the oldest went");
    let written = format!("{all:?}");
    assert!(!written.contains(first.token.expose()) && !written.contains("a-long-password"));
}

#[tokio::test]
async fn all_sessions_of_a_user_end_at_once() {
    let (_, clock, store) = clocked();
    let sessions = sessions(&store, &clock, "a-long-password");
    let of = |user: &str| Caller { user: Some(user.to_owned()), ..Caller::with_password() };
    let ours = sessions.begin(&of("ada"), HERE).await.unwrap();
    let others = sessions.begin(&of("bob"), HERE).await.unwrap();
    assert_eq!(sessions.end_all("ada").await.unwrap(), 1);
    assert!(sessions.find(ours.token).await.unwrap().is_none());
    assert!(sessions.find(others.token).await.unwrap().is_some());
}
