//! Where an answer's body ends: by its length, by its chunks, or with its connection.

/// What is still to come of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunks(Chunk),
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the line with the size; `true` behind its `;`.
    Size(u64, bool),
    Data(u64),
    /// In the line break behind the data.
    DataEnd,
    /// In a line of the trailer, with so many letters.
    Trailer(u64),
    Done,
}

impl Framing {
    /// As the head of an answer (in lower case) says.
    pub(super) fn of(head: &str) -> Self {
        let field = |name: &str| head.lines().skip(1).find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("transfer-encoding:").is_some_and(|value| value.contains("chunked")) {
            return Self::Chunks(Chunk::Size(0, false));
        }
        let length = field("content-length:").and_then(|value| value.parse().ok());
        length.map_or(Self::UntilClose, Self::Length)
    }

    /// Is the body complete?
    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunks(Chunk::Done))
    }

    /// Hands the body's own bytes of `read` to `each`, which says whether to go on; so does this.
    pub(super) fn take(&mut self, mut read: &[u8], each: &mut impl FnMut(&[u8]) -> bool) -> bool {
        match self {
            Self::UntilClose => read.is_empty() || each(read),
            Self::Length(left) => {
                let piece = first(read, *left);
                *left -= piece.len() as u64;
                piece.is_empty() || each(piece)
            }
            Self::Chunks(state) => {
                while !read.is_empty() && *state != Chunk::Done {
                    if let Chunk::Data(left) = *state {
                        let piece = first(read, left);
                        read = read.get(piece.len()..).unwrap_or_default();
                        let left = left - piece.len() as u64;
                        *state = if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) };
                        if !each(piece) {
                            return false;
                        }
                    } else if let Some((letter, rest)) = read.split_first() {
                        *state = state.step(*letter);
                        read = rest;
                    }
                }
                true
            }
        }
    }
}

fn first(read: &[u8], most: u64) -> &[u8] {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    read.get(..most).unwrap_or(read)
}

impl Chunk {
    /// One letter between the data.
    fn step(self, letter: u8) -> Self {
        match (self, letter) {
            (Self::Size(0, _), b'\n') => Self::Trailer(0),
            (Self::Size(size, _), b'\n') => Self::Data(size),
            (Self::Size(size, _), b';') => Self::Size(size, true),
            (Self::Size(size, false), letter) => match char::from(letter).to_digit(16) {
                Some(digit) => Self::Size(size.saturating_mul(16).saturating_add(u64::from(digit)), false),
                None => self,
            },
            (Self::DataEnd, b'\n') => Self::Size(0, false),
            (Self::Trailer(0), b'\n') => Self::Done,
            (Self::Trailer(_), b'\n') => Self::Trailer(0),
            (Self::Trailer(letters), letter) if letter != b'\r' => Self::Trailer(letters + 1),
            _ => self,
        }
    }
}
