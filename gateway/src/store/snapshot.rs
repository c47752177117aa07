//! Snapshots: a file with everything worth keeping, whole or not at all.
//!
//! A file begins with eight letters; the rest is compressed with zstd and consists of frames: length, CRC-32, body. The
//! first frame says of which store and moment it is, the last one how many records there are and the digest of them
//! all, so a file that was cut off or touched is never taken for a whole one. It is written under another name, brought
//! to the device, and only then gets its own.

mod folder;

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use self::folder::{Keep, all, name, newest, oldest, prune, sync_folder};
use super::keyspace::Key;
use super::{Kept, Mark, Space, Store, StoreError};
use crate::domain::date::rfc3339;

const MAGIC: &[u8; 8] = b"CWSNAP1\n";
/// No frame of ours is longer: what says so was touched.
const LONGEST: usize = 1 << 30;
/// Fast, and keys and counters shrink well at any level.
const LEVEL: i32 = 3;

/// What the first frame says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the records: 1.
    pub version: u32,
    /// Of which store, and how far it was.
    pub mark: Mark,
    /// When, in seconds since 1970.
    pub seconds: u64,
    /// The version of the program that wrote it.
    pub program: String,
    /// The spaces that are in it.
    pub spaces: Vec<String>,
}

impl Header {
    /// When it was made, as a date and a time.
    pub fn made(&self) -> String {
        rfc3339(self.seconds)
    }
}

/// What the last frame says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trailer {
    records: u64,
    blake3: String,
}

/// A snapshot that was written, or read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it is of.
    pub header: Header,
    /// How many records are in it.
    pub records: u64,
}

/// Writes what stands in these spaces to a file.
///
/// # Errors
/// When the store cannot be read or the file cannot be written; nothing is left behind then.
pub async fn write(
    store: &dyn Store,
    to: &Path,
    spaces: &[Space],
    seconds: u64,
) -> Result<Summary, StoreError> {
    let aside = aside(to);
    let written = write_aside(store, &aside, spaces, seconds).await;
    let placed = written.and_then(|summary| {
        std::fs::rename(&aside, to).and_then(|()| sync_folder(to)).map_err(|error| at(to, &error))?;
        Ok(summary)
    });
    placed.inspect_err(|_| {
        let _ = std::fs::remove_file(&aside);
    })
}

