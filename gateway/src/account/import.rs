//! From the journal into the store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::enter::{Written, json};
use super::{Held, Ledger, RECOVERED};
use crate::domain::LedgerRow;
use crate::store::journal::{Entry, EntryKind, Imported, Piece, Reader, Retention};
use crate::store::{Batch, Class, Page, Scan, Space, State, StoreError};

/// So long after its time a hold that nobody settled is charged.
const GRACE: Duration = Duration::from_secs(60);

/// Who moves rows from the journal into the store. One per ledger.
pub struct Importer {
    ledger: Arc<Ledger>,
    pub(super) reader: Arc<Mutex<Reader>>,
    /// Read and not yet in the store.
    pending: Option<Piece>,
    /// What is held and not settled, by id.
    held: HashMap<String, Open>,
    /// It is known how far files were imported before.
    begun: bool,
}

/// A hold, and where it stands in the journal.
struct Open {
    held: Held,
    segment: u64,
    /// Whoever reads the file from this byte on finds it again.
    at: u64,
    abandoned: bool,
}

impl Importer {
    /// The importer of a ledger.
    pub fn new(ledger: Arc<Ledger>) -> Self {
        let reader = Arc::new(Mutex::new(ledger.journal.reader()));
        Self { ledger, reader, pending: None, held: HashMap::new(), begun: false }
    }

    /// Imports everything that is there, also of processes that have ended, and charges what those left unsettled. Returns
    /// how many rows were new.
    ///
    /// # Errors
    /// When the journal cannot be read or the store does not take rows. The next call goes on where this one stopped.
    pub async fn run(&mut self, now: u64) -> Result<usize, StoreError> {
        let retention = self.ledger.retention.clone().filter(|_| self.reader.lock().has_files());
        let result = self.all(retention.as_ref(), now).await;
        if let Some(retention) = retention {
            self.release(retention, now).await;
        }
        let metrics = &self.ledger.observer.metrics().ledger;
        if result.is_err() {
            metrics.import_errors.inc();
        }
        let standing = self.ledger.journal.standing();
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.waiting.set(signed(standing.waiting));
        metrics.journal_failures.set(signed(standing.failures));
        metrics.lost.set(signed(standing.lost));
        metrics.damages.set(signed(standing.damages));
        result
    }

    async fn all(&mut self, retention: Option<&Retention>, now: u64) -> Result<usize, StoreError> {
        if retention.is_some() && !self.begun {
            self.begin().await?;
        }
        let mut entered = 0;
        self.reader.lock().until_now();
        let mut found = self.look().await;
        loop {
            entered += self.rest().await?;
            // Once more: the files of one process are let go one after the other.
            if found == 0 {
                break;
            }
            found = self.look().await;
        }
        entered += self.recover(now).await?;
        match retention {
            Some(_) => self.note(now).await?,
            None => self.reader.lock().remove(needed(&self.held)),
        }
        Ok(entered)
    }

    /// Finds out how far files were imported before. A store that is older than they are knows less of them, so what it
    /// lacks is imported again.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let mut before = BTreeMap::new();
        let mut after = None;
        loop {
            let scan = Scan { prefix: Space::Journal.key(&[]), after, limit: 512 };
            let Page { entries, next } = match self.ledger.store.scan(scan).await {
                Err(error @ StoreError::Corrupted { .. }) => {
                    tracing::error!(%error, "the usage journal is imported from its beginning");
                    before.clear();
                    break;
                }
                page => page?,
            };
            for (key, value) in &entries {
                let name = key.parts().and_then(|parts| parts.first().map(|name| (*name).to_owned()));
                // What cannot be read is imported again, which does no harm.
                let imported = serde_json::from_slice::<Imported>(value).unwrap_or_default();
                before.extend(name.map(|name| (name, imported)));
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        let gone = self.reader.lock().go_on_from(before);
        self.forget(gone).await?;
        self.begun = true;
        Ok(())
    }

    /// Writes down how far files are imported now. Rows stand in the store before, so what is lost of this is only read
    /// again.
    async fn note(&self, now: u64) -> Result<(), StoreError> {
        let mut from: HashMap<u64, u64> = HashMap::new();
        for open in self.held.values() {
            let first = from.entry(open.segment).or_insert(open.at);
            *first = open.at.min(*first);
        }
        let imported = self.reader.lock().imported(&from, now);
        if !imported.is_empty() {
            let mut batch = Batch::default();
            for (name, imported) in &imported {
                batch = batch.put(Space::Journal.key(&[name]), json(imported)?, None);
            }
            self.ledger.store.write(batch, Class::Relaxed).await?;
        }
        self.reader.lock().noted(&imported, needed(&self.held));
        Ok(())
    }

    /// Removes files that need not be kept. Where the store has no room, none is.
    async fn release(&self, retention: Retention, now: u64) {
        let is_full = matches!(self.ledger.store.state(), State::ReadOnly(_));
        let retention = if is_full { Retention { most: 0, ..retention } } else { retention };
        let gone = self.reading(move |reader| reader.release(&retention, now)).await.unwrap_or_default();
        if let Err(error) = self.forget(gone).await {
            // At the next start nobody finds the files.
            tracing::debug!(%error, "the store still knows files of the journal that were removed");
        }
    }

    async fn forget(&self, names: Vec<String>) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let keys = names.iter().map(|name| Space::Journal.key(&[name]));
        self.ledger.store.write(keys.fold(Batch::default(), Batch::delete), Class::Relaxed).await
    }

