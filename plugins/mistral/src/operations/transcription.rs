//! Canonical transcription ⇄ `/v1/audio/transcriptions` (<https://docs.mistral.ai/capabilities/audio_transcription/>).

use plugin_sdk::chat::{Fields, Json, Text};
use plugin_sdk::files::FileInput;
use plugin_sdk::multipart::Form;
use plugin_sdk::{Answer, Failure, Losses, Route, UpstreamRequest, Usage, failure, json, object};
use serde_json::{Value, json};

use crate::{VENDOR, error};

object! {
    /// The canonical request.
    Asked {
        model: Text<'a> = "model",
        file: Option<FileInput<'a>> = "file",
        language: Option<Text<'a>> = "language",
        temperature: Option<serde_json::Number> = "temperature",
        response_format: Option<Text<'a>> = "response_format",
        granularities: Vec<Text<'a>> = "timestamp_granularities",
        stream: Option<bool> = "stream",
        vendor: Fields<'a> = "vendor",
    }
}

object! {
    /// The answer.
    Transcribed {
        text: Option<Text<'a>> = "text",
        usage: Option<Tokens<'a>> = "usage",
    }
}

object! {
    /// What it cost.
    Tokens {
        input: Option<u64> = "prompt_tokens",
        output: Option<u64> = "completion_tokens",
        seconds: Option<serde_json::Number> = "prompt_audio_seconds",
    }
}

pub(super) fn request(route: &Route, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked: Asked<'_> = json::request(body)?;
    if asked.stream == Some(true) {
        return Err(failure::unsupported("stream", "streams of this operation are not translated"));
    }
    let Some(file) = &asked.file else { return Err(failure::invalid("file", "file: is missing")) };
    let mut losses = Losses::default();
    losses.add_fields(&asked.rest, "", "mistral has no such field");
    losses.add_foreign(&asked.vendor, VENDOR, "");
    match asked.response_format.as_deref() {
        None | Some("json") => {}
        Some("verbose_json") => losses.add("response_format", "mistral tells what it tells"),
        Some(other) => {
            let message = format!("mistral answers in JSON, not in `{other}`");
            return Err(failure::unsupported("response_format", message));
        }
    }
    let mut form = Form::default();
    form.text("model", &route.model);
    form.file("file", &file.name(), file.media_type(), file.bytes("file")?);
    if let Some(language) = &asked.language {
        form.text("language", &**language);
    }
    if let Some(temperature) = &asked.temperature {
        form.text("temperature", temperature.to_string());
    }
    for granularity in &asked.granularities {
        form.text("timestamp_granularities", &**granularity);
    }
    let own: Fields<'_> = asked.vendor.get(VENDOR).and_then(Json::read).unwrap_or_default();
    for (name, value) in own.present() {
        form.text(name, value.read::<String>().unwrap_or_else(|| value.text().into_owned()));
    }
    let (content_type, body) = form.finish();
    Ok(super::sent("/v1/audio/transcriptions", content_type, body, losses))
}

/// What Mistral tells beside the text (`language`, `segments`) has OpenAI's names already.
pub(super) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let mut came: Transcribed<'_> = json::answer("answer", body)?;
    let Some(text) = came.text.take() else { return Err(error::inside(body)) };
    let mut usage = None;
    let mut fields = Fields::default();
    fields.push("text", Value::from(&*text));
    if let Some(told) = came.usage {
        let (input, output) = (told.input.unwrap_or(0), told.output.unwrap_or(0));
        usage = Some(Usage { input: told.input, output: told.output, ..Usage::default() });
        let mut report = json!({
            "type": "tokens",
            "input_tokens": input,
            "output_tokens": output,
            "total_tokens": input.saturating_add(output),
        });
        if let Some(seconds) = told.seconds {
            report["seconds"] = seconds.into();
        }
        fields.push("usage", report);
    }
    fields.0.extend(came.rest.0);
    Ok(Answer { body: json::to_vec(&fields)?, content_type: None, usage, losses: Vec::new() })
}
