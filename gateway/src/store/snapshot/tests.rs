//! A snapshot is whole or refused, and the right ones are kept.

use std::fs;
use std::time::Duration;

use super::super::suite::{Folder, Turned};
use super::super::{Batch, Class, Mark, Memory, Space, Store, StoreError};
use super::{Keep, all, name, prune, read, verify, write};

async fn filled() -> Memory {
    let store = Memory::new(Turned::new().1);
    for number in 0..300_u32 {
        let life = number.is_multiple_of(2).then_some(Duration::from_secs(60));
        let key = Space::Response.key(&["tenant", &number.to_string()]);
        let batch = Batch::default().put(key, number.to_string().repeat(20), life);
        store.write(batch, Class::Relaxed).await.unwrap();
    }
    store
}

#[tokio::test]
async fn what_was_written_is_read_with_its_end() {
    let folder = Folder::new("snapshot");
    fs::create_dir_all(&folder.0).unwrap();
    let store = filled().await;
    let path = folder.0.join(name(1_700_000_000, &Mark::default()));
    let written = write(&store, &path, &[Space::Response], 1_700_000_000).await.unwrap();
    let mut found = Vec::new();
    let summary = read(&path, |kept| {
        found.push(kept);
        Ok(())
    });
    assert_eq!(summary.unwrap(), written);
    let mut expected = Vec::new();
    let take = &mut |kept: Vec<_>| {
        expected.extend(kept);
        Ok(())
    };
    store.walk(&[Space::Response], take).await.unwrap();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 300);
    assert_eq!(all(&folder.0), [path], "nothing else is left");
}

#[tokio::test]
async fn a_snapshot_that_was_touched_is_refused() {
    let folder = Folder::new("snapshot-touched");
    fs::create_dir_all(&folder.0).unwrap();
    let path = folder.0.join("one.snapshot");
    write(&filled().await, &path, &[Space::Response], 0).await.unwrap();
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut touched = whole.clone();
        touched[at] ^= 0x10;
        fs::write(&path, &touched).unwrap();
        // zstd has bits that mean nothing; then the content must be what it was.
        match verify(&path) {
            Ok(summary) => assert_eq!(summary.records, 300, "byte {at}"),
            Err(error) => assert!(matches!(error, StoreError::Damaged(_)), "byte {at}: {error}"),
        }
        fs::write(&path, &whole[..at]).unwrap();
        assert!(verify(&path).is_err(), "cut at {at}");
    }
}

#[tokio::test]
async fn all_of_a_day_and_one_of_each_day_before_are_kept() {
    const HOUR: u64 = 3600;
    let folder = Folder::new("snapshot-prune");
    fs::create_dir_all(&folder.0).unwrap();
    let store = Memory::new(Turned::new().1);
    let now = 1_700_000_000 / 86_400 * 86_400 + 12 * HOUR;
    for hours in 0..240 {
        let seconds = now - hours * HOUR;
        let path = folder.0.join(name(seconds, &Mark::default()));
        write(&store, &path, &[], seconds).await.unwrap();
    }
    let keep = Keep { all: Duration::from_secs(24 * HOUR), daily: Duration::from_secs(7 * 24 * HOUR) };
    prune(&folder.0, keep, now).unwrap();
    let ages: Vec<u64> =
        all(&folder.0).iter().map(|path| (now - super::header(path).unwrap().seconds) / HOUR).collect();
    let expected: Vec<u64> = (0..=24).chain([37, 61, 85, 109, 133, 157]).collect();
    assert_eq!(ages, expected);
    let later = now + 1000 * 24 * HOUR;
    prune(&folder.0, keep, later).unwrap();
    assert_eq!(all(&folder.0).len(), 1, "the last one is never removed");
}
