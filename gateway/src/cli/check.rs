//! `causeway check`: validate a configuration file and explain what is wrong, with the line.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::json;

use crate::app::Origin;
use crate::config::{ConfigError, Loaded, Problem};

pub(super) mod explain;

/// A configuration that cannot be used.
const REFUSED: u8 = 2;

/// Checks the file (or the one that would be found without a name, or the environment) and says what it found.
/// 0: it can be used. 2: it cannot.
pub(super) fn run(origin: &Origin, json: bool) -> ExitCode {
    match (origin.load(), json) {
        (Ok(loaded), false) => {
            say_notes(&loaded);
            print(&format!("{}: {}\n", name_of(&loaded), summary(&loaded)))
        }
        (Ok(loaded), true) => print(&format!(
            "{:#}\n",
            json!({ "version": 1, "ok": true, "file": name_of(&loaded), "problems": [], "notes": loaded.notes })
        )),
        (Err(error), false) => {
            tell(&error);
            ExitCode::from(REFUSED)
        }
        (Err(error), true) => {
            let problems: Vec<_> = error.problems.iter().map(|problem| as_json(&error, problem)).collect();
            print(&format!(
                "{:#}\n",
                json!({ "version": 1, "ok": false, "file": error.file, "problems": problems, "notes": [] })
            ));
            ExitCode::from(REFUSED)
        }
    }
}

/// Writes every problem to standard error, with its line underlined.
pub(super) fn tell(error: &ConfigError) {
    let mut stderr = std::io::stderr().lock();
    let plain = !stderr.is_terminal() || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let theme = if plain { GraphicalTheme::unicode_nocolor() } else { GraphicalTheme::unicode() };
    // When standard error is gone there is nobody left to tell.
    let _ = stderr.write_all(report(error, theme).as_bytes());
}

/// Every problem, drawn.
fn report(error: &ConfigError, theme: GraphicalTheme) -> String {
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
    let mut text = String::new();
    for problem in &error.problems {
        let source = NamedSource::new(&error.file, error.source.clone()).with_language("toml");
        let drawn = Drawn { problem, source, file: &error.file };
        if handler.render_report(&mut text, &drawn).is_err() {
            text.push_str(&problem.message);
        }
        text.push('\n');
    }
    let count = error.problems.len();
    text.push_str(&format!("{}: {count} problem{}\n", error.file, if count == 1 { "" } else { "s" }));
    text
}

/// A problem as miette wants it.
struct Drawn<'a> {
    problem: &'a Problem,
    source: NamedSource<String>,
    file: &'a str,
}

impl fmt::Debug for Drawn<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(formatter)
    }
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a place there is no frame that names the file.
        if self.problem.span.is_none() {
            write!(formatter, "{}: ", self.file)?;
        }
        formatter.write_str(&self.problem.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem.span.as_ref().map(|_| &self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        let label = LabeledSpan::new_with_span(Some(self.problem.label.clone()), span);
        Some(Box::new(std::iter::once(label)))
    }
}

fn as_json(error: &ConfigError, problem: &Problem) -> serde_json::Value {
    let place = problem.span.as_ref().map(|span| error.place(span.start));
    json!({
        "message": problem.message,
        "label": problem.label,
        "help": problem.help,
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
        "span": problem.span.as_ref().map(|span| [span.start, span.end]),
    })
}

/// Writes what this version does not act on to standard error.
fn say_notes(loaded: &Loaded) {
    let mut stderr = std::io::stderr().lock();
    for note in &loaded.notes {
        // As above: nobody left to tell.
        let _ = writeln!(stderr, "note: {note}");
    }
}

fn name_of(loaded: &Loaded) -> String {
    loaded.path.as_ref().map_or("environment".to_owned(), |path| path.display().to_string())
}

fn summary(loaded: &Loaded) -> String {
    let config = &loaded.config;
    let count = |count: usize, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    format!(
        "ok ({}, {}, {})",
        count(config.providers.len(), "provider"),
        count(config.models.len(), "model"),
        count(config.keys.len(), "key")
    )
}

/// Results go to standard output; a reader that left early is no failure.
pub(super) fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

#[cfg(test)]
mod tests;
