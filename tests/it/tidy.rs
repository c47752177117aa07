//! The rules of the house, as a test: ranks, fences, length, first lines, forbidden words, released contracts.
//!
//! Nothing but the standard library, and no compiler: comments, strings and test code are blanked out, and the rest
//! is searched. Each rule is shown a file that breaks it, so that it is known to be able to fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may use whom: only lower ranks, and never one's own.
const RANKS: &[(&str, u8)] = &[
    ("balance", 0),
    ("domain", 0),
    ("error", 0),
    ("bench", 1),
    ("config", 1),
    ("mock", 1),
    ("observe", 1),
    ("seal", 1),
    ("store", 1),
    ("account", 2),
    ("adapter", 2),
    ("auth", 2),
    ("cache", 2),
    ("conversation", 2),
    ("dialect", 2),
    ("limit", 2),
    ("people", 2),
    ("route", 2),
    ("upstream", 2),
    ("vault", 2),
    ("state", 3),
    ("admin", 4),
    ("conform", 4),
    ("proxy", 4),
    ("app", 5),
    ("server", 5),
    ("cli", 6),
    ("main", 7),
];

/// Arrows within one rank, each in one direction only: the nouns' checks answer with an error, and the
/// composition root ends in the server's main loop.
const ARROWS: [(&str, &str); 2] = [("domain", "error"), ("app", "server")];

/// Where a foreign crate may be named, below `gateway/src/`; a folder ends in `/`.
const FENCES: [(&str, &[&str]); 10] = [
    ("wasmtime", &["adapter.rs", "adapter/"]),
    (
        "pingora",
        &[
            "server.rs",
            "proxy/service.rs",
            "proxy/receive.rs",
            "proxy/deliver.rs",
            "admin/service.rs",
            "upstream/client.rs",
            "upstream/idle.rs",
            "upstream/lines.rs",
            "upstream/peer.rs",
            "upstream/proxy.rs",
            "upstream/tls.rs",
            "upstream/body.rs",
            "upstream/wire.rs",
            "app/background.rs",
        ],
    ),
    ("axum", &["admin/"]),
    ("cel", &["domain/condition.rs", "domain/condition/"]),
    ("notify", &["app/background.rs"]),
    ("miette", &["cli.rs", "cli/", "config.rs", "config/"]),
    ("toml", &["config.rs", "config/"]),
    ("sled", &["store/sled.rs", "store/sled/"]),
    ("redis", &["store/redis.rs", "store/redis/"]),
    ("chacha20poly1305", &["seal.rs", "seal/"]),
];

const LONGEST_FILE: usize = 500;

/// Words that stop a request instead of answering it.
const STOPS: [&str; 4] = ["todo!", "unimplemented!", ".unwrap()", ".expect("];

/// Words that name a shelf and not the thing on it.
const SHELVES: [&str; 8] =
    ["util", "utils", "helper", "helpers", "common", "manager", "misc", "miscellaneous"];

/// Contracts that were released, with the digest of all their files: they never change again.
/// Nothing was released yet. A release adds `("since-v0.1.0", …)` with what [`digest`] says of the folder.
const RELEASED: [(&str, u64); 0] = [];

/// What a file is held to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `gateway/src`: all rules.
    Gateway,
    /// The SDK and the adapters: all but ranks and fences.
    Adapter,
    /// Tests and benches: names, length and first line.
    Test,
}

struct File {
    /// From the root of the repository, with `/`.
    path: String,
    kind: Kind,
    text: String,
    /// The text with comments, strings and test items blanked out, byte for byte in the same place.
    code: String,
}

impl File {
    fn new(path: &str, kind: Kind, text: &str) -> Self {
        let tested = path.ends_with("/tests.rs") || path.contains("/tests/");
        let kind = if tested { Kind::Test } else { kind };
        Self { path: path.to_owned(), kind, text: text.to_owned(), code: without_tests(&blanked(text)) }
    }

    /// The path below `gateway/src/`.
    fn inside(&self) -> Option<&str> {
        self.path.strip_prefix("gateway/src/").filter(|_| self.kind == Kind::Gateway)
    }

    fn at(&self, offset: usize, what: &str) -> String {
        let line = self.text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}: {what}", self.path)
    }
}

type Rule = fn(&File) -> Vec<String>;

const RULES: [Rule; 6] = [ranks, fences, length, first_line, stops, names];

#[test]
fn the_house_is_tidy() {
    let root = root();
    let files = sources(&root);
    assert!(files.len() > 100, "only {} files were found below {}", files.len(), root.display());
    let mut found: Vec<String> =
        files.iter().flat_map(|file| RULES.iter().flat_map(|rule| rule(file))).collect();
    found.extend(changed(&root.join("wit"), &RELEASED));
    assert!(found.is_empty(), "{} rules are broken\n{}", found.len(), found.join("\n"));
}

