//! References are written out: Gemini refuses one with anything beside it, and a circle through a required property.
//! A circle is gone round a few times and then cut.

use std::borrow::Cow;

use super::Rewriter;
use super::tree::{Leaf, Members, Tree};

/// How often a circle is gone round.
const ROUNDS: usize = 3;

impl<'a> Rewriter<'_, 'a, '_> {
    /// What a reference points to, with what stands beside the reference on top.
    pub(super) fn reference(&mut self, reference: &str, beside: &Members<'a>, path: &str) -> Tree<'a> {
        let mut rest = beside.clone();
        rest.0.retain(|(name, _)| name != "$ref");
        let Some(Tree::Object(target)) = find(self.root, reference) else {
            self.losses.add(format!("{path}.$ref"), format!("`{reference}` is not in this schema"));
            return self.members(&rest, path);
        };
        let rounds = self.expanding.iter().filter(|open| *open == reference).count();
        if rounds >= ROUNDS {
            self.losses
                .add(path, format!("the schema goes in circles; gemini gets it cut after {ROUNDS} rounds"));
            return stump(target);
        }
        let mut whole = target.clone();
        for (name, value) in rest.0 {
            // The definitions of the root would come along with `#`.
            if !matches!(&*name, "$defs" | "definitions") {
                whole.put(&name, value);
            }
        }
        self.expanding.push(reference.to_owned());
        let written = self.schema(&Tree::Object(whole), path);
        self.expanding.pop();
        written
    }
}

/// What is left where a schema is cut: its type and what it says about itself.
pub(super) fn stump<'a>(schema: &Members<'a>) -> Tree<'a> {
    let kept = schema.0.iter().filter(|(name, _)| matches!(&**name, "type" | "title" | "description"));
    Tree::Object(Members(kept.cloned().collect()))
}

/// The value at a JSON pointer behind `#` (RFC 6901, percent-encoded as a fragment).
fn find<'t, 'a>(root: &'t Tree<'a>, reference: &str) -> Option<&'t Tree<'a>> {
    let pointer = reference.strip_prefix('#')?;
    if pointer.is_empty() {
        return Some(root);
    }
    pointer.strip_prefix('/')?.split('/').try_fold(root, |tree, step| {
        let step = decoded(step).replace("~1", "/").replace("~0", "~");
        match tree {
            Tree::Object(members) => members.get(&step),
            Tree::List(values) => values.get(step.parse::<usize>().ok()?),
            Tree::Leaf(Leaf::Text(_) | Leaf::Plain(_)) => None,
        }
    })
}

fn decoded(step: &str) -> Cow<'_, str> {
    if !step.contains('%') {
        return Cow::Borrowed(step);
    }
    let mut bytes = Vec::with_capacity(step.len());
    let mut rest = step.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}
