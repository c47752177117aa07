//! Where each API keeps what is asked: its outermost fields, and the members of what is said.

/// What stands in a field.
#[derive(Clone, Copy)]
pub(in crate::dialect) enum Part {
    /// Nothing a model reads, or nothing that is looked at here.
    Nothing,
    /// Another object with fields of its own.
    Within(Table),
    /// The conversation: each element is a message.
    Messages,
    /// Text, or parts of any kind.
    Said,
    /// Text and names, whatever they mean: schemas, arguments, results.
    Weighed,
    /// Tools on offer.
    Tools,
    /// Base64, or the text of a document.
    Data,
    /// A list of pictures, each a string.
    Pictures,
    /// A list of documents, whose text stands in them.
    Papers,
    /// An object that names its own type.
    Blob,
    /// The form of the answer.
    Form(Format),
    /// A schema of the answer.
    Schema,
    /// The type of the answer.
    MimeType,
    /// What the answer shall be made of.
    Modalities,
    /// Whether to think first: a word, a number, or an object that says so.
    Wish,
}

/// How the form of an answer is written.
#[derive(Clone, Copy)]
pub(in crate::dialect) enum Format {
    /// An object with a `type`.
    Named,
    /// `"json"`, or the schema itself.
    Bare,
}

/// Fields and what stands in them.
pub(in crate::dialect) type Table = &'static [(&'static str, Part)];

/// What stands in a field; nothing in one that is not in the table.
pub(super) fn find(table: Table, name: &str) -> Part {
    let unnamed = if std::ptr::eq(table, SAID) { Part::Weighed } else { Part::Nothing };
    table.iter().find(|(field, _)| *field == name).map_or(unnamed, |(_, part)| *part)
}

/// OpenAI's chat API and its responses API: a body of one is at times sent to the other's path.
pub(in crate::dialect) const OPENAI: Table = &[
    ("messages", Part::Messages),
    ("input", Part::Messages),
    ("instructions", Part::Said),
    ("tools", Part::Tools),
    ("functions", Part::Tools),
    ("response_format", Part::Form(Format::Named)),
    ("text", Part::Within(&[("format", Part::Form(Format::Named))])),
    ("modalities", Part::Modalities),
    ("reasoning_effort", Part::Wish),
    ("reasoning", Part::Wish),
    ("thinking", Part::Wish),
    ("enable_thinking", Part::Wish),
];

/// OpenAI's completions.
pub(in crate::dialect) const COMPLETIONS: Table = &[("prompt", Part::Said), ("suffix", Part::Said)];

/// Anthropic's messages.
pub(in crate::dialect) const ANTHROPIC: Table = &[
    ("messages", Part::Messages),
    ("system", Part::Said),
    ("tools", Part::Tools),
    ("mcp_servers", Part::Tools),
    ("output_format", Part::Form(Format::Named)),
    ("output_config", Part::Within(&[("format", Part::Form(Format::Named))])),
    ("thinking", Part::Wish),
];

/// Gemini's `generateContent`, in both spellings that Google reads.
pub(in crate::dialect) const GEMINI: Table = &[
    ("contents", Part::Messages),
    ("systemInstruction", Part::Said),
    ("system_instruction", Part::Said),
    ("tools", Part::Tools),
    ("generationConfig", Part::Within(GENERATION)),
    ("generation_config", Part::Within(GENERATION)),
];

const GENERATION: Table = &[
    ("responseMimeType", Part::MimeType),
    ("response_mime_type", Part::MimeType),
    ("responseSchema", Part::Schema),
    ("response_schema", Part::Schema),
    ("responseJsonSchema", Part::Schema),
    ("response_json_schema", Part::Schema),
    ("responseModalities", Part::Modalities),
    ("response_modalities", Part::Modalities),
    ("thinkingConfig", Part::Wish),
    ("thinking_config", Part::Wish),
];

