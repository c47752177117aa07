//! `causeway check --explain`: which targets a request would get, from the file alone. No provider is asked, nothing is
//! known of how they are doing.

use std::process::ExitCode;

use super::{REFUSED, print, say_notes, tell};
use crate::adapter::{Registry, Runtime};
use crate::app::{Origin, compiled_at_home};
use crate::route::{Fleet, Plan, as_json, as_text};
use crate::state;

/// 0: here is the plan. 2: the configuration or the question is wrong, or the request would be refused.
pub(in crate::cli) fn run(origin: &Origin, json: bool, words: &[String]) -> ExitCode {
    let loaded = match origin.load() {
        Ok(loaded) => loaded,
        Err(error) => {
            tell(&error);
            return ExitCode::from(REFUSED);
        }
    };
    if !json {
        say_notes(&loaded);
    }
    match plan(&loaded.config, words) {
        Ok(plan) if json => print(&format!("{:#}\n", as_json(&plan))),
        Ok(plan) => print(&as_text(&plan)),
        Err(problems) => {
            super::super::complain(&problems);
            ExitCode::from(REFUSED)
        }
    }
}

fn plan(config: &crate::config::Config, words: &[String]) -> Result<Plan, Vec<String>> {
    let mut pairs = Vec::with_capacity(words.len());
    for word in words {
        let pair = word.split_once('=');
        let (name, value) = pair.ok_or_else(|| vec![format!("`{word}` is not written NAME=VALUE")])?;
        pairs.push((name.to_owned(), value.to_owned()));
    }
    let runtime = Runtime::start(compiled_at_home().as_deref()).map_err(|error| vec![error.to_string()])?;
    let snapshot = state::build(config, &Registry::new(runtime), 1, Vec::new())?;
    snapshot.explain(pairs, &Fleet::default(), |_| None).map_err(|problem| vec![problem])
}
