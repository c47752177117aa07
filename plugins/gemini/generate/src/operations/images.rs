//! Images: Imagen's `predict`, and `generateContent` of the models that draw
//! (<https://ai.google.dev/gemini-api/docs/imagen>, <https://ai.google.dev/gemini-api/docs/image-generation>).

use plugin_sdk::chat::{Fields, Json, Text};
use plugin_sdk::files::FileInput;
use plugin_sdk::{
    Answer, Failure, FailureKind, Losses, Operation, Route, UpstreamRequest, failure, json, object,
};
use serde_json::{Map, Value};

use super::{required, size};
use crate::request::Model;
use crate::response::usage;
use crate::wire::{Answer as Came, PromptFeedback, UsageMetadata};

object! {
    /// The canonical request.
    Asked {
        model: Text<'a> = "model",
        prompt: Text<'a> = "prompt",
        n: Option<u64> = "n",
        size: Option<Text<'a>> = "size",
        aspect_ratio: Option<Text<'a>> = "aspect_ratio",
        seed: Option<i64> = "seed",
        response_format: Option<Text<'a>> = "response_format",
        image: Option<Json<'a>> = "image",
        mask: Option<Json<'a>> = "mask",
        stream: Option<bool> = "stream",
        vendor: Fields<'a> = "vendor",
    }
}

object! {
    /// `PredictResponse` of Imagen.
    Predicted {
        predictions: Vec<Prediction<'a>> = "predictions",
    }
}

object! {
    /// One image, or why there is none.
    Prediction {
        mime_type: Option<Text<'a>> = "mimeType",
        data: Option<Text<'a>> = "bytesBase64Encoded",
        prompt: Option<Text<'a>> = "prompt",
        filtered: Option<Text<'a>> = "raiFilteredReason",
    }
}

pub(super) fn request(route: &Route, operation: Operation, body: &[u8]) -> Result<UpstreamRequest, Failure> {
    let asked: Asked<'_> = json::request(body)?;
    if asked.stream == Some(true) {
        return Err(failure::unsupported("stream", "streams of this operation are not translated"));
    }
    required(&asked.prompt, "prompt")?;
    if asked.n == Some(0) {
        return Err(failure::invalid("n", "n: must be greater than zero"));
    }
    let mut losses = Losses::default();
    if asked.response_format.as_ref().is_some_and(|format| *format != "b64_json") {
        losses.add("response_format", "gemini answers with the image itself");
    }
    losses.add_fields(&asked.rest, "", "gemini has no such field");
    let model = Model::new(&route.model);
    let (method, tree) = if model.is_imagen() {
        if operation == Operation::ImageEdit {
            return Err(failure::unsupported(
                "image",
                "imagen edits no images here; use a gemini image model",
            ));
        }
        ("predict", imagen(&asked, &mut losses))
    } else {
        ("generateContent", drawn(&asked, &mut losses)?)
    };
    super::post(route, model.method(method), super::written(&tree)?, &asked.vendor, losses)
}

fn imagen(asked: &Asked<'_>, losses: &mut Losses) -> Value {
    losses.add_if(&asked.seed, "seed", "imagen takes no seed here");
    let (ratio, class) =
        size::of(asked.size.as_deref(), asked.aspect_ratio.as_deref(), &size::IMAGEN, losses);
    let mut parameters = Map::new();
    parameters.insert("sampleCount".into(), asked.n.unwrap_or(1).into());
    put(&mut parameters, "aspectRatio", ratio);
    put(&mut parameters, "imageSize", class);
    serde_json::json!({ "instances": [{ "prompt": &*asked.prompt }], "parameters": parameters })
}

fn drawn(asked: &Asked<'_>, losses: &mut Losses) -> Result<Value, Failure> {
    if asked.n.is_some_and(|count| count > 1) {
        return Err(failure::unsupported("n", "gemini draws one image a request"));
    }
    if asked.mask.is_some() {
        return Err(failure::unsupported("mask", "gemini edits without a mask; say in words what to change"));
    }
    let (ratio, class) =
        size::of(asked.size.as_deref(), asked.aspect_ratio.as_deref(), &size::GEMINI, losses);
    let mut image = Map::new();
    put(&mut image, "aspectRatio", ratio);
    put(&mut image, "imageSize", class);
    let mut config = Map::new();
    config.insert("responseModalities".into(), serde_json::json!(["IMAGE"]));
    if !image.is_empty() {
        config.insert("imageConfig".into(), image.into());
    }
    if let Some(seed) = asked.seed {
        config.insert("seed".into(), seed.into());
    }
    let mut parts = vec![serde_json::json!({ "text": &*asked.prompt })];
    for (path, file) in files(asked)? {
        // Checked here, because Google would blame a field the client never wrote.
        file.bytes(&path)?;
        let mime = file.content_type.as_deref().unwrap_or("image/png");
        parts.push(serde_json::json!({ "inlineData": { "mimeType": mime, "data": &*file.data } }));
    }
    Ok(serde_json::json!({ "contents": [{ "role": "user", "parts": parts }], "generationConfig": config }))
}

