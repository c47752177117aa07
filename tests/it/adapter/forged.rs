//! Components that no compiler makes: the hostile one with a few of its bytes changed.

/// Another text of the same length, everywhere.
pub(super) fn patched(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "lengths stand in front of names");
    let mut out = component.to_vec();
    let mut found = 0;
    for at in 0..out.len() - from.len() {
        if out[at..].starts_with(from.as_bytes()) {
            out[at..at + to.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "`{from}` is not in the component");
    out
}

/// With another word for what `describe` does.
pub(super) fn describing(component: &[u8], word: &str) -> Vec<u8> {
    patched(component, "describe:honest.", &format!("describe:{word:.<7}"))
}

/// With a start function that never comes back: the module's own `spin`.
pub(super) fn spinning(component: &[u8]) -> Vec<u8> {
    const CORE_MODULE: u8 = 1;
    let mut out = component[..8].to_vec();
    let mut spins = 0;
    for (id, content) in sections(&component[8..]) {
        let started = (id == CORE_MODULE).then(|| started(content)).flatten();
        spins += usize::from(started.is_some());
        push_section(&mut out, id, started.as_deref().unwrap_or(content));
    }
    assert_eq!(spins, 1, "no module exports `spin`");
    out
}

/// A core module that starts with its export `spin`, if it has one.
fn started(module: &[u8]) -> Option<Vec<u8>> {
    const EXPORTS: u8 = 7;
    const START: u8 = 8;
    let mut out = module[..8].to_vec();
    let mut spin = None;
    for (id, content) in sections(&module[8..]) {
        push_section(&mut out, id, content);
        if id == EXPORTS {
            spin = exported(content, b"spin");
            push_section(&mut out, START, &number(spin?));
        }
    }
    spin.map(|_| out)
}

/// The index of an exported function.
fn exported(mut exports: &[u8], wanted: &[u8]) -> Option<usize> {
    for _ in 0..take(&mut exports) {
        let length = take(&mut exports);
        let (name, rest) = exports.split_at(length);
        let (kind, mut rest) = rest.split_first()?;
        let index = take(&mut rest);
        exports = rest;
        if name == wanted && *kind == 0 {
            return Some(index);
        }
    }
    None
}

fn sections(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some((id, mut rest)) = bytes.split_first() {
        let length = take(&mut rest);
        let (content, after) = rest.split_at(length);
        found.push((*id, content));
        bytes = after;
    }
    found
}

fn push_section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    out.extend(number(content.len()));
    out.extend_from_slice(content);
}

/// An unsigned LEB128 off the front.
fn take(bytes: &mut &[u8]) -> usize {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}
