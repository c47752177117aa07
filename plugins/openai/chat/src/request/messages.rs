//! Messages: extensions off, media out of tool results (OpenAI takes only text there) into a user message behind them.

use plugin_sdk::chat::{Content, Fields, File, Json, Message, Part, PartBody, Role, Text, data_url};
use plugin_sdk::{Failure, Losses, base64, failure};

use super::{calls, history};
use crate::options::{ContentForm, DeveloperRole, Extension, Options, Prefill};

/// The conversation as OpenAI takes it.
pub(super) fn convert<'a>(
    messages: Vec<Message<'a>>,
    options: &Options,
    losses: &mut Losses,
) -> Result<Vec<Message<'a>>, Failure> {
    let mut converted = Vec::with_capacity(messages.len());
    // Media that wait for the end of a run of tool messages, which must stand together.
    let mut waiting: Vec<Part<'a>> = Vec::new();
    let last = messages.len().saturating_sub(1);
    let returned = history::returned(&messages, options.return_reasoning);
    for (index, (mut message, returned)) in messages.into_iter().zip(returned).enumerate() {
        if message.role != Role::Tool {
            flush(&mut waiting, &mut converted);
        }
        let mut place = Place { path: format!("messages[{index}]"), options, losses };
        place.strip(&mut message, index == last);
        place.parts(&mut message)?;
        match message.role {
            Role::Tool => place.tool_result(&mut message, &mut waiting)?,
            Role::Assistant => {
                if let Some((field, reason)) = history::convert(&mut message, returned, options) {
                    place.lose(field, reason);
                }
                place.assistant(&mut message, &mut waiting);
            }
            Role::Developer if options.developer_role == DeveloperRole::System => {
                message.role = Role::System;
            }
            _ => {}
        }
        if options.content == ContentForm::String {
            join(&mut message);
        }
        converted.push(message);
    }
    flush(&mut waiting, &mut converted);
    Ok(converted)
}

fn flush<'a>(waiting: &mut Vec<Part<'a>>, converted: &mut Vec<Message<'a>>) {
    if !waiting.is_empty() {
        let content = Some(Content::Parts(std::mem::take(waiting)));
        converted.push(Message { role: Role::User, content, ..Message::default() });
    }
}

/// One message and where its losses go.
struct Place<'l> {
    path: String,
    options: &'l Options,
    losses: &'l mut Losses,
}

