//! How many tokens a text has, roughly: what the common tokenizers have in common.
//!
//! They cut a text into words with the space before them, runs of digits, runs of punctuation and line breaks, and know
//! short words whole. Measured against one of them a text is some per cent off, either way; a condition or a limit with
//! a margin does not mind.

/// Letters of a word that is surely known whole, and letters of each further piece of a longer one.
const WHOLE_WORD: u64 = 8;
const PIECE: u64 = 4;
/// Digits that stand together.
const DIGITS: u64 = 3;
/// Letters of an alphabet other than Latin in one token, in tenths: Cyrillic, Greek, Arabic, Hebrew.
const FOREIGN_TENTHS: u64 = 4;
/// The same for signs that are words or syllables: Chinese, Japanese, Korean.
const SIGN_TENTHS: u64 = 8;

/// What one byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Space,
    Break,
    Mark,
    /// The first byte of a letter of two bytes.
    Foreign,
    /// The first byte of a sign of three bytes.
    Sign,
    /// The first byte of four: pictograms.
    Rare,
    /// A later byte of any of these.
    Rest,
}

const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Kind::Letter,
            b'0'..=b'9' => Kind::Digit,
            b' ' | b'\t' => Kind::Space,
            b'\n' | b'\r' => Kind::Break,
            0x80..=0xBF => Kind::Rest,
            0xC0..=0xDF => Kind::Foreign,
            0xE0..=0xEF => Kind::Sign,
            0xF0..=0xFF => Kind::Rare,
            _ => Kind::Mark,
        };
        byte += 1;
    }
    kinds
};

/// Tokens of a text.
pub(in crate::dialect) fn of(text: &str) -> u64 {
    let mut tokens = 0;
    let mut tenths = 0;
    let mut bytes = text.as_bytes();
    while let Some(&first) = bytes.first() {
        let kind = KINDS[usize::from(first)];
        let end = bytes.iter().position(|byte| KINDS[usize::from(*byte)] != kind).unwrap_or(bytes.len());
        let run = end as u64;
        match kind {
            Kind::Letter if run <= WHOLE_WORD => tokens += 1,
            Kind::Letter => tokens += 1 + (run - WHOLE_WORD).div_ceil(PIECE),
            Kind::Digit => tokens += run.div_ceil(DIGITS),
            // One space belongs to the word behind it.
            Kind::Space => tokens += u64::from(run > 1),
            Kind::Break => tokens += 1,
            Kind::Mark => tokens += run.div_ceil(2),
            Kind::Foreign => tenths += run * FOREIGN_TENTHS,
            Kind::Sign => tenths += run * SIGN_TENTHS,
            Kind::Rare => tokens += run * 2,
            Kind::Rest => {}
        }
        bytes = bytes.get(end..).unwrap_or_default();
    }
    tokens + tenths.div_ceil(10)
}
