//! The one thread that reads.

use std::sync::mpsc::Receiver;

use bytes::Bytes;

use super::super::keyspace::Key;
use super::super::records;
use super::super::{Clock, Kept, Page, Scan, State, StoreError};
use super::disk::Disk;
use super::{Shared, Told, frozen, quiet};

/// What can be asked.
pub(super) enum Read {
    Get(Vec<Key>, Told<Vec<Option<Bytes>>>),
    Scan(Scan, Told<Page>),
    /// Begins a walk.
    Freeze(Told<()>),
    /// The next records of a walk below a prefix; `None`: go on with the next prefix.
    Walk(Vec<u8>, Told<Option<Vec<Kept>>>),
    /// Ends a walk.
    Thaw,
}

/// Answers until nobody can ask any more.
pub(super) fn run(shared: &Shared, clock: &Clock, questions: &Receiver<Read>) {
    while let Ok(question) = questions.recv() {
        let disk = shared.disk.read();
        match &*disk {
            Some(disk) => {
                // Whoever asked is told when its half of the channel goes.
                if let Err(panic) = quiet::guarded(|| answer(disk, clock(), question)) {
                    tracing::error!(panic, "the store panicked; it is opened again");
                    disk.break_down();
                }
            }
            None => refuse(shared, question),
        }
    }
}

fn answer(disk: &Disk, now: u64, question: Read) {
    match question {
        Read::Get(keys, told) => {
            let one = |key: &Key| Ok(records::get(disk, now, key)?.map(|record| record.value));
            drop(told.send(keys.iter().map(one).collect()));
        }
        Read::Scan(scan, told) => drop(told.send(records::scan(disk, now, &scan))),
        Read::Freeze(told) => {
            frozen::freeze(disk);
            drop(told.send(Ok(())));
        }
        Read::Walk(prefix, told) => {
            let page = frozen::page(disk, &prefix);
            let kept = page.and_then(|page| page.map(|page| records::kept(now, page)).transpose());
            drop(told.send(kept));
        }
        Read::Thaw => frozen::thaw(disk),
    }
}

fn refuse(shared: &Shared, question: Read) {
    let why = match &*shared.state.read() {
        State::Down(why) => why.clone(),
        _ => "it is being opened again".to_owned(),
    };
    let error = StoreError::Failed(why);
    match question {
        Read::Get(_, told) => drop(told.send(Err(error))),
        Read::Scan(_, told) => drop(told.send(Err(error))),
        Read::Freeze(told) => drop(told.send(Err(error))),
        Read::Walk(_, told) => drop(told.send(Err(error))),
        Read::Thaw => {}
    }
}