impl Place<'_> {
    fn lose(&mut self, field: &str, reason: &str) {
        self.losses.add(format!("{}.{field}", self.path), reason);
    }

    /// Takes an extension off, unless the server knows it.
    fn take<T>(&mut self, value: &mut Option<T>, extension: Extension, field: &str, reason: &str) {
        if value.is_some() && !self.options.keeps(extension) {
            *value = None;
            self.lose(field, reason);
        }
    }

    /// Another vendor's own fields of a message, part or call; OpenAI refuses what it does not know.
    fn take_vendor(&mut self, rest: &mut Fields<'_>, field: &str) {
        let before = rest.0.len();
        rest.0.retain(|(name, _)| name != "vendor");
        if rest.0.len() < before {
            self.lose(field, "fields of another vendor's own");
        }
    }

    fn strip(&mut self, message: &mut Message<'_>, last: bool) {
        self.take_vendor(&mut message.rest, "vendor");
        self.take(&mut message.cache_control, Extension::CacheControl, "cache_control", CACHES_BY_ITSELF);
        self.take(&mut message.extra_content, Extension::ExtraContent, "extra_content", FOREIGN_STATE);
        if !message.order.is_empty() {
            message.order.clear();
            self.lose("order", "openai has one order: content, then calls");
        }
        if !message.annotations.is_empty() {
            message.annotations.clear();
            self.lose("annotations", "openai takes no annotations back");
        }
        self.prefill(message, message.prefix || (last && message.role == Role::Assistant));
        if message.name.is_some() && self.options.refuses("messages.name") {
            message.name = None;
            self.lose("name", "this server does not take it");
        }
    }

    fn prefill(&mut self, message: &mut Message<'_>, continues: bool) {
        match self.options.prefill {
            Prefill::None if continues => {
                message.prefix = false;
                self.lose("prefix", "openai cannot continue a message");
            }
            Prefill::Partial if continues => {
                message.prefix = false;
                message.rest.push("partial", serde_json::Value::from(true));
            }
            Prefill::Trailing => message.prefix = false,
            _ => {}
        }
    }

    fn parts(&mut self, message: &mut Message<'_>) -> Result<(), Failure> {
        let Some(Content::Parts(parts)) = &mut message.content else { return Ok(()) };
        let mut kept = Vec::with_capacity(parts.len());
        for (index, part) in std::mem::take(parts).into_iter().enumerate() {
            kept.extend(self.part(part, &format!("content[{index}]"))?);
        }
        message.content =
            if kept.is_empty() { Some(Content::Text("".into())) } else { Some(Content::Parts(kept)) };
        Ok(())
    }

    fn part<'a>(&mut self, mut part: Part<'a>, path: &str) -> Result<Option<Part<'a>>, Failure> {
        let below = |field: &str| format!("{path}.{field}");
        self.take(
            &mut part.cache_control,
            Extension::CacheControl,
            &below("cache_control"),
            CACHES_BY_ITSELF,
        );
        self.take(&mut part.extra_content, Extension::ExtraContent, &below("extra_content"), FOREIGN_STATE);
        self.take_vendor(&mut part.rest, &below("vendor"));
        if part.citations.take().is_some() {
            self.lose(&below("citations"), "openai takes no citations back");
        }
        part.body = match part.body {
            PartBody::Vendor { vendor, value } if vendor == "openai" => match own_part(&value) {
                Some((kind, fields)) => {
                    part.rest.0.extend(fields.0);
                    PartBody::Other(kind)
                }
                None => {
                    return Err(failure::invalid(
                        format!("{}.{path}.value", self.path),
                        "not a part with a `type`",
                    ));
                }
            },
            PartBody::Vendor { vendor, .. } => {
                self.lose(path, &format!("only {vendor} understands it"));
                return Ok(None);
            }
            PartBody::File(file) => self.file(file, path)?,
            body => body,
        };
        Ok(Some(part))
    }

    /// OpenAI's `file` holds a data URL or an uploaded file; text goes as text.
    fn file<'a>(&mut self, mut file: File<'a>, path: &str) -> Result<PartBody<'a>, Failure> {
        if file.file_url.is_some() {
            let place = format!("{}.{path}.file.file_url", self.path);
            return Err(failure::unsupported(
                place,
                "openai chat fetches no documents; send the file itself",
            ));
        }
        for (value, field) in [
            (file.context.take(), "context"),
            (file.citations.take().filter(|asked| *asked).map(|_| "".into()), "citations"),
        ] {
            if value.is_some() {
                self.lose(&format!("{path}.file.{field}"), "openai files have no such setting");
            }
        }
        file.mime_type = None;
        let title = file.title.take();
        let name = file.filename.take().or(title);
        if let Some(text) = file.file_data.as_deref().and_then(text_document) {
            let text = name.map_or(text.clone(), |name| format!("{name}:\n{text}"));
            return Ok(PartBody::Text(text.into()));
        }
        file.filename = match name {
            None if file.file_data.is_some() => Some("document.pdf".into()),
            name => name,
        };
        Ok(PartBody::File(file))
    }

    fn tool_result<'a>(
        &mut self,
        message: &mut Message<'a>,
        waiting: &mut Vec<Part<'a>>,
    ) -> Result<(), Failure> {
        let Some(id) = message.tool_call_id.take() else {
            let path = format!("{}.tool_call_id", self.path);
            return Err(failure::invalid(path, "a tool message needs the id of the call it answers"));
        };
        let id = calls::id(id, self.options.tool_id);
        // The call names the function already, and OpenAI refuses it here.
        message.name = None;
        if let Some(Content::Parts(parts)) = &mut message.content {
            let (texts, media): (Vec<_>, Vec<_>) =
                std::mem::take(parts).into_iter().partition(|part| part.text().is_some());
            *parts = texts;
            move_out(media, &format!("Result of tool call {id}:"), waiting);
            if parts.is_empty() {
                message.content = Some(Content::Text("The result is in the next user message.".into()));
            }
        }
        if std::mem::take(&mut message.is_error) {
            mark_error(message);
        }
        message.content.get_or_insert_with(|| Content::Text("".into()));
        message.tool_call_id = Some(id);
        Ok(())
    }

    fn assistant<'a>(&mut self, message: &mut Message<'a>, waiting: &mut Vec<Part<'a>>) {
        if let Some(Content::Parts(parts)) = &mut message.content {
            let spoken = |part: &Part<'_>| {
                !matches!(part.body, PartBody::Image(_) | PartBody::Audio(_) | PartBody::File(_))
            };
            let (said, media): (Vec<_>, Vec<_>) = std::mem::take(parts).into_iter().partition(spoken);
            *parts = said;
            move_out(media, "The assistant's message held:", waiting);
            if parts.is_empty() {
                message.content = None;
            }
        }
        for (index, call) in message.tool_calls.iter_mut().enumerate() {
            let below = |field: &str| format!("tool_calls[{index}].{field}");
            self.take(
                &mut call.cache_control,
                Extension::CacheControl,
                &below("cache_control"),
                CACHES_BY_ITSELF,
            );
            self.take(
                &mut call.extra_content,
                Extension::ExtraContent,
                &below("extra_content"),
                FOREIGN_STATE,
            );
            self.take_vendor(&mut call.rest, &below("vendor"));
            call.index = None;
            call.id = calls::id(std::mem::take(&mut call.id), self.options.tool_id);
            if call.kind.is_empty() {
                call.kind = "function".into();
            }
            if call.function.arguments.trim().is_empty() {
                call.function.arguments = "{}".into();
            }
        }
        if message.content.is_none() {
            // Some servers insist on the key, and OpenAI refuses `null` in a message without calls.
            let content = if message.tool_calls.is_empty() { "".into() } else { serde_json::Value::Null };
            message.rest.push("content", content);
        }
    }
}

