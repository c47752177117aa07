//! The fields Google knows, and where it looks for them. Both spellings of a name are read.

use serde_json::Value;

use crate::mock::vendor::Complaint;

/// What may stand in a field.
#[derive(Clone, Copy)]
enum Kind {
    Any,
    One(&'static Shape),
    Many(&'static Shape),
    /// Any number of fields with names of the client's choice, each of this shape.
    Named(&'static Shape),
}

use Kind::{Any, Many, Named, One};

/// A message of Google's, its fields in camel case.
pub(super) struct Shape(&'static [(&'static str, Kind)]);

pub(super) static REQUEST: Shape = Shape(&[
    ("model", Any),
    ("contents", Many(&CONTENT)),
    ("systemInstruction", One(&CONTENT)),
    ("tools", Many(&TOOL)),
    ("toolConfig", One(&TOOL_CONFIG)),
    ("generationConfig", One(&GENERATION)),
    ("safetySettings", Many(&SAFETY)),
    ("cachedContent", Any),
    ("serviceTier", Any),
    ("store", Any),
]);

static CONTENT: Shape = Shape(&[("role", Any), ("parts", Many(&PART))]);

static PART: Shape = Shape(&[
    ("text", Any),
    ("thought", Any),
    ("thoughtSignature", Any),
    ("inlineData", One(&BLOB)),
    ("fileData", One(&FILE)),
    ("functionCall", One(&CALL)),
    ("functionResponse", One(&RESPONSE)),
    ("executableCode", Any),
    ("codeExecutionResult", Any),
    ("toolCall", Any),
    ("toolResponse", Any),
    ("videoMetadata", Any),
    ("mediaResolution", Any),
    ("partMetadata", Any),
    ("audioTranscription", Any),
    ("mediaProcessing", Any),
    ("speechMetadata", Any),
    ("documentMetadata", Any),
    ("spreadsheetMetadata", Any),
    ("audioMetadata", Any),
]);

static BLOB: Shape = Shape(&[("mimeType", Any), ("data", Any)]);

static FILE: Shape = Shape(&[("mimeType", Any), ("fileUri", Any)]);

static CALL: Shape = Shape(&[("id", Any), ("name", Any), ("args", Any)]);

static RESPONSE: Shape = Shape(&[
    ("id", Any),
    ("name", Any),
    ("response", Any),
    ("parts", Many(&RESPONSE_PART)),
    ("willContinue", Any),
    ("scheduling", Any),
]);

static RESPONSE_PART: Shape = Shape(&[("inlineData", One(&BLOB)), ("fileData", One(&FILE))]);

static TOOL: Shape = Shape(&[
    ("functionDeclarations", Many(&DECLARATION)),
    ("googleSearch", Any),
    ("googleSearchRetrieval", Any),
    ("codeExecution", Any),
    ("urlContext", Any),
    ("fileSearch", Any),
    ("computerUse", Any),
    ("googleMaps", Any),
    ("mcpServers", Any),
]);

static DECLARATION: Shape = Shape(&[
    ("name", Any),
    ("description", Any),
    ("behavior", Any),
    ("parameters", One(&SCHEMA)),
    ("parametersJsonSchema", Any),
    ("response", One(&SCHEMA)),
    ("responseJsonSchema", Any),
]);

static TOOL_CONFIG: Shape = Shape(&[
    ("functionCallingConfig", One(&CALLING)),
    ("retrievalConfig", Any),
    ("includeServerSideToolInvocations", Any),
]);

static CALLING: Shape = Shape(&[("mode", Any), ("allowedFunctionNames", Any)]);

static GENERATION: Shape = Shape(&[
    ("temperature", Any),
    ("topP", Any),
    ("topK", Any),
    ("maxOutputTokens", Any),
    ("stopSequences", Any),
    ("candidateCount", Any),
    ("seed", Any),
    ("presencePenalty", Any),
    ("frequencyPenalty", Any),
    ("responseLogprobs", Any),
    ("logprobs", Any),
    ("responseMimeType", Any),
    ("responseSchema", One(&SCHEMA)),
    ("responseJsonSchema", Any),
    ("responseModalities", Any),
    ("thinkingConfig", One(&THINKING)),
    ("speechConfig", Any),
    ("imageConfig", Any),
    ("mediaResolution", Any),
    ("enableEnhancedCivicAnswers", Any),
    ("responseFormat", Any),
    ("translationConfig", Any),
    ("audioTranscriptionConfig", Any),
]);

static THINKING: Shape = Shape(&[("includeThoughts", Any), ("thinkingBudget", Any), ("thinkingLevel", Any)]);

static SAFETY: Shape = Shape(&[("category", Any), ("threshold", Any)]);

/// Google's own schema language: less than JSON Schema.
static SCHEMA: Shape = Shape(&[
    ("type", Any),
    ("format", Any),
    ("title", Any),
    ("description", Any),
    ("nullable", Any),
    ("enum", Any),
    ("default", Any),
    ("example", Any),
    ("items", One(&SCHEMA)),
    ("minItems", Any),
    ("maxItems", Any),
    ("properties", Named(&SCHEMA)),
    ("required", Any),
    ("minProperties", Any),
    ("maxProperties", Any),
    ("minimum", Any),
    ("maximum", Any),
    ("minLength", Any),
    ("maxLength", Any),
    ("pattern", Any),
    ("anyOf", Many(&SCHEMA)),
    ("propertyOrdering", Any),
]);

impl Shape {
    /// Refuses a field that is not known, here and below.
    pub(super) fn check(&'static self, value: &Value, path: &str) -> Result<(), Complaint> {
        let Value::Object(fields) = value else {
            return Err(invalid(path, format!("Invalid value at '{path}' (expected an object), {value}")));
        };
        for (name, value) in fields {
            let camel = camel(name);
            let Some((_, kind)) = self.0.iter().find(|(known, _)| *known == camel) else {
                let place = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
                let message = format!(
                    "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
                );
                return Err(invalid(path, message));
            };
            let path = if path.is_empty() { snake(&camel) } else { format!("{path}.{}", snake(&camel)) };
            self.leaf(&camel, value, &path)?;
            kind.check(value, &path)?;
        }
        Ok(())
    }

