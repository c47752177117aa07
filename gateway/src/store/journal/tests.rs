//! What the journal promises: nothing that was kept is lost, whatever the file looks like.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Mark, Memory, clock, snapshot};
use super::*;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("causeway-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut found: Vec<_> = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn row(number: usize) -> Entry {
    let payload = format!("{{\"n\":{number},\"text\":\"{}\"}}", "x".repeat(number % 50));
    Entry { kind: EntryKind::Row, id: format!("row-{number}"), payload: payload.into() }
}

fn all(reader: &mut Reader) -> Vec<Entry> {
    let mut entries = Vec::new();
    reader.until_now();
    while let Some(piece) = reader.read().unwrap() {
        reader.done(&piece);
        entries.extend(piece.entries);
    }
    entries
}

/// A file as a process that has ended left it.
fn left(folder: &Path, epoch: u64, bytes: &[u8]) {
    fs::write(folder.join(format!("usage-1-{epoch:013}.log")), bytes).unwrap();
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    entries.iter().for_each(|entry| frame::write(entry, &mut bytes));
    bytes
}

#[tokio::test]
async fn what_was_kept_is_in_the_file_and_is_read_once_in_order() {
    let folder = Folder::new("order");
    let journal = Journal::open(&folder.0).unwrap();
    let mut reader = journal.reader();
    let rows: Vec<_> = (0..100).map(row).collect();
    for row in &rows[..50] {
        journal.add(vec![row.clone()]).kept().await;
    }
    // The bytes are there, whoever looks.
    assert_eq!(fs::read(&folder.files()[0]).unwrap(), written(&rows[..50]));
    assert_eq!(journal.standing().waiting, 50);
    assert_eq!(all(&mut reader), rows[..50]);
    journal.add(rows[50..].to_vec()).kept().await;
    assert_eq!(all(&mut reader), rows[50..]);
    assert_eq!(all(&mut reader), []);
    assert_eq!(journal.standing(), Standing::default());
}

#[tokio::test]
async fn reading_ends_at_what_was_there_when_it_began() {
    let folder = Folder::new("now");
    for journal in [Journal::open(&folder.0).unwrap(), Journal::in_memory()] {
        let mut reader = journal.reader();
        let rows: Vec<_> = (0..4).map(row).collect();
        journal.add(rows[..2].to_vec()).kept().await;
        reader.until_now();
        let piece = reader.read().unwrap().unwrap();
        // Comes while the piece is worked on.
        journal.add(rows[2..].to_vec()).kept().await;
        reader.done(&piece);
        assert_eq!(piece.entries, rows[..2]);
        assert_eq!(reader.read().unwrap().map(|piece| piece.entries), None);
        assert_eq!(all(&mut reader), rows[2..]);
    }
}

#[tokio::test]
async fn full_files_are_closed_and_removed_when_nobody_needs_them() {
    let folder = Folder::new("rotate");
    let journal = Journal::with_segments_of(&folder.0, 500).unwrap();
    let mut reader = journal.reader();
    let rows: Vec<_> = (0..40).map(row).collect();
    for row in &rows {
        journal.add(vec![row.clone()]).kept().await;
    }
    assert!(folder.files().len() > 3, "{:?}", folder.files());
    // What is not read is not removed.
    reader.remove(|_| false);
    assert!(folder.files().len() > 3);
    assert_eq!(all(&mut reader), rows);
    reader.remove(|segment| segment == 1);
    let kept = folder.files().len();
    assert!(kept > 2, "what is needed keeps what comes behind it");
    reader.remove(|_| false);
    assert_eq!(folder.files().len(), 1, "the one that is written");
}

#[tokio::test]
async fn files_of_the_dead_are_read_and_those_of_the_living_are_not() {
    let folder = Folder::new("dead");
    let rows: Vec<_> = (0..9).map(row).collect();
    left(&folder.0, 2000, &written(&rows[3..6]));
    left(&folder.0, 1000, &written(&rows[..3]));
    let living = Journal::open(&folder.0).unwrap();
    living.add(rows[6..].to_vec()).kept().await;
    let journal = Journal::open(&folder.0).unwrap();
    let mut reader = journal.reader();
    assert_eq!(reader.look(), 2);
    assert_eq!(reader.look(), 0, "each is found once");
    assert_eq!(all(&mut reader), rows[..6], "the oldest first");
    reader.remove(|_| false);
    assert_eq!(folder.files().len(), 2);
    living.close();
    drop(living);
    until(|| reader.look() == 1).await;
    assert_eq!(all(&mut reader), rows[6..]);
}

/// A snapshot of this moment, in seconds.
async fn saved(folder: &Path, seconds: u64) {
    let (store, mark) = (Memory::new(clock()), Mark::default());
    fs::create_dir_all(folder).unwrap();
    snapshot::write(&store, &folder.join(snapshot::name(seconds, &mark)), &[], seconds).await.unwrap();
}

