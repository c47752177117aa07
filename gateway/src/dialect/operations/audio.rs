//! `POST /v1/audio/speech`, `/transcriptions`, `/translations`. Source: OpenAI's API reference, "Audio".

use bytes::Bytes;
use serde::Deserialize;

use super::multipart::Form;
use super::{facts, forms};
use crate::dialect::asks;
use crate::dialect::{AnswerFacts, Dialect, Passing, openai_error};
use crate::domain::{Asks, Envelope, Operation, RequestHead, Usage};
use crate::error::GatewayError;

/// Sound out of a text. The answer is bytes of the type the provider says, passed as they come.
pub(super) struct OpenAiSpeech;

impl Dialect for OpenAiSpeech {
    fn id(&self) -> &'static str {
        "openai-speech"
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        Operation::Speech
    }

    fn read(&self, _head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let mut fields = facts::fields(&body)?;
        let envelope = facts::envelope(&body, &mut fields, None)?;
        facts::need_text(&fields, "input")?;
        facts::need(&fields, "voice")?;
        facts::word(&fields, "response_format", &["mp3", "opus", "aac", "flac", "wav", "pcm"])?;
        facts::word(&fields, "stream_format", &["audio", "sse"])?;
        Ok(Envelope { raw: true, ..envelope })
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        let fields = facts::fields(&envelope.body)?;
        if facts::word(&fields, "stream_format", &["audio", "sse"])? == Some("sse") {
            return Err(super::no_events("stream_format"));
        }
        Ok(envelope.body.clone())
    }

    fn whole(&self, _facts: &AnswerFacts, _canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        Err(GatewayError::plugin("the adapter gave JSON where sound was asked for"))
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn whole_usage(&self, _body: &[u8]) -> Option<Usage> {
        None
    }

    fn pieces(&self, envelope: &Envelope, _body: Option<&[u8]>) -> Usage {
        let fields = facts::fields(&envelope.body);
        let spoken =
            fields.and_then(|fields| facts::need_text(&fields, "input").map(|text| text.chars().count()));
        Usage { characters: spoken.ok().map(|count| count as u64), ..Usage::default() }
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}

/// Text out of sound.
pub(super) struct OpenAiHearing {
    id: &'static str,
    operation: Operation,
}

pub(super) const TRANSCRIPTIONS: OpenAiHearing =
    OpenAiHearing { id: "openai-transcriptions", operation: Operation::Transcription };
pub(super) const TRANSLATIONS: OpenAiHearing =
    OpenAiHearing { id: "openai-translations", operation: Operation::Translation };

impl Dialect for OpenAiHearing {
    fn id(&self) -> &'static str {
        self.id
    }

    fn asks(&self, envelope: &Envelope) -> Asks {
        asks::of(envelope, self.operation(), asks::fields::OPERATIONS)
    }

    fn operation(&self) -> Operation {
        self.operation
    }

    fn read(&self, head: &RequestHead, body: Bytes) -> Result<Envelope, GatewayError> {
        let form = Form::read(head, &body)?;
        let format = form.text(&body, "response_format")?.unwrap_or("json");
        let text = match format {
            "json" | "verbose_json" | "diarized_json" => false,
            "text" | "srt" | "vtt" => true,
            _ => {
                let message = "expected one of json, text, srt, verbose_json, vtt, diarized_json";
                return Err(GatewayError::invalid("response_format", message));
            }
        };
        let raw = text || form.text(&body, "stream")? == Some("true");
        Ok(Envelope { raw, ..forms::envelope(form, &body, "file")? })
    }

    fn canonical(&self, envelope: &Envelope) -> Result<Bytes, GatewayError> {
        forms::canonical(envelope)
    }

    fn whole(&self, _facts: &AnswerFacts, canonical: &[u8]) -> Result<Vec<u8>, GatewayError> {
        Ok(canonical.to_vec())
    }

    fn error(&self, error: &GatewayError, request_id: &str) -> Vec<u8> {
        openai_error::body(error, request_id)
    }

    fn whole_usage(&self, body: &[u8]) -> Option<Usage> {
        let usage = serde_json::from_slice::<Body>(body).ok()?.usage?;

        let details = usage.input_token_details.unwrap_or_default();
        Some(Usage {
            input: usage.input_tokens,
            output: usage.output_tokens,
            audio_input: details.audio_tokens,
            ..Usage::default()
        })
    }

    /// How long the sound is: what is billed, or as `verbose_json` says it.
    fn pieces(&self, _envelope: &Envelope, body: Option<&[u8]>) -> Usage {
        let heard = body.and_then(|body| serde_json::from_slice::<Heard>(body).ok());
        let told = |heard: Heard| heard.usage.and_then(|usage| usage.seconds).or(heard.duration);
        Usage { seconds: heard.and_then(told).and_then(whole_seconds), ..Usage::default() }
    }

    fn passing(&self, data: &[u8], _usage: &mut Usage) -> Passing {
        openai_error::reported(data).map_or(Passing::Content, Passing::Failed)
    }
}

#[derive(Deserialize)]
struct Body {
    usage: Option<Counted>,
}

#[derive(Deserialize)]
struct Heard {
    usage: Option<Seconds>,
    duration: Option<f64>,
}

#[derive(Deserialize)]
struct Seconds {
    seconds: Option<f64>,
}

/// The last second that has begun counts. What is no length of time is not told.
fn whole_seconds(seconds: f64) -> Option<u64> {
    std::time::Duration::try_from_secs_f64(seconds.ceil()).ok().map(|length| length.as_secs())
}

/// Models billed by the minute say `{ "type": "duration", "seconds": … }`, which is no count of tokens.
#[derive(Deserialize)]
struct Counted {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_token_details: Option<Details>,
}

#[derive(Default, Deserialize)]
struct Details {
    audio_tokens: Option<u64>,
}
