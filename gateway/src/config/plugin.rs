//! `[plugins.*]`: adapters beyond the bundled ones.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::{Text, text_values};
use crate::domain::{ByteSize, Timespan};

/// The adapters that come with the gateway.
pub const BUNDLED: [&str; 9] =
    ["anthropic", "azure-openai", "bedrock", "cohere", "gemini", "mistral", "ollama", "openai", "vertex"];

/// One adapter file; a provider names it in `plugin`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Where its file comes from: `file:./acme.wasm`, `https://…/acme.wasm` or `oci://registry/name:tag`.
    /// A relative path starts at the folder of this file.
    pub source: Source,
    /// Digest of the file; another file is refused. Required for `https` and `oci`. Default: any file.
    #[serde(default)]
    pub digest: Option<Digest>,
    /// Most memory of one instance; beyond it the call fails.
    #[serde(default = "memory")]
    pub memory: ByteSize,
    /// Most time of one call; over it the call is stopped, and the request fails over.
    #[serde(default = "budget")]
    pub budget: Timespan,
}

fn memory() -> ByteSize {
    ByteSize::mebibytes(64)
}

fn budget() -> Timespan {
    Timespan::millis(50)
}

/// Where a plugin's file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `file:` and a path.
    File(PathBuf),
    /// `https://…`, the whole address.
    Https(String),
    /// `oci://…`: the reference without the scheme.
    Oci(String),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (source, rest) = if let Some(path) = text.strip_prefix("file:") {
            (Self::File(PathBuf::from(path.strip_prefix("//").unwrap_or(path))), path)
        } else if let Some(rest) = text.strip_prefix("https://") {
            (Self::Https(text.to_owned()), rest)
        } else if let Some(rest) = text.strip_prefix("oci://") {
            (Self::Oci(rest.to_owned()), rest)
        } else {
            return Err(format!(
                "`{text}` is not a source of a plugin: it must start with `file:`, `https://` or `oci://`"
            ));
        };
        if rest.trim_matches('/').is_empty() || text.chars().any(char::is_control) {
            return Err(format!("`{text}` is not a source of a plugin: the place is missing"));
        }
        Ok(source)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Https(address) => formatter.write_str(address),
            Self::Oci(reference) => write!(formatter, "oci://{reference}"),
        }
    }
}

impl Text for Source {
    const KIND: &'static str = "source";
    const PATTERN: &'static str = r"^(file:|https://|oci://).+$";
    const WRITTEN: &'static str =
        "\"file:./acme.wasm\", \"https://…/acme.wasm\" or \"oci://registry/name:tag\"";
}

/// SHA-256 of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(hex) = text.strip_prefix("sha256:") else {
            return Err(format!("`{text}` is not a digest: it must start with `sha256:`"));
        };
        if hex.len() != 64 || !hex.is_ascii() {
            return Err(format!(
                "`{text}` is not a digest: it has {} characters after `sha256:`",
                hex.chars().count()
            ));
        }
        let mut bytes = [0_u8; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = hex.get(index * 2..index * 2 + 2).unwrap_or_default();
            let digits = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            match u8::from_str_radix(pair, 16) {
                Ok(value) if digits => *byte = value,
                _ => return Err(format!("`{text}` is not a digest: `{pair}` is not hexadecimal")),
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Text for Digest {
    const KIND: &'static str = "digest";
    const PATTERN: &'static str = r"^sha256:[0-9a-fA-F]{64}$";
    const WRITTEN: &'static str =
        "`sha256:` and 64 hexadecimal digits, as `causeway plugin inspect` or `sha256sum` prints them";
}

text_values!(Source, Digest);
