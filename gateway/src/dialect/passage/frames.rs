//! Where AWS's binary frames end, in bytes cut anywhere.

use crate::domain::event_stream::{self, PRELUDE};

/// Looks at preludes only, and keeps the one that is being read.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    prelude: [u8; PRELUDE],
    /// Bytes of the prelude that are here.
    known: usize,
    /// Bytes of the frame behind its prelude that are still to come.
    left: usize,
    broken: bool,
}

impl Boundary {
    /// The end of the next frame, searched from `from` on. `None`: all of it was searched.
    pub(super) fn next_end(&mut self, bytes: &[u8], mut from: usize) -> Option<usize> {
        while let Some(&byte) = bytes.get(from).filter(|_| !self.broken) {
            if let Some(place) = self.prelude.get_mut(self.known) {
                *place = byte;
                self.known += 1;
                from += 1;
                if self.known == PRELUDE {
                    match event_stream::length(&self.prelude) {
                        Ok(length) => self.left = length - PRELUDE,
                        Err(_) => self.broken = true,
                    }
                }
                continue;
            }
            let step = self.left.min(bytes.len() - from);
            self.left -= step;
            from += step;
            if self.left == 0 {
                self.known = 0;
                return Some(from);
            }
        }
        None
    }

    /// A prelude made no sense; nothing behind it can be found.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }
}
