//! The options as a JSON Schema, which the host checks and shows.

/// JSON Schema of the options.
pub(crate) const SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "path": {
      "description": "What stands in front of an endpoint's name (`chat/completions`). `/v1` for nearly all; empty for servers without a version segment.",
      "type": "string",
      "pattern": "^(/[A-Za-z0-9._~-]+)*/?$",
      "default": "/v1"
    },
    "max_tokens_field": {
      "description": "The server's name for the output cap. Older servers know only `max_tokens`.",
      "enum": ["max_completion_tokens", "max_tokens"],
      "default": "max_completion_tokens"
    },
    "developer_role": {
      "description": "What the role `developer` becomes. Servers that refuse it want `system`.",
      "enum": ["developer", "system"],
      "default": "developer"
    },
    "content": {
      "description": "`string`: content whose parts are all text is sent as one string, for servers that take no parts.",
      "enum": ["parts", "string"],
      "default": "parts"
    },
    "reasoning_effort": {
      "description": "How the server is told to think: `field` is `reasoning_effort`; `object` is OpenRouter's `reasoning`; `enable_thinking` is that and `thinking_budget`; `thinking_type` is `thinking: {type}`; `thinking_type_and_field` is both it and `reasoning_effort`; `chat_template` is `chat_template_kwargs: {enable_thinking}`; `none`: it cannot be told.",
      "enum": ["field", "object", "enable_thinking", "thinking_type", "thinking_type_and_field", "chat_template", "none"],
      "default": "field"
    },
    "reasoning_field": {
      "description": "The field of an assistant message in which the server wants its reasoning back.",
      "enum": ["reasoning_content", "reasoning"],
      "default": "reasoning_content"
    },
    "return_reasoning": {
      "description": "Which reasoning of the history is sent back: none, that of turns in which tools were called (DeepSeek insists on it), or all.",
      "enum": ["never", "tool_turns", "always"],
      "default": "never"
    },
    "response_format": {
      "description": "What the server knows of `response_format`. What it does not know is asked for in a system message.",
      "enum": ["json_schema", "json_object", "none"],
      "default": "json_schema"
    },
    "stream_usage": {
      "description": "Whether streams may ask for usage (`stream_options.include_usage`). Servers that refuse the field want `false`; usage is then what they tell unasked.",
      "type": "boolean",
      "default": true
    },
    "tool_id": {
      "description": "Which ids of tool calls the server takes: `openai` up to 40 characters, `alphanumeric_9` exactly nine letters and digits (Mistral's models), `any`. Others become a digest, the same in call and result.",
      "enum": ["openai", "alphanumeric_9", "any"],
      "default": "openai"
    },
    "prefill": {
      "description": "How the server is told to continue the last assistant message: not at all, `prefix: true`, `partial: true`, or without a mark.",
      "enum": ["none", "prefix", "partial", "trailing"],
      "default": "none"
    },
    "unsupported": {
      "description": "Fields of a chat request this server refuses; they are left out and reported as lost. Besides fields of the request itself (`seed`, `logit_bias`, `parallel_tool_calls`, `tool_choice`): `messages.name`, `tools.function.strict`.",
      "type": "array",
      "uniqueItems": true,
      "items": { "type": "string", "minLength": 1 },
      "default": []
    },
    "think_tags": {
      "description": "The server writes reasoning as `<think>…</think>` at the start of the content; it becomes reasoning.",
      "type": "boolean",
      "default": false
    },
    "output_excludes_reasoning": {
      "description": "The server leaves reasoning out of `completion_tokens` (xAI, Google's compatible endpoint); it is added.",
      "type": "boolean",
      "default": false
    },
    "keep": {
      "description": "Fields OpenAI does not know but this server does; they are sent as they are instead of being reported as lost.",
      "type": "array",
      "uniqueItems": true,
      "items": {
        "enum": ["top_k", "reasoning", "cache_control", "extra_content", "prefix", "reasoning_content", "reasoning_details"]
      },
      "default": []
    }
  }
}"#;
