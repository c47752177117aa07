//! A request of this API as canonical chat: the fields of the body; items and tools are neighbours' work.

use super::canonical::{Chat, Content, Message, OwnFields, Reasoning, ResponseFormat, Same, Text};
use super::names::Names;
use super::object::{Object, Path};
use super::{facts, items, tools};
use crate::domain::Envelope;
use crate::domain::http::Loss;
use crate::error::{GatewayError, Kind};

/// Fields that canonical chat has under the same name. Those that only chat has are in it too: clients that send one
/// body to both APIs mean them.
const SAME: [&str; 20] = [
    "temperature",
    "top_p",
    "top_k",
    "top_logprobs",
    "parallel_tool_calls",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "service_tier",
    "moderation",
    "stream_options",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "cache_control",
];

/// Fields that say nothing to a model, so that they are no loss: nothing is kept here, nothing runs in the background,
/// and `client_metadata` is what Codex tells OpenAI about itself.
const UNSAID: [&str; 7] =
    ["model", "store", "background", "previous_response_id", "conversation", "prompt", "client_metadata"];

/// The request as canonical chat.
pub(super) fn canonical(envelope: &Envelope) -> Result<Vec<u8>, GatewayError> {
    let root = Path::Root;
    let mut rest = facts::root(facts::body_text(&envelope.body)?)?;
    let mut chat = Chat { model: &envelope.model, ..Chat::default() };
    let mut own = OwnFields::default();
    let mut names = Names::default();
    for name in UNSAID {
        rest.take(name, root)?;
    }
    if let Some(raw) = rest.take("tools", root)? {
        chat.tools = tools::read(raw, &mut names)?;
    }
    if let Some(raw) = rest.take("tool_choice", root)? {
        chat.tool_choice = Some(tools::choice(raw, &names)?);
    }
    if let Some(instructions) = rest.take_string("instructions", root)? {
        let content = Some(Content::Text(Text::Raw(instructions)));
        chat.messages.push(Message { role: "system", content, ..Message::default() });
    }
    let input =
        rest.take("input", root)?.ok_or_else(|| Path::Field(&root, "input").wrong("field required"))?;
    items::messages(input, &names, &mut chat.messages)?;
    chat.stream = rest.take_bool("stream", root)?.filter(|stream| *stream);
    chat.max_completion_tokens = rest.take_number("max_output_tokens", root)?;
    for name in SAME {
        if let Some(raw) = rest.take(name, root)? {
            chat.same.0.push((name, raw));
        }
    }
    include(&mut rest, &mut chat)?;
    text(&mut rest, &mut chat, &mut own)?;
    reasoning(&mut rest, &mut chat, &mut own)?;
    if rest.get("truncation").is_some_and(|raw| raw.get() == "\"disabled\"") {
        rest.take("truncation", root)?;
    }
    chat.vendor = own.with(rest);
    let mut body = Vec::with_capacity(envelope.body.len() + envelope.body.len() / 8 + 256);
    serde_json::to_writer(&mut body, &chat).map_err(|error| {
        GatewayError::gateway(Kind::Internal, "the request could not be written").context(error)
    })?;
    Ok(body)
}

/// What was asked for and is not done: `store: true`. (It is the default, but who leaves it out does not rely on it.)
pub(super) fn dropped(envelope: &Envelope) -> Vec<Loss> {
    let mut rest = facts::body_text(&envelope.body).and_then(facts::root).unwrap_or_default();
    let stores = rest.take_bool("store", Path::Root).is_ok_and(|store| store == Some(true));
    let reason = "responses are kept only by the provider of this API, and not across another one";
    stores.then(|| Loss { field: "store".to_owned(), reason: reason.to_owned() }).into_iter().collect()
}

/// `include`: state of reasoning is always given; what else canonical chat can give is asked for.
fn include<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "include");
    let asked =
        |Same(same): &Same<'_>| same.iter().any(|(name, raw)| *name == "top_logprobs" && raw.get() != "0");
    chat.logprobs = asked(&chat.same).then_some(true);
    let Some(raw) = rest.get("include") else { return Ok(()) };
    let wanted: Vec<super::object::Name<'_>> =
        serde_json::from_str(raw.get()).map_err(|_| path.wrong("expected a list of strings"))?;
    let mut unknown = false;
    for name in &wanted {
        match name.0.as_ref() {
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => chat.logprobs = Some(true),
            _ => unknown = true,
        }
    }
    if !unknown {
        rest.take("include", Path::Root)?;
    }
    Ok(())
}

/// `text`: the form of the answer and how talkative it is.
fn text<'a>(rest: &mut Object<'a>, chat: &mut Chat<'a>, own: &mut OwnFields<'a>) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "text");
    let Some(raw) = rest.take("text", Path::Root)? else { return Ok(()) };
    let mut text = Object::read(raw, path)?;
    chat.verbosity = text.take_string("verbosity", path)?;
    let here = Path::Field(&path, "format");
    if let Some(raw) = text.take("format", path)? {
        let mut format = Object::read(raw, here)?;
        chat.response_format = match format.need_text("type", here)?.as_ref() {
            "text" => None,
            "json_object" => Some(ResponseFormat { r#type: "json_object", json_schema: None }),
            "json_schema" => {
                if !format.get("schema").is_some_and(|schema| schema.get().starts_with('{')) {
                    return Err(Path::Field(&here, "schema").wrong("expected an object"));
                }
                Some(ResponseFormat { r#type: "json_schema", json_schema: Some(format) })
            }
            _ => return Err(Path::Field(&here, "type").wrong("expected text, json_object or json_schema")),
        };
    }
    own.keep("text", text);
    Ok(())
}

/// `reasoning`: how much, and whether it shall be shown.
fn reasoning<'a>(
    rest: &mut Object<'a>,
    chat: &mut Chat<'a>,
    own: &mut OwnFields<'a>,
) -> Result<(), GatewayError> {
    let path = Path::Field(&Path::Root, "reasoning");
    let Some(raw) = rest.take("reasoning", Path::Root)? else { return Ok(()) };
    let mut reasoning = Object::read(raw, path)?;
    chat.reasoning_effort = reasoning.take_string("effort", path)?;
    let summary = reasoning.take_string("summary", path)?;
    // Its older name.
    let older = reasoning.take_string("generate_summary", path)?;
    let thinks = chat.reasoning_effort.is_none_or(|effort| effort.get() != "\"none\"");
    let wanted = summary.or(older).is_some_and(|summary| summary.get() != "\"none\"");
    if wanted && thinks {
        chat.reasoning = Some(Reasoning { include: true, display: "summarized" });
    }
    own.keep("reasoning", reasoning);
    Ok(())
}