fn root() -> PathBuf {
    let crate_folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().map_or(crate_folder.clone(), Path::to_owned)
}

fn sources(root: &Path) -> Vec<File> {
    let folders = [
        ("gateway/src", Kind::Gateway),
        ("plugin-sdk/src", Kind::Adapter),
        // An adapter may have crates of its own below its folder.
        ("plugins", Kind::Adapter),
        ("tests", Kind::Test),
        ("benches", Kind::Test),
    ];
    let mut files = Vec::new();
    for (folder, kind) in folders {
        collect(root, &root.join(folder), kind, &mut files);
    }
    files
}

fn collect(root: &Path, folder: &Path, kind: Kind, files: &mut Vec<File>) {
    for path in entries(folder) {
        if path.is_dir() {
            collect(root, &path, kind, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let shown = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(File::new(&shown, kind, &text));
        }
    }
}

/// What a folder holds, in order of name; a folder that is not there holds nothing.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn ranks(file: &File) -> Vec<String> {
    let Some(inside) = file.inside() else { return Vec::new() };
    let steps: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
    let (own, depth) = match steps.as_slice() {
        ["lib"] => return Vec::new(),
        ["main"] => ("main", 0),
        steps => (steps[0], steps.len()),
    };
    let Some(rank) = rank_of(own) else {
        return vec![file.at(0, &format!("module `{own}` has no rank; give it one in tests/it/tidy.rs"))];
    };
    let mut found = Vec::new();
    for (offset, name) in roots_named(&file.code, depth) {
        let Some(other) = rank_of(name) else { continue };
        if name != own && other >= rank && !ARROWS.contains(&(own, name)) {
            let what = format!("`{own}` (rank {rank}) may not use `{name}` (rank {other})");
            found.push(file.at(offset, &what));
        }
    }
    found
}

fn rank_of(name: &str) -> Option<u8> {
    RANKS.iter().find(|(module, _)| *module == name).map(|(_, rank)| *rank)
}

/// Every module below the crate's root that a path names: after `crate::`, and after as many `super::` as lead there.
fn roots_named(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let mut named = Vec::new();
    for offset in words(code, "crate::") {
        tops(code, offset + "crate::".len(), &mut named);
    }
    for offset in words(code, "super::") {
        let chain =
            code[offset..].split("super::").skip(1).take_while(|between| between.is_empty()).count() + 1;
        if chain == depth {
            tops(code, offset + chain * "super::".len(), &mut named);
        }
    }
    named
}

/// The name at `offset`, or the first name of every branch of a `{…}` there.
fn tops<'c>(code: &'c str, offset: usize, named: &mut Vec<(usize, &'c str)>) {
    if !code[offset..].starts_with('{') {
        named.push((offset, name_at(code, offset)));
        return;
    }
    let mut depth = 0;
    for (at, letter) in code[offset..].char_indices().map(|(at, letter)| (offset + at, letter)) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 1 && matches!(letter, '{' | ',') {
            let next = code[at + 1..].find(|letter: char| !letter.is_whitespace()).unwrap_or(0) + at + 1;
            named.push((next, name_at(code, next)));
        }
        if depth == 0 {
            return;
        }
    }
}

fn name_at(code: &str, offset: usize) -> &str {
    let rest = &code[offset..];
    rest.split(|letter: char| !is_word(letter)).next().unwrap_or_default()
}

fn fences(file: &File) -> Vec<String> {
    let Some(inside) = file.inside() else { return Vec::new() };
    let mut found = Vec::new();
    for (foreign, places) in FENCES {
        let home = places
            .iter()
            .any(|place| if place.ends_with('/') { inside.starts_with(place) } else { inside == *place });
        let named = words(&file.code, foreign).find(|offset| {
            let after = &file.code[offset + foreign.len()..];
            after.starts_with("::") || file.code[..*offset].ends_with("use ")
        });
        if let (false, Some(offset)) = (home, named) {
            found.push(file.at(offset, &format!("`{foreign}` may be named only in {}", places.join(", "))));
        }
    }
    found
}

fn length(file: &File) -> Vec<String> {
    let lines = file.text.lines().count();
    let long = lines > LONGEST_FILE;
    long.then(|| format!("{}:{lines}: longer than {LONGEST_FILE} lines", file.path)).into_iter().collect()
}

fn first_line(file: &File) -> Vec<String> {
    let said = file.text.lines().next().and_then(|line| line.strip_prefix("//!"));
    let opens = said.is_some_and(|sentence| !sentence.trim().is_empty());
    (!opens).then(|| file.at(0, "does not open with `//!` and a sentence")).into_iter().collect()
}

