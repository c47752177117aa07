//! Who is compared: `peers.toml`, with its places filled in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::crowd::Crowd;

/// The key that every peer is asked with.
pub(crate) const KEY: &str = "sk-bench-0123456789abcdef";

/// One peer, as the file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    #[serde(skip)]
    pub(crate) name: String,
    pub(crate) on: String,
    #[serde(default = "own_url")]
    pub(crate) url: String,
    pub(crate) command: Option<String>,
    /// A program that is there already: its CPU and memory are read.
    pub(crate) process: Option<u32>,
    pub(crate) binary: Option<PathBuf>,
    /// A command that says it.
    pub(crate) version: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    keeps: Vec<String>,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) pass: Option<Road>,
    pub(crate) translated: Option<Road>,
    #[serde(default)]
    pub(crate) slow: bool,
    /// Seconds in which it has answered its first request.
    #[serde(default = "ready")]
    pub(crate) ready: f64,
    /// The scenarios that are worth its time; none: all.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    #[serde(default)]
    crowd: Crowd,
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    #[serde(skip)]
    templates: PathBuf,
    #[serde(skip)]
    places: Vec<(&'static str, String)>,
}

/// How a peer is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Road {
    #[serde(default = "path")]
    pub(crate) path: String,
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Some cannot stream.
    #[serde(default = "yes")]
    pub(crate) stream: bool,
}

fn own_url() -> String {
    "http://127.0.0.1:@port@".to_owned()
}

fn path() -> String {
    "/v1/chat/completions".to_owned()
}

fn ready() -> f64 {
    30.0
}

fn yes() -> bool {
    true
}

/// Where things are.
pub(crate) struct Places<'a> {
    /// The file with the peers; templates are in `peers/` beside it.
    pub(crate) file: &'a Path,
    pub(crate) binaries: &'a Path,
    pub(crate) installed: &'a Path,
    pub(crate) work: &'a Path,
    /// The provider's port; peers get those behind it.
    pub(crate) base: u16,
}

/// All peers of the file, in its order.
pub(crate) fn read(places: &Places<'_>) -> Result<Vec<Peer>, String> {
    let shown = places.file.display();
    let text = fs::read_to_string(places.file).map_err(|error| format!("{shown}: {error}"))?;
    let mut peers: BTreeMap<String, Peer> =
        toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    let names = text.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
    let mut ordered: Vec<Peer> = names
        .filter_map(|name| {
            let peer = peers.remove(name)?;
            Some(Peer { name: name.to_owned(), ..peer })
        })
        .collect();
    for (index, peer) in ordered.iter_mut().enumerate() {
        peer.fill(places, u16::try_from(index).unwrap_or_default());
    }
    Ok(ordered)
}

impl Peer {
    fn fill(&mut self, places: &Places<'_>, index: u16) {
        let port = places.base + 10 + 2 * index;
        self.folder = places.work.join(&self.name);
        self.templates = places.file.with_file_name("peers");
        let shown = |path: &Path| path.display().to_string();
        let target = places.binaries.parent().unwrap_or(places.binaries);
        self.places = vec![
            ("@port@", port.to_string()),
            ("@admin@", (port + 1).to_string()),
            ("@upstream@", places.base.to_string()),
            ("@folder@", shown(&self.folder)),
            ("@bin@", shown(places.binaries)),
            ("@adapters@", shown(&target.join("adapters"))),
            ("@installed@", shown(places.installed)),
        ];
        self.url = self.filled(&self.url);
        self.command = self.command.as_ref().map(|command| self.filled(command));
        self.binary = self.binary.as_ref().map(|binary| PathBuf::from(self.filled(&shown(binary))));
        self.version = self.version.as_ref().map(|version| self.filled(version));
        self.needs = self.needs.iter().map(|need| self.filled(need)).collect();
        let places = self.places.clone();
        let headers = [&mut self.pass, &mut self.translated].into_iter().flatten();
        headers.flat_map(|road| road.headers.values_mut()).for_each(|value| *value = fill(&places, value));
    }

    fn filled(&self, text: &str) -> String {
        fill(&self.places, text)
    }

    /// Why it cannot run here.
    pub(crate) fn lacks(&self) -> Option<String> {
        let program = self.command.as_ref().and_then(|command| command.split_whitespace().next());
        let mut needs = self.needs.iter().map(String::as_str).chain(program);
        needs.find(|need| !is_there(need)).map(|need| format!("{need} is not there"))
    }

