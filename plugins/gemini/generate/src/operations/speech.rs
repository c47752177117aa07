//! Speech: `generateContent` with the modality AUDIO (<https://ai.google.dev/gemini-api/docs/speech-generation>).
//! Google gives bare samples; they are sent on as WAV, because an answer does not know what was asked.

use plugin_sdk::chat::{Fields, Text};
use plugin_sdk::{
    Answer, Failure, FailureKind, Losses, Route, UpstreamRequest, base64, failure, json, object,
};

use super::required;
use crate::request::Model;
use crate::response::usage;
use crate::wire::Answer as Came;

object! {
    /// The canonical request.
    Asked {
        model: Text<'a> = "model",
        input: Text<'a> = "input",
        voice: Option<Text<'a>> = "voice",
        instructions: Option<Text<'a>> = "instructions",
        response_format: Option<Text<'a>> = "response_format",
        speed: Option<serde_json::Number> = "speed",
        vendor: Fields<'a> = "vendor",
    }
}

/// Voices of OpenAI's, which clients name when they mean any.
const FOREIGN_VOICES: [&str; 13] = [
    "alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse", "marin",
    "cedar",
];
const DEFAULT_VOICE: &str = "Kore";

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked: Asked<'_> = json::request(body)?;
    super::not_streamed(&asked.rest)?;
    required(&asked.input, "input")?;
    let mut losses = Losses::default();
    if asked.response_format.as_ref().is_none_or(|format| *format != "wav") {
        losses.add("response_format", "gemini's sound is sent as wav");
    }
    losses.add_if(&asked.speed, "speed", "gemini has no speed; say it in the instructions");
    losses.add_fields(&asked.rest, "", "gemini has no such field");
    let voice = match asked.voice.as_deref() {
        Some(voice) if FOREIGN_VOICES.contains(&voice) => {
            losses.add("voice", format!("gemini has no such voice; {DEFAULT_VOICE} was sent"));
            DEFAULT_VOICE
        }
        Some(voice) => voice,
        None => DEFAULT_VOICE,
    };
    // Google's way to say how: `Say cheerfully: …`.
    let text = match &asked.instructions {
        Some(how) => format!("{how}: {}", asked.input),
        None => asked.input.to_string(),
    };
    let tree = serde_json::json!({
        "contents": [{ "role": "user", "parts": [{ "text": text }] }],
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": { "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": voice } } },
        },
    });
    let path = Model::new(&route.model).method("generateContent");
    super::post(route, path, super::written(&tree)?, &asked.vendor, losses)
}

pub(super) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let came: Came<'_> = json::answer("answer", body)?;
    super::no_error(came.error.as_ref())?;
    let parts = came.candidates.iter().filter_map(|candidate| candidate.content.as_ref());
    let mut rate = None;
    let mut samples = Vec::new();
    for blob in parts.flat_map(|content| &content.parts).filter_map(|part| part.inline_data.as_ref()) {
        let Some(bytes) = base64::decode(&blob.data) else {
            return Err(failure::malformed("the provider's sound is not base64"));
        };
        rate = rate.or_else(|| rate_of(&blob.mime_type));
        samples.extend_from_slice(&bytes);
    }
    if samples.is_empty() {
        let reason = came.candidates.first().and_then(|candidate| candidate.finish_reason.as_deref());
        let message = format!("nothing was spoken: {}", reason.unwrap_or("the prompt was blocked"));
        return Err(failure::new(FailureKind::ContentPolicy, message));
    }
    let usage = came.usage.as_ref().map(usage::usage);
    let body = wav(&samples, rate.unwrap_or(24_000));
    Ok(Answer { body, content_type: Some("audio/wav".into()), usage, losses: Vec::new() })
}

/// Of `audio/L16;codec=pcm;rate=24000`.
fn rate_of(media_type: &str) -> Option<u32> {
    media_type.split(';').find_map(|parameter| parameter.trim().strip_prefix("rate=")?.parse().ok())
}

/// 16-bit mono samples with a RIFF header before them.
fn wav(samples: &[u8], rate: u32) -> Vec<u8> {
    let length = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(samples.len() + 44);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&length.saturating_add(36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&rate.saturating_mul(2).to_le_bytes());
    file.extend_from_slice(&2_u16.to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(samples);
    file
}
