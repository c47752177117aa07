//! `causeway store check` and `salvage`: every record is read.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::json;

use super::{Outcome, Progress, now};
use crate::store::lines::Export;
use crate::store::sled::{Copy, Report, held_by, salvage as read};
use crate::store::snapshot;
use crate::store::{self, Kept, Place, Sled};

pub(super) fn run(place: &Place, accept: bool) -> Result<Outcome, String> {
    let holder = held_by(place);
    if let (true, Some(holder)) = (accept, &holder) {
        return Err(format!("{}: {holder} uses this store; end it first", place.files.display()));
    }
    let problem = opened(place).err();
    let progress = Progress::new("checking");
    let read = read(place, (store::clock()(), false), &mut |_: Kept| {
        progress.add(1);
        Ok(())
    });
    drop(progress);
    let (report, problem) = match read {
        Ok(report) => (report, problem),
        Err(error) => (Report::default(), Some(problem.unwrap_or_else(|| error.to_string()))),
    };
    let readable = report.is_whole() && !report.spaces.is_empty();
    if accept && readable {
        let accepted = Sled::open_at(&Place { accept: true, ..place.clone() }, store::clock());
        drop(accepted.map_err(|error| error.to_string())?);
        return Ok(told(place, &report, (None, holder), "accepted: the manifest says what is there now"));
    }
    Ok(told(place, &report, (problem, holder), ""))
}

/// Whether a gateway could open it, tried on a copy.
fn opened(place: &Place) -> Result<(), String> {
    let copy = Copy::of(place).map_err(|error| error.to_string())?;
    let opened = Sled::open_at(copy.place(), store::clock()).map(drop);
    // It is the store that is meant, wherever the copy is.
    let (of_copy, own) = (copy.place().files.display().to_string(), place.files.display().to_string());
    opened.map_err(|error| error.to_string().replace(&of_copy, &own))
}

pub(super) fn salvage(place: &Place, to: &Path) -> Result<Outcome, String> {
    let mut options = OpenOptions::new();
    let file = options.create_new(true).write(true).mode(0o600).open(to);
    let file = file.map_err(|error| format!("{}: {error}", to.display()))?;
    let saved = || {
        let mut export = Export::begin(BufWriter::new(file), now())?;
        let progress = Progress::new("salvaging");
        let report = read(place, (store::clock()(), true), &mut |kept: Kept| {
            progress.add(1);
            export.take(&kept)
        })?;
        export.end().map(|(records, _)| (report, records))
    };
    let (report, records) = saved().map_err(|error| {
        // Half a file would be taken for a whole one.
        let _ = std::fs::remove_file(to);
        error.to_string()
    })?;
    let line = format!(
        "{records} records are in {0}; `causeway store restore --from {0}` puts them into the store's place",
        to.display()
    );
    let mut outcome = told(place, &report, (None, held_by(place)), &line);
    if let Some(object) = outcome.json.as_object_mut() {
        object.insert("file".to_owned(), json!(to));
        object.insert("salvaged".to_owned(), json!(records));
    }
    Ok(outcome)
}

fn told(place: &Place, report: &Report, state: (Option<String>, Option<String>), last: &str) -> Outcome {
    let (problem, holder) = state;
    let well = problem.is_none() && report.is_whole();
    let snapshot = place.snapshots.as_deref().and_then(snapshot::newest);
    let mut text = format!("{}\n", place.files.display());
    if let Some(holder) = &holder {
        let _ = writeln!(text, "  in use by {holder}; a copy was read");
    }
    for (space, count) in &report.spaces {
        if count.records + count.corrupted + count.newer + count.missing == 0 {
            continue;
        }
        let _ = write!(text, "  {space}: {} records, {} bytes", count.records, count.bytes);
        for (what, number) in [
            ("expired", count.expired),
            ("corrupted", count.corrupted),
            ("of a newer version", count.newer),
            ("missing", count.missing),
        ] {
            if number > 0 {
                let _ = write!(text, ", {number} {what}");
            }
        }
        text.push('\n');
    }
    for key in &report.corrupted {
        let _ = writeln!(text, "  corrupted: {key}");
    }
    for lost in &report.lost {
        let after = lost.after.as_deref().unwrap_or("the beginning");
        let before = lost.before.as_deref().unwrap_or("the end");
        let _ = writeln!(text, "  lost in {}: between {after} and {before}: {}", lost.space, lost.why);
    }
    if let Some(mended) = report.mended {
        let _ = writeln!(text, "  it could only be opened after this: {mended}");
    }
    match &snapshot {
        Some((path, header)) => {
            let _ = writeln!(text, "  last snapshot: {} ({})", header.made(), path.display());
        }
        None => text.push_str("  last snapshot: none\n"),
    }
    if let Some(problem) = &problem {
        let _ = writeln!(text, "{problem}");
    } else if !well {
        text.push_str("damaged; `causeway store restore` brings back the last snapshot, `causeway store salvage` reads what can be read\n");
    } else if last.is_empty() {
        text.push_str("whole\n");
    }
    text.push_str(last);
    let json = json!({
        "version": 1, "ok": well, "folder": place.files, "holder": holder, "problem": problem, "report": report,
        "snapshot": snapshot.map(|(path, header)| json!({ "file": path, "made": header.made(), "mark": header.mark })),
    });
    Outcome { text, json, well, aside: false }
}