    /// What the schema language has no word for.
    fn leaf(&'static self, name: &str, value: &Value, path: &str) -> Result<(), Complaint> {
        if !std::ptr::eq(self, &raw const SCHEMA) {
            return Ok(());
        }
        match name {
            "type" if value.is_array() => Err(invalid(
                path,
                format!(
                    "Invalid JSON payload received. Unknown name \"type\" at '{}': Proto field is not repeating, cannot start list.",
                    path.trim_end_matches(".type")
                ),
            )),
            "enum" => {
                match value.as_array().into_iter().flatten().enumerate().find(|(_, value)| !value.is_string())
                {
                    Some((index, value)) => Err(invalid(
                        path,
                        format!("Invalid value at '{path}[{index}]' (TYPE_STRING), {value}"),
                    )),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

impl Kind {
    fn check(self, value: &Value, path: &str) -> Result<(), Complaint> {
        if value.is_null() {
            return Ok(());
        }
        match (self, value) {
            (One(shape), _) => shape.check(value, path),
            (Many(shape), Value::Array(items)) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| shape.check(item, &format!("{path}[{index}]"))),
            // A single value where a list is wanted is read as a list of one.
            (Many(shape), _) => shape.check(value, &format!("{path}[0]")),
            (Named(shape), Value::Object(fields)) => fields
                .iter()
                .enumerate()
                .try_for_each(|(index, (_, value))| shape.check(value, &format!("{path}[{index}].value"))),
            (Any | Named(_), _) => Ok(()),
        }
    }
}

fn invalid(path: &str, message: String) -> Complaint {
    Complaint::invalid(message).at(path)
}

/// `max_output_tokens` and `maxOutputTokens` are the same.
pub(super) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for letter in name.chars() {
        if letter == '_' {
            raise = true;
        } else {
            camel.push(if raise { letter.to_ascii_uppercase() } else { letter });
            raise = false;
        }
    }
    camel
}

fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The value of a field in either spelling.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).or_else(|| value.get(snake(name))).unwrap_or(&Value::Null)
}

/// The items of a field that is a list.
pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    match field(value, name) {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// The text of a field.
pub(super) fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    field(value, name).as_str().unwrap_or_default()
}