/// Reads everything there is, which is imported at this moment, in seconds.
fn import(reader: &mut Reader, seconds: u64) -> usize {
    reader.look();
    let read = all(reader).len();
    let imported = reader.imported(&Default::default(), seconds * 1000);
    reader.noted(&imported, |_| false);
    read
}

#[tokio::test]
async fn files_are_kept_until_every_snapshot_has_them() {
    let folder = Folder::new("kept");
    let retention = Retention { snapshots: folder.0.join("snapshots"), most: 1 << 20 };
    let journal = Journal::open(&folder.0.join("journal")).unwrap();
    let beside = folder.0.join("journal");
    let mut reader = journal.reader();
    let names = || {
        let names = fs::read_dir(&beside).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| name.starts_with("usage-1-"));
        names.sort();
        names
    };
    saved(&retention.snapshots, 1_000).await;
    left(&beside, 1, &written(&[row(1)]));
    assert_eq!(import(&mut reader, 1_100), 1);
    left(&beside, 2, &written(&[row(2)]));
    assert_eq!(import(&mut reader, 1_300), 1);
    assert_eq!(reader.release(&retention, 1_400_000), Vec::<String>::new());
    assert_eq!((import(&mut reader, 1_500), names().len()), (0, 2), "what is kept is not read again");
    // The newer snapshot has the first file, but the older one is there still.
    saved(&retention.snapshots, 1_200).await;
    assert_eq!(reader.release(&retention, 1_600_000), Vec::<String>::new());
    fs::remove_file(retention.snapshots.join(snapshot::name(1_000, &Mark::default()))).unwrap();
    let first = "usage-1-0000000000001.log";
    assert_eq!(reader.release(&retention, 1_700_000), [first]);
    assert_eq!(names(), ["usage-1-0000000000002.log"]);
    // Without any, the first one may be on its way for a while.
    fs::remove_dir_all(&retention.snapshots).unwrap();
    assert_eq!(reader.release(&retention, 1_800_000), Vec::<String>::new());
    assert_eq!(reader.release(&retention, 2_000_000), ["usage-1-0000000000002.log"]);
    assert_eq!(names(), Vec::<String>::new());
}

#[tokio::test]
async fn too_much_is_not_kept_and_the_oldest_goes_first() {
    let folder = Folder::new("most");
    let (beside, snapshots) = (folder.0.join("journal"), folder.0.join("snapshots"));
    saved(&snapshots, 1_000).await;
    let journal = Journal::open(&beside).unwrap();
    let mut reader = journal.reader();
    for epoch in 1..=5 {
        left(&beside, epoch, &written(&[row(0)]));
    }
    assert_eq!(import(&mut reader, 1_100), 5);
    let size = u64::try_from(written(&[row(0)]).len()).unwrap();
    let retention = Retention { snapshots, most: 2 * size };
    let gone = reader.release(&retention, 1_200_000);
    assert_eq!(gone, [1, 2, 3].map(|epoch| format!("usage-1-{epoch:013}.log")));
    assert_eq!(reader.release(&retention, 1_300_000), Vec::<String>::new());
}

#[tokio::test]
async fn reading_goes_on_where_the_store_is_and_from_the_beginning_of_another_file() {
    let folder = Folder::new("goes-on");
    let rows: Vec<_> = (0..6).map(row).collect();
    let bytes = written(&rows);
    left(&folder.0, 1, &bytes);
    left(&folder.0, 2, &bytes);
    left(&folder.0, 3, &bytes[..written(&rows[..2]).len()]);
    let read = u64::try_from(written(&rows[..4]).len()).unwrap();
    let name = |epoch: u64| format!("usage-1-{epoch:013}.log");
    let known = [(1, read), (3, read), (4, read)];
    let before = known.map(|(epoch, read)| (name(epoch), Imported { read, done: None }));
    let journal = Journal::open(&folder.0).unwrap();
    let mut reader = journal.reader();
    assert_eq!(reader.go_on_from(before.into()), [name(4)], "there is no such file any more");
    assert_eq!(reader.look(), 3);
    // The third is shorter than it was: it is another one.
    let expected = [&rows[4..], &rows[..], &rows[..2]].concat();
    assert_eq!(all(&mut reader), expected);
}

/// A thread that ends lets its lock go a moment later.
async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came");
}

#[test]
fn every_cut_leaves_what_stands_before_it() {
    let rows: Vec<_> = (0..4).map(row).collect();
    let bytes = written(&rows);
    let mut ends = vec![0];
    for at in 1..=rows.len() {
        ends.push(written(&rows[..at]).len());
    }
    for cut in 0..=bytes.len() {
        let found = frame::read(&bytes[..cut], true);
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(found.entries, rows[..whole], "cut at {cut}");
        assert_eq!((found.read, found.damaged.len()), (cut, 0), "cut at {cut}");
        // The same where more may come: nothing is given up.
        let found = frame::read(&bytes[..cut], false);
        assert_eq!((found.entries.len(), found.read), (whole, ends[whole]), "cut at {cut}");
    }
}

