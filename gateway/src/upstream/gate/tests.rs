//! Room, queues, and caps that change while requests run.

use super::*;

const LONG: Duration = Duration::from_secs(3600);

fn cap(concurrent: u32) -> Caps {
    Caps { concurrent: Some(concurrent), ..Caps::default() }
}

fn gates(concurrent: u32) -> (Gates, Arc<str>) {
    let (gates, name) = (Gates::default(), Arc::from("p"));
    gates.adopt([(Arc::clone(&name), cap(concurrent))]);
    (gates, name)
}

fn doors(gates: &Gates, name: &str, queue: Option<(usize, Duration)>) -> Doors {
    Doors { provider: gates.get(name), target: None, queue }
}

/// True when it has to wait.
async fn waits(entering: &mut Pin<Box<impl Future<Output = Result<Passes, Full>>>>) -> bool {
    tokio::select! {
        biased;
        _ = entering.as_mut() => false,
        () = tokio::task::yield_now() => true,
    }
}

#[test]
fn no_more_get_in_than_there_is_room_for() {
    let (gates, name) = gates(2);
    let doors = doors(&gates, &name, None);
    let first = doors.try_enter().expect("room");
    let _second = doors.try_enter().expect("room");
    assert!(doors.try_enter().is_err());
    drop(first);
    assert!(doors.try_enter().is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_came_first_gets_in_first_and_nobody_overtakes() {
    let (gates, name) = gates(1);
    let doors = doors(&gates, &name, Some((10, LONG)));
    let inside = doors.try_enter().expect("room");
    let mut first = Box::pin(doors.enter());
    let mut second = Box::pin(doors.enter());
    assert!(waits(&mut first).await && waits(&mut second).await);
    assert_eq!(gates.get(&name).expect("a gate").waiting(), 2);
    drop(inside);
    assert!(doors.try_enter().is_err(), "it is another's turn");
    assert!(waits(&mut second).await, "it is another's turn");
    let inside = first.await.expect("room");
    assert!(waits(&mut second).await);
    drop(inside);
    second.await.expect("room");
    assert_eq!(gates.get(&name).expect("a gate").waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_gives_the_place_back() {
    let (gates, name) = gates(1);
    let doors = doors(&gates, &name, Some((2, LONG)));
    let inside = doors.try_enter().expect("room");
    let mut first = Box::pin(doors.enter());
    let mut second = Box::pin(doors.enter());
    assert!(waits(&mut first).await && waits(&mut second).await);
    let full = doors.enter().await.expect_err("two may wait");
    assert!(!full.waited);
    drop(first);
    let mut third = Box::pin(doors.enter());
    assert!(waits(&mut third).await);
    drop(inside);
    drop(second.await.expect("room"));
    drop(third.await.expect("room"));
    doors.try_enter().expect("room");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_may_be_waited() {
    let (gates, name) = gates(1);
    let wait = Duration::from_secs(5);
    let doors = doors(&gates, &name, Some((10, wait)));
    let _inside = doors.try_enter().expect("room");
    let began = Instant::now();
    let full = doors.enter().await.expect_err("no room");
    assert!(full.waited);
    assert_eq!(began.elapsed(), wait);
    assert_eq!(gates.get(&name).expect("a gate").waiting(), 0);
}

#[test]
fn a_lower_cap_takes_effect_as_requests_end_and_a_higher_one_at_once() {
    let (gates, name) = gates(3);
    let doors = doors(&gates, &name, None);
    let mut inside: Vec<_> = (0..3).map(|_| doors.try_enter().expect("room")).collect();
    gates.adopt([(Arc::clone(&name), cap(1))]);
    for _ in 0..2 {
        inside.pop();
        assert!(doors.try_enter().is_err(), "{} are inside", inside.len());
    }
    gates.adopt([(Arc::clone(&name), cap(2))]);
    inside.push(doors.try_enter().expect("room"));
    assert!(doors.try_enter().is_err());
    gates.adopt([(Arc::clone(&name), cap(1))]);
    gates.adopt([(Arc::clone(&name), cap(3))]);
    inside.push(doors.try_enter().expect("what was owed is paid first"));
    assert!(doors.try_enter().is_err());
    inside.clear();
    let all: Vec<_> = (0..3).map(|_| doors.try_enter().expect("room")).collect();
    assert!(doors.try_enter().is_err(), "{} are inside", all.len());
}

#[test]
fn a_gate_that_is_gone_stands_open_and_remembers_who_is_inside() {
    let (gates, name) = gates(1);
    let doors = doors(&gates, &name, None);
    let inside = doors.try_enter().expect("room");
    gates.adopt([]);
    doors.try_enter().expect("no cap");
    gates.adopt([(Arc::clone(&name), cap(1))]);
    assert!(doors.try_enter().is_err(), "one is inside");
    drop(inside);
    doors.try_enter().expect("room");
    drop(doors);
    gates.adopt([]);
    assert!(gates.get(&name).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_target_that_waits_takes_no_room_at_its_provider() {
    let gates = Gates::default();
    gates.adopt([(Arc::from("p"), cap(2)), (Arc::from("t"), cap(1))]);
    let narrow = Doors { provider: gates.get("p"), target: gates.get("t"), queue: Some((10, LONG)) };
    let wide = Doors { target: None, ..narrow.clone() };
    let inside = narrow.try_enter().expect("room");
    let mut waiting = Box::pin(narrow.enter());
    assert!(waits(&mut waiting).await);
    let other = wide.try_enter().expect("room at the provider");
    assert!(wide.try_enter().is_err());
    drop(inside);
    waiting.await.expect("room");
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn of_several_doors_the_first_that_opens_is_taken() {
    let gates = Gates::default();
    gates.adopt([(Arc::from("a"), cap(1)), (Arc::from("b"), cap(1))]);
    let both = [doors(&gates, "a", Some((10, LONG))), doors(&gates, "b", Some((10, LONG)))];
    let [a, b] = &both;
    let (_a_inside, b_inside) = (a.try_enter().expect("room"), b.try_enter().expect("room"));
    let mut waiting = Box::pin(first(&both));
    tokio::select! {
        biased;
        _ = waiting.as_mut() => panic!("there is no room"),
        () = tokio::task::yield_now() => {}
    }
    drop(b_inside);
    let (at, _passes) = waiting.await.expect("room");
    assert_eq!(at, 1);
    assert_eq!(a.provider.as_ref().expect("a gate").waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_is_refused_is_told_when_it_may_be_worth_it() {
    let (gates, name) = gates(2);
    let door = doors(&gates, &name, None);
    assert_eq!(door.full(false).retry_after, SOON, "nothing is known");
    let inside = [door.try_enter().expect("room"), door.try_enter().expect("room")];
    tokio::time::advance(Duration::from_secs(20)).await;
    drop(inside);
    // Half of the usual twenty seconds, since two are inside at a time.
    assert_eq!(door.full(false).retry_after, Duration::from_secs(10));
    let inside = [door.try_enter().expect("room"), door.try_enter().expect("room")];
    tokio::time::advance(Duration::from_secs(3600)).await;
    drop(inside);
    assert_eq!(door.full(false).retry_after, LATER);
    let _inside = [door.try_enter().expect("room"), door.try_enter().expect("room")];
    let none = first(&[door.clone(), door.clone()]).await.expect_err("no queue");
    assert_eq!(none, Full { retry_after: LATER, waited: false, too_often: false });
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_counts_for_its_window() {
    let (gates, name) = (Gates::default(), Arc::<str>::from("p"));
    let rate = |text: &str| Some(text.parse().expect("a rate"));
    let caps = Caps { requests: rate("2/min"), tokens: rate("100/min"), ..Caps::default() };
    gates.adopt([(Arc::clone(&name), caps)]);
    let doors = doors(&gates, &name, Some((10, LONG)));
    drop(doors.try_enter().expect("the first"));
    drop(doors.try_enter().expect("the second"));
    let full = doors.try_enter().expect_err("the third");
    assert!(full.too_often && full.retry_after > Duration::from_secs(50), "{full:?}");
    assert!(doors.enter().await.expect_err("nobody waits for a window").too_often);
    // A reload that does not change the limits forgets nothing.
    gates.adopt([(Arc::clone(&name), Caps { concurrent: Some(9), ..caps })]);
    assert!(doors.try_enter().is_err());
    tokio::time::advance(full.retry_after).await;
    drop(doors.try_enter().expect("its window is over"));
    gates.spent(&name, 100);
    assert!(doors.try_enter().expect_err("no tokens are left").too_often);
    tokio::time::advance(Duration::from_secs(70)).await;
    doors.try_enter().expect("its window is over");
}