    /// Its folder, as before its first start; what it `keeps` is still there.
    pub(crate) fn lay_out(&self) -> Result<(), String> {
        let told = |error: std::io::Error| format!("{}: {error}", self.folder.display());
        let state = self.folder.join("state");
        fs::create_dir_all(&state).map_err(told)?;
        for entry in fs::read_dir(&state).map_err(told)?.flatten() {
            if self.keeps.iter().any(|kept| entry.file_name() == kept.as_str()) {
                continue;
            }
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.map_err(told)?;
        }
        for file in &self.files {
            let from = self.templates.join(file);
            let text = fs::read_to_string(&from).map_err(|error| format!("{}: {error}", from.display()))?;
            let text = self.crowd.fill(&self.filled(&text));
            fs::write(self.folder.join(file), text).map_err(told)?;
        }
        Ok(())
    }
}

fn fill(places: &[(&str, String)], text: &str) -> String {
    places.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
}

/// A file, or a program where programs are.
fn is_there(need: &str) -> bool {
    if need.contains('/') {
        return Path::new(need).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(need).is_file())
}

impl Road {
    /// The model that leads over it.
    pub(crate) fn model(&self, is_translated: bool) -> &str {
        let usual = if is_translated { "claude-sonnet-4-5" } else { "gpt-4o-mini" };
        self.model.as_deref().unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(work: &Path) -> Vec<Peer> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.toml");
        let (binaries, installed) = (Path::new("/target/release"), Path::new("/peers"));
        read(&Places { file: &file, binaries, installed, work, base: 27500 }).unwrap()
    }

    #[test]
    fn the_shipped_peers_are_complete_and_the_floor_is_among_them() {
        let peers = shipped(Path::new("/work"));
        assert_eq!(peers[0].name, "direct");
        assert!(peers.iter().any(|peer| peer.name == "bare"), "ratios are to it");
        let ports: std::collections::BTreeSet<_> =
            peers.iter().filter(|peer| peer.command.is_some()).map(|peer| &peer.url).collect();
        let started = peers.iter().filter(|peer| peer.command.is_some()).count();
        assert_eq!(ports.len(), started, "each has a port of its own");
        for peer in &peers {
            let texts = [Some(&peer.url), peer.command.as_ref()].into_iter().flatten();
            for text in texts.chain(peer.needs.iter()) {
                assert!(["@port@", "@bin@", "@folder@"].iter().all(|place| !text.contains(place)), "{text}");
            }
            assert!(peer.pass.is_some() || peer.translated.is_some(), "{} is never asked", peer.name);
        }
    }

    #[test]
    fn what_is_written_for_causeway_is_a_configuration_with_its_crowd() {
        let work = std::env::temp_dir().join(format!("causeway-field-{}", std::process::id()));
        for peer in shipped(&work).iter().filter(|peer| peer.name.starts_with("causeway")) {
            peer.lay_out().unwrap();
            fs::write(peer.folder.join("state/old"), "").unwrap();
            fs::create_dir(peer.folder.join("state/compiled")).unwrap();
            peer.lay_out().unwrap();
            assert!(!peer.folder.join("state/old").exists() && peer.folder.join("state/compiled").exists());
            let text = fs::read_to_string(peer.folder.join("causeway.toml")).unwrap();
            let config = causeway::config::parse(&text, "causeway.toml", &[], &|_| None);
            let config = config.unwrap_or_else(|_| panic!("{} has a wrong configuration", peer.name)).config;
            let counts = (config.models.len(), config.keys.len(), config.providers["openai"].keys.len());
            let wanted = match peer.name.as_str() {
                "causeway-10k-models" => (10_002, 1, 1),
                "causeway-100k-keys" => (2, 100_001, 1),
                "causeway-5k-provider-keys" => (2, 1, 5000),
                _ => (2, 1, 1),
            };
            assert_eq!(counts, wanted, "{}", peer.name);
            let key = &config.keys["bench"];
            let limits =
                [key.limits.requests.is_some(), key.limits.tokens.is_some(), key.limits.concurrent.is_some()];
            assert!(limits == [true; 3] && key.budget.is_some(), "everything is on");
        }
        fs::remove_dir_all(&work).unwrap();
    }

    #[test]
    fn what_is_not_here_is_named() {
        assert!(is_there("sh") && is_there(env!("CARGO_MANIFEST_DIR")));
        assert!(!is_there("no-such-program-anywhere") && !is_there("/no/such/file"));
    }
}
