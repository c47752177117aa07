//! The ledger over a store in memory and one on disk.

use std::path::PathBuf;

use super::*;
use crate::domain::{Cost, Usage};
use crate::store::{Memory, Scan, Sled, Space, clock};

mod replay;

const DAY: u64 = 86_400_000;
/// 2026-11-21T09:00:00Z
const NOW: u64 = 1_795_251_600_000;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("causeway-ledger-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn journal(&self) -> Journal {
        Journal::open(&self.0.join("journal")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn ledger(journal: Journal, store: &Arc<dyn Store>) -> Arc<Ledger> {
    Arc::new(Ledger::new(journal, Arc::clone(store), Arc::new(Observer::new().unwrap())))
}

fn in_memory() -> Arc<dyn Store> {
    Arc::new(Memory::new(clock()))
}

fn row(number: u64) -> LedgerRow {
    LedgerRow {
        id: format!("row-{number:06}"),
        request: format!("request-{}", number / 2),
        at: NOW + number * 1000,
        key: if number.is_multiple_of(3) { "web" } else { "shop" }.into(),
        team: number.is_multiple_of(3).then(|| "one".into()),
        model: "fast".into(),
        provider: "openai".into(),
        target: "gpt".into(),
        outcome: if number.is_multiple_of(10) { "rate_limited" } else { "ok" }.into(),
        usage: Some(Usage { input: Some(number), output: Some(2), ..Usage::default() }),
        price: Some("one".into()),
        cost: Some(Cost(number * 7)),
        places: vec!["key/web/budget/2026-11".into()],
        ..LedgerRow::default()
    }
}

/// Enters rows that may be there.
async fn enter(ledger: &Ledger, rows: &[LedgerRow]) -> Result<usize, crate::store::StoreError> {
    let rows: Vec<_> = rows.iter().map(|row| enter::Written::of(row.clone()).unwrap()).collect();
    ledger.enter(&rows, false).await
}

async fn total(ledger: &Ledger) -> Sums {
    let query = SumQuery { from: 0, to: NOW + 400 * DAY, ..SumQuery::default() };
    let lines = ledger.sums(&query).await.unwrap();
    lines.first().map(|line| line.sums).unwrap_or_default()
}

async fn spent(ledger: &Ledger) -> i128 {
    let spent = ledger.spent(NOW).await.unwrap();
    spent.into_iter().find(|(place, _)| place == "key/web/budget/2026-11").map_or(0, |(_, cost)| cost)
}

/// Every row that is there, by reading the store and not the sums.
async fn rows(ledger: &Ledger) -> Vec<LedgerRow> {
    let query = RowQuery { from: 0, to: u64::MAX / 2, limit: 10_000, ..RowQuery::default() };
    ledger.rows(&query).await.unwrap().rows
}

#[tokio::test]
async fn a_row_is_booked_once_however_often_it_is_imported() {
    let folder = Folder::new("once");
    let sled: Arc<dyn Store> = Arc::new(Sled::open(&folder.0.join("sled"), clock()).unwrap());
    for (store, journal) in [(in_memory(), Journal::in_memory()), (sled, folder.journal())] {
        let ledger = ledger(journal, &store);
        let mut importer = Importer::new(Arc::clone(&ledger));
        let booked: Vec<_> = (0..1000).map(row).collect();
        for rows in booked.chunks(7) {
            ledger.book(rows).kept().await;
        }
        assert_eq!(importer.run(NOW).await.unwrap(), 1000);
        ledger.book(&[row(1000), row(1000)]).kept().await;
        assert_eq!(importer.run(NOW).await.unwrap(), 1);
        // What is read again is some of that beside a new one, in another order and other pieces.
        let again: Vec<_> = (900..=1001).rev().map(row).collect();
        assert_eq!(enter(&ledger, &again).await.unwrap(), 1);
        assert_eq!(enter(&ledger, &booked).await.unwrap(), 0);
        let expected: u64 = (0..=1001).sum();
        let sums = total(&ledger).await;
        assert_eq!((sums.requests, sums.input, sums.output), (1002, expected as i64, 2004));
        assert_eq!((sums.errors, sums.cost), (101, i128::from(expected * 7)));
        assert_eq!(spent(&ledger).await, i128::from(expected * 7));
        assert_eq!(rows(&ledger).await.len(), 1002);
        assert_eq!(ledger.journal().standing().waiting, 0);
    }
}

#[tokio::test]
async fn sums_are_told_by_anything_and_agree_with_the_rows() {
    let store = in_memory();
    let ledger = ledger(Journal::in_memory(), &store);
    let mut booked: Vec<_> = (0..300).map(row).collect();
    booked.iter_mut().skip(200).for_each(|row| row.at += DAY + 3_600_000);
    booked[5].cost = None;
    booked[6].usage = Some(Usage { input: Some(6), output: Some(2), estimated: true, ..Usage::default() });
    enter(&ledger, &booked).await.unwrap();
    for by in By::ALL {
        let query = SumQuery { from: NOW, to: NOW + 3 * DAY, by: vec![by], ..SumQuery::default() };
        let lines = ledger.sums(&query).await.unwrap();
        let value = |row: &LedgerRow| match by {
            By::Key => row.key.clone(),
            By::Day => crate::domain::rfc3339(row.at / 1000)[..10].to_owned(),
            By::Hour => crate::domain::rfc3339(row.at / 1000)[..13].to_owned(),
            By::Team => row.team.clone().unwrap_or_default(),
            By::User => String::new(),
            By::Model => row.model.clone(),
            By::Provider => row.provider.clone(),
            By::Target => row.target.clone(),
        };
        let mut expected: std::collections::BTreeMap<String, Sums> = Default::default();
        booked.iter().for_each(|row| expected.entry(value(row)).or_default().add(&Sums::of(row)));
        let found: Vec<_> = lines.iter().map(|line| (line.of[0].1.clone(), line.sums)).collect();
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{}", by.name());
        assert_eq!(lines.iter().map(|line| line.sums.unpriced).sum::<i64>(), 1);
        assert_eq!(lines.iter().map(|line| line.sums.estimated).sum::<i64>(), 1);
    }
    let filter = Filter { key: Some("web".into()), team: Some("one".into()), ..Filter::default() };
    let query = SumQuery { from: NOW, to: NOW + 1, by: vec![], filter };
    assert_eq!(ledger.sums(&query).await.unwrap()[0].sums.requests, 67, "the whole of the first day");
    let query = SumQuery { filter: Filter { key: Some("nobody".into()), ..Filter::default() }, ..query };
    assert_eq!(ledger.sums(&query).await.unwrap(), []);
}

#[tokio::test]
async fn pages_of_rows_miss_none_and_repeat_none_in_both_directions() {
    let store = in_memory();
    let ledger = ledger(Journal::in_memory(), &store);
    let mut booked: Vec<_> = (0..400).map(row).collect();
    booked.iter_mut().take(250).for_each(|row| row.at -= 5 * DAY);
    enter(&ledger, &booked).await.unwrap();
    for newest_first in [false, true] {
        let mut query =
            RowQuery { from: NOW - 9 * DAY, to: NOW + DAY, limit: 33, newest_first, ..RowQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = ledger.rows(&query).await.unwrap();
            found.extend(page.rows);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        if newest_first {
            found.reverse();
        }
        assert!(found == booked, "newest first: {newest_first}, {} rows", found.len());
        let filter = Filter { key: Some("web".into()), ..Filter::default() };
        let query = RowQuery {
            filter,
            outcome: Some("rate_limited".into()),
            from: NOW - 5 * DAY + 1,
            after: None,
            limit: 1000,
            ..query
        };
        // 30, 60, …, 390
        assert_eq!(ledger.rows(&query).await.unwrap().rows.len(), 13);
    }
}

#[tokio::test]
async fn old_rows_go_and_their_sums_stay() {
    let store = in_memory();
    let observer = Arc::new(Observer::new().unwrap());
    let ledger = Ledger::new(Journal::in_memory(), Arc::clone(&store), observer);
    let ledger = ledger.keeping(Some(Duration::from_secs(86_400)));
    let mut booked: Vec<_> = (0..600).map(row).collect();
    booked.iter_mut().skip(550).for_each(|row| row.at += 2 * DAY);
    enter(&ledger, &booked).await.unwrap();
    let now = NOW + 2 * DAY;
    while ledger.sweep(now).await.unwrap() > 0 {}
    assert_eq!(rows(&ledger).await, booked[550..]);
    assert_eq!(total(&ledger).await.requests, 600);
}

#[tokio::test]
async fn what_a_process_held_when_it_died_is_charged_as_estimated_once() {
    let folder = Folder::new("held");
    let store = in_memory();
    let held =
        |number| Held { row: LedgerRow { outcome: "held".into(), ..row(number) }, until: NOW + 60_000 };
    {
        let dying = ledger(folder.journal(), &store);
        for number in 0..10 {
            dying.hold(&held(number)).kept().await;
        }
        // Two are settled: one with rows of its own, one that took nothing.
        dying.settle(&[row(100)], &row(3).id).kept().await;
        dying.settle(&[], &row(4).id).kept().await;
        dying.journal().close();
    }
    let mut recovered = Vec::new();
    // The second start finds nothing left to do.
    for start in 0..2 {
        let ledger = ledger(folder.journal(), &store);
        let mut importer = Importer::new(Arc::clone(&ledger));
        for _ in 0..100 {
            importer.run(NOW).await.unwrap();
            recovered = rows(&ledger).await;
            if recovered.len() == 9 {
                break;
            }
            // The lock of a thread that ends is let go a moment later.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (charged, settled): (Vec<_>, Vec<_>) = recovered.iter().partition(|row| row.outcome == RECOVERED);
        assert_eq!((charged.len(), settled.len()), (8, 1), "start {start}");
        let expected: i128 = [0, 1, 2, 5, 6, 7, 8, 9, 100].into_iter().map(|number: i128| number * 7).sum();
        assert_eq!(spent(&ledger).await, expected, "start {start}");
        let counted = ledger.observer.metrics().ledger.recovered.get();
        assert_eq!(counted, if start == 0 { 8 } else { 0 });
    }
}

#[tokio::test]
async fn a_hold_nobody_settles_in_time_is_charged_and_keeps_its_file_until_then() {
    let folder = Folder::new("late");
    let store = in_memory();
    let journal = Journal::with_segments_of(&folder.0.join("journal"), 150).unwrap();
    let ledger = ledger(journal, &store);
    let mut importer = Importer::new(Arc::clone(&ledger));
    ledger.hold(&Held { row: row(1), until: NOW + 60_000 }).kept().await;
    for number in 10..20 {
        ledger.book(&[row(number)]).kept().await;
    }
    importer.run(NOW).await.unwrap();
    let files = || std::fs::read_dir(folder.0.join("journal")).unwrap().count();
    assert!(files() > 5);
    assert_eq!(rows(&ledger).await.len(), 10);
    importer.run(NOW + 119_000).await.unwrap();
    assert_eq!(rows(&ledger).await.len(), 10);
    importer.run(NOW + 121_000).await.unwrap();
    assert_eq!(rows(&ledger).await.len(), 11);
    assert_eq!(files(), 1);
}

#[tokio::test]
async fn repricing_changes_rows_and_sums_together_and_budgets_only_when_asked() {
    let store = in_memory();
    let ledger = ledger(Journal::in_memory(), &store);
    let mut booked: Vec<_> = (0..600).map(row).collect();
    booked[7].cost = None;
    booked[8].usage = None;
    enter(&ledger, &booked).await.unwrap();
    let (before, charged) = (total(&ledger).await, spent(&ledger).await);
    let price = |row: &LedgerRow| {
        let tokens = row.usage?.input?;
        (row.key == "web" || row.id == "row-000007")
            .then(|| Corrected { price: "two".into(), cost: Cost(tokens * 10) })
    };
    let mut what = Repricing { from: NOW, to: NOW + 500_000, dry_run: true, ..Repricing::default() };
    let told = ledger.reprice(&what, &price).await.unwrap();
    assert_eq!(total(&ledger).await, before, "nothing changes when it is only told");
    what.dry_run = false;
    assert_eq!(ledger.reprice(&what, &price).await.unwrap(), told);
    // 0, 3, …, 498, of which the first costs nothing still, and number seven.
    assert_eq!((told.rows, told.changed, told.newly_priced), (499, 167, 1));
    let difference: i128 = (0..500).step_by(3).map(|number| number * 3).sum::<i128>() + 70;
    assert_eq!(told.after - told.before, difference);
    assert_eq!(told.differences["openai/gpt"], difference);
    let after = total(&ledger).await;
    assert_eq!((after.cost, after.unpriced), (before.cost + difference, before.unpriced - 1));
    let summed = rows(&ledger).await.iter().map(|row| sums::cost(row.cost)).sum::<i128>();
    assert_eq!(summed, after.cost);
    assert_eq!(spent(&ledger).await, charged, "budgets stay as they were charged");
    // Again: nothing is left to change.
    assert_eq!(ledger.reprice(&what, &price).await.unwrap().changed, 0);
    let dearer = |row: &LedgerRow| price(row).map(|it| Corrected { cost: Cost(it.cost.0 + 1), ..it });
    what.budgets = true;
    let told = ledger.reprice(&what, &dearer).await.unwrap();
    assert_eq!(spent(&ledger).await, charged + told.after - told.before);
}

#[tokio::test]
async fn counters_are_told_what_is_in_their_time() {
    const HOUR: u64 = 3_600_000;
    let store = in_memory();
    let ledger = ledger(Journal::in_memory(), &store);
    let at = |number: u64, at: u64, place: &str| LedgerRow {
        at,
        cost: Some(Cost(number)),
        places: vec![place.to_owned()],
        ..row(number)
    };
    let (rolling, month, total) =
        ("key/web/budget/rolling-86400", "team/one/budget/2026-09", "user/me/balance/total");
    let rows = [
        at(1, NOW - 26 * HOUR, rolling),
        at(2, NOW - 20 * HOUR, rolling),
        at(4, NOW, rolling),
        at(8, NOW - 60 * DAY, month),
        at(16, NOW - 300 * DAY, total),
        at(32, NOW, "key/web/budget/2026-11"),
    ];
    enter(&ledger, &rows).await.unwrap();
    let spent = ledger.spent(NOW).await.unwrap();
    let expected = [("key/web/budget/2026-11", 32), (rolling, 6), (total, 16)];
    assert_eq!(spent, expected.map(|(place, cost)| (place.to_owned(), cost)).into());
    let clock = Arc::new(|| NOW);
    let holds = crate::store::holds::Local::new(clock);
    assert_eq!(ledger.prime(&holds, NOW).await.unwrap(), 3);
}

#[tokio::test]
async fn nodes_that_share_a_store_add_up_without_each_other() {
    let store = in_memory();
    let node = |name: &str| {
        let observer = Arc::new(Observer::new().unwrap());
        Ledger::new(Journal::in_memory(), Arc::clone(&store), observer).as_node(name.to_owned())
    };
    let (one, two) = (node("one"), node("two"));
    enter(&one, &[row(1), row(2)]).await.unwrap();
    enter(&two, &[row(3)]).await.unwrap();
    assert_eq!(enter(&two, &[row(2)]).await.unwrap(), 0, "it is there");
    assert_eq!(total(&one).await.input, 6);
    assert_eq!(spent(&two).await, 42);
    let scan = Scan { prefix: Space::Budget.key(&[]), after: None, limit: 10 };
    assert_eq!(store.scan(scan).await.unwrap().entries.len(), 2);
}