const CACHES_BY_ITSELF: &str = "openai caches prompts by itself";
pub(super) const FOREIGN_STATE: &str = "state of another vendor";

/// Media with a line that says where they come from.
fn move_out<'a>(media: Vec<Part<'a>>, label: &str, waiting: &mut Vec<Part<'a>>) {
    if !media.is_empty() {
        waiting.push(Part::new(PartBody::Text(label.to_owned().into())));
        waiting.extend(media);
    }
}

/// OpenAI's tool messages cannot say that the tool failed but in words.
fn mark_error(message: &mut Message<'_>) {
    let said = message.text().into_owned();
    if said.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error")) {
        return;
    }
    match &mut message.content {
        Some(Content::Parts(parts)) => parts.insert(0, Part::new(PartBody::Text("Error:".into()))),
        _ => message.content = Some(Content::Text(format!("Error: {said}").into())),
    }
}

fn own_part<'a>(value: &Json<'a>) -> Option<(Text<'a>, Fields<'a>)> {
    let mut fields: Fields<'a> = value.read()?;
    let place = fields.0.iter().position(|(name, _)| *name == "type")?;
    let (_, kind) = fields.0.remove(place);
    Some((kind.read()?, fields))
}

/// The text of a data URL of `text/*`.
fn text_document(url: &str) -> Option<String> {
    let (mime, data) = data_url(url)?;
    mime.starts_with("text/")
        .then(|| base64::decode(data))
        .flatten()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Several texts become one string, for servers that know no parts.
fn join(message: &mut Message<'_>) {
    let Some(Content::Parts(parts)) = &message.content else { return };
    let texts: Option<Vec<&str>> = parts.iter().map(Part::text).collect();
    if let Some(texts) = texts {
        message.content = Some(Content::Text(texts.join("\n").into()));
    }
}
