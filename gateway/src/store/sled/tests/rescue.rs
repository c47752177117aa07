//! What is done about a store that is damaged, and what a walk shows.

use std::fs;

use bytes::Bytes;

use super::super::super::suite::{Folder, Turned};
use super::super::super::{Batch, Class, Kept, Mark, Scan, Space, Store, StoreError, snapshot};
use super::super::manifest::{self, Found, Manifest};
use super::super::{Place, Sled, restore, salvage};

fn place(folder: &Folder) -> Place {
    fs::create_dir_all(folder.0.join("snapshots")).unwrap();
    Place { snapshots: Some(folder.0.join("snapshots")), ..Place::at(folder.0.join("sled")) }
}

async fn write(store: &Sled, numbers: std::ops::Range<u32>) {
    let batch = numbers.fold(Batch::default(), |batch, number| {
        let key = Space::Response.key(&["tenant", &format!("{number:05}")]);
        batch.put(key, number.to_string().repeat(50), None)
    });
    store.write(batch, Class::Durable).await.unwrap();
}

async fn save(store: &Sled, place: &Place, seconds: u64) {
    let folder = place.snapshots.as_ref().unwrap();
    let path = folder.join(snapshot::name(seconds, &store.mark().unwrap()));
    snapshot::write(store, &path, &[Space::Response], seconds).await.unwrap();
}

async fn count(store: &Sled) -> usize {
    let scan = Scan { prefix: Space::Response.key(&[]), after: None, limit: usize::MAX };
    store.scan(scan).await.unwrap().entries.len()
}

#[tokio::test]
async fn the_newest_snapshot_that_is_whole_comes_into_the_place_of_the_store() {
    let folder = Folder::new("restore");
    let (place, (_, clock)) = (place(&folder), Turned::new());
    let store = Sled::open_at(&place, clock.clone()).unwrap();
    for (seconds, until) in [(1, 100), (2, 200), (3, 300)] {
        write(&store, 0..until).await;
        save(&store, &place, seconds).await;
    }
    assert!(restore(&place, None, &clock).unwrap_err().to_string().contains(&std::process::id().to_string()));
    store.close().await.unwrap();
    let newest = snapshot::all(place.snapshots.as_ref().unwrap()).remove(0);
    let length = fs::metadata(&newest).unwrap().len();
    fs::OpenOptions::new().write(true).open(&newest).unwrap().set_len(length - 9).unwrap();
    fs::write(place.files.join("db"), "not a database").unwrap();
    let error = Sled::open_at(&place, clock.clone()).err().unwrap();
    assert!(
        matches!(&error, StoreError::Damaged(text) if text.contains("causeway store restore")),
        "{error}"
    );

    let restored = restore(&place, None, &clock).unwrap();
    assert_eq!((restored.records, restored.skipped.len()), (200, 1), "{restored:?}");
    let aside = restored.aside.unwrap();
    assert!(aside.join("db").exists(), "nothing is deleted");
    let store = Sled::open_at(&place, clock.clone()).unwrap();
    assert_eq!(count(&store).await, 200);
    write(&store, 500..501).await;
    store.close().await.unwrap();
    assert_eq!(count(&Sled::open_at(&place, clock).unwrap()).await, 201);
}

