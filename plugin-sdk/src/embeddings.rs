//! Canonical embeddings (`wit/canonical-operations.md`): the request to read, the answer to write.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::chat::{Content, Fields, Json, Text};
use crate::{Answer, Failure, Loss, Losses, Usage, failure, json};

crate::object! {
    /// A request.
    EmbeddingRequest {
        /// The public model name. Send `route.model`, never this.
        model: Text<'a> = "model",
        /// What becomes vectors.
        input: Input<'a> = "input",
        /// `float` or `base64`; the host turns the one into the other where an adapter cannot choose.
        encoding_format: Option<Text<'a>> = "encoding_format",
        /// Length of the vectors.
        dimensions: Option<u64> = "dimensions",
        /// Who asks.
        user: Option<Text<'a>> = "user",
        /// What the vectors are for; read through [`EmbeddingRequest::purpose`].
        input_type: Option<Text<'a>> = "input_type",
        /// Title of the document.
        title: Option<Text<'a>> = "title",
        /// `none`, `start` or `end`: which end of a long input is cut off.
        truncate: Option<Text<'a>> = "truncate",
        /// `{ "<vendor>": { … } }`: request fields of a vendor's own API.
        vendor: Fields<'a> = "vendor",
    }
}

/// What becomes vectors: one entry, one vector.
#[derive(Clone, Debug, Default)]
pub struct Input<'a>(pub Vec<Entry<'a>>);

/// What becomes one vector.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// A string.
    Text(Text<'a>),
    /// Token ids of OpenAI's.
    Tokens(Vec<u32>),
    /// `{ "content", "title" }`
    Document(Document<'a>),
}

crate::object! {
    /// A text or parts, with a title.
    Document {
        /// A string or parts.
        content: Option<Content<'a>> = "content",
        /// Its title.
        title: Option<Text<'a>> = "title",
    }
}

impl crate::chat::Absent for Input<'_> {}

/// What the vectors are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `search_query`
    SearchQuery,
    /// `search_document`
    SearchDocument,
    /// `classification`
    Classification,
    /// `clustering`
    Clustering,
    /// `semantic_similarity`
    SemanticSimilarity,
    /// `question_answering`
    QuestionAnswering,
    /// `fact_verification`
    FactVerification,
    /// `code_retrieval_query`
    CodeRetrievalQuery,
}

impl<'a> EmbeddingRequest<'a> {
    /// Reads and checks a canonical body.
    ///
    /// # Errors
    /// [`crate::FailureKind::InvalidRequest`] with the path of the field in `param`.
    pub fn parse(body: &'a [u8]) -> Result<Self, Failure> {
        let request: Self = json::request(body)?;
        if request.input.0.is_empty() {
            return Err(failure::invalid("input", "input: there is nothing to embed"));
        }
        if request.dimensions == Some(0) {
            return Err(failure::invalid("dimensions", "dimensions: must be greater than zero"));
        }
        if let Some(format) = &request.encoding_format
            && !["float", "base64"].contains(&&**format)
        {
            return Err(failure::invalid("encoding_format", "encoding_format: must be `float` or `base64`"));
        }
        for (index, entry) in request.input.0.iter().enumerate() {
            let (empty, content) = match entry {
                Entry::Text(text) => (text.is_empty(), None),
                Entry::Tokens(tokens) => (tokens.is_empty(), None),
                Entry::Document(document) => {
                    (document.content.as_ref().is_none_or(Content::is_empty), document.content.as_ref())
                }
            };
            let path = format!("input[{index}]");
            if empty {
                return Err(failure::invalid(path.clone(), format!("{path}: is empty")));
            }
            if let Some(content) = content {
                crate::chat::check_content(content, &format!("{path}.content"))?;
            }
        }
        Ok(request)
    }

    /// What the vectors are for. `Err`: a word without a canonical meaning.
    pub fn purpose(&self) -> Option<Result<Purpose, &str>> {
        let word = self.input_type.as_deref()?;
        Some(match word {
            "search_query" => Ok(Purpose::SearchQuery),
            "search_document" => Ok(Purpose::SearchDocument),
            "classification" => Ok(Purpose::Classification),
            "clustering" => Ok(Purpose::Clustering),
            "semantic_similarity" => Ok(Purpose::SemanticSimilarity),
            "question_answering" => Ok(Purpose::QuestionAnswering),
            "fact_verification" => Ok(Purpose::FactVerification),
            "code_retrieval_query" => Ok(Purpose::CodeRetrievalQuery),
            other => Err(other),
        })
    }

