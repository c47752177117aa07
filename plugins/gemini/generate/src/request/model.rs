//! What a model's name says about it.

use std::fmt::Write as _;

/// A model of Google's.
pub(super) struct Model<'m> {
    name: &'m str,
    /// 2.5 is 25. Names without a number are the newest.
    generation: u32,
}

impl<'m> Model<'m> {
    pub(super) fn new(name: &'m str) -> Self {
        let number = name.rsplit('/').next().unwrap_or(name).strip_prefix("gemini-");
        Self { name, generation: number.and_then(generation).unwrap_or(u32::MAX) }
    }

    /// Thinks by level and wants its signatures back.
    pub(super) fn is_third_or_later(&self) -> bool {
        self.generation >= 30
    }

    /// Thinks at all.
    pub(super) fn thinks(&self) -> bool {
        self.generation >= 25
    }

    /// The large one of its generation; it cannot stop thinking.
    pub(super) fn is_pro(&self) -> bool {
        self.name.contains("-pro")
    }

    /// The large one of 3.0 knows two levels only.
    pub(super) fn knows_medium(&self) -> bool {
        !(self.generation == 30 && self.is_pro())
    }

    /// Path of the call. The name may say its collection: `tunedModels/x`.
    pub(super) fn path(&self, streaming: bool) -> String {
        let collection = ["models/", "tunedModels/"].iter().any(|prefix| self.name.starts_with(prefix));
        let mut path = String::from(if collection { "/v1beta/" } else { "/v1beta/models/" });
        for byte in self.name.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' => {
                    path.push(char::from(byte));
                }
                // Writing into a string cannot fail.
                _ => _ = write!(path, "%{byte:02X}"),
            }
        }
        path.push_str(if streaming { ":streamGenerateContent?alt=sse" } else { ":generateContent" });
        path
    }
}

/// `2.5-flash` is 25, `3-pro` is 30.
fn generation(name: &str) -> Option<u32> {
    let number = name.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    let minor: u32 = minor.parse().ok()?;
    Some(major.parse::<u32>().ok()?.saturating_mul(10).saturating_add(minor.min(9)))
}