    async fn look(&self) -> usize {
        self.reading(Reader::look).await.unwrap_or(0)
    }

    /// Everything the reader finds.
    async fn rest(&mut self) -> Result<usize, StoreError> {
        let mut entered = 0;
        loop {
            // What could not be entered may be there in part.
            let fresh = self.pending.is_none();
            if fresh {
                let read = self.reading(Reader::read).await.unwrap_or(Ok(None));
                let read = read.map_err(|error| StoreError::Failed(format!("the journal: {error}")))?;
                let Some(piece) = read else { return Ok(entered) };
                self.pending = Some(piece);
            }
            if let Some(piece) = &self.pending {
                let rows = rows(&mut self.held, piece);
                entered += self.ledger.enter(&rows, fresh && !piece.abandoned).await?;
            }
            if let Some(piece) = self.pending.take() {
                self.reader.lock().done(&piece);
            }
        }
    }

    /// Reading waits for the disk, so a thread of its own does it.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Reader) -> T + Send + 'static,
    ) -> Option<T> {
        let reader = Arc::clone(&self.reader);
        tokio::task::spawn_blocking(move || read(&mut reader.lock())).await.ok()
    }

    /// What a process left that has ended, and what nobody settled in time: charged at its estimate.
    async fn recover(&mut self, now: u64) -> Result<usize, StoreError> {
        let late = |open: &Open| {
            let grace = u64::try_from(GRACE.as_millis()).unwrap_or(u64::MAX);
            open.held.until.saturating_add(grace) < now
        };
        let left: Vec<_> = self.held.iter().filter(|(_, open)| open.abandoned || late(open)).collect();
        if left.is_empty() {
            return Ok(0);
        }
        let row = |open: &Open| LedgerRow { outcome: RECOVERED.to_owned(), ..open.held.row.clone() };
        let rows: Vec<_> =
            left.iter().map(|(_, open)| Written::of(row(open))).collect::<Result<_, StoreError>>()?;
        let ids: Vec<String> = left.iter().map(|(id, _)| (*id).clone()).collect();
        let entered = self.ledger.enter(&rows, false).await?;
        for id in &ids {
            self.held.remove(id);
        }
        let metrics = &self.ledger.observer.metrics().ledger;
        metrics.recovered.inc_by(u64::try_from(entered).unwrap_or(0));
        metrics.rows.with_label_values(&[RECOVERED]).inc_by(u64::try_from(entered).unwrap_or(0));
        if entered > 0 {
            tracing::warn!(
                reservations_recovered = entered,
                "reservations nobody settled are charged as estimated"
            );
        }
        Ok(entered)
    }
}

/// Whether something is held in a file.
fn needed(held: &HashMap<String, Open>) -> impl Fn(u64) -> bool {
    move |segment| held.values().any(|open| open.segment == segment)
}

/// The rows of a piece; what is held and settled there is noted.
fn rows(held: &mut HashMap<String, Open>, piece: &Piece) -> Vec<Written> {
    let mut rows = Vec::with_capacity(piece.entries.len());
    let is_settled = |entry: &&Entry| entry.kind == EntryKind::Settled;
    let settled: HashSet<&str> =
        piece.entries.iter().filter(is_settled).map(|entry| entry.id.as_str()).collect();
    for entry in &piece.entries {
        match entry.kind {
            EntryKind::Row => rows.extend(understood(entry, Written::read(&entry.payload))),
            EntryKind::Settled => drop(held.remove(&entry.id)),
            // Most are settled in the same piece, and need not be read at all.
            EntryKind::Hold if settled.contains(entry.id.as_str()) => {}
            EntryKind::Hold => {
                if let Some(hold) = understood(entry, serde_json::from_slice(&entry.payload)) {
                    let (segment, at, abandoned) = (piece.segment, piece.from, piece.abandoned);
                    let open = Open { held: hold, segment, at, abandoned };
                    held.insert(entry.id.clone(), open);
                }
            }
        }
    }
    rows
}

fn understood<T>(entry: &Entry, read: serde_json::Result<T>) -> Option<T> {
    read.inspect_err(
        |error| tracing::error!(id = entry.id, %error, "an entry of the journal is not understood"),
    )
    .ok()
}
