//! Files of the journal that were imported stay, and are read again by a store that does not have them.

use super::*;
use crate::store::journal::Retention;
use crate::store::{Batch, Class, Kept, snapshot};

/// A ledger whose store is restored from the snapshots of this folder.
fn replayable(folder: &Folder, store: &Arc<dyn Store>) -> Arc<Ledger> {
    let retention = Retention { snapshots: folder.0.join("snapshots"), most: 1 << 30 };
    let ledger = Ledger::new(folder.journal(), Arc::clone(store), Arc::new(Observer::new().unwrap()));
    Arc::new(ledger.replayable(Some(retention)))
}

/// What a process does that begins in this folder and books these rows; how many it finds, and how many it imports.
async fn process(folder: &Folder, store: &Arc<dyn Store>, booked: &[LedgerRow], now: u64) -> (usize, usize) {
    let ledger = replayable(folder, store);
    let mut importer = Importer::new(Arc::clone(&ledger));
    // The lock of the thread of the process before is let go a moment later.
    let mut found = 0;
    for _ in 0..100 {
        found += importer.run(now).await.unwrap();
        if importer.reader.lock().is_alone() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(importer.reader.lock().is_alone(), "files of others are held still");
    ledger.book(booked).kept().await;
    let imported = importer.run(now).await.unwrap();
    ledger.journal().close();
    (found, imported)
}

async fn saved(folder: &Folder, store: &Arc<dyn Store>, name: &str, now: u64) -> PathBuf {
    std::fs::create_dir_all(folder.0.join("snapshots")).unwrap();
    let path = folder.0.join("snapshots").join(format!("{name}.snapshot"));
    let spaces: Vec<_> = Space::ALL.into_iter().filter(|space| space.is_in_snapshots()).collect();
    snapshot::write(store.as_ref(), &path, &spaces, now / 1000).await.unwrap();
    path
}

/// A store with what is in a snapshot.
async fn restored(path: &std::path::Path) -> Arc<dyn Store> {
    let store = in_memory();
    let mut batch = Batch::default();
    snapshot::read(path, |Kept { key, value, .. }| {
        batch = std::mem::take(&mut batch).put(key, value, None);
        Ok(())
    })
    .unwrap();
    store.write(batch, Class::Relaxed).await.unwrap();
    store
}

async fn assert_all(store: &Arc<dyn Store>, many: u64) {
    let ledger = ledger(Journal::in_memory(), store);
    assert_eq!(rows(&ledger).await, (0..many).map(row).collect::<Vec<_>>());
    let sum: u64 = (0..many).sum();
    let sums = total(&ledger).await;
    assert_eq!((sums.requests, sums.cost), (many as i64, i128::from(sum * 7)));
    assert_eq!(spent(&ledger).await, i128::from(sum * 7));
}

#[tokio::test]
async fn a_store_that_is_older_gets_back_what_it_lacks_and_no_more() {
    let folder = Folder::new("older");
    let store = in_memory();
    let all: Vec<_> = (0..90).map(row).collect();
    assert_eq!(process(&folder, &store, &all[..30], NOW).await, (0, 30));
    let early = saved(&folder, &store, "early", NOW + 5_000).await;
    assert_eq!(process(&folder, &store, &all[30..60], NOW + 10_000).await, (0, 30));
    let late = saved(&folder, &store, "late", NOW + 15_000).await;
    assert_eq!(process(&folder, &store, &all[60..], NOW + 20_000).await, (0, 30));
    for (path, lacks) in [(&late, 30), (&early, 60), (&late, 30)] {
        let store = restored(path).await;
        assert_eq!(process(&folder, &store, &[], NOW + 30_000).await, (lacks, 0), "{}", path.display());
        assert_all(&store, 90).await;
    }
}

#[tokio::test]
async fn a_restart_reads_nothing_again() {
    let folder = Folder::new("again");
    let store = in_memory();
    saved(&folder, &store, "first", NOW).await;
    let all: Vec<_> = (0..50).map(row).collect();
    assert_eq!(process(&folder, &store, &all, NOW + 1_000).await, (0, 50));
    // Rows that were swept are not there any more: whoever read them again would count them twice.
    let swept = Ledger::new(Journal::in_memory(), Arc::clone(&store), Arc::new(Observer::new().unwrap()));
    let swept = swept.keeping(Some(Duration::from_secs(1)));
    while swept.sweep(NOW + DAY).await.unwrap() > 0 {}
    for _ in 0..2 {
        assert_eq!(process(&folder, &store, &[], NOW + 2_000).await, (0, 0));
    }
    assert_eq!((rows(&swept).await.len(), total(&swept).await.requests), (0, 50));
}

#[tokio::test]
async fn what_was_held_when_the_snapshot_was_made_is_charged_after_its_restore() {
    let folder = Folder::new("open");
    let store = in_memory();
    let held = Held { row: row(7), until: NOW + 60_000 };
    let saved = {
        let ledger = replayable(&folder, &store);
        let mut importer = Importer::new(Arc::clone(&ledger));
        ledger.book(&[row(1)]).kept().await;
        importer.run(NOW).await.unwrap();
        ledger.hold(&held).kept().await;
        ledger.book(&[row(2)]).kept().await;
        importer.run(NOW).await.unwrap();
        let saved = saved(&folder, &store, "open", NOW + 1_000).await;
        ledger.journal().close();
        saved
    };
    // Without the snapshot as with it: once, and the rows around it once.
    for store in [store, restored(&saved).await] {
        assert_eq!(process(&folder, &store, &[], NOW + 2_000).await, (1, 0));
        let ledger = ledger(Journal::in_memory(), &store);
        let ids: Vec<_> = rows(&ledger).await.into_iter().map(|row| row.id).collect();
        assert_eq!(ids, [row(1).id, row(2).id, row(7).id]);
        assert_eq!(spent(&ledger).await, 70);
    }
}
