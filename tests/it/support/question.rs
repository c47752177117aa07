//! Requests in the three vendors' forms: what is asked, piece by piece.

use serde_json::{Value, json};

use super::Shape;

/// One transparent pixel, 68 bytes.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII=";

impl Shape {
    /// A request that says one thing.
    pub(crate) fn says(self, text: &str) -> Value {
        match self {
            Self::OpenAi => json!({ "messages": [{ "role": "user", "content": text }] }),
            Self::Anthropic => {
                json!({ "max_tokens": 4096, "messages": [{ "role": "user", "content": text }] })
            }
            Self::Gemini => json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] }),
        }
    }

    /// With a system prompt.
    pub(crate) fn with_system(self, mut body: Value, text: &str) -> Value {
        match self {
            Self::OpenAi => {
                let messages = body["messages"].as_array_mut().unwrap();
                messages.insert(0, json!({ "role": "system", "content": text }));
            }
            Self::Anthropic => body["system"] = json!(text),
            Self::Gemini => body["systemInstruction"] = json!({ "parts": [{ "text": text }] }),
        }
        body
    }

    /// With the tools `get_weather(city, unit)` and `get_time(zone)`.
    pub(crate) fn with_tools(self, mut body: Value) -> Value {
        let weather = json!({ "type": "object", "required": ["city", "unit"], "properties": {
            "city": { "type": "string" }, "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
        } });
        let time =
            json!({ "type": "object", "required": ["zone"], "properties": { "zone": { "type": "string" } } });
        let tools =
            [("get_weather", "The weather of a city", weather), ("get_time", "The time in a zone", time)];
        let tools = tools.into_iter().map(|(name, description, schema)| match self {
            Self::OpenAi => json!({ "type": "function", "function": {
                "name": name, "description": description, "parameters": schema,
            } }),
            Self::Anthropic => json!({ "name": name, "description": description, "input_schema": schema }),
            Self::Gemini => {
                json!({ "name": name, "description": description, "parametersJsonSchema": schema })
            }
        });
        let tools: Vec<_> = tools.collect();
        body["tools"] = match self {
            Self::Gemini => json!([{ "functionDeclarations": tools }]),
            _ => json!(tools),
        };
        body
    }

    /// With the answer that came, and a result for each of its calls in order, as an official client sends them back.
    pub(crate) fn with_results(self, mut body: Value, answer: &Value, results: &[&str]) -> Value {
        let said = self.whole(answer);
        assert_eq!(said.calls.len(), results.len(), "{answer}");
        let results = said.calls.iter().zip(results);
        match self {
            Self::OpenAi => {
                let messages = body["messages"].as_array_mut().unwrap();
                messages.push(answer["choices"][0]["message"].clone());
                messages.extend(results.map(
                    |(call, result)| json!({ "role": "tool", "tool_call_id": call.id, "content": result }),
                ));
            }
            Self::Anthropic => {
                let messages = body["messages"].as_array_mut().unwrap();
                messages.push(json!({ "role": "assistant", "content": answer["content"] }));
                let results = results.map(|(call, result)| {
                    json!({ "type": "tool_result", "tool_use_id": call.id, "content": result })
                });
                messages.push(json!({ "role": "user", "content": results.collect::<Vec<_>>() }));
            }
            Self::Gemini => {
                let contents = body["contents"].as_array_mut().unwrap();
                contents.push(answer["candidates"][0]["content"].clone());
                let results = results.map(|(call, result)| {
                    let mut response = json!({ "name": call.name, "response": { "output": result } });
                    if !call.id.is_empty() {
                        response["id"] = json!(call.id);
                    }
                    json!({ "functionResponse": response })
                });
                contents.push(json!({ "role": "user", "parts": results.collect::<Vec<_>>() }));
            }
        }
        body
    }

    /// A request with a picture, given by its bytes or by its address.
    pub(crate) fn shows(self, text: &str, url: Option<&str>) -> Value {
        match self {
            Self::OpenAi => {
                let url = url.map_or_else(|| format!("data:image/png;base64,{PNG}"), str::to_owned);
                json!({ "messages": [{ "role": "user", "content": [
                    { "type": "text", "text": text }, { "type": "image_url", "image_url": { "url": url } },
                ] }] })
            }
            Self::Anthropic => {
                let source = match url {
                    Some(url) => json!({ "type": "url", "url": url }),
                    None => json!({ "type": "base64", "media_type": "image/png", "data": PNG }),
                };
                json!({ "max_tokens": 4096, "messages": [{ "role": "user", "content": [
                    { "type": "text", "text": text }, { "type": "image", "source": source },
                ] }] })
            }
            Self::Gemini => {
                let picture = match url {
                    Some(url) => json!({ "fileData": { "mimeType": "image/png", "fileUri": url } }),
                    None => json!({ "inlineData": { "mimeType": "image/png", "data": PNG } }),
                };
                json!({ "contents": [{ "role": "user", "parts": [{ "text": text }, picture] }] })
            }
        }
    }

    /// With a text that ends the answer.
    pub(crate) fn with_stop(self, body: Value, stop: &str) -> Value {
        match self {
            Self::OpenAi => with(body, "stop", json!([stop])),
            Self::Anthropic => with(body, "stop_sequences", json!([stop])),
            Self::Gemini => generating(body, "stopSequences", json!([stop])),
        }
    }

    /// With the most tokens an answer may have.
    pub(crate) fn with_limit(self, body: Value, tokens: u64) -> Value {
        match self {
            Self::OpenAi => with(body, "max_completion_tokens", json!(tokens)),
            Self::Anthropic => with(body, "max_tokens", json!(tokens)),
            Self::Gemini => generating(body, "maxOutputTokens", json!(tokens)),
        }
    }

    /// With the form the answer must have.
    pub(crate) fn with_schema(self, body: Value, schema: &Value) -> Value {
        match self {
            Self::OpenAi => {
                let schema = json!({ "name": "answer", "strict": true, "schema": schema });
                with(body, "response_format", json!({ "type": "json_schema", "json_schema": schema }))
            }
            Self::Anthropic => {
                with(body, "output_config", json!({ "format": { "type": "json_schema", "schema": schema } }))
            }
            Self::Gemini => {
                let body = generating(body, "responseMimeType", json!("application/json"));
                generating(body, "responseJsonSchema", schema.clone())
            }
        }
    }

    /// With the wish to see some reasoning.
    pub(crate) fn with_reasoning(self, body: Value) -> Value {
        match self {
            Self::OpenAi => with(body, "reasoning_effort", json!("low")),
            Self::Anthropic => with(body, "thinking", json!({ "type": "enabled", "budget_tokens": 1024 })),
            Self::Gemini => {
                generating(body, "thinkingConfig", json!({ "includeThoughts": true, "thinkingBudget": 1024 }))
            }
        }
    }
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn generating(mut body: Value, name: &str, value: Value) -> Value {
    body["generationConfig"][name] = value;
    body
}
