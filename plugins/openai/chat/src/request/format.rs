//! `response_format` for servers that know less of it than OpenAI: what is missing is asked for in words.

use plugin_sdk::Losses;
use plugin_sdk::chat::{Content, Message, Part, PartBody, ResponseFormat, Role, Text};

use crate::options::{FormatSupport, Options};

/// The format as this server takes it; an instruction joins the conversation where it takes less.
pub(super) fn convert<'a>(
    asked: Option<&ResponseFormat<'a>>,
    options: &Options,
    conversation: &mut Vec<Message<'a>>,
    losses: &mut Losses,
) -> Option<ResponseFormat<'a>> {
    let asked = asked?;
    let by_schema = asked.kind == "json_schema";
    let fits = match options.response_format {
        FormatSupport::JsonSchema => true,
        FormatSupport::JsonObject => !by_schema,
        FormatSupport::None => asked.kind == "text",
    };
    if fits {
        return Some(asked.clone());
    }
    let schema = asked.json_schema.as_ref().and_then(|format| format.schema.as_ref());
    instruct(conversation, instruction(schema.map(|schema| schema.text()).as_deref()));
    if by_schema {
        losses.add("response_format.json_schema", "this server follows no schema; it is asked for in words");
    } else {
        losses.add("response_format", "this server has no JSON mode; JSON is asked for in words");
    }
    // In JSON mode servers want the word JSON in the conversation; the instruction has it.
    (options.response_format == FormatSupport::JsonObject)
        .then(|| ResponseFormat { kind: "json_object".into(), ..ResponseFormat::default() })
}

fn instruction(schema: Option<&str>) -> String {
    match schema {
        Some(schema) => format!(
            "Answer with one JSON value that follows this JSON Schema, and with nothing else, no code fence:\n{schema}"
        ),
        None => "Answer with one JSON object and with nothing else, no code fence.".to_owned(),
    }
}

/// Behind the first system message, since many chat templates take only one; else before everything.
fn instruct(conversation: &mut Vec<Message<'_>>, instruction: String) {
    let Some(first) = conversation.first_mut().filter(|message| message.role.instructs()) else {
        let content = Some(Content::Text(instruction.into()));
        conversation.insert(0, Message { role: Role::System, content, ..Message::default() });
        return;
    };
    match &mut first.content {
        Some(Content::Parts(parts)) => parts.push(Part::new(PartBody::Text(instruction.into()))),
        Some(Content::Text(text)) => *text = Text::from(format!("{text}\n\n{instruction}")),
        None => first.content = Some(Content::Text(instruction.into())),
    }
}