#[test]
fn every_flipped_bit_costs_one_entry_at_most_and_is_told() {
    let rows: Vec<_> = (0..4).map(row).collect();
    let bytes = written(&rows);
    let last = written(&rows[..3]).len();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut broken = bytes.clone();
            broken[at] ^= 1 << bit;
            let found = frame::read(&broken, true);
            assert_eq!(found.entries.len(), 3, "byte {at} bit {bit}");
            assert!(found.entries.iter().all(|entry| rows.contains(entry)), "byte {at} bit {bit}");
            // A longer length in the last entry is the same as one that was cut off.
            let like_a_cut = at >= last + 2 && at < last + 6;
            assert!(found.damaged.len() == 1 || like_a_cut, "byte {at} bit {bit}: {:?}", found.damaged);
            assert_eq!(found.read, bytes.len());
        }
    }
}

#[test]
fn damage_of_any_kind_ends_where_the_next_entry_begins() {
    let rows: Vec<_> = (0..30).map(row).collect();
    let bytes = written(&rows);
    let (from, to) = (written(&rows[..10]).len() + 5, written(&rows[..12]).len() + 7);
    let mut zeroed = bytes.clone();
    zeroed[from..to].fill(0);
    let missing = [&bytes[..from], &bytes[to..]].concat();
    let mut noise = bytes.clone();
    noise.splice(from..from, [0xCA, 0x57, 0, 0, 0, 9].repeat(50));
    let kept: Vec<_> = rows[..10].iter().chain(&rows[13..]).cloned().collect();
    for (what, broken) in [("zeroed", zeroed), ("missing", missing)] {
        let found = frame::read(&broken, true);
        assert_eq!(found.entries, kept, "{what}");
        assert_eq!(found.damaged.len(), 1, "{what}");
        assert_eq!(found.damaged[0].start, written(&rows[..10]).len(), "{what}");
    }
    let found = frame::read(&noise, true);
    assert_eq!(found.entries.len(), 29);
    // A file that the device filled with zeros at its end was cut off, not damaged.
    let found = frame::read(&[&bytes[..], &[0; 4096]].concat(), true);
    assert_eq!((found.entries.len(), found.damaged.len()), (30, 0));
}

#[test]
fn a_large_file_is_read_in_stretches() {
    let folder = Folder::new("large");
    let big = |number: usize| Entry { payload: vec![b'x'; 300_000].into(), ..row(number) };
    let rows: Vec<_> = (0..20).map(big).collect();
    left(&folder.0, 1, &written(&rows));
    let journal = Journal::open(&folder.0).unwrap();
    let mut reader = journal.reader();
    assert_eq!(reader.look(), 1);
    let read = all(&mut reader);
    assert!(read == rows, "{} entries", read.len());
}

#[tokio::test]
async fn without_a_folder_there_is_memory_and_it_has_an_end() {
    let journal = Journal::in_memory();
    let mut reader = journal.reader();
    journal.add((0..1000).map(row).collect()).kept().await;
    assert_eq!(journal.standing().waiting, 1000);
    assert_eq!(all(&mut reader), (0..1000).map(row).collect::<Vec<_>>());
    assert_eq!(journal.standing().waiting, 0);
    journal.add((0..MOST_IN_MEMORY + 5).map(row).collect()).kept().await;
    assert_eq!(journal.standing().lost, 5);
    assert_eq!(all(&mut reader).len(), MOST_IN_MEMORY);
}

#[tokio::test]
async fn a_disk_that_does_not_take_it_is_tried_again_and_holds_nobody_up() {
    // Every write to this device says that there is no room.
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let folder = Folder::new("full");
    let own = Arc::new(segment::Own::new(&folder.0));
    let (counts, news) = (Arc::new(Counts::default()), Arc::new(Notify::new()));
    let pen = pen::Pen::new(&own, SEGMENT, (Arc::clone(&counts), news)).unwrap();
    let writer = Writer::start(pen).unwrap();
    writer.pen().write_to(fs::OpenOptions::new().write(true).open(full).unwrap());
    let added = writer.add(written(&[row(1)]), 1);
    assert!(matches!(added, writer::Added::Written), "a request does not wait for room");
    assert!(counts.trouble.lock().is_some() && counts.failures.load(Ordering::Relaxed) >= 1);
    let writer::Added::Handed(kept) = writer.add(written(&[row(2)]), 1) else {
        panic!("behind what waits for room only the thread writes");
    };
    kept.await.unwrap();
    writer.pen().write_to(None);
    let writer::Added::Handed(kept) = writer.add(written(&[row(3)]), 1) else { panic!("it still waits") };
    kept.await.unwrap();
    assert!(counts.trouble.lock().is_none());
    let bytes = fs::read(&folder.files()[0]).unwrap();
    assert_eq!(frame::read(&bytes, true).entries, [row(1), row(2), row(3)], "in their order");
}
