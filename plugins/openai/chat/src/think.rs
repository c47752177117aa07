//! `<think>…</think>` at the start of the content: how servers that do not parse their models' output show reasoning.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Splits content that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    place: Place,
    /// What may be the beginning of a tag.
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing but white space came.
    #[default]
    Start,
    Inside,
    /// Behind the closing tag, where white space separates.
    Behind,
    Content,
}

/// What a piece turned out to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) reasoning: String,
    pub(crate) content: String,
}

impl Splitter {
    /// Takes a piece.
    pub(crate) fn push(&mut self, piece: &str) -> Split {
        let mut split = Split::default();
        self.held.push_str(piece);
        while self.step(&mut split) {}
        split
    }

    /// The content ended: what was held is what it was.
    pub(crate) fn finish(&mut self) -> Split {
        let held = std::mem::take(&mut self.held);
        match self.place {
            Place::Inside => Split { reasoning: held, content: String::new() },
            Place::Behind => Split::default(),
            Place::Start | Place::Content => Split { reasoning: String::new(), content: held },
        }
    }

    /// Takes one thing from what is held; `false` when it must wait for more.
    fn step(&mut self, split: &mut Split) -> bool {
        match self.place {
            Place::Start => {
                let text = self.held.trim_start();
                if let Some(rest) = text.strip_prefix(OPEN) {
                    self.held = rest.to_owned();
                    self.place = Place::Inside;
                    return true;
                }
                let may_open = OPEN.starts_with(text);
                self.place = if may_open { Place::Start } else { Place::Content };
                !may_open
            }
            Place::Inside => {
                let Some((reasoning, rest)) = self.held.split_once(CLOSE) else {
                    let keep = tail_of(&self.held, CLOSE);
                    let rest = self.held.split_off(self.held.len() - keep);
                    split.reasoning.push_str(&std::mem::replace(&mut self.held, rest));
                    return false;
                };
                split.reasoning.push_str(reasoning);
                self.held = rest.to_owned();
                self.place = Place::Behind;
                true
            }
            Place::Behind => {
                self.held = self.held.trim_start().to_owned();
                if !self.held.is_empty() {
                    self.place = Place::Content;
                }
                !self.held.is_empty()
            }
            Place::Content => {
                split.content.push_str(&std::mem::take(&mut self.held));
                false
            }
        }
    }
}

/// How many bytes at the end of `text` may be the beginning of `tag`.
fn tail_of(text: &str, tag: &str) -> usize {
    (1..tag.len())
        .rev()
        .find(|length| tag.get(..*length).is_some_and(|start| text.ends_with(start)))
        .unwrap_or(0)
}

/// Splits content that came whole.
pub(crate) fn split(content: &str) -> Split {
    let mut splitter = Splitter::default();
    let mut all = splitter.push(content);
    let last = splitter.finish();
    all.reasoning.push_str(&last.reasoning);
    all.content.push_str(&last.content);
    all
}