fn aside(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

async fn write_aside(
    store: &dyn Store,
    to: &Path,
    spaces: &[Space],
    seconds: u64,
) -> Result<Summary, StoreError> {
    let failed = |error: io::Error| at(to, &error);
    let mut options = OpenOptions::new();
    // Everything that is secret in the store is in here too.
    let file = options.create(true).truncate(true).write(true).mode(0o600).open(to).map_err(failed)?;
    let mut file = BufWriter::new(file);
    file.write_all(MAGIC).map_err(failed)?;
    let mut frames = Frames::new(zstd::Encoder::new(file, LEVEL).map_err(failed)?);
    let header = Header {
        version: 1,
        mark: store.mark().unwrap_or_default(),
        seconds,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        spaces: spaces.iter().map(|space| space.name().to_owned()).collect(),
    };
    frames.write(&json(&header)?).map_err(failed)?;
    let mut records = 0;
    let mut body = Vec::new();
    let taking = &mut |kept: Vec<Kept>| {
        for one in kept {
            records += 1;
            encode(&one, &mut body);
            frames.write(&body).map_err(failed)?;
        }
        Ok(())
    };
    store.walk(spaces, taking).await?;
    let trailer = Trailer { records, blake3: frames.digest.finalize().to_hex().to_string() };
    frames.write(&json(&trailer)?).map_err(failed)?;
    let file = frames.to.finish().map_err(failed)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(Summary { header, records })
}

/// Reads a file to its end, and only says afterwards that it is whole: look first, then take.
///
/// # Errors
/// When it is not one of ours, not whole, or `take` fails.
pub fn read(
    path: &Path,
    mut take: impl FnMut(Kept) -> Result<(), StoreError>,
) -> Result<Summary, StoreError> {
    let (header, mut frames) = open(path)?;
    let damaged = |what: &str| damaged(path, what);
    let mut records = 0;
    // The last frame is known by being the last.
    let Some(mut frame) = frames.next(path)? else { return Err(damaged("it is cut off")) };
    loop {
        let digest = std::mem::take(&mut frames.before);
        let Some(next) = frames.next(path)? else {
            let trailer: Trailer = serde_json::from_slice(&frame).map_err(|_| damaged("it is cut off"))?;
            if trailer.records != records || trailer.blake3 != digest.finalize().to_hex().as_str() {
                return Err(damaged("it does not hold what it says it does"));
            }
            return Ok(Summary { header, records });
        };
        take(decode(&frame).ok_or_else(|| damaged("a record in it cannot be read"))?)?;
        records += 1;
        frame = next;
    }
}

/// Reads a file to its end and says whether it is whole.
///
/// # Errors
/// As [`read`].
pub fn verify(path: &Path) -> Result<Summary, StoreError> {
    read(path, |_| Ok(()))
}

/// What a file says of itself.
///
/// # Errors
/// When it is not one of ours.
pub fn header(path: &Path) -> Result<Header, StoreError> {
    open(path).map(|(header, _)| header)
}

type Unpacked = Unframed<zstd::Decoder<'static, BufReader<BufReader<File>>>>;

fn open(path: &Path) -> Result<(Header, Unpacked), StoreError> {
    let failed = |error: io::Error| at(path, &error);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut magic = [0; MAGIC.len()];
    let is_ours = file.read_exact(&mut magic).is_ok() && magic == *MAGIC;
    if !is_ours {
        return Err(damaged(path, "it is no snapshot of this program"));
    }
    let mut frames = Unframed::new(zstd::Decoder::new(file).map_err(failed)?);
    let first = frames.next(path)?.ok_or_else(|| damaged(path, "it is empty"))?;
    let header: Header =
        serde_json::from_slice(&first).map_err(|_| damaged(path, "its head cannot be read"))?;
    if header.version != 1 {
        return Err(damaged(path, "a newer version of this program wrote it"));
    }
    Ok((header, frames))
}

struct Frames<W> {
    to: W,
    digest: blake3::Hasher,
}

impl<W: Write> Frames<W> {
    fn new(to: W) -> Self {
        Self { to, digest: blake3::Hasher::new() }
    }

    fn write(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        self.digest.update(body);
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(&crc32fast::hash(body).to_be_bytes())?;
        self.to.write_all(body)
    }
}

struct Unframed<R> {
    from: R,
    digest: blake3::Hasher,
    /// Over all frames but the last that was read.
    before: blake3::Hasher,
}

impl<R: Read> Unframed<R> {
    fn new(from: R) -> Self {
        Self { from, digest: blake3::Hasher::new(), before: blake3::Hasher::new() }
    }

    fn next(&mut self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let broken = |error: io::Error| damaged(path, &format!("it cannot be unpacked: {error}"));
        let mut head = [0; 8];
        let mut length = 0;
        while length < head.len() {
            match self.from.read(head.get_mut(length..).unwrap_or_default()).map_err(broken)? {
                0 if length == 0 => return Ok(None),
                0 => return Err(damaged(path, "it is cut off")),
                more => length += more,
            }
        }
        let [a, b, c, d, sum @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(damaged(path, "a length in it is absurd"));
        }
        let mut body = Vec::new();
        let wanted = u64::try_from(length).unwrap_or(u64::MAX);
        let read = (&mut self.from).take(wanted).read_to_end(&mut body).map_err(broken)?;
        if read < length || crc32fast::hash(&body) != u32::from_be_bytes(sum) {
            return Err(damaged(path, "a checksum in it is wrong"));
        }
        self.before.clone_from(&self.digest);
        self.digest.update(&body);
        Ok(Some(body))
    }
}

fn encode(kept: &Kept, body: &mut Vec<u8>) {
    body.clear();
    body.extend_from_slice(&kept.expires.unwrap_or(0).to_be_bytes());
    body.extend_from_slice(&u32::try_from(kept.key.0.len()).unwrap_or(u32::MAX).to_be_bytes());
    body.extend_from_slice(&kept.key.0);
    body.extend_from_slice(&kept.value);
}

/// A checksum over all of a record.
pub(super) fn sum(kept: &Kept) -> u32 {
    let mut body = Vec::new();
    encode(kept, &mut body);
    crc32fast::hash(&body)
}

fn decode(body: &[u8]) -> Option<Kept> {
    let (expires, rest) = body.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (key, value) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let expires = Some(u64::from_be_bytes(*expires)).filter(|expires| *expires != 0);
    Some(Kept { key: Key(key.to_vec()), value: Bytes::copy_from_slice(value), expires })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Failed(error.to_string()))
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Damaged(format!("{}: the snapshot cannot be used: {what}", path.display()))
}

fn at(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed(format!("{}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests;
