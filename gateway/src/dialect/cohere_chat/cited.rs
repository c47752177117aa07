//! Sources of what was said, as Cohere's citations.

use std::borrow::Cow;

use serde::Deserialize;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::VENDOR;
use crate::dialect::said::Annotation;

/// A citation.
pub(super) enum Cited<'a> {
    /// Cohere's own.
    Own(&'a RawValue),
    /// Another's, as far as Cohere has words for it.
    Other { source: Source<'a>, span: Option<Span<'a>> },
}

/// Which words it stands behind.
#[derive(Clone)]
pub(super) struct Span<'a> {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Empty in a stream, where the text is not at hand.
    pub(super) text: Cow<'a, str>,
    pub(super) block: usize,
}

/// Where it is from. Vendors call these things differently.
#[derive(Deserialize, Default)]
pub(super) struct Source<'a> {
    #[serde(borrow, default)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow, default, alias = "document_title")]
    title: Option<Cow<'a, str>>,
    /// Anthropic.
    #[serde(borrow, default)]
    cited_text: Option<Cow<'a, str>>,
    #[serde(default)]
    document_index: Option<u64>,
    /// Bedrock.
    #[serde(borrow, default, rename = "sourceContent")]
    content: Vec<Words<'a>>,
    #[serde(borrow, default)]
    location: Location<'a>,
}

#[derive(Deserialize)]
struct Words<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Location<'a> {
    #[serde(borrow)]
    web: Option<Web<'a>>,
}

#[derive(Deserialize)]
struct Web<'a> {
    #[serde(borrow, default)]
    url: Option<Cow<'a, str>>,
}

impl<'a> Cited<'a> {
    /// An annotation. `find` gives the words between two places of the text that was said.
    pub(super) fn of(note: &Annotation<'a>, find: impl FnOnce(u64, u64) -> Option<Span<'a>>) -> Option<Self> {
        if let Some(cited) = &note.url_citation {
            let text = |raw: Option<&'a RawValue>| raw.and_then(crate::dialect::object::decode);
            let source = Source { url: text(cited.url), title: text(cited.title), ..Source::default() };
            let span = cited.start_index.zip(cited.end_index).and_then(|(start, end)| find(start, end));
            return Some(Self::Other { source, span });
        }
        let value = note.value?;
        if note.vendor.as_ref().is_some_and(|vendor| vendor.0 == VENDOR) {
            return Some(Self::Own(value));
        }
        Self::other(value, None)
    }

    /// Another vendor's citation.
    pub(super) fn other(value: &'a RawValue, span: Option<Span<'a>>) -> Option<Self> {
        let source: Source<'a> = serde_json::from_str(value.get()).ok()?;
        source.says_something().then_some(Self::Other { source, span })
    }
}

impl Source<'_> {
    fn url(&self) -> Option<&str> {
        let web = self.location.web.as_ref().and_then(|web| web.url.as_deref());
        self.url.as_deref().or(web)
    }

    fn snippet(&self) -> Option<Cow<'_, str>> {
        if let Some(text) = &self.cited_text {
            return Some(Cow::Borrowed(text));
        }
        let words: String = self.content.iter().map(|piece| piece.text.as_ref()).collect();
        (!words.is_empty()).then_some(Cow::Owned(words))
    }

    fn says_something(&self) -> bool {
        self.url().is_some() || self.title.is_some() || self.snippet().is_some()
    }
}

impl Serialize for Cited<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (source, span) = match self {
            Self::Own(citation) => return citation.serialize(serializer),
            Self::Other { source, span } => (source, span),
        };
        let mut map = serializer.serialize_map(None)?;
        if let Some(span) = span {
            map.serialize_entry("start", &span.start)?;
            map.serialize_entry("end", &span.end)?;
            map.serialize_entry("text", &span.text)?;
        }
        map.serialize_entry("sources", &[source])?;
        if let Some(span) = span {
            map.serialize_entry("content_index", &span.block)?;
        }
        map.serialize_entry("type", "TEXT_CONTENT")?;
        map.end()
    }
}

/// `{ "type": "document", "id": …, "document": { … } }`
impl Serialize for Source<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Document<'d> {
            id: &'d str,
            #[serde(skip_serializing_if = "Option::is_none")]
            title: Option<&'d str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            url: Option<&'d str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            snippet: Option<Cow<'d, str>>,
        }
        let numbered = self.document_index.map(|index| format!("doc:{index}"));
        let id = self.url().or(numbered.as_deref()).or(self.title.as_deref()).unwrap_or("doc:0");
        let document =
            Document { id, title: self.title.as_deref(), url: self.url(), snippet: self.snippet() };
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("type", "document")?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("document", &document)?;
        map.end()
    }
}
