//! One Gemini part in canonical form.

use std::borrow::Cow;

use plugin_sdk::chat::{Fields, File, ImageUrl, InputAudio, Json, Part, PartBody, Text, ToolCall};
use serde_json::{Value, json};

use crate::VENDOR;
use crate::wire::{Blob, FileData, LogprobsResult, Part as Given, Token};

/// What a part is.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives on the stack for one step; a box would be one more allocation"
)]
pub(crate) enum Piece<'a> {
    /// Reasoning.
    Thought(Thought<'a>),
    /// Text, perhaps with state; state may stand on an empty text.
    Text {
        /// The text.
        text: Text<'a>,
        /// `extra_content`
        state: Option<Json<'a>>,
    },
    /// A whole call.
    Call(Call<'a>),
    /// A part of its own.
    Block(Part<'a>),
}

/// Reasoning.
pub(crate) struct Thought<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) signature: Option<Text<'a>>,
    pub(crate) rest: Fields<'a>,
}

/// A whole call.
pub(crate) struct Call<'a> {
    pub(crate) id: Option<Text<'a>>,
    pub(crate) name: Text<'a>,
    /// JSON text of an object.
    pub(crate) arguments: Text<'a>,
    pub(crate) extra_content: Option<Json<'a>>,
}

/// Sorts one part; an empty one is nothing.
pub(crate) fn piece(mut part: Given<'_>) -> Option<Piece<'_>> {
    if let Some(mut call) = part.function_call.take() {
        if let Some(more) = super::vendor_fields(std::mem::take(&mut call.rest)) {
            part.rest.push("functionCall", more);
        }
        let arguments = call.args.as_ref().map_or_else(|| "{}".into(), |args| compact(args.text())).into();
        let (id, name) = (call.id.take().filter(|id| !id.is_empty()), call.name);
        let extra_content = state(part.thought_signature, part.rest);
        return Some(Piece::Call(Call { id, name, arguments, extra_content }));
    }
    if let Some(text) = part.text.take() {
        if part.thought {
            let signature = part.thought_signature;
            let rest =
                part.rest.iter().map(|(name, value)| (name.to_owned().into(), value.to_value().into()));
            return Some(Piece::Thought(Thought { text, signature, rest: Fields(rest.collect()) }));
        }
        return Some(Piece::Text { text, state: state(part.thought_signature, part.rest) });
    }
    // A draft image among the thoughts is no answer; it stays a part of Gemini's own.
    if !part.thought {
        if let Some(mut blob) = part.inline_data.take() {
            if let Some(more) = super::vendor_fields(std::mem::take(&mut blob.rest)) {
                part.rest.push("inlineData", more);
            }
            let extra_content = state(part.thought_signature, part.rest);
            return Some(Piece::Block(Part { extra_content, ..Part::new(media(blob)) }));
        }
        if let Some(mut file) = part.file_data.take() {
            if let Some(more) = super::vendor_fields(std::mem::take(&mut file.rest)) {
                part.rest.push("fileData", more);
            }
            let extra_content = state(part.thought_signature, part.rest);
            return Some(Piece::Block(Part { extra_content, ..Part::new(link(file)) }));
        }
        if part.rest.is_empty() {
            let state = state(part.thought_signature, part.rest)?;
            return Some(Piece::Text { text: "".into(), state: Some(state) });
        }
    }
    let value = Json::Value(serde_json::to_value(&part).unwrap_or_default());
    Some(Piece::Block(Part::new(PartBody::Vendor { vendor: VENDOR.into(), value })))
}

/// JSON without blanks between its tokens: Google indents whole answers, and clients send arguments back and forth.
fn compact(json: Cow<'_, str>) -> Cow<'_, str> {
    // A line feed inside a string is escaped.
    if !json.contains('\n') {
        return json;
    }
    let (mut in_string, mut escaped) = (false, false);
    let kept = json.chars().filter(|letter| {
        let keep = in_string || !letter.is_ascii_whitespace();
        if *letter == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && *letter == '\\' && !escaped;
        keep
    });
    Cow::Owned(kept.collect())
}

/// `extra_content` with the signature and every mark that has no name here.
fn state<'a>(signature: Option<Text<'a>>, rest: Fields<'a>) -> Option<Json<'a>> {
    let mut google = Fields::default();
    if let Some(signature) = signature {
        google.push("thought_signature", Json::Value(Value::from(&*signature)));
    }
    google.0.extend(rest.0);
    let google = super::vendor_fields(google)?.to_value();
    Some(json!({ "google": google }).into())
}

fn media(blob: Blob<'_>) -> PartBody<'_> {
    let mime = &*blob.mime_type;
    let url = || format!("data:{mime};base64,{}", blob.data);
    if mime.starts_with("image/") {
        return PartBody::Image(ImageUrl { url: url().into(), ..ImageUrl::default() });
    }
    let format = match mime {
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/mp3" | "audio/mpeg" => "mp3",
        _ => return PartBody::File(File { file_data: Some(url().into()), ..File::default() }),
    };
    PartBody::Audio(InputAudio { data: blob.data, format: format.into(), ..InputAudio::default() })
}

fn link(file: FileData<'_>) -> PartBody<'_> {
    let image = file.mime_type.as_ref().is_some_and(|mime| mime.starts_with("image/"));
    if image && file.file_uri.starts_with("https://") {
        return PartBody::Image(ImageUrl { url: file.file_uri, ..ImageUrl::default() });
    }
    PartBody::File(File { file_url: Some(file.file_uri), mime_type: file.mime_type, ..File::default() })
}

/// Makes up ids where Gemini gives none: the answer's id and a number, so they are the same on every run and never
/// the same in two turns.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    answer: String,
    count: u64,
}

impl Calls {
    pub(crate) fn new(answer: &str) -> Self {
        Self { answer: answer.to_owned(), count: 0 }
    }

    /// The id of the next call.
    pub(crate) fn id<'a>(&mut self, given: Option<Text<'a>>) -> Text<'a> {
        let number = self.count;
        self.count += 1;
        given.unwrap_or_else(|| match self.answer.as_str() {
            "" => format!("call_{number}").into(),
            answer => format!("call_{answer}_{number}").into(),
        })
    }

    pub(crate) fn tool_call<'a>(&mut self, call: Call<'a>) -> ToolCall<'a> {
        let id = self.id(call.id);
        ToolCall { extra_content: call.extra_content, ..ToolCall::function(id, call.name, call.arguments) }
    }
}

/// Token probabilities as OpenAI tells them.
pub(crate) fn logprobs<'a>(result: &LogprobsResult<'_>) -> Json<'a> {
    let content: Vec<Value> = result
        .chosen
        .iter()
        .enumerate()
        .map(|(place, chosen)| {
            let rivals = result.top.get(place).map(|top| top.candidates.as_slice()).unwrap_or_default();
            let mut said = token(chosen);
            said["top_logprobs"] = rivals.iter().map(token).collect();
            said
        })
        .collect();
    json!({ "content": content, "refusal": null }).into()
}

fn token(token: &Token<'_>) -> Value {
    let mut said =
        json!({ "token": &*token.token, "logprob": token.log_probability, "bytes": token.token.as_bytes() });
    for (name, value) in token.rest.present() {
        said[name] = value.to_value();
    }
    said
}
