//! Overwrites literal secrets in a text that is going to be shown. Lengths stay, so that spans still fit.

use std::ops::Range;

/// Shortest run of letters and digits that is taken for a secret wherever it stands.
const SUSPICIOUS: usize = 20;

/// Words in a key's name that make the whole line suspicious.
const SECRET_WORDS: [&str; 4] = ["secret", "password", "key", "token"];

/// The text with `hidden` strings overwritten, and whatever else looks like a secret outside the `shown` ones.
pub(crate) fn mask(text: &str, shown: &[Range<usize>], hidden: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in hidden {
        let written = text.get(span.clone()).unwrap_or_default();
        let quotes = usize::from(written.starts_with(['"', '\'']));
        overwrite(&mut bytes, span.start + quotes..span.end.saturating_sub(quotes));
    }
    for run in suspicious_runs(&bytes) {
        if !shown.iter().any(|span| span.start <= run.start && run.end <= span.end) {
            blank(&mut bytes, run);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// For a text that is not valid TOML: also whatever is quoted on a line that speaks of secrets.
pub(crate) fn mask_broken(text: &str, shown: &[Range<usize>], hidden: &[Range<usize>]) -> String {
    let mut quoted = hidden.to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let name = lower.split(['=', '"', '\'']).next().unwrap_or_default();
        if SECRET_WORDS.iter().any(|word| name.contains(word)) {
            let value = line.find('=').unwrap_or(line.len());
            quoted.push(start + value + 1..start + line.trim_end().len());
        }
        start += line.len();
    }
    mask(text, shown, &quoted)
}

/// Overwrites all but `${NAME}` and its kin; of `${NAME:-default}` the default, too.
fn overwrite(bytes: &mut [u8], span: Range<usize>) {
    let span = span.start..span.end.min(bytes.len());
    let mut at = span.start;
    while at < span.end {
        let rest = bytes.get(at..span.end).unwrap_or_default();
        if !rest.starts_with(b"${") {
            blank(bytes, at..at + 1);
            at += 1;
            continue;
        }
        // A default may hold braces of its own; blanking up to the last one is the safe side.
        let closed = rest.iter().position(|byte| *byte == b'}').map_or(rest.len(), |end| end + 1);
        let inside = rest.get(..closed).unwrap_or_default();
        let default = inside.windows(2).position(|pair| pair == b":-").map(|default| at + default + 2);
        let length = if default.is_some() { rest.len() } else { closed };
        if let Some(default) = default {
            blank(bytes, default..at + length);
        }
        at += length;
    }
}

fn blank(bytes: &mut [u8], span: Range<usize>) {
    for byte in bytes.get_mut(span).unwrap_or_default() {
        if !matches!(*byte, b'\n' | b'\r' | b'"' | b'\'' | b'[' | b']' | b',' | b' ') {
            *byte = b'*';
        }
    }
}

fn suspicious_runs(bytes: &[u8]) -> Vec<Range<usize>> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+');
    let mut runs = Vec::new();
    let mut start = 0;
    for run in bytes.split(|byte| !part(byte)) {
        let mixed = run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_alphabetic);
        if run.len() >= SUSPICIOUS && mixed {
            runs.push(start..start + run.len());
        }
        start += run.len() + 1;
    }
    runs
}