    /// Every entry as one string, for vendors that take nothing else; titles and `title` are lost.
    ///
    /// # Errors
    /// [`crate::FailureKind::Unsupported`] for tokens and for parts that are not text.
    pub fn texts(&self, vendor: &str, losses: &mut Losses) -> Result<Vec<String>, Failure> {
        losses.add_if(&self.title, "title", format!("{vendor} has no title"));
        let entries = self.input.0.iter().enumerate();
        entries.map(|(index, entry)| entry.text(&format!("input[{index}]"), vendor, losses)).collect()
    }
}

impl Entry<'_> {
    fn text(&self, path: &str, vendor: &str, losses: &mut Losses) -> Result<String, Failure> {
        let document = match self {
            Self::Text(text) => return Ok(text.to_string()),
            Self::Tokens(_) => return Err(tokens_unsupported(path, vendor)),
            Self::Document(document) => document,
        };
        losses.add_if(&document.title, format!("{path}.title"), format!("{vendor} has no title"));
        losses.add_fields(&document.rest, path, &format!("{vendor} has no such field"));
        if let Some(Content::Parts(parts)) = &document.content
            && let Some(place) = parts.iter().position(|part| part.text().is_none())
        {
            let path = format!("{path}.content[{place}]");
            return Err(failure::unsupported(path, format!("{vendor} embeds text only")));
        }
        Ok(document.content.as_ref().map(|content| content.text().into_owned()).unwrap_or_default())
    }
}

/// Token ids mean something to OpenAI's models alone.
pub fn tokens_unsupported(path: &str, vendor: &str) -> Failure {
    failure::unsupported(path, format!("{vendor} takes text; these are token ids of OpenAI's models"))
}

/// One vector of an answer.
#[derive(Clone, Debug, Serialize)]
pub struct Embedding<'a> {
    object: &'static str,
    index: u64,
    embedding: Json<'a>,
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Embedding<'a>>,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Tokens>,
}

#[derive(Serialize)]
struct Tokens {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// The answer of these vectors (lists of numbers as the vendor wrote them, or base64 strings), in the order of the input.
///
/// # Errors
/// A failure of the adapter when it cannot be written.
pub fn answer<'a>(
    model: &'a str,
    vectors: impl IntoIterator<Item = Json<'a>>,
    input_tokens: Option<u64>,
    losses: Vec<Loss>,
) -> Result<Answer, Failure> {
    let data = vectors.into_iter().zip(0_u64..);
    let data = data.map(|(embedding, index)| Embedding { object: "embedding", index, embedding }).collect();
    let usage = input_tokens.map(|count| Tokens { prompt_tokens: count, total_tokens: count });
    let body = json::to_vec(&List { object: "list", data, model, usage })?;
    let usage = input_tokens.map(|input| Usage { input: Some(input), ..Usage::default() });
    Ok(Answer { body, content_type: None, usage, losses })
}

/// A number, or an entry: what stands in the list `input`.
enum Element<'a> {
    Token(u32),
    Entry(Entry<'a>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Element<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Element<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, a token id, a list of token ids or an object with `content`")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                u32::try_from(number).map(Element::Token).map_err(|_| E::custom("no token id is this large"))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Element::Entry(Entry::Text(text.into())))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Element::Entry(Entry::Text(text.to_owned().into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut tokens = Vec::new();
                while let Some(token) = list.next_element()? {
                    tokens.push(token);
                }
                Ok(Element::Entry(Entry::Tokens(tokens)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let document = Document::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Element::Entry(Entry::Document(document)))
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Input<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Input<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Input(vec![Entry::Text(text.into())]))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Input(vec![Entry::Text(text.to_owned().into())]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let (mut tokens, mut entries) = (Vec::new(), Vec::new());
                while let Some(element) = list.next_element()? {
                    match element {
                        Element::Token(token) => tokens.push(token),
                        Element::Entry(entry) => entries.push(entry),
                    }
                }
                match (tokens.is_empty(), entries.is_empty()) {
                    (false, false) => Err(serde::de::Error::custom("token ids and other entries are mixed")),
                    (false, true) => Ok(Input(vec![Entry::Tokens(tokens)])),
                    _ => Ok(Input(entries)),
                }
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Tokens(tokens) => tokens.serialize(serializer),
            Self::Document(document) => document.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests;
