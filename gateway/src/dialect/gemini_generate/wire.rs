//! Gemini's request as borrowed records: both spellings of every name are read, unknown fields are kept.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::error::{GatewayError, Kind};

/// Fields without a name here, in the client's order and spelling.
pub(super) type Rest<'a> = Vec<(Text<'a>, &'a RawValue)>;

/// Reads a whole body; a body that fails is read again to say where.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, GatewayError> {
    let error = match serde_json::from_slice::<T>(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let located = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err();
    let path = located.map(|located| located.path().to_string()).filter(|path| path != ".");
    match path {
        Some(path) if error.is_data() => Err(GatewayError::invalid(path, error.to_string())),
        _ if error.is_data() => Err(GatewayError::client(Kind::InvalidRequest, error.to_string())),
        _ => Err(GatewayError::client(Kind::InvalidRequest, format!("the body is not JSON: {error}"))),
    }
}

/// A string, borrowed from the body when it holds no escape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A list, or one element standing alone: Google's JSON reader takes both, and its own examples use both.
#[derive(Debug, Default)]
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ManyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
            type Value = Many<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = elements.next_element()? {
                    list.push(element);
                }
                Ok(Many(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
                T::deserialize(de::value::MapAccessDeserializer::new(fields))
                    .map(|element| Many(vec![element]))
            }
        }
        deserializer.deserialize_any(ManyVisitor(PhantomData))
    }
}

impl<T: Serialize> Serialize for Many<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

/// A whole number; Google's JSON also writes it as `"40"` and reads `40.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole(pub(super) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeVisitor;
        impl Visitor<'_> for WholeVisitor {
            type Value = Whole;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a whole number")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whole, E> {
                i64::try_from(number).map(Whole).map_err(|_| E::custom(format!("{number} is too large")))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Whole, E> {
                let exact = number.fract() == 0.0 && number.abs() < 9e15;
                exact
                    .then_some(Whole(number as i64))
                    .ok_or_else(|| E::custom(format!("{number} is not a whole number")))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Whole, E> {
                text.parse().map(Whole).map_err(|_| E::custom(format!("`{text}` is not a whole number")))
            }
        }
        deserializer.deserialize_any(WholeVisitor)
    }
}

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// A record from which the translation takes what it understands; what is left is carried along.
pub(super) trait Leftover {
    /// Nothing is left.
    fn is_empty(&self) -> bool;

    /// Writes what is left, by Google's names, into an open map.
    ///
    /// # Errors
    /// Those of the map.
    fn write_fields<M: SerializeMap>(&self, fields: &mut M) -> Result<(), M::Error>;
}

/// A struct that reads camelCase and snake_case, keeps unknown fields in `rest`, and writes camelCase.
/// `null` reads as absent. Serde's own `flatten` would copy every value and cannot hold a `RawValue`.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty = $camel:literal $(| $snake:literal)?,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$kind>,)*
            pub(super) rest: Rest<'a>,
        }

        impl Leftover for $name<'_> {
            fn is_empty(&self) -> bool {
                self.rest.is_empty() $(&& self.$field.is_none())*
            }

            fn write_fields<M: SerializeMap>(&self, fields: &mut M) -> Result<(), M::Error> {
                $(if let Some(value) = &self.$field {
                    fields.serialize_entry($camel, value)?;
                })*
                self.rest.iter().try_for_each(|(name, value)| fields.serialize_entry(name, value))
            }
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct RecordVisitor<'a>(PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for RecordVisitor<'a> {
                    type Value = $name<'a>;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str("an object")
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                        let mut record = $name::default();
                        while let Some(name) = fields.next_key::<Text<'a>>()? {
                            match name.as_str() {
                                $($camel $(| $snake)? => {
                                    if record.$field.is_some() {
                                        return Err(de::Error::duplicate_field($camel));
                                    }
                                    record.$field = fields.next_value()?;
                                })*
                                _ => {
                                    let value: &'a RawValue = fields.next_value()?;
                                    if value.get() != "null" {
                                        record.rest.push((name, value));
                                    }
                                }
                            }
                        }
                        Ok(record)
                    }
                }
                deserializer.deserialize_map(RecordVisitor(PhantomData))
            }
        }

        impl Serialize for $name<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut fields = serializer.serialize_map(None)?;
                self.write_fields(&mut fields)?;
                fields.end()
            }
        }
    };
}

