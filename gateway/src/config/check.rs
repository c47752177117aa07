//! Cross-checks: what is right in itself but wrong together, with spans and did-you-mean.

use std::path::Path;

use super::suggest::did_you_mean;
use super::tree::{Node, Place, Route};
use super::{Config, Problem};

mod credentials;
mod destinations;
mod fitness;
mod health;
mod keys;
mod listeners;
mod network;
mod oidc;
mod providers;
mod reuse;
mod targets;

/// The names a file defines, including those whose definition is wrong.
#[derive(Debug, Default)]
pub(crate) struct Names {
    providers: Vec<String>,
    models: Vec<String>,
    teams: Vec<String>,
    plugins: Vec<String>,
}

impl Names {
    /// As they stand in the file, before anything wrong was taken out.
    pub(crate) fn of_tree(root: &Node) -> Self {
        let names = |section: &str| {
            let member = root.member(section);
            member
                .map(|member| member.node.names().into_iter().map(str::to_owned).collect())
                .unwrap_or_default()
        };
        Self {
            providers: names("providers"),
            models: names("models"),
            teams: names("teams"),
            plugins: names("plugins"),
        }
    }

    /// A file without any provider can answer nothing.
    pub(crate) fn problem_without_providers(&self) -> Option<Problem> {
        let help = "add one, as in `[providers.openai]` with `keys = [\"${OPENAI_API_KEY}\"]`".to_owned();
        self.providers.is_empty().then(|| Problem {
            message: "no provider is configured".to_owned(),
            span: None,
            label: String::new(),
            help: Some(help),
        })
    }
}

/// Checks a configuration against itself. `dropped` is what was wrong already; its consequences are not told again.
/// Files that it names are looked at from `folder`.
pub(crate) fn cross_check(
    config: &Config,
    root: &Node,
    names: &Names,
    dropped: &[Route],
    folder: &Path,
) -> Vec<Problem> {
    let mut check = Check { config, root, names, dropped, folder, problems: Vec::new() };
    check.listeners();
    check.timeouts();
    check.store();
    check.providers();
    check.plugins();
    check.models();
    check.health();
    check.auto();
    check.abilities();
    check.reuse();
    check.routing();
    check.prices();
    check.currencies();
    check.keys();
    check.budgets();
    check.problems
}

/// One run over a configuration.
struct Check<'a> {
    config: &'a Config,
    root: &'a Node,
    names: &'a Names,
    dropped: &'a [Route],
    folder: &'a Path,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// Reports a value.
    fn report(&mut self, route: &Route, message: impl Into<String>, label: &str, help: Option<String>) {
        let place = self.root.place_of(route).clone();
        self.report_at(route, &place, message, label, help);
    }

    /// Reports a name.
    fn report_key(&mut self, route: &Route, message: impl Into<String>, label: &str, help: Option<String>) {
        let place = self.root.place_of_key(route).clone();
        self.report_at(route, &place, message, label, help);
    }

    fn report_at(
        &mut self,
        route: &Route,
        place: &Place,
        message: impl Into<String>,
        label: &str,
        help: Option<String>,
    ) {
        if self.dropped.iter().any(|dropped| dropped.0.starts_with(&route.0)) {
            return;
        }
        let mut problem = Problem { help, ..place.problem(message, label) };
        // Nothing was written there: the whole document is no place to point at.
        if self.root.place == *place {
            problem.span = None;
            problem.label = String::new();
        }
        self.problems.push(problem);
    }

    /// Reports a reference to a name that is not defined.
    fn unknown_name(&mut self, route: &Route, message: String, label: &str, name: &str, known: &[&str]) {
        let help = did_you_mean(name, known.iter().copied(), "configured:");
        self.report(route, message, label, help);
    }
}