fn files<'a>(asked: &Asked<'a>) -> Result<Vec<(String, FileInput<'a>)>, Failure> {
    let Some(image) = &asked.image else { return Ok(Vec::new()) };
    if let Some(files) = image.read::<Vec<FileInput<'a>>>() {
        return Ok(files
            .into_iter()
            .enumerate()
            .map(|(index, file)| (format!("image[{index}]"), file))
            .collect());
    }
    match image.read::<FileInput<'a>>() {
        Some(file) => Ok(vec![("image".to_owned(), file)]),
        None => Err(failure::invalid("image", "image: not a file")),
    }
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

pub(super) fn answer(body: &[u8]) -> Result<Answer, Failure> {
    let came: Came<'_> = json::answer("answer", body)?;
    super::no_error(came.error.as_ref())?;
    if came.rest.get("predictions").is_some()
        || (came.candidates.is_empty() && came.prompt_feedback.is_none())
    {
        return predicted(body);
    }
    let mut images = Vec::new();
    let mut said = String::new();
    let feedback = came.prompt_feedback.as_ref().and_then(Json::read::<PromptFeedback<'_>>);
    let mut reason = feedback.and_then(|feedback| feedback.block_reason).map(|word| word.to_string());
    for candidate in &came.candidates {
        for part in candidate.content.iter().flat_map(|content| &content.parts) {
            match (&part.inline_data, &part.text) {
                (Some(blob), _) if !part.thought => {
                    images.push(
                        serde_json::json!({ "b64_json": &*blob.data, "content_type": &*blob.mime_type }),
                    );
                }
                (_, Some(text)) if !part.thought => said.push_str(text),
                _ => {}
            }
        }
        reason = candidate.finish_reason.as_ref().map(|word| word.to_string()).or(reason);
    }
    if images.is_empty() {
        let why = if said.is_empty() { reason.unwrap_or_default() } else { said };
        return Err(failure::new(FailureKind::ContentPolicy, format!("no image was drawn: {why}")));
    }
    let mut tree = serde_json::json!({ "created": 0, "data": images });
    if let (Some(report), Some(tree)) = (came.usage.as_ref().map(report), tree.as_object_mut()) {
        tree.insert("usage".into(), report);
    }
    let usage = came.usage.as_ref().map(usage::usage);
    Ok(Answer { body: super::written(&tree)?, content_type: None, usage, losses: Vec::new() })
}

fn predicted(body: &[u8]) -> Result<Answer, Failure> {
    let came: Predicted<'_> = json::answer("answer", body)?;
    let images: Vec<Value> = came.predictions.iter().filter_map(image).collect();
    if images.is_empty() {
        let reasons = came.predictions.iter().filter_map(|prediction| prediction.filtered.as_deref());
        // Imagen leaves filtered images out, without a word when all are.
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        let message = if reasons.is_empty() { "all images were filtered".to_owned() } else { reasons };
        return Err(failure::new(FailureKind::ContentPolicy, message));
    }
    let body = super::written(&serde_json::json!({ "created": 0, "data": images }))?;
    Ok(Answer { body, content_type: None, usage: None, losses: Vec::new() })
}

fn image(prediction: &Prediction<'_>) -> Option<Value> {
    let mut image = Map::new();
    image.insert("b64_json".into(), prediction.data.as_deref()?.into());
    put(&mut image, "content_type", prediction.mime_type.as_deref());
    put(&mut image, "revised_prompt", prediction.prompt.as_deref());
    Some(image.into())
}

/// Usage as OpenAI's images write it.
fn report(given: &UsageMetadata<'_>) -> Value {
    let usage = usage::usage(given);
    let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
    let images = usage.image_input.unwrap_or(0);
    serde_json::json!({
        "input_tokens": input,
        "output_tokens": output,
        "total_tokens": input.saturating_add(output),
        "input_tokens_details": { "text_tokens": input.saturating_sub(images), "image_tokens": images },
    })
}
