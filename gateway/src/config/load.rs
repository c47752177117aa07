//! Reads TOML, puts `${VAR}` into string leaves, applies command-line overrides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::check::{Names, cross_check};
use super::conform::{Conformity, conform};
use super::environment::environment_text;
use super::tree::{Node, Route, Step};
use super::{Config, ConfigError, Environment, Loaded, Problem, Source, Stored};
use super::{interpolate, mask, notes, overrides, preset, show, stored, tree};

/// The file to use when none is named on the command line: `$CAUSEWAY_CONFIG`, `./causeway.toml`,
/// `/etc/causeway/causeway.toml`, whichever comes first.
pub fn find(environment: Environment<'_>) -> Option<PathBuf> {
    if let Some(named) = environment("CAUSEWAY_CONFIG").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    ["causeway.toml", "/etc/causeway/causeway.toml"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.is_file())
}

/// Reads and checks a configuration file; without a path, what the environment gives. Relative paths in it become
/// paths from its own folder.
///
/// `overrides` are `a.b.c=value` lines, applied in order. `environment` looks one variable up.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn load(
    path: Option<&Path>,
    overrides: &[String],
    environment: Environment<'_>,
) -> Result<Loaded, ConfigError> {
    load_over(path, overrides, environment, None)
}

/// The same with what was made through the admin API on top; a file of a gateway that has it needs no provider of its own.
///
/// # Errors
/// As [`load`].
pub fn load_over(
    path: Option<&Path>,
    overrides: &[String],
    environment: Environment<'_>,
    stored: Option<&Stored>,
) -> Result<Loaded, ConfigError> {
    let Some(path) = path else { return without_file(overrides, environment, stored) };
    let name = path.display().to_string();
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => {
            let mut loaded = parse_over(&text, &name, overrides, environment, stored)?;
            anchor(&mut loaded.config, path.parent().unwrap_or(Path::new("")));
            loaded.path = Some(path.to_owned());
            Ok(loaded)
        }
        Ok(Err(_)) => Err(unreadable(name, "the file is not UTF-8 text".to_owned())),
        Err(error) => Err(unreadable(name, format!("cannot read the file: {error}"))),
    }
}

/// Relative paths are meant from the folder of the file that holds them, wherever the gateway is started.
fn anchor(config: &mut Config, folder: &Path) {
    let at = |path: &mut PathBuf| *path = folder.join(&*path);
    config.store.path.iter_mut().for_each(at);
    config.store.snapshots.folder.iter_mut().for_each(at);
    config.server.plugins_dir.iter_mut().for_each(at);
    config.admin.oidc.iter_mut().for_each(|oidc| oidc.ca.iter_mut().for_each(at));
    config.providers.values_mut().for_each(|provider| provider.keys_file.iter_mut().for_each(at));
    if let Some(tls) = &mut config.server.tls {
        at(&mut tls.cert);
        at(&mut tls.key);
    }
    for tls in config.providers.values_mut().filter_map(|provider| provider.tls.as_mut()) {
        tls.files().for_each(|(_, path)| at(path));
    }
    for plugin in config.plugins.values_mut() {
        if let Source::File(path) = &mut plugin.source {
            at(path);
        }
    }
}

fn unreadable(file: String, message: String) -> ConfigError {
    let problem = Problem { message, span: None, label: String::new(), help: None };
    ConfigError { file, source: String::new(), problems: vec![problem] }
}

/// The environment's providers, with overrides on them.
fn without_file(
    overrides: &[String],
    environment: Environment<'_>,
    stored: Option<&Stored>,
) -> Result<Loaded, ConfigError> {
    if overrides.is_empty() && stored.is_none_or(|stored| *stored == Stored::default()) {
        let config = super::from_environment(environment);
        return Ok(Loaded {
            config,
            path: None,
            notes: Vec::new(),
            origins: BTreeMap::new(),
            shadowed: Vec::new(),
        });
    }
    let trimmed = |name: &str| environment(name).map(|value| value.trim().to_owned());
    let text = environment_text(environment);
    let outside = Outside { overrides, environment: &trimmed, stored };
    examine(&text, "environment", &outside, tree::read(&text).0, |_| None)
}

