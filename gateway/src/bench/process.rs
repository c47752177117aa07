//! What a process and its children take, from `/proc`.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

/// `/proc` counts in these; the kernel's interface says 100 on every machine Linux runs on today.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// Seconds in the program.
    pub user: f64,
    /// Seconds in the kernel on its behalf.
    pub system: f64,
}

impl Cpu {
    /// Both.
    pub fn sum(self) -> f64 {
        self.user + self.system
    }
}

impl std::ops::Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self { user: self.user - earlier.user, system: self.system - earlier.system }
    }
}

/// The process and all below it, parents first.
pub fn tree(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    for process in names.filter_map(|name| name.to_str()?.parse::<u32>().ok()) {
        // What ended in between is no longer of interest.
        if let Some(parent) = fields(process).and_then(|fields| fields.first().copied()) {
            children.entry(u32::try_from(parent).unwrap_or_default()).or_default().push(process);
        }
    }
    let (mut found, mut next) = (vec![root], 0);
    while let Some(process) = found.get(next) {
        let below = children.remove(process).unwrap_or_default();
        found.extend(below);
        next += 1;
    }
    found
}

/// CPU time of the process and all below it.
pub fn cpu(root: u32) -> Cpu {
    tree(root).into_iter().filter_map(fields).fold(Cpu::default(), |sum, fields| {
        let seconds = |at: usize| fields.get(at).copied().unwrap_or_default() as f64 / TICKS_PER_SECOND;
        Cpu { user: sum.user + seconds(10), system: sum.system + seconds(11) }
    })
}

/// Bytes of memory of the process and all below it; what several share is divided among them (PSS).
pub fn memory(root: u32) -> u64 {
    tree(root).into_iter().filter_map(proportional).sum()
}

fn proportional(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The numbers of `/proc/<process>/stat` behind name and state: the parent is the first.
fn fields(process: u32) -> Option<Vec<i64>> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // A name may hold blanks and brackets.
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split_whitespace().skip(1).map(|word| word.parse().unwrap_or_default()).collect())
}
