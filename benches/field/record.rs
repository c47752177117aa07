//! What a run found, as it is written and read again.

use std::collections::BTreeMap;
use std::path::Path;

use causeway::bench::{Machine, Outcome};
use serde::{Deserialize, Serialize};

/// All of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Of this form.
    pub(crate) version: u32,
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) compiler: String,
    /// `release`, or figures are worth nothing.
    pub(crate) profile: String,
    pub(crate) rounds: usize,
    /// How long a scenario is measured.
    pub(crate) seconds: f64,
    /// What was done against other programs on the machine.
    pub(crate) priority: String,
    pub(crate) machine: Machine,
    pub(crate) peers: Vec<PeerFacts>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct PeerFacts {
    pub(crate) name: String,
    pub(crate) on: String,
    pub(crate) version: Option<String>,
    pub(crate) binary_bytes: Option<u64>,
    /// Why it was not measured.
    pub(crate) left_out: Option<String>,
}

/// One scenario with one peer in one round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) round: usize,
    pub(crate) peer: String,
    pub(crate) scenario: String,
    /// None where there were errors.
    pub(crate) figures: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<Outcome>,
}

/// A run in which the provider itself took so much more than its least was bent by something else on the machine.
const BENT: f64 = 1.25;

impl Record {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// What was found in all rounds that were not bent, in order of size.
    pub(crate) fn all(&self, peer: &str, scenario: &str, figure: &str) -> Vec<f64> {
        let rows = || self.rows.iter().filter(|row| row.peer == peer && row.scenario == scenario);
        let canary = |row: &Row| row.figures.get("upstream_us").copied().filter(|canary| *canary > 0.0);
        let least = rows().filter_map(canary).fold(f64::INFINITY, f64::min);
        let straight = rows().filter(|row| canary(row).is_none_or(|canary| canary <= least * BENT));
        let mut found: Vec<f64> = straight.filter_map(|row| row.figures.get(figure).copied()).collect();
        found.sort_by(f64::total_cmp);
        found
    }

    pub(crate) fn median(&self, peer: &str, scenario: &str, figure: &str) -> Option<f64> {
        median(&self.all(peer, scenario, figure))
    }

    /// How many rows [`Record::all`] leaves out.
    pub(crate) fn bent(&self) -> usize {
        let straight = |row: &&Row| !self.all(&row.peer, &row.scenario, "upstream_us").is_empty();
        let rows: Vec<&Row> =
            self.rows.iter().filter(|row| row.figures.contains_key("upstream_us")).collect();
        let kept: std::collections::BTreeSet<(&str, &str)> = rows
            .iter()
            .copied()
            .filter(straight)
            .map(|row| (row.peer.as_str(), row.scenario.as_str()))
            .collect();
        let kept: usize =
            kept.into_iter().map(|(peer, scenario)| self.all(peer, scenario, "upstream_us").len()).sum();
        rows.len() - kept
    }

    /// Who was measured at all.
    pub(crate) fn measured(&self) -> impl Iterator<Item = &PeerFacts> {
        self.peers.iter().filter(|peer| peer.left_out.is_none())
    }
}

/// Of sorted figures.
fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted {
        [] => None,
        _ if sorted.len() % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(round: usize, cost: f64, canary: f64) -> Row {
        let figures = [("cpu_us".to_owned(), cost), ("upstream_us".to_owned(), canary)].into();
        Row { round, peer: "a".to_owned(), scenario: "s".to_owned(), figures, ..Row::default() }
    }

    #[test]
    fn a_median_is_the_middle_and_a_bent_round_is_left_out() {
        let rows = vec![row(0, 10.0, 7.0), row(1, 30.0, 9.5), row(2, 12.0, 7.2), row(3, 11.0, 8.0)];
        let record = Record { rows, ..Record::default() };
        assert_eq!(record.all("a", "s", "cpu_us"), [10.0, 11.0, 12.0]);
        assert_eq!(record.median("a", "s", "cpu_us"), Some(11.0));
        assert_eq!(record.bent(), 1);
        assert_eq!(median(&[1.0, 2.0, 4.0, 8.0]), Some(3.0));
        assert_eq!(record.median("b", "s", "cpu_us"), None);
    }
}