fn stops(file: &File) -> Vec<String> {
    if file.kind == Kind::Test {
        return Vec::new();
    }
    let mut found = Vec::new();
    for stop in STOPS {
        for (offset, _) in file.code.match_indices(stop) {
            found.push(file.at(offset, &format!("`{stop}` outside tests")));
        }
    }
    found
}

fn names(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    let stem = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if stem == "mod" {
        found.push(file.at(0, "`mod.rs`: the front page of folder `x` is `x.rs`"));
    }
    if parts(stem).iter().any(|part| SHELVES.contains(&part.as_str())) {
        found.push(file.at(0, &format!("`{stem}` names a shelf, not a thing")));
    }
    for keyword in ["struct ", "enum ", "trait ", "type ", "mod ", "union "] {
        for offset in words(&file.code, keyword) {
            let name = name_at(&file.code, offset + keyword.len());
            if parts(name).iter().any(|part| SHELVES.contains(&part.as_str())) {
                found.push(file.at(offset, &format!("`{name}` names a shelf, not a thing")));
            }
        }
    }
    found
}

/// `KeyManager` and `key_manager` are `key` and `manager`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter == '-' || letter.is_uppercase() {
            parts.push(String::new());
        }
        if let (true, Some(part)) = (letter.is_alphanumeric(), parts.last_mut()) {
            part.extend(letter.to_lowercase());
        }
    }
    parts
}

/// Released contracts below `wit` that are not what they were.
fn changed(wit: &Path, released: &[(&str, u64)]) -> Vec<String> {
    let differs = |(name, wanted): &(&str, u64)| {
        let found = digest(&wit.join(name));
        (found != *wanted)
            .then(|| format!("wit/{name}:1: a released contract changed ({found:#018x}, not {wanted:#018x})"))
    };
    released.iter().filter_map(differs).collect()
}

/// FNV-1a over names and contents, in order of name: it must notice a slip, not an attack.
fn digest(folder: &Path) -> u64 {
    let mut files = BTreeMap::new();
    for path in entries(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, fs::read(&path).unwrap_or_default());
    }
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    for (name, content) in files {
        for byte in name.bytes().chain([0]).chain(content).chain([0]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    digest
}

/// Where `word` stands by itself: not a part of a longer word, not a later step of a path.
fn words<'c>(code: &'c str, word: &'c str) -> impl Iterator<Item = usize> + 'c {
    code.match_indices(word).map(|(offset, _)| offset).filter(move |offset| {
        let before = &code[..*offset];
        let after = code[offset + word.len()..].chars().next();
        let whole = !word.ends_with(is_word) || !after.is_some_and(is_word);
        whole && !before.ends_with(is_word) && !before.ends_with("::") && !before.ends_with('$')
    })
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The same text with comments, strings and character literals blanked out.
fn blanked(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut at = 0;
    while at < text.len() {
        let end = at + blank_length(text, at);
        if end == at {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        }
        out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        at = end;
    }
    String::from_utf8(out).unwrap_or_default()
}

/// How many bytes of comment, string or character literal begin here; 0: code.
fn blank_length(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let to = |needle: &str, from: usize| rest[from..].find(needle).map(|end| from + end);
    if rest.starts_with("//") {
        return to("\n", 0).unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return to("*/", 2).map_or(rest.len(), |end| end + 2);
    }
    let in_word = text[..at].ends_with(is_word);
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !in_word);
    if let Some(raw) = raw {
        let fence = raw.len() - raw.trim_start_matches('#').len();
        if raw[fence..].starts_with('"') {
            let closing = format!("\"{}", "#".repeat(fence));
            let opening = rest.len() - raw.len() + fence + 1;
            return to(&closing, opening).map_or(rest.len(), |end| end + closing.len());
        }
    }
    if rest.starts_with('"') {
        return quoted_length(rest, '"');
    }
    let mut letters = rest.chars();
    if letters.next() == Some('\'') {
        let letter = letters.next();
        // `'a'` and `'\n'` are characters, `'a` is a lifetime.
        if letter == Some('\\') || letters.next() == Some('\'') {
            return quoted_length(rest, '\'');
        }
    }
    0
}

fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if !escaped && letter == quote {
            return at + 1;
        }
        escaped = !escaped && letter == '\\';
    }
    rest.len()
}

/// Blanks the items behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.as_bytes().to_vec();
    for (start, _) in code.match_indices(MARK) {
        let mut depth = 0_i32;
        let rest = code[start + MARK.len()..].char_indices();
        let end = rest.into_iter().find_map(|(at, letter)| {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            (depth == 0 && matches!(letter, ';' | '}')).then_some(start + MARK.len() + at + 1)
        });
        let item = &mut out[start..end.unwrap_or(code.len())];
        item.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    String::from_utf8(out).unwrap_or_default()
}

mod itself;