/// Checks a configuration text; `name` stands for the file in errors, and files that it names are looked at beside it.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn parse(
    text: &str,
    name: &str,
    overrides: &[String],
    environment: Environment<'_>,
) -> Result<Loaded, ConfigError> {
    parse_over(text, name, overrides, environment, None)
}

fn parse_over(
    text: &str,
    name: &str,
    overrides: &[String],
    environment: Environment<'_>,
    stored: Option<&Stored>,
) -> Result<Loaded, ConfigError> {
    let (mut root, syntax) = tree::read(text);
    if !syntax.is_empty() {
        // Whatever else a broken document seems to say is a consequence of the break.
        let Conformity { shown, hidden, .. } = conform(&mut root);
        let source = mask::mask_broken(text, &shown, &hidden);
        return Err(ConfigError { file: name.to_owned(), source, problems: in_order(syntax) });
    }
    let demand = |names: &Names| stored.is_none().then(|| names.problem_without_providers()).flatten();
    examine(text, name, &Outside { overrides, environment, stored }, root, demand)
}

/// What is said elsewhere than in the file.
struct Outside<'a> {
    overrides: &'a [String],
    environment: Environment<'a>,
    stored: Option<&'a Stored>,
}

/// Everything after the syntax. `demand` is what a file must have that the environment need not give.
fn examine(
    text: &str,
    name: &str,
    outside: &Outside<'_>,
    mut root: Node,
    demand: impl FnOnce(&Names) -> Option<Problem>,
) -> Result<Loaded, ConfigError> {
    let mut problems = Vec::new();
    overrides::apply(&mut root, outside.overrides, &mut problems);
    interpolate::fill(&mut root, outside.environment, &mut problems);
    // Only now: nothing of it is interpolated.
    let shadowed = outside.stored.map(|stored| stored::apply(&mut root, stored)).unwrap_or_default();
    let names = Names::of_tree(&root);
    let mut conformity = conform(&mut root);
    problems.append(&mut conformity.problems);
    problems.extend(demand(&names));
    let mut config = typed(&root);
    if let (Ok(config), Some(stored)) = (&mut config, outside.stored) {
        stored::tell(config, stored, &root);
    }
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    match &config {
        Ok(config) => problems.append(&mut cross_check(config, &root, &names, &conformity.dropped, folder)),
        Err(problem) if problems.is_empty() => problems.push(problem.clone()),
        // What could not be read has been told already, in better words.
        Err(_) => {}
    }
    match config {
        Ok(mut config) if problems.is_empty() => {
            let mut notes = notes::of(&config, &root);
            let shadows = |path: &String| {
                format!("{path} stands in the file; the one made through the admin API is not used")
            };
            notes.extend(shadowed.iter().map(shadows));
            let mut origins = show::origins(text, &root);
            let filled = preset::apply(&mut config).into_iter();
            origins.extend(filled.map(|(path, preset)| (path, format!("preset {preset}"))));
            Ok(Loaded { config, path: None, notes, origins, shadowed })
        }
        _ => Err(ConfigError {
            file: name.to_owned(),
            source: mask::mask(text, &conformity.shown, &conformity.hidden),
            problems: in_order(problems),
        }),
    }
}

/// The tree as structs. The schema comes from the same structs, so a refusal here is rare: a number beyond its type.
fn typed(root: &Node) -> Result<Config, Problem> {
    serde_path_to_error::deserialize(root.to_json()).map_err(|error| {
        let steps = error.path().iter().filter_map(|segment| match segment {
            serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index)),
            serde_path_to_error::Segment::Map { key } => Some(Step::Key(key.clone())),
            _ => None,
        });
        let route = Route(steps.collect());
        // The message of serde may hold the value; the path is enough to find it.
        root.place_of(&route).problem(format!("`{route}` cannot be read"), "not understood")
    })
}

/// As they stand in the file; what has no place comes last.
pub(super) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
    problems
}