/// Ollama's two ways to ask.
pub(in crate::dialect) const OLLAMA: Table = &[
    ("messages", Part::Messages),
    ("prompt", Part::Said),
    ("system", Part::Said),
    ("suffix", Part::Said),
    ("images", Part::Pictures),
    ("tools", Part::Tools),
    ("format", Part::Form(Format::Bare)),
    ("think", Part::Wish),
];

/// Bedrock's Converse.
pub(in crate::dialect) const BEDROCK: Table = &[
    ("messages", Part::Messages),
    ("system", Part::Said),
    ("toolConfig", Part::Within(&[("tools", Part::Tools)])),
    ("outputConfig", Part::Within(&[("textFormat", Part::Form(Format::Named)), ("effort", Part::Wish)])),
    (
        "additionalModelRequestFields",
        Part::Within(&[
            ("thinking", Part::Wish),
            ("reasoning_config", Part::Wish),
            ("reasoningConfig", Part::Wish),
            ("reasoning_effort", Part::Wish),
        ]),
    ),
];

/// Cohere's chat. Its documents stand beside the conversation and are read with it.
pub(in crate::dialect) const COHERE: Table = &[
    ("messages", Part::Messages),
    ("documents", Part::Papers),
    ("tools", Part::Tools),
    ("response_format", Part::Form(Format::Named)),
    ("thinking", Part::Wish),
];

/// What the other operations read: texts, and pictures among them.
pub(in crate::dialect) const OPERATIONS: Table = &[
    ("input", Part::Said),
    ("inputs", Part::Said),
    ("texts", Part::Said),
    ("images", Part::Pictures),
    ("prompt", Part::Said),
    ("query", Part::Weighed),
    ("documents", Part::Weighed),
    ("content", Part::Said),
    ("requests", Part::Said),
    ("instructions", Part::Weighed),
];

/// Members of messages and their parts. What is not among them is text of some kind.
pub(super) const SAID: Table = &[
    ("content", Part::Said),
    ("contents", Part::Said),
    ("parts", Part::Said),
    ("output", Part::Said),
    ("summary", Part::Said),
    ("source", Part::Said),
    ("function", Part::Said),
    ("function_call", Part::Said),
    ("tool_calls", Part::Said),
    ("toolUse", Part::Said),
    ("toolResult", Part::Said),
    ("functionCall", Part::Said),
    ("functionResponse", Part::Said),
    ("function_response", Part::Said),
    ("reasoningContent", Part::Said),
    ("reasoningText", Part::Said),
    ("guardContent", Part::Said),
    ("data", Part::Data),
    ("images", Part::Pictures),
    ("inlineData", Part::Blob),
    ("inline_data", Part::Blob),
    ("fileData", Part::Blob),
    ("file_data", Part::Blob),
    ("image", Part::Nothing),
    ("image_url", Part::Nothing),
    ("input_audio", Part::Nothing),
    ("audio", Part::Nothing),
    ("video", Part::Nothing),
    ("file", Part::Nothing),
    ("bytes", Part::Nothing),
    ("role", Part::Nothing),
    ("id", Part::Nothing),
    ("call_id", Part::Nothing),
    ("file_id", Part::Nothing),
    ("tool_call_id", Part::Nothing),
    ("tool_use_id", Part::Nothing),
    ("toolUseId", Part::Nothing),
    ("status", Part::Nothing),
    ("detail", Part::Nothing),
    ("media_type", Part::Nothing),
    ("url", Part::Nothing),
    ("signature", Part::Nothing),
    ("thoughtSignature", Part::Nothing),
    ("thought_signature", Part::Nothing),
    ("encrypted_content", Part::Nothing),
    ("redactedContent", Part::Nothing),
    ("reasoning_details", Part::Nothing),
    ("extra_content", Part::Nothing),
    ("cache_control", Part::Nothing),
    ("cachePoint", Part::Nothing),
    ("citations", Part::Nothing),
    ("annotations", Part::Nothing),
];