#[tokio::test]
async fn what_can_be_read_is_salvaged_and_the_rest_is_named() {
    let folder = Folder::new("salvage");
    let (place, (_, clock)) = (place(&folder), Turned::new());
    let store = Sled::open_at(&place, clock.clone()).unwrap();
    for part in 0..60 {
        write(&store, part * 50..part * 50 + 50).await;
    }
    store.close().await.unwrap();
    let read = |place: &Place| {
        let mut found = Vec::new();
        let report = salvage(place, (0, true), &mut |kept: Kept| {
            found.push(kept.key);
            Ok(())
        });
        (report.unwrap(), found)
    };
    let (report, found) = read(&place);
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(found.len(), 3000);
    // One record is nonsense, one is gone that nobody removed.
    let name = |number: u32| Space::Response.key(&["tenant", &format!("{number:05}")]);
    {
        let db = sled::Config::new().path(&place.files).open().unwrap();
        db.insert(&name(1500).0, b"\x01nonsense").unwrap();
        db.remove(&name(700).0).unwrap();
        db.flush().unwrap();
    }
    let (report, found) = read(&place);
    assert!(!report.is_whole(), "{report:?}");
    assert_eq!(report.corrupted, [name(1500).to_string()]);
    assert_eq!((report.spaces["response"].corrupted, report.spaces["response"].missing), (1, 1));
    let expected: Vec<_> = (0..3000).filter(|number| ![700, 1500].contains(number)).map(name).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_walk_shows_one_moment() {
    let folder = Folder::new("walk");
    let store = Sled::open(&folder.0, Turned::new().1).unwrap();
    write(&store, 0..2000).await;
    let key = |number: u32| Space::Response.key(&["tenant", &format!("{number:05}")]);
    let mut found = Vec::new();
    let mut pages = 0;
    let take = &mut |kept: Vec<Kept>| {
        found.extend(kept);
        pages += 1;
        // Before and behind where the walk is: one goes, one changes, one comes.
        let (old, new) = (pages * 100, 1900 - pages * 50);
        let batch = Batch::default().delete(key(new)).put(key(new + 1), "changed", None);
        let batch = batch.put(key(old), "changed", None).put(key(5000 + pages), "new", None);
        store.note(batch).unwrap();
        while !store.shared.noted.values.lock().is_empty() {
            std::thread::yield_now();
        }
        Ok(())
    };
    store.walk(&[Space::Response], take).await.unwrap();
    assert!(pages > 3);
    let names: Vec<_> = found.iter().map(|kept| kept.key.clone()).collect();
    assert_eq!(names, (0..2000).map(key).collect::<Vec<_>>());
    for (number, kept) in (0_u32..).zip(&found) {
        assert_eq!(kept.value, Bytes::from(number.to_string().repeat(50)), "{number}");
    }
    assert!(count(&store).await > 2000 - 20);
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_left_alone() {
    let folder = Folder::new("newer");
    let (newer, own) = (Space::Response.key(&["newer"]), Space::Response.key(&["own"]));
    {
        let db = sled::Config::new().path(&folder.0).open().unwrap();
        db.insert(&newer.0, b"\x03what this program cannot know").unwrap();
        db.flush().unwrap();
    }
    let store = super::reopen(&folder);
    let put = |key| Batch::default().put(key, "x", None);
    store.write(put(own.clone()), Class::Durable).await.unwrap();
    assert_eq!(store.get(own).await.unwrap(), Some(Bytes::from("x")));
    for error in [
        store.get(newer.clone()).await.unwrap_err(),
        store.write(put(newer.clone()), Class::Durable).await.unwrap_err(),
        store.write(Batch::default().delete(newer.clone()), Class::Durable).await.unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("version") && error.to_string().contains("response/newer"),
            "{error}"
        );
    }
    store.close().await.unwrap();
    // The thread that reads needs a moment to let go.
    let db = loop {
        match sled::Config::new().path(&folder.0).open() {
            Ok(db) => break db,
            Err(error) => assert!(error.to_string().contains("lock"), "{error}"),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert_eq!(db.get(&newer.0).unwrap().unwrap(), b"\x03what this program cannot know");
}

#[test]
fn a_manifest_that_was_half_written_still_says_something() {
    let folder = Folder::new("manifest");
    fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("manifest");
    assert_eq!(manifest::read(&path).unwrap(), Found::Nothing);
    let mark = |sequence| Mark { store: "s".to_owned(), epoch: 3, sequence };
    let mut manifest = Manifest::begin(&path, &mark(1)).unwrap();
    for sequence in 2..9 {
        manifest.write(&mark(sequence)).unwrap();
        assert_eq!(manifest::read(&path).unwrap(), Found::At(mark(sequence)));
        let whole = fs::read(&path).unwrap();
        for at in [3, 40, 515, 560] {
            let mut torn = whole.clone();
            torn[at] ^= 8;
            fs::write(&path, torn).unwrap();
            let Found::At(found) = manifest::read(&path).unwrap() else { panic!("nothing is left") };
            assert!(found.sequence + 1 >= sequence, "{found:?}");
        }
        fs::write(&path, whole).unwrap();
    }
    fs::write(&path, "nonsense").unwrap();
    assert_eq!(manifest::read(&path).unwrap(), Found::Damaged);
    let place = Place::at(folder.0.join("x"));
    fs::write(folder.0.join("x.manifest"), "nonsense").unwrap();
    let error = Sled::open_at(&place, Turned::new().1).err().unwrap().to_string();
    assert!(error.contains("causeway store check --accept"), "{error}");
    drop(Sled::open_at(&Place { accept: true, ..place }, Turned::new().1).unwrap());
}
