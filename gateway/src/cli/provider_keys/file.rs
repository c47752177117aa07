//! Changes of a provider's file of keys. The new file stands beside the old one until it is whole, then takes its place;
//! the old one stays as `.before`.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Known, Outcome};
use crate::config::keys_file::{self, KeyLine};
use crate::domain::Secret;
use crate::upstream::keys::key_id;

/// So many refused lines are told one by one.
const TOLD: usize = 20;
/// A progress line after so many lines.
const EVERY: usize = 5000;

/// Adds the keys of a file or of standard input.
pub(super) fn import(known: &Known, source: &Path) -> Result<Outcome, String> {
    let target = known.keys_file()?;
    let mut seen = Seen::default();
    known.provider()?.keys.iter().for_each(|key| {
        seen.insert(key);
    });
    let mut change = Change::begin(target)?;
    change.copy(|line| {
        if let Ok(Some(line)) = KeyLine::read(line) {
            seen.insert(&line.secret);
        }
        Keep::AsItIs
    })?;
    let mut counts = Counts::default();
    let reader: Box<dyn BufRead> = if source == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(source).map_err(|error| format!("{}: {error}", source.display()))?;
        Box::new(BufReader::new(file))
    };
    let progress = io::stderr().is_terminal();
    let mut failed = None;
    let read = keys_file::each_line_of(reader, |number, line| {
        match line {
            Ok(None) => {}
            Ok(Some(line)) if seen.insert(&line.secret) => {
                counts.added += 1;
                failed = failed.take().or(change.write(&line.written()).err());
            }
            Ok(Some(_)) => counts.again += 1,
            Err(why) => {
                counts.refused += 1;
                if counts.told.len() < TOLD {
                    counts.told.push((number, why));
                }
            }
        }
        if progress && number.is_multiple_of(EVERY) {
            let _ = write!(io::stderr(), "\r{number} lines, {} keys added", counts.added);
        }
    });
    if progress {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    read.map_err(|error| format!("{}: {error}", source.display()))?;
    if let Some(failed) = failed {
        return Err(failed);
    }
    let before = if counts.added > 0 { change.finish()? } else { change.cancel() };
    Ok(Outcome { good: counts.refused == 0, text: counts.text(known.json, target, before.as_deref()) })
}

/// Writes a note behind a key.
pub(super) fn note(known: &Known, id: &str, text: Option<&str>) -> Result<Outcome, String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().any(char::is_control)) {
        return Err("a note is one line of text".to_owned());
    }
    let found = edit(known, |line| {
        (key_id(&line.secret) == id).then(|| Keep::As(KeyLine { note: text.map(Into::into), ..line.clone() }))
    })?;
    if found == 0 {
        return Err(not_there(known, id));
    }
    let answer = json!({ "key": id, "note": text });
    Ok(Outcome::good(if known.json { format!("{answer}\n") } else { format!("noted: {id}\n") }))
}

/// Takes keys out.
pub(super) fn remove(known: &Known, ids: &[String]) -> Result<Outcome, String> {
    let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let mut gone = Vec::new();
    edit(known, |line| {
        let id = key_id(&line.secret);
        wanted.contains(id.as_str()).then(|| {
            gone.push(id);
            Keep::Not
        })
    })?;
    if let Some(missing) = ids.iter().find(|id| !gone.contains(id)) {
        return Err(not_there(known, missing));
    }
    let file = known.keys_file()?;
    let text = if known.json {
        format!("{}\n", json!({ "removed": gone, "before": before(file) }))
    } else {
        format!("removed: {}\nundo: mv {} {}\n", gone.join(", "), before(file).display(), file.display())
    };
    Ok(Outcome::good(text))
}

fn not_there(known: &Known, id: &str) -> String {
    let file = known.keys_file().map(|file| file.display().to_string()).unwrap_or_default();
    let listed = known.provider().is_ok_and(|own| own.keys.iter().any(|key| key_id(key) == id));
    if listed {
        return format!("the key {id} stands in the configuration itself, under `keys`; change it there");
    }
    format!("there is no key {id} in {file}")
}