record! {
    /// `GenerateContentRequest`.
    Request {
        contents: Many<Content<'a>> = "contents",
        system_instruction: Content<'a> = "systemInstruction" | "system_instruction",
        tools: Many<Tool<'a>> = "tools",
        tool_config: ToolConfig<'a> = "toolConfig" | "tool_config",
        generation_config: GenerationConfig<'a> = "generationConfig" | "generation_config",
        service_tier: Text<'a> = "serviceTier" | "service_tier",
        model: Text<'a> = "model",
    }
}

record! {
    /// One turn.
    Content {
        role: Text<'a> = "role",
        parts: Many<Part<'a>> = "parts",
    }
}

record! {
    /// One piece of a turn: a datum (text, blob, call, …) with marks beside it.
    Part {
        text: Text<'a> = "text",
        thought: bool = "thought",
        thought_signature: Text<'a> = "thoughtSignature" | "thought_signature",
        inline_data: Blob<'a> = "inlineData" | "inline_data",
        file_data: FileData<'a> = "fileData" | "file_data",
        function_call: FunctionCall<'a> = "functionCall" | "function_call",
        function_response: FunctionResponse<'a> = "functionResponse" | "function_response",
    }
}

record! {
    /// Bytes in base64.
    Blob {
        mime_type: Text<'a> = "mimeType" | "mime_type",
        data: Text<'a> = "data",
        display_name: Text<'a> = "displayName" | "display_name",
    }
}

record! {
    /// A link.
    FileData {
        mime_type: Text<'a> = "mimeType" | "mime_type",
        file_uri: Text<'a> = "fileUri" | "file_uri",
        display_name: Text<'a> = "displayName" | "display_name",
    }
}

record! {
    /// The model calls a function.
    FunctionCall {
        id: Text<'a> = "id",
        name: Text<'a> = "name",
        args: &'a RawValue = "args",
    }
}

record! {
    /// The client answers a call.
    FunctionResponse {
        id: Text<'a> = "id",
        name: Text<'a> = "name",
        response: &'a RawValue = "response",
        parts: Many<Part<'a>> = "parts",
    }
}

record! {
    /// Function declarations, or (in `rest`) Google's own tools.
    Tool {
        function_declarations: Many<FunctionDeclaration<'a>> = "functionDeclarations" | "function_declarations",
    }
}

record! {
    /// One function.
    FunctionDeclaration {
        name: Text<'a> = "name",
        description: Text<'a> = "description",
        parameters: &'a RawValue = "parameters",
        parameters_json_schema: &'a RawValue = "parametersJsonSchema" | "parameters_json_schema",
    }
}

record! {
    /// How tools may be used.
    ToolConfig {
        function_calling_config: FunctionCallingConfig<'a> = "functionCallingConfig" | "function_calling_config",
    }
}

record! {
    /// Which functions may or must be called.
    FunctionCallingConfig {
        mode: Text<'a> = "mode",
        allowed_function_names: Many<Text<'a>> = "allowedFunctionNames" | "allowed_function_names",
    }
}

record! {
    /// Sampling and output.
    GenerationConfig {
        temperature: serde_json::Number = "temperature",
        top_p: serde_json::Number = "topP" | "top_p",
        top_k: Whole = "topK" | "top_k",
        max_output_tokens: Whole = "maxOutputTokens" | "max_output_tokens",
        stop_sequences: Vec<Text<'a>> = "stopSequences" | "stop_sequences",
        candidate_count: Whole = "candidateCount" | "candidate_count",
        seed: Whole = "seed",
        presence_penalty: serde_json::Number = "presencePenalty" | "presence_penalty",
        frequency_penalty: serde_json::Number = "frequencyPenalty" | "frequency_penalty",
        response_logprobs: bool = "responseLogprobs" | "response_logprobs",
        logprobs: Whole = "logprobs",
        response_mime_type: Text<'a> = "responseMimeType" | "response_mime_type",
        response_schema: &'a RawValue = "responseSchema" | "response_schema",
        response_json_schema: &'a RawValue = "responseJsonSchema" | "response_json_schema",
        response_modalities: Vec<Text<'a>> = "responseModalities" | "response_modalities",
        thinking_config: ThinkingConfig<'a> = "thinkingConfig" | "thinking_config",
    }
}

record! {
    /// How much the model thinks.
    ThinkingConfig {
        include_thoughts: bool = "includeThoughts" | "include_thoughts",
        thinking_budget: Whole = "thinkingBudget" | "thinking_budget",
        thinking_level: Text<'a> = "thinkingLevel" | "thinking_level",
    }
}

record! {
    /// Any object, field by field.
    Object {}
}

record! {
    /// `extra_content.google` of a canonical answer.
    Google {
        thought_signature: Text<'a> = "thought_signature",
    }
}
