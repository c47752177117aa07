//! Rows of the ledger, page by page in the order of time.

use super::Ledger;
use super::place::{self, Moment};
use super::query::Filter;
use crate::domain::LedgerRow;
use crate::domain::date::seconds_of_rfc3339;
use crate::store::{Batch, Class, Key, Page, Scan, Space, StoreError};

/// Records looked at in one go.
const AT_ONCE: usize = 64;
/// Rows of one page at most.
const MOST: usize = 10_000;
const DAY: u64 = 86_400;

/// Which rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowQuery {
    /// From this moment, Unix time in milliseconds.
    pub from: u64,
    /// Until before this moment.
    pub to: u64,
    /// Which of them.
    pub filter: Filter,
    /// Only those that ended like this.
    pub outcome: Option<String>,
    /// Only those of this request.
    pub request: Option<String>,
    /// So many at most.
    pub limit: usize,
    /// The youngest first.
    pub newest_first: bool,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

/// Where a page of rows ended: a record, and which of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    key: Key,
    at: usize,
}

impl Cursor {
    /// A cursor as it was told; `None`: that was never one.
    pub fn read(text: &str) -> Option<Self> {
        let (key, at) = text.rsplit_once('/')?;
        let parts: Vec<&str> = key.split('/').collect();
        (parts.len() == 4).then(|| Some(Self { key: Space::Usage.key(&parts), at: at.parse().ok()? }))?
    }

    /// As it is told.
    pub fn text(&self) -> String {
        format!("{}/{}", self.key.parts().unwrap_or_default().join("/"), self.at)
    }
}

/// A page of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// Where to go on; `None`: there is nothing more.
    pub next: Option<Cursor>,
}

impl RowQuery {
    fn takes(&self, row: &LedgerRow) -> bool {
        (self.from..self.to).contains(&row.at)
            && self.filter.takes_row(row)
            && self.outcome.as_ref().is_none_or(|outcome| *outcome == row.outcome)
            && self.request.as_ref().is_none_or(|request| *request == row.request)
    }

    /// Takes over what is wanted of the rows of a record, with their numbers; true: the page is full.
    fn take(&self, key: &Key, rows: impl Iterator<Item = (usize, LedgerRow)>, found: &mut RowPage) -> bool {
        for (at, row) in rows.filter(|(_, row)| self.takes(row)) {
            found.rows.push(row);
            if found.rows.len() == self.limit {
                found.next = Some(Cursor { key: key.clone(), at });
                return true;
            }
        }
        false
    }
}

