//! An Anthropic request as a prompt.

use serde_json::Value;

use crate::mock::prompt::{Choice, Format, Prompt, Reasoning, ToolResult, tokens_of};
use crate::mock::settings::bare;
use crate::mock::vendor::{Memory, flag, given, inline, list, text};

pub(super) fn read(body: &Value, memory: &Memory) -> Prompt {
    let choice = body.get("tool_choice").unwrap_or(&Value::Null);
    let mut prompt = Prompt {
        model: text(body, "model").to_owned(),
        stream: flag(body, "stream"),
        one_call: flag(choice, "disable_parallel_tool_use"),
        limit: body.get("max_tokens").and_then(Value::as_u64),
        candidates: 1,
        stops: list(body, "stop_sequences").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        choice: match text(choice, "type") {
            "any" => Choice::Required,
            "tool" => Choice::Among(vec![text(choice, "name").to_owned()]),
            "none" => Choice::None,
            _ => Choice::Auto,
        },
        format: format(body),
        reasoning: reasoning(body),
        ..Prompt::default()
    };
    let mut reader = Reader { prompt: &mut prompt, marks: Marks::default(), names: Vec::new() };
    for tool in list(body, "tools") {
        reader.prompt.tool(text(tool, "name"), tool.get("input_schema").unwrap_or(&Value::Null));
        reader.pass(tool);
    }
    match body.get("system") {
        Some(Value::String(system)) => reader.prompt.instruct(system),
        _ => {
            for block in list(body, "system") {
                reader.prompt.instruct(text(block, "text"));
                reader.pass(block);
            }
        }
    }
    for message in list(body, "messages") {
        reader.message(message);
    }
    if let Some(mark) = given(body, "cache_control") {
        reader.marks.set(reader.prompt.bytes, mark);
    }
    let marks = reader.marks;
    marks.settle(&mut prompt, memory);
    prompt
}

fn reasoning(body: &Value) -> Reasoning {
    let model = bare(text(body, "model"));
    let thinking = body.get("thinking").unwrap_or(&Value::Null);
    match (text(thinking, "type"), text(thinking, "display")) {
        ("disabled", _) => Reasoning::Off,
        ("enabled" | "adaptive", _) if model.contains("redacted") => Reasoning::Encrypted,
        ("enabled" | "adaptive", "omitted") => Reasoning::Hidden,
        ("enabled" | "adaptive", _) => Reasoning::Shown,
        _ if model.contains("redacted") => Reasoning::Encrypted,
        _ if model.contains("think") => Reasoning::Shown,
        _ => Reasoning::Off,
    }
}

fn format(body: &Value) -> Format {
    let format = body.pointer("/output_config/format").or_else(|| body.get("output_format"));
    match format.and_then(|format| format.get("schema")) {
        Some(schema) => Format::Schema(schema.clone()),
        None => Format::Text,
    }
}

struct Reader<'a> {
    prompt: &'a mut Prompt,
    marks: Marks,
    /// Calls of the history: id and name.
    names: Vec<(String, String)>,
}

impl Reader<'_> {
    /// One more block of the prompt has been read.
    fn pass(&mut self, block: &Value) {
        self.marks.pass(block);
        if let Some(mark) = given(block, "cache_control") {
            self.marks.set(self.prompt.bytes, mark);
        }
    }

    fn message(&mut self, message: &Value) {
        let role = text(message, "role");
        if role != "system" {
            self.prompt.next_turn();
        }
        self.marks.pass(&Value::from(role));
        if let Some(Value::String(content)) = message.get("content") {
            match role {
                "user" => self.prompt.say(content),
                "system" => self.prompt.instruct(content),
                _ => self.prompt.count(content),
            }
            self.marks.pass(&Value::from(content.as_str()));
        }
        for block in list(message, "content") {
            self.block(role, block);
            self.pass(block);
        }
    }

    fn block(&mut self, role: &str, block: &Value) {
        match text(block, "type") {
            "text" if role == "user" => self.prompt.say(text(block, "text")),
            "text" if role == "system" => self.prompt.instruct(text(block, "text")),
            "tool_use" => {
                self.names.push((text(block, "id").to_owned(), text(block, "name").to_owned()));
                self.prompt.count(text(block, "name"));
                self.prompt.count(&block.get("input").unwrap_or(&Value::Null).to_string());
            }
            "tool_result" => self.result(block),
            "image" | "document" => self.medium(block),
            "thinking" => self.prompt.count(text(block, "thinking")),
            _ => self.prompt.count(text(block, "text")),
        }
    }

    fn result(&mut self, block: &Value) {
        let mut said = match block.get("content") {
            Some(Value::String(content)) => content.clone(),
            _ => String::new(),
        };
        for part in list(block, "content") {
            match text(part, "type") {
                "image" | "document" => self.medium(part),
                _ => said.push_str(text(part, "text")),
            }
        }
        self.prompt.count(&said);
        let id = text(block, "tool_use_id");
        let name =
            self.names.iter().rev().find(|(call, _)| call == id).map_or("?", |(_, name)| name.as_str());
        self.prompt.results.push(ToolResult {
            name: name.to_owned(),
            text: said,
            failed: flag(block, "is_error"),
        });
    }

    fn medium(&mut self, block: &Value) {
        let source = block.get("source").unwrap_or(&Value::Null);
        let described = match text(source, "type") {
            "base64" => inline(text(source, "media_type"), text(source, "data")),
            "text" => format!("text of {} bytes", text(source, "data").len()),
            "file" => text(source, "file_id").to_owned(),
            _ => text(source, "url").to_owned(),
        };
        if text(block, "type") == "image" {
            self.prompt.images.push(described);
        } else {
            self.prompt.files.push(format!("{} {described}", text(block, "title")).trim_start().to_owned());
        }
    }
}

/// Where the client wants the prompt to be cached up to.
#[derive(Default)]
struct Marks {
    hasher: blake3::Hasher,
    /// What lies before each mark: its digest, its tokens, and whether it is kept for an hour.
    found: Vec<(u64, u64, bool)>,
}

impl Marks {
    fn pass(&mut self, block: &Value) {
        let mut bare = block.clone();
        if let Some(fields) = bare.as_object_mut() {
            fields.remove("cache_control");
        }
        self.hasher.update(bare.to_string().as_bytes());
    }

    fn set(&mut self, bytes: usize, mark: &Value) {
        let digest = self.hasher.finalize();
        let short =
            digest.as_bytes().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        self.found.push((short, tokens_of(bytes), text(mark, "ttl") == "1h"));
    }

    fn settle(self, prompt: &mut Prompt, memory: &Memory) {
        let known =
            self.found.iter().filter(|(digest, ..)| memory.knows(*digest)).map(|(_, tokens, _)| *tokens);
        prompt.cached.read = known.max().unwrap_or(0);
        if let Some((_, tokens, long)) = self.found.last() {
            prompt.cached.written = tokens.saturating_sub(prompt.cached.read);
            prompt.cached.long = *long;
        }
        for (digest, ..) in self.found {
            memory.learn(digest);
        }
    }
}
