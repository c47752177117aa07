//! What is to be reached: `targets.toml`, held against a record.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::record::Record;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Vec<Target>,
}

/// One target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) what: String,
    of: Place,
    /// The figure is divided by that one.
    over: Option<Place>,
    /// That one is taken off both.
    less: Option<Place>,
    /// The figure is divided by this, to come to `unit`.
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    pub(crate) unit: String,
    most: f64,
}

/// A figure of a record: `peer/scenario/figure`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Place {
    peer: String,
    scenario: String,
    figure: String,
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<String> = text.split('/').map(str::to_owned).collect();
        let [peer, scenario, figure] =
            words.try_into().map_err(|_| format!("`{text}` is not `peer/scenario/figure`"))?;
        Ok(Self { peer, scenario, figure })
    }
}

impl Place {
    fn find(&self, record: &Record) -> Option<f64> {
        if self.scenario == "binary" {
            let peer = record.measured().find(|peer| peer.name == self.peer)?;
            return peer.binary_bytes.map(|bytes| bytes as f64);
        }
        record.median(&self.peer, &self.scenario, &self.figure)
    }
}

fn one() -> f64 {
    1.0
}

/// How a target fared.
pub(crate) struct Fared<'t> {
    pub(crate) target: &'t Target,
    /// None: it was not measured.
    pub(crate) found: Option<f64>,
}

impl Target {
    pub(crate) fn fared(&self, record: &Record) -> Fared<'_> {
        let less = match &self.less {
            None => Some(0.0),
            Some(less) => less.find(record),
        };
        let without = |place: &Place| place.find(record).zip(less).map(|(found, less)| found - less);
        let mut found = without(&self.of);
        if let Some(over) = &self.over {
            found = found.zip(without(over)).map(|(of, over)| of / over);
        }
        Fared { target: self, found: found.map(|found| found / self.scale) }
    }
}

impl Fared<'_> {
    pub(crate) fn word(&self) -> &'static str {
        match self.found {
            Some(found) if found <= self.target.most => "met",
            Some(_) => "**missed**",
            None => "not measured",
        }
    }

    pub(crate) fn most(&self) -> f64 {
        self.target.most
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<Target>, String> {
    let told = |problem: String| format!("{}: {problem}", path.display());
    let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| told(error.to_string()))?;
    Ok(file.target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Row;

    #[test]
    fn a_target_is_a_ratio_or_a_difference_of_medians() {
        let row = |peer: &str, value| Row {
            peer: peer.to_owned(),
            scenario: "pass.saturate".to_owned(),
            figures: [("cpu_us".to_owned(), value)].into(),
            ..Row::default()
        };
        let record = Record { rows: vec![row("a", 50.0), row("bare", 40.0)], ..Record::default() };
        let check = |more: &str, found: Option<f64>, word: &str| {
            let text = format!("what = \"x\"\nof = \"a/pass.saturate/cpu_us\"\n{more}");
            let target: Target = toml::from_str(&text).unwrap();
            let fared = target.fared(&record);
            assert_eq!((fared.found, fared.word()), (found, word), "{more}");
        };
        check("over = \"bare/pass.saturate/cpu_us\"\nmost = 1.25", Some(1.25), "met");
        check("less = \"bare/pass.saturate/cpu_us\"\nmost = 9", Some(10.0), "**missed**");
        check("over = \"bare/pass.paced/cpu_us\"\nmost = 9", None, "not measured");
        check("scale = 10.0\nmost = 5", Some(5.0), "met");
    }

    #[test]
    fn the_file_of_targets_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets.toml");
        assert!(read(&path).unwrap().len() > 10);
    }
}
