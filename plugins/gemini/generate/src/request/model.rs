//! What a model's name says about it.

use std::fmt::Write as _;

/// A model of Google's.
pub(crate) struct Model<'m> {
    name: &'m str,
    /// 2.5 is 25. Names without a number are the newest.
    generation: u32,
}

impl<'m> Model<'m> {
    pub(crate) fn new(name: &'m str) -> Self {
        let number = name.rsplit('/').next().unwrap_or(name).strip_prefix("gemini-");
        Self { name, generation: number.and_then(generation).unwrap_or(u32::MAX) }
    }

    /// Thinks by level and wants its signatures back.
    pub(crate) fn is_third_or_later(&self) -> bool {
        self.generation >= 30
    }

    /// Thinks at all.
    pub(crate) fn thinks(&self) -> bool {
        self.generation >= 25
    }

    /// The large one of its generation; it cannot stop thinking.
    pub(crate) fn is_pro(&self) -> bool {
        self.name.contains("-pro")
    }

    /// The large one of 3.0 knows two levels only.
    pub(crate) fn knows_medium(&self) -> bool {
        !(self.generation == 30 && self.is_pro())
    }

    /// Draws by `predict`.
    pub(crate) fn is_imagen(&self) -> bool {
        self.name.rsplit('/').next().is_some_and(|name| name.starts_with("imagen"))
    }

    /// The name with its collection. The name may say it already: `tunedModels/x`.
    pub(crate) fn resource(&self) -> String {
        let collection = ["models/", "tunedModels/"].iter().any(|prefix| self.name.starts_with(prefix));
        if collection { self.name.to_owned() } else { format!("models/{}", self.name) }
    }

    /// Path of a chat call.
    pub(crate) fn path(&self, streaming: bool) -> String {
        self.method(if streaming { "streamGenerateContent?alt=sse" } else { "generateContent" })
    }

    /// Path of a call.
    pub(crate) fn method(&self, method: &str) -> String {
        let mut path = String::from("/v1beta/");
        for byte in self.resource().bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' | b'@' => {
                    path.push(char::from(byte));
                }
                // Writing into a string cannot fail.
                _ => _ = write!(path, "%{byte:02X}"),
            }
        }
        path.push(':');
        path.push_str(method);
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
