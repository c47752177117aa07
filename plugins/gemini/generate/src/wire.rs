//! The Gemini API's JSON; what has no name here stays in `rest`.

use plugin_sdk::chat::{Json, Text};
use plugin_sdk::object;
use serde::Serialize;

/// `GenerateContentRequest`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    /// The conversation.
    pub contents: Vec<Content<'a>>,
    /// Instructions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_instruction: Option<Content<'a>>,
    /// Functions, and Google's own tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool<'a>>,
    /// How tools may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_config: Option<ToolConfig<'a>>,
    /// Sampling and output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_config: Option<GenerationConfig<'a>>,
    /// Price and speed class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<&'static str>,
}

/// A tool.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Tool<'a> {
    /// The client's functions.
    Functions(FunctionTool<'a>),
    /// Google's own.
    Own(Json<'a>),
}

object! {
    /// One turn.
    Content {
        /// `user` or `model`; instructions have none.
        role: Option<Text<'a>> = "role",
        /// Its pieces.
        parts: Vec<Part<'a>> = "parts",
    }
}

object! {
    /// One piece of a turn; one datum, with marks beside it.
    Part {
        /// The text is reasoning.
        thought: bool = "thought",
        /// Text.
        text: Option<Text<'a>> = "text",
        /// Bytes.
        inline_data: Option<Blob<'a>> = "inlineData",
        /// A link.
        file_data: Option<FileData<'a>> = "fileData",
        /// The model calls.
        function_call: Option<FunctionCall<'a>> = "functionCall",
        /// The client answers.
        function_response: Option<FunctionResponse<'a>> = "functionResponse",
        /// Opaque state.
        thought_signature: Option<Text<'a>> = "thoughtSignature",
    }
}

object! {
    /// Bytes in base64.
    Blob {
        /// Media type.
        mime_type: Text<'a> = "mimeType",
        /// Base64.
        data: Text<'a> = "data",
    }
}

object! {
    /// A link.
    FileData {
        /// Media type.
        mime_type: Option<Text<'a>> = "mimeType",
        /// Where it is.
        file_uri: Text<'a> = "fileUri",
    }
}

object! {
    /// A call.
    FunctionCall {
        /// Its id; older models give none.
        id: Option<Text<'a>> = "id",
        /// The function.
        name: Text<'a> = "name",
        /// An object.
        args: Option<Json<'a>> = "args",
    }
}

object! {
    /// The answer to a call.
    FunctionResponse {
        /// The call's id.
        id: Option<Text<'a>> = "id",
        /// The function.
        name: Text<'a> = "name",
        /// An object.
        response: Option<Json<'a>> = "response",
        /// Media.
        parts: Vec<Part<'a>> = "parts",
    }
}

object! {
    /// Functions.
    FunctionTool {
        /// All of them.
        function_declarations: Vec<FunctionDeclaration<'a>> = "functionDeclarations",
    }
}

object! {
    /// One function.
    FunctionDeclaration {
        /// Its name.
        name: Text<'a> = "name",
        /// What it does.
        description: Option<Text<'a>> = "description",
        /// JSON Schema.
        parameters: Option<Json<'a>> = "parametersJsonSchema",
    }
}

object! {
    /// How tools may be used.
    ToolConfig {
        /// Which functions may or must be called.
        function_calling_config: Option<FunctionCallingConfig<'a>> = "functionCallingConfig",
    }
}

object! {
    /// Which functions may or must be called.
    FunctionCallingConfig {
        /// `AUTO`, `ANY`, `NONE`, `VALIDATED`.
        mode: Option<Text<'a>> = "mode",
        /// The names.
        allowed_function_names: Vec<Text<'a>> = "allowedFunctionNames",
    }
}

object! {
    /// Sampling and output.
    GenerationConfig {
        /// 0 to 2.
        temperature: Option<serde_json::Number> = "temperature",
        /// Nucleus sampling.
        top_p: Option<serde_json::Number> = "topP",
        /// Among the k likeliest.
        top_k: Option<u64> = "topK",
        /// Output cap.
        max_output_tokens: Option<u64> = "maxOutputTokens",
        /// At most five.
        stop_sequences: Vec<Text<'a>> = "stopSequences",
        /// How many answers.
        candidate_count: Option<u64> = "candidateCount",
        /// For repeatable sampling.
        seed: Option<i64> = "seed",
        /// -2 to 2.
        presence_penalty: Option<serde_json::Number> = "presencePenalty",
        /// -2 to 2.
        frequency_penalty: Option<serde_json::Number> = "frequencyPenalty",
        /// Tell token probabilities.
        response_logprobs: Option<bool> = "responseLogprobs",
        /// Of how many tokens at each place.
        logprobs: Option<u64> = "logprobs",
        /// `application/json`
        response_mime_type: Option<Text<'a>> = "responseMimeType",
        /// JSON Schema.
        response_json_schema: Option<Json<'a>> = "responseJsonSchema",
        /// `TEXT`, `IMAGE`, `AUDIO`.
        response_modalities: Vec<Text<'a>> = "responseModalities",
        /// Thinking.
        thinking_config: Option<ThinkingConfig<'a>> = "thinkingConfig",
    }
}

object! {
    /// Thinking.
    ThinkingConfig {
        /// Tell the thoughts.
        include_thoughts: bool = "includeThoughts",
        /// Tokens; -1 leaves it to the model. Up to generation 2.5.
        thinking_budget: Option<i64> = "thinkingBudget",
        /// A word. From generation 3 on.
        thinking_level: Option<Text<'a>> = "thinkingLevel",
    }
}

object! {
    /// `GenerateContentResponse`, or one event of a stream.
    Answer {
        /// The answers.
        candidates: Vec<Candidate<'a>> = "candidates",
        /// Whether the prompt was blocked.
        prompt_feedback: Option<Json<'a>> = "promptFeedback",
        /// Tokens.
        usage: Option<UsageMetadata<'a>> = "usageMetadata",
        /// The model that answered.
        model: Option<Text<'a>> = "modelVersion",
        /// The answer's id.
        id: Option<Text<'a>> = "responseId",
        /// An error in spite of the status.
        error: Option<Json<'a>> = "error",
    }
}

object! {
    /// One answer.
    Candidate {
        /// What the model said.
        content: Option<Content<'a>> = "content",
        /// Why it stopped.
        finish_reason: Option<Text<'a>> = "finishReason",
        /// Its number.
        index: u64 = "index",
        /// Token probabilities.
        logprobs: Option<LogprobsResult<'a>> = "logprobsResult",
    }
}

object! {
    /// Whether the prompt was blocked.
    PromptFeedback {
        /// Why.
        block_reason: Option<Text<'a>> = "blockReason",
    }
}

object! {
    /// Token probabilities.
    LogprobsResult {
        /// What was said.
        chosen: Vec<Token<'a>> = "chosenCandidates",
        /// What could have been said at each place.
        top: Vec<TopCandidates<'a>> = "topCandidates",
    }
}

object! {
    /// The likeliest tokens at one place.
    TopCandidates {
        /// These.
        candidates: Vec<Token<'a>> = "candidates",
    }
}

object! {
    /// One token.
    Token {
        /// Its text.
        token: Text<'a> = "token",
        /// Its probability.
        log_probability: Option<serde_json::Number> = "logProbability",
    }
}

object! {
    /// Tokens; thoughts and a tool's prompt are counted beside the others.
    UsageMetadata {
        /// The prompt, with what came from the cache.
        prompt: Option<u64> = "promptTokenCount",
        /// The answer without thoughts.
        candidates: Option<u64> = "candidatesTokenCount",
        /// Thoughts.
        thoughts: Option<u64> = "thoughtsTokenCount",
        /// What a tool of Google's put into the prompt.
        tool_use: Option<u64> = "toolUsePromptTokenCount",
        /// From the cache.
        cached: Option<u64> = "cachedContentTokenCount",
        /// The sum.
        total: Option<u64> = "totalTokenCount",
        /// The prompt by kind.
        prompt_details: Vec<Modality<'a>> = "promptTokensDetails",
        /// The answer by kind.
        candidates_details: Vec<Modality<'a>> = "candidatesTokensDetails",
    }
}

object! {
    /// Tokens of one kind.
    Modality {
        /// `TEXT`, `IMAGE`, `AUDIO`, …
        modality: Text<'a> = "modality",
        /// How many.
        count: Option<u64> = "tokenCount",
    }
}

object! {
    /// What Google Search gave.
    Grounding {
        /// Sources.
        chunks: Vec<GroundingChunk<'a>> = "groundingChunks",
        /// Which text they support.
        supports: Vec<GroundingSupport<'a>> = "groundingSupports",
    }
}

object! {
    /// A source.
    GroundingChunk {
        /// A page.
        web: Option<WebSource<'a>> = "web",
    }
}

object! {
    /// A page.
    WebSource {
        /// Its address.
        uri: Text<'a> = "uri",
        /// Its title.
        title: Option<Text<'a>> = "title",
    }
}

object! {
    /// Text that sources support.
    GroundingSupport {
        /// Where it stands.
        segment: Option<Segment<'a>> = "segment",
        /// Which sources.
        sources: Vec<u64> = "groundingChunkIndices",
    }
}

object! {
    /// A stretch of the answer's text, in bytes.
    Segment {
        /// First byte.
        start: u64 = "startIndex",
        /// Behind the last byte.
        end: u64 = "endIndex",
    }
}
