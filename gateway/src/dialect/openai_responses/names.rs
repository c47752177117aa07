//! The names of tools: a client's may stand in namespaces and be no functions, canonical chat knows only functions.

use std::borrow::Cow;
use std::collections::HashMap;

/// What providers take at most.
const LONGEST: usize = 64;

/// The tools of one request, by the names under which providers know them.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<String, Known>);

/// A tool as the client named it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    /// Its input is text, not JSON.
    pub(super) custom: bool,
}

impl Known {
    fn is(&self, namespace: Option<&str>, name: &str) -> bool {
        self.namespace.as_deref() == namespace && self.name == name
    }
}

impl Names {
    /// Notes a tool and returns the name under which providers shall know it.
    pub(super) fn declare(&mut self, namespace: Option<&str>, name: &str, custom: bool) -> String {
        let mut flat = flatten(namespace, name);
        if self.0.get(flat.as_ref()).is_some_and(|known| !known.is(namespace, name)) {
            flat = Cow::Owned(shortened(&flat, namespace, name));
        }
        let known = Known { namespace: namespace.map(str::to_owned), name: name.to_owned(), custom };
        self.0.insert(flat.to_string(), known);
        flat.into_owned()
    }

    /// The name under which providers know a tool, declared or not.
    pub(super) fn flat<'n>(&self, namespace: Option<&str>, name: &'n str) -> Cow<'n, str> {
        if namespace.is_none() {
            return Cow::Borrowed(name);
        }
        let declared = self.0.iter().find(|(_, known)| known.is(namespace, name));
        declared.map_or_else(|| flatten(namespace, name), |(flat, _)| Cow::Owned(flat.clone()))
    }

    /// The tool a provider knows as `flat`.
    pub(super) fn known(&self, flat: &str) -> Option<&Known> {
        self.0.get(flat)
    }
}

/// `namespace__name`; what is not legal in a function's name becomes `_`, and a digest keeps such names apart.
fn flatten<'n>(namespace: Option<&str>, name: &'n str) -> Cow<'n, str> {
    let Some(namespace) = namespace else { return Cow::Borrowed(name) };
    let joined = format!("{namespace}__{name}");
    let legal = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if joined.len() <= LONGEST && joined.chars().all(legal) {
        return Cow::Owned(joined);
    }
    let replaced: String = joined.chars().map(|next| if legal(next) { next } else { '_' }).collect();
    Cow::Owned(shortened(&replaced, Some(namespace), name))
}

/// `flat` with a digest of what it stands for at its end.
fn shortened(flat: &str, namespace: Option<&str>, name: &str) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(namespace.unwrap_or_default().as_bytes()).update(b"\0").update(name.as_bytes());
    let digest = hash.finalize().to_hex();
    let digest = digest.get(..8).unwrap_or_default();
    // Only ASCII is left of the beginning, unless the client's own name is not legal anyway.
    let front: String = flat.chars().take(LONGEST - digest.len() - 1).collect();
    format!("{front}_{digest}")
}
