//! Tools: what may be called, what must be called, what was called.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Absent, CacheControl, Fields, Json, Text};

crate::object! {
    /// A tool the model may call.
    Tool {
        /// `function`, `vendor`, or a type of OpenAI's own (`custom`).
        kind: Text<'a> = "type",
        /// Of a `function`.
        function: Option<FunctionDefinition<'a>> = "function",
        /// Of a `function`: an object with each vendor's own settings. Of a `vendor` tool: whose it is.
        vendor: Option<Json<'a>> = "vendor",
        /// Of a `vendor` tool: the tool, in that vendor's spelling.
        value: Option<Json<'a>> = "value",
        /// A prompt-cache mark.
        cache_control: Option<CacheControl<'a>> = "cache_control",
    }
}

crate::object! {
    /// A function the model may call.
    FunctionDefinition {
        /// Its name.
        name: Text<'a> = "name",
        /// What it does.
        description: Option<Text<'a>> = "description",
        /// JSON Schema, untouched.
        parameters: Option<Json<'a>> = "parameters",
        /// Arguments must follow the schema exactly.
        strict: Option<bool> = "strict",
    }
}

impl<'a> Tool<'a> {
    /// A server-side tool of a vendor: whose it is, and the tool.
    pub fn vendor_tool(&self) -> Option<(Text<'a>, &Json<'a>)> {
        if self.kind != "vendor" {
            return None;
        }
        Some((self.vendor.as_ref()?.read()?, self.value.as_ref()?))
    }

    /// The settings of a function tool that belong to each vendor.
    pub fn settings(&self) -> Fields<'a> {
        self.vendor.as_ref().filter(|_| self.kind != "vendor").and_then(Json::read).unwrap_or_default()
    }
}

crate::object! {
    /// A call the model made.
    ToolCall {
        /// Its place in a stream.
        index: Option<u64> = "index",
        /// Its id, which the result names.
        id: Text<'a> = "id",
        /// `function`
        kind: Text<'a> = "type",
        /// What was called.
        function: FunctionCall<'a> = "function",
        /// Opaque state bound to this call.
        extra_content: Option<Json<'a>> = "extra_content",
        /// A prompt-cache mark.
        cache_control: Option<CacheControl<'a>> = "cache_control",
    }
}

crate::object! {
    /// A function and its arguments.
    FunctionCall {
        /// The function.
        name: Text<'a> = "name",
        /// A string that holds a JSON object; `""` reads as `{}`.
        arguments: Text<'a> = "arguments",
    }
}

impl<'a> ToolCall<'a> {
    /// A call of a function.
    pub fn function(
        id: impl Into<Text<'a>>,
        name: impl Into<Text<'a>>,
        arguments: impl Into<Text<'a>>,
    ) -> Self {
        Self {
            id: id.into(),
            kind: "function".into(),
            function: FunctionCall {
                name: name.into(),
                arguments: arguments.into(),
                rest: Fields::default(),
            },
            ..Self::default()
        }
    }
}

/// What the model must do with the tools.
#[derive(Clone, Debug)]
pub enum ToolChoice<'a> {
    /// Call nothing.
    None,
    /// As it likes.
    Auto,
    /// Call something.
    Required,
    /// Call this function.
    Function(Text<'a>),
    /// Choose among these.
    Allowed {
        /// It must call one of them.
        required: bool,
        /// The names of the functions.
        names: Vec<Text<'a>>,
    },
    /// A form of OpenAI's own without a name here; the object as it came.
    Other(Fields<'a>),
}

crate::object! {
    /// An object that names a tool.
    ChoiceObject {
        /// `function`, `allowed_tools`, …
        kind: Text<'a> = "type",
        /// The function.
        function: Option<FunctionDefinition<'a>> = "function",
        /// The tools to choose from.
        allowed_tools: Option<AllowedTools<'a>> = "allowed_tools",
    }
}

crate::object! {
    /// The tools to choose from.
    AllowedTools {
        /// `auto` or `required`
        mode: Text<'a> = "mode",
        /// Which.
        tools: Vec<Tool<'a>> = "tools",
    }
}

impl<'a> From<ChoiceObject<'a>> for ToolChoice<'a> {
    fn from(choice: ChoiceObject<'a>) -> Self {
        match (&*choice.kind, choice.function, choice.allowed_tools) {
            ("function", Some(function), _) => Self::Function(function.name),
            // The deprecated `function_call: { "name": … }`.
            ("", None, None) => match choice.rest.get("name").and_then(Json::read) {
                Some(name) => Self::Function(name),
                None => Self::Other(choice.rest),
            },
            ("allowed_tools", _, Some(allowed)) => Self::Allowed {
                required: allowed.mode == "required",
                names: allowed.tools.into_iter().filter_map(|tool| Some(tool.function?.name)).collect(),
            },
            _ => {
                let mut fields = choice.rest;
                fields.0.insert(0, ("type".into(), Json::Value(choice.kind.0.as_ref().into())));
                Self::Other(fields)
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for ToolChoice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = ToolChoice<'a>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`none`, `auto`, `required` or an object that names a function")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<ToolChoice<'a>, E> {
                match word {
                    "none" => Ok(ToolChoice::None),
                    "auto" => Ok(ToolChoice::Auto),
                    // `any` is Mistral's and Anthropic's word; clients of several vendors mix them up.
                    "required" | "any" => Ok(ToolChoice::Required),
                    _ => Err(E::unknown_variant(word, &["none", "auto", "required"])),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ToolChoice<'a>, A::Error> {
                ChoiceObject::deserialize(MapAccessDeserializer::new(map)).map(ToolChoice::from)
            }
        }
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl Serialize for ToolChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named =
            |name: &Text<'_>| serde_json::json!({ "type": "function", "function": { "name": &**name } });
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Auto => serializer.serialize_str("auto"),
            Self::Required => serializer.serialize_str("required"),
            Self::Function(name) => named(name).serialize(serializer),
            Self::Other(fields) => fields.serialize(serializer),
            Self::Allowed { required, names } => {
                let mode = if *required { "required" } else { "auto" };
                let tools: Vec<_> = names.iter().map(named).collect();
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("type", "allowed_tools")?;
                map.serialize_entry("allowed_tools", &serde_json::json!({ "mode": mode, "tools": tools }))?;
                map.end()
            }
        }
    }
}

impl Absent for ToolChoice<'_> {}
