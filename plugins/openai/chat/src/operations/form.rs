//! Requests with files: canonically JSON with base64, at OpenAI a form.

use plugin_sdk::chat::Json;
use plugin_sdk::files::FileInput;
use plugin_sdk::multipart::Form;
use plugin_sdk::{Credential, Failure, Header, Losses, Operation, UpstreamRequest, failure};
use serde_json::Value;

use super::{Draft, IMAGE_EXTENSIONS};

/// The whole request.
pub(super) fn request(
    draft: Draft<'_>,
    operation: Operation,
    mut losses: Losses,
) -> Result<UpstreamRequest, Failure> {
    let images = matches!(operation, Operation::ImageEdit | Operation::ImageVariation);
    let mut draft = draft.require(if images { "image" } else { "file" })?;
    if operation == Operation::ImageEdit {
        draft = draft.require("prompt")?;
    }
    if images {
        draft.bytes_only(&mut losses);
    }
    let mut form = Form::default();
    form.text("model", draft.model);
    for (name, value) in draft.fields.present() {
        match name {
            "model" | "vendor" | "stream" => {}
            "image" | "mask" | "file" => add_files(&mut form, name, value)?,
            _ if images && IMAGE_EXTENSIONS.contains(&name) => {
                losses.add(name, format!("openai has no {name}"));
            }
            _ => add_value(&mut form, name, value.to_value()),
        }
    }
    for (name, value) in super::own_fields(draft.own) {
        add_value(&mut form, &name, value);
    }
    let (content_type, body) = form.finish();
    Ok(UpstreamRequest {
        method: "POST".to_owned(),
        path: draft.path,
        headers: vec![Header { name: "content-type".to_owned(), value: content_type }],
        body,
        credential: Credential::Bearer,
        losses: losses.into_vec(),
    })
}

fn add_files(form: &mut Form, name: &str, value: &Json<'_>) -> Result<(), Failure> {
    if let Some(files) = value.read::<Vec<FileInput<'_>>>() {
        for (index, file) in files.iter().enumerate() {
            add_file(form, &format!("{name}[]"), file, &format!("{name}[{index}]"))?;
        }
        return Ok(());
    }
    match value.read::<FileInput<'_>>() {
        Some(file) => add_file(form, name, &file, name),
        None => {
            let message = format!("{name}: not a file (an object with `filename`, `content_type`, `data`)");
            Err(failure::invalid(name, message))
        }
    }
}

fn add_file(form: &mut Form, name: &str, file: &FileInput<'_>, path: &str) -> Result<(), Failure> {
    form.file(name, &file.name(), file.media_type(), file.bytes(path)?);
    Ok(())
}

/// A list is repeated under `name[]`, as OpenAI's own clients write it; a string goes without quotes.
fn add_value(form: &mut Form, name: &str, value: Value) {
    match value {
        Value::Array(values) => {
            values.into_iter().for_each(|value| add_value(form, &format!("{name}[]"), value));
        }
        Value::String(text) => form.text(name, text),
        other => form.text(name, other.to_string()),
    }
}
