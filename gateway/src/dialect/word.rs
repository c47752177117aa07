//! Words that are looked for in every body and every event of a stream.

use std::sync::OnceLock;

use memchr::memmem::{FindIter, Finder};

/// A word made ready for searching once. `memmem::find` does that at each search, which takes longer than to search an event.
pub(crate) struct Word {
    text: &'static str,
    finder: OnceLock<Finder<'static>>,
}

impl Word {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, finder: OnceLock::new() }
    }

    fn finder(&self) -> &Finder<'static> {
        self.finder.get_or_init(|| Finder::new(self.text))
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Where it stands first.
    pub(crate) fn find(&self, data: &[u8]) -> Option<usize> {
        self.finder().find(data)
    }

    /// Everywhere it stands.
    pub(crate) fn places<'f, 'd>(&'f self, data: &'d [u8]) -> FindIter<'d, 'f> {
        self.finder().find_iter(data)
    }

    pub(crate) fn is_in(&self, data: &[u8]) -> bool {
        self.find(data).is_some()
    }
}

/// Whether one of them stands in it.
pub(crate) fn any(words: &[Word], data: &[u8]) -> bool {
    words.iter().any(|word| word.is_in(data))
}