impl Ledger {
    /// Rows in the order of time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rows(&self, query: &RowQuery) -> Result<RowPage, StoreError> {
        let query = RowQuery { limit: query.limit.clamp(1, MOST), ..query.clone() };
        if query.newest_first { self.backward(&query).await } else { self.forward(&query).await }
    }

    async fn forward(&self, query: &RowQuery) -> Result<RowPage, StoreError> {
        let mut found = RowPage::default();
        let begun = query.after.as_ref();
        let from = place::minute(&Moment::of(query.from));
        let end = place::minute(&Moment::of(query.to.saturating_add(60_000)));
        if let Some(Cursor { key, at }) = begun {
            let rest = self.store.get(key.clone()).await?;
            let rest = rest.map(|value| read(key, &value)).unwrap_or_default();
            let rest = rest.into_iter().enumerate().skip(at + 1);
            if query.take(key, rest, &mut found) {
                return Ok(found);
            }
        }
        let mut after = Some(begun.map_or(from, |begun| begun.key.clone()));
        loop {
            let scan = Scan { prefix: Space::Usage.key(&[]), after, limit: AT_ONCE };
            let Page { entries, next } = self.store.scan(scan).await?;
            for (key, value) in &entries {
                if *key >= end {
                    return Ok(found);
                }
                if query.take(key, read(key, value).into_iter().enumerate(), &mut found) {
                    return Ok(found);
                }
            }
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// A store is read forwards only, so minute by minute; days and hours without rows are passed over.
    async fn backward(&self, query: &RowQuery) -> Result<RowPage, StoreError> {
        let mut found = RowPage::default();
        let Some((first, last)) = self.days().await? else { return Ok(found) };
        let begun = query.after.as_ref();
        let mut day = (query.to.saturating_sub(1) / 1000).min(last) / DAY * DAY;
        let until = (query.from / 1000).max(first) / DAY * DAY;
        while day >= until {
            let moment = Moment::of(day.saturating_mul(1000));
            if self.has(&[moment.day()]).await? {
                for hour in (0..24).rev().map(|hour| format!("{hour:02}")) {
                    let of_hour = [moment.day(), hour.as_str()];
                    let behind = begun.is_some_and(|begun| Space::Usage.key(&of_hour) > begun.key);
                    if behind || !self.has(&of_hour).await? {
                        continue;
                    }
                    self.hour_backward(query, &of_hour, (begun, &mut found)).await?;
                    if found.next.is_some() {
                        return Ok(found);
                    }
                }
            }
            match day.checked_sub(DAY) {
                Some(before) => day = before,
                None => break,
            }
        }
        Ok(found)
    }

    async fn hour_backward(
        &self,
        query: &RowQuery,
        of_hour: &[&str; 2],
        (begun, found): (Option<&Cursor>, &mut RowPage),
    ) -> Result<(), StoreError> {
        let [day, hour] = *of_hour;
        for minute in (0..60).rev().map(|minute| format!("{minute:02}")) {
            let mut records = self.all(Space::Usage.key(&[day, hour, &minute])).await?;
            records.reverse();
            for (key, rows) in records {
                let first = match begun {
                    Some(begun) if key > begun.key => continue,
                    Some(begun) if key == begun.key => begun.at,
                    _ => rows.len(),
                };
                let rows = rows.into_iter().enumerate().take(first).rev();
                if query.take(&key, rows, found) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All records below a key.
    async fn all(&self, prefix: Key) -> Result<Vec<(Key, Vec<LedgerRow>)>, StoreError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let scan = Scan { prefix: prefix.clone(), after, limit: AT_ONCE };
            let Page { entries, next } = self.store.scan(scan).await?;
            found.extend(entries.into_iter().map(|(key, value)| {
                let rows = read(&key, &value);
                (key, rows)
            }));
            after = next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn has(&self, parts: &[&str]) -> Result<bool, StoreError> {
        let scan = Scan { prefix: Space::Usage.key(parts), after: None, limit: 1 };
        Ok(!self.store.scan(scan).await?.entries.is_empty())
    }

    /// The first day with rows, and a moment behind the last, in Unix seconds.
    async fn days(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let scan = Scan { prefix: Space::Usage.key(&[]), after: None, limit: 1 };
        let page = self.store.scan(scan).await?;
        let first = page.entries.first().and_then(|(key, _)| {
            let day = key.parts()?.first().map(|day| format!("{day}T00:00:00Z"))?;
            seconds_of_rfc3339(&day)
        });
        // Clocks may be wrong, but not by years: nobody looks at days without end.
        let latest = crate::store::clock()() / 1000 + 2 * DAY;
        Ok(first.map(|first| (first, latest.max(first))))
    }

    /// Removes some of the rows that are older than they are kept, and says how many records that were.
    ///
    /// # Errors
    /// When the store does not do it.
    pub async fn sweep(&self, now: u64) -> Result<usize, StoreError> {
        let Some(keep) = self.keep else { return Ok(0) };
        let oldest = now.saturating_sub(u64::try_from(keep.as_millis()).unwrap_or(u64::MAX));
        let end = place::minute(&Moment::of(oldest));
        let scan = Scan { prefix: Space::Usage.key(&[]), after: None, limit: AT_ONCE };
        let page = self.store.scan(scan).await?;
        // Those of a record are of one minute.
        let old: Vec<_> = page.entries.into_iter().map(|(key, _)| key).filter(|key| *key < end).collect();
        if old.is_empty() {
            return Ok(0);
        }
        let many = old.len();
        let batch = old.into_iter().fold(Batch::default(), Batch::delete);
        self.store.write(batch, Class::Relaxed).await?;
        Ok(many)
    }
}

/// The rows of a record. One that is damaged is passed over, loudly.
pub(super) fn read(key: &Key, value: &[u8]) -> Vec<LedgerRow> {
    serde_json::from_slice(value).unwrap_or_else(|error| {
        tracing::error!(%key, %error, "rows of the ledger are not understood");
        Vec::new()
    })
}
