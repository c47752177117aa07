//! What survives translation: every client dialect with every adapter, feature by feature, without a network.
//!
//! Fixtures hold unmistakable values. A request in a dialect goes through the dialect and the adapter (in its sandbox);
//! each value must then stand where the vendor's API has it, or a loss must name it, or the request must be refused. What
//! is neither is a silent loss, which is what this is for. Vendors' answers go the other way, whole, streamed, cut
//! at every byte, and framed as badly as a network may frame them.

mod adapter;
mod answer;
mod fixture;
mod place;
mod report;
mod request;
mod stream;
mod verdict;
mod wire;

use std::path::PathBuf;

pub use report::{json, markdown};
pub use verdict::{Cell, Row, Table, Verdict};

use crate::adapter::{Registry, Runtime, Source};
use fixture::{Catalogue, Speaking};

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The features and the dialects' fixtures.
    pub fixtures: PathBuf,
    /// The adapters to look at, each with the folder of its fixtures.
    pub adapters: Vec<Wanted>,
    /// Only features whose id holds one of these; empty: all.
    pub only: Vec<String>,
    /// Where compiled adapters are kept.
    pub compiled: Option<PathBuf>,
}

/// An adapter and its fixtures.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name in the table.
    pub name: String,
    /// Where the component comes from.
    pub source: Source,
    /// `places.json`, `answers.json`, `errors.json`.
    pub fixtures: PathBuf,
}

/// Runs everything and gives the table.
///
/// # Errors
/// When a fixture cannot be read or an adapter cannot be loaded: one line for each.
pub fn run(ground: &Ground) -> Result<Table, Vec<String>> {
    let catalogue = Catalogue::load(&ground.fixtures, &ground.only).map_err(|problem| vec![problem])?;
    let dialects = Speaking::all(&ground.fixtures)?;
    let runtime = Runtime::start(ground.compiled.as_deref()).map_err(|error| vec![error.message])?;
    let registry = Registry::new(runtime);
    let mut table = Table::new(catalogue.rows());
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let running: Vec<_> = ground
            .adapters
            .iter()
            .map(|wanted| {
                let (registry, catalogue, dialects) = (&registry, &catalogue, &dialects);
                scope.spawn(move || column(registry, wanted, catalogue, dialects))
            })
            .collect();
        for thread in running {
            match thread.join() {
                Ok(Ok(cells)) => found.extend(cells),
                Ok(Err(problem)) => problems.push(problem),
                Err(_) => problems.push("a thread of the suite broke".to_owned()),
            }
        }
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    found.into_iter().for_each(|cell| table.add(cell));
    Ok(table)
}

/// Everything about one adapter.
fn column(
    registry: &Registry,
    wanted: &Wanted,
    catalogue: &Catalogue,
    dialects: &[Speaking],
) -> Result<Vec<Cell>, String> {
    let subject = adapter::Subject::open(registry, wanted)?;
    let mut cells = Vec::new();
    for feature in &catalogue.features {
        let steady = stream::steadiness(&subject, feature);
        for speaking in dialects {
            let pair = Pair { catalogue, feature, speaking, subject: &subject };
            for (kind, verdict) in pair.verdicts(&steady) {
                cells.push(Cell {
                    dialect: speaking.id().to_owned(),
                    provider: wanted.name.clone(),
                    row: feature.row(kind),
                    verdict,
                });
            }
        }
    }
    Ok(cells)
}

/// One feature between one dialect and one adapter.
struct Pair<'a> {
    catalogue: &'a Catalogue,
    feature: &'a fixture::Feature,
    speaking: &'a Speaking,
    subject: &'a adapter::Subject,
}

impl Pair<'_> {
    fn verdicts(&self, steady: &Result<(), String>) -> Vec<(fixture::Kind, Verdict)> {
        use fixture::{Kind, Of};
        match self.feature.of {
            Of::Request => vec![(Kind::Request, self.request())],
            Of::Error => vec![(Kind::Error, self.error())],
            Of::Loop => vec![(Kind::Loop, self.again())],
            Of::Answer => {
                let streamed = match steady {
                    Ok(()) => self.streamed(),
                    Err(difference) => Verdict::Fail(difference.clone()),
                };
                vec![(Kind::Whole, self.whole()), (Kind::Stream, streamed)]
            }
        }
    }
}
