//! What an operator may set: how far a server that speaks OpenAI's API differs from OpenAI.

mod schema;

use plugin_sdk::{Failure, failure};
use serde::Deserialize;

pub(crate) use schema::SCHEMA;

/// The options. All of them are about translated requests: what passes through untouched is not changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    path: String,
    pub(crate) max_tokens_field: MaxTokensField,
    pub(crate) developer_role: DeveloperRole,
    pub(crate) content: ContentForm,
    pub(crate) reasoning_effort: EffortStyle,
    pub(crate) reasoning_field: ReasoningField,
    pub(crate) return_reasoning: ReturnReasoning,
    pub(crate) response_format: FormatSupport,
    pub(crate) stream_usage: bool,
    pub(crate) tool_id: ToolId,
    pub(crate) prefill: Prefill,
    pub(crate) unsupported: Vec<String>,
    pub(crate) think_tags: bool,
    pub(crate) output_excludes_reasoning: bool,
    keep: Vec<Extension>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/v1".to_owned(),
            max_tokens_field: MaxTokensField::default(),
            developer_role: DeveloperRole::default(),
            content: ContentForm::default(),
            reasoning_effort: EffortStyle::default(),
            reasoning_field: ReasoningField::default(),
            return_reasoning: ReturnReasoning::default(),
            response_format: FormatSupport::default(),
            stream_usage: true,
            tool_id: ToolId::default(),
            prefill: Prefill::default(),
            unsupported: Vec::new(),
            think_tags: false,
            output_excludes_reasoning: false,
            keep: Vec::new(),
        }
    }
}

/// The name of the output cap.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MaxTokensField {
    #[default]
    MaxCompletionTokens,
    MaxTokens,
}

impl MaxTokensField {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
        }
    }
}

/// What becomes of the role `developer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeveloperRole {
    /// It goes as it came.
    #[default]
    Developer,
    /// The server knows only `system`.
    System,
}

/// How content of several texts is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContentForm {
    /// As parts.
    #[default]
    Parts,
    /// As one string where all parts are text.
    String,
}

/// How the server is told to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EffortStyle {
    /// `reasoning_effort: "low"`
    #[default]
    Field,
    /// `reasoning: { effort | max_tokens | enabled }` (OpenRouter)
    Object,
    /// `enable_thinking`, `thinking_budget` (DashScope, SiliconFlow)
    EnableThinking,
    /// `thinking: { type: "enabled" | "disabled" }` (z.ai, Moonshot, Volcengine)
    ThinkingType,
    /// The same and `reasoning_effort` (DeepSeek)
    ThinkingTypeAndField,
    /// `chat_template_kwargs: { enable_thinking }` (vLLM, SGLang)
    ChatTemplate,
    /// It cannot be told.
    None,
}

/// The field of a message that holds its reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasoningField {
    #[default]
    ReasoningContent,
    Reasoning,
}

/// Which reasoning of the history goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReturnReasoning {
    #[default]
    Never,
    /// That of turns in which tools were called.
    ToolTurns,
    Always,
}

/// What the server knows of `response_format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatSupport {
    #[default]
    JsonSchema,
    JsonObject,
    None,
}

/// Which ids of calls the server takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum ToolId {
    /// At most 40 characters.
    #[default]
    #[serde(rename = "openai")]
    OpenAi,
    /// Exactly nine letters and digits.
    #[serde(rename = "alphanumeric_9")]
    Alphanumeric9,
    /// Any.
    #[serde(rename = "any")]
    Any,
}

/// How the server is told to continue the last assistant message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Prefill {
    /// It cannot.
    #[default]
    None,
    /// `prefix: true` (DeepSeek, Mistral)
    Prefix,
    /// `partial: true` (Moonshot, DashScope)
    Partial,
    /// It does so without a mark.
    Trailing,
}

/// A field of canonical chat that OpenAI does not know but others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extension {
    /// vLLM, SGLang, Ollama, OpenRouter.
    TopK,
    /// OpenRouter.
    Reasoning,
    /// OpenRouter.
    CacheControl,
    /// Google's OpenAI-compatible endpoint.
    ExtraContent,
    /// DeepSeek, Mistral; the same as `prefill: "prefix"`.
    Prefix,
    /// The same as `return_reasoning: "always"`.
    ReasoningContent,
    /// OpenRouter.
    ReasoningDetails,
}

impl Options {
    /// Reads what the host has checked against [`SCHEMA`].
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut options: Self =
            serde_json::from_str(text).map_err(|error| failure::adapter(format!("options: {error}")))?;
        if options.keeps(Extension::Prefix) && options.prefill == Prefill::None {
            options.prefill = Prefill::Prefix;
        }
        if options.keeps(Extension::ReasoningContent) {
            options.return_reasoning = ReturnReasoning::Always;
        }
        Ok(options)
    }

    /// The server understands it.
    pub(crate) fn keeps(&self, extension: Extension) -> bool {
        self.keep.contains(&extension)
    }

    /// The path of an endpoint: `/v1/chat/completions`.
    pub(crate) fn path(&self, endpoint: &str) -> String {
        format!("{}/{endpoint}", self.path.trim_end_matches('/'))
    }

    /// The server refuses this field of the request.
    pub(crate) fn refuses(&self, field: &str) -> bool {
        self.unsupported.iter().any(|name| name == field)
    }
}