/// Rewrites the lines of keys for which `change` says something; tells how many. Nothing is written when there are none.
fn edit(known: &Known, mut change: impl FnMut(&KeyLine) -> Option<Keep>) -> Result<usize, String> {
    let mut changed = 0;
    let mut writing = Change::begin(known.keys_file()?)?;
    writing.copy(|line| {
        let Ok(Some(line)) = KeyLine::read(line) else { return Keep::AsItIs };
        change(&line).map_or(Keep::AsItIs, |keep| {
            changed += 1;
            keep
        })
    })?;
    if changed > 0 {
        writing.finish()?;
    }
    Ok(changed)
}

/// Keys that were there, by half of their hash: sixteen bytes each, whatever their length.
#[derive(Default)]
struct Seen(HashSet<[u8; 16]>);

impl Seen {
    fn insert(&mut self, secret: &Secret) -> bool {
        let hash = blake3::hash(secret.expose().as_bytes());
        let half = hash.as_bytes().first_chunk::<16>().copied().unwrap_or_default();
        self.0.insert(half)
    }
}

#[derive(Default)]
struct Counts {
    added: usize,
    again: usize,
    refused: usize,
    told: Vec<(usize, String)>,
}

impl Counts {
    fn text(&self, json: bool, file: &Path, before: Option<&Path>) -> String {
        let Self { added, again, refused, told } = self;
        if json {
            let told: Vec<_> = told.iter().map(|(line, why)| json!({ "line": line, "why": why })).collect();
            let answer = json!({
                "file": file, "added": added, "duplicate": again, "refused": refused, "lines": told, "before": before,
            });
            return format!("{answer}\n");
        }
        let mut text =
            format!("{}: {added} added, {again} already there, {refused} refused\n", file.display());
        for (line, why) in told {
            text.push_str(&format!("  line {line} {why}\n"));
        }
        if *refused > told.len() {
            text.push_str(&format!("  and {} more\n", refused - told.len()));
        }
        match before {
            Some(before) => text.push_str(&format!("undo: mv {} {}\n", before.display(), file.display())),
            None if *added > 0 => text.push_str(&format!("undo: rm {}\n", file.display())),
            None => {}
        }
        text
    }
}

/// What becomes of a line.
enum Keep {
    AsItIs,
    As(KeyLine),
    Not,
}

/// A file on its way to another content.
struct Change {
    target: PathBuf,
    aside: PathBuf,
    writer: BufWriter<File>,
    finished: bool,
}

impl Change {
    /// Opens the new file beside the old one. Two at once exclude each other by its name.
    fn begin(target: &Path) -> Result<Self, String> {
        let aside = suffixed(target, ".new");
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{} is there: another command is at work; if none is, remove it", aside.display())
            }
            _ => format!("{}: {error}", aside.display()),
        })?;
        Ok(Self { target: target.to_owned(), aside, writer: BufWriter::new(file), finished: false })
    }

    /// Carries the old lines over, one at a time; where there is no old file there are none.
    fn copy(&mut self, mut keep: impl FnMut(&str) -> Keep) -> Result<(), String> {
        let target = self.target.clone();
        let wrong = |error: io::Error| format!("{}: {error}", target.display());
        let file = match File::open(&target) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(wrong(error)),
        };
        for line in BufReader::new(file).lines() {
            let line = line.map_err(wrong)?;
            match keep(&line) {
                Keep::AsItIs => self.write(&line)?,
                Keep::As(line) => self.write(&line.written())?,
                Keep::Not => {}
            }
        }
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<(), String> {
        let written = self.writer.write_all(line.as_bytes()).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|error| format!("{}: {error}", self.aside.display()))
    }

    /// Puts the new file into the old one's place; tells where the old one is, if there was one.
    fn finish(mut self) -> Result<Option<PathBuf>, String> {
        let wrong = |error: io::Error| format!("{}: {error}", self.aside.display());
        self.writer.flush().and_then(|()| self.writer.get_ref().sync_all()).map_err(wrong)?;
        let kept = before(&self.target);
        let _ = std::fs::remove_file(&kept);
        let had = match std::fs::hard_link(&self.target, &kept) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(format!("{}: {error}", kept.display())),
        };
        std::fs::rename(&self.aside, &self.target).map_err(wrong)?;
        self.finished = true;
        Ok(had.then_some(kept))
    }

    /// Leaves all as it was.
    fn cancel(self) -> Option<PathBuf> {
        None
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.aside);
        }
    }
}

fn before(target: &Path) -> PathBuf {
    suffixed(target, ".before")
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
