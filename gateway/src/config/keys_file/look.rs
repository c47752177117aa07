//! The check of the files of keys: what stands in them is part of the configuration.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use super::each_line;
use crate::config::conform::{Conformity, conform};
use crate::config::load::in_order;
use crate::config::tree::Route;
use crate::config::{ConfigError, Loaded, mask, tree};
use crate::domain::Secret;

/// Looks into the file of keys of every provider, and notes how many keys stand there more than once.
///
/// # Errors
/// Files that cannot be read, and lines that are no keys, with their numbers.
pub fn look_at_keys_files(loaded: &mut Loaded) -> Result<(), ConfigError> {
    let mut told = Vec::new();
    for (provider, settings) in &loaded.config.providers {
        let Some(file) = &settings.keys_file else { continue };
        let shown = file.display();
        let mut tell = |what: String| told.push((provider.clone(), what));
        match survey(file, &settings.keys) {
            Err(error) => tell(format!("the keys of provider `{provider}` cannot be read: {shown}: {error}")),
            Ok(found) => {
                found.wrong.iter().for_each(|(line, why)| tell(format!("{shown}: line {line} {why}")));
                if found.more_wrong > 0 {
                    tell(format!("{shown}: {} more lines", found.more_wrong));
                }
                if found.again > 0 {
                    let again = found.again;
                    let note =
                        format!("providers.{provider}: {again} of the keys in {shown} stand there again");
                    loaded.notes.push(format!("{note}; each is used once"));
                }
            }
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let text = loaded.path.as_ref().and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    let mut root = tree::read(&text).0;
    let problem = |(provider, what): (String, String)| {
        let route = Route::keys(&["providers", &provider, "keys_file"]);
        root.place_of(&route).problem(what, "this file")
    };
    let problems = in_order(told.into_iter().map(problem).collect());
    let Conformity { shown, hidden, .. } = conform(&mut root);
    let file = loaded.path.as_ref().map_or_else(String::new, |path| path.display().to_string());
    Err(ConfigError { file, source: mask::mask(&text, &shown, &hidden), problems })
}

/// What a file of keys holds, for the check: how many keys, and what is wrong.
#[derive(Default)]
struct Survey {
    keys: usize,
    /// Those that stand there more than once, or in `keys` too.
    again: usize,
    /// Number of the line, and what is wrong; the first few.
    wrong: Vec<(usize, String)>,
    more_wrong: usize,
}

const SHOWN: usize = 5;

/// Looks through a file of keys.
fn survey(path: &Path, own: &[Secret]) -> io::Result<Survey> {
    let digest = |secret: &Secret| *blake3::hash(secret.expose().as_bytes()).as_bytes();
    let mut seen: HashSet<[u8; 32]> = own.iter().map(digest).collect();
    let mut found = Survey::default();
    each_line(path, |number, line| match line {
        Ok(None) => {}
        Ok(Some(line)) if seen.insert(digest(&line.secret)) => found.keys += 1,
        Ok(Some(_)) => found.again += 1,
        Err(why) if found.wrong.len() < SHOWN => found.wrong.push((number, why)),
        Err(_) => found.more_wrong += 1,
    })?;
    Ok(found)
}
