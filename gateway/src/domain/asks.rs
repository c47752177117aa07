//! What a request asks for: what conditions look at and what a target must be able to do.

use std::fmt;
use std::sync::LazyLock;

use super::{Envelope, Operation};

/// Whether the answer shall be JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Json {
    /// Not asked.
    #[default]
    No,
    /// Any object.
    Object,
    /// An object of a schema.
    Schema,
}

impl Json {
    /// The word conditions know it by; nothing when it is not asked.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Object => "object",
            Self::Schema => "schema",
        }
    }
}

/// What one request asks for, as far as its body can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// What it wants done.
    pub operation: Operation,
    /// It wants its answer as a stream.
    pub stream: bool,
    /// Messages, or items, of the conversation; what stands outside of it (a system prompt of its own) is none.
    pub messages: u32,
    /// Tokens of everything the model reads; an estimate.
    pub input_tokens: u64,
    /// Its own cap of the answer, in tokens.
    pub max_output: Option<u64>,
    /// Bytes of the body.
    pub body_bytes: u64,
    /// It offers tools, or its conversation holds calls or results of some.
    pub tools: bool,
    /// There are pictures in it.
    pub images: bool,
    /// There are files in it that are neither picture nor sound.
    pub documents: bool,
    /// There is sound in it.
    pub audio_input: bool,
    /// It wants to hear the answer.
    pub audio_output: bool,
    /// It wants the model to think first.
    pub reasoning: bool,
    /// It wants JSON.
    pub json: Json,
}

impl Asks {
    /// What is known without a look into the body.
    pub fn of(envelope: &Envelope, operation: Operation) -> Self {
        let hears = matches!(operation, Operation::Transcription | Operation::Translation);
        Self {
            operation,
            stream: envelope.stream,
            messages: 0,
            input_tokens: 0,
            max_output: envelope.max_output,
            body_bytes: envelope.body.len() as u64,
            tools: false,
            images: matches!(operation, Operation::ImageEdit | Operation::ImageVariation),
            documents: false,
            audio_input: hears,
            audio_output: operation == Operation::Speech,
            reasoning: false,
            json: Json::No,
        }
    }

    /// What a target must be able to do, beside the operation itself. Only conversations ask for more than that.
    pub fn abilities(&self) -> Abilities {
        if self.operation != Operation::Chat {
            return Abilities::default();
        }
        let asked = [
            (self.tools, Ability::Tools),
            (self.images, Ability::Images),
            (self.documents, Ability::Documents),
            (self.audio_input, Ability::AudioInput),
            (self.audio_output, Ability::AudioOutput),
            (self.json == Json::Object, Ability::JsonObject),
            (self.json == Json::Schema, Ability::JsonSchema),
            (self.reasoning, Ability::Reasoning),
        ];
        asked.into_iter().filter_map(|(asked, ability)| asked.then_some(ability)).collect()
    }
}

/// What is asked, found when the first one wants to know.
pub type LazyAsks<'a> = LazyLock<Asks, Box<dyn FnOnce() -> Asks + Send + 'a>>;

/// Something a request may ask of a target that not every model can do. The words are the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ability {
    /// Calling functions.
    Tools,
    /// Looking at pictures.
    Images,
    /// Reading files.
    Documents,
    /// Listening.
    AudioInput,
    /// Speaking.
    AudioOutput,
    /// Answering with a JSON object.
    JsonObject,
    /// Answering by a JSON schema.
    JsonSchema,
    /// Thinking first.
    Reasoning,
}

impl Ability {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Tools,
        Self::Images,
        Self::Documents,
        Self::AudioInput,
        Self::AudioOutput,
        Self::JsonObject,
        Self::JsonSchema,
        Self::Reasoning,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Images => "images",
            Self::Documents => "documents",
            Self::AudioInput => "audio-input",
            Self::AudioOutput => "audio-output",
            Self::JsonObject => "json-object",
            Self::JsonSchema => "json-schema",
            Self::Reasoning => "reasoning",
        }
    }

    /// The one with this word; the contract has more words than these.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ability| ability.as_str() == word)
    }
}

/// A set of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Abilities(u16);

impl Abilities {
    /// Every one there is.
    pub const ALL: Self = Self(0xff);

    /// Whether one is among them.
    pub fn has(self, ability: Ability) -> bool {
        self.0 & (1 << ability as u16) != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// These and those.
    #[must_use]
    pub fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These but not those.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// In a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Ability> {
        Ability::ALL.into_iter().filter(move |ability| self.has(*ability))
    }
}

impl FromIterator<Ability> for Abilities {
    fn from_iter<I: IntoIterator<Item = Ability>>(abilities: I) -> Self {
        Self(abilities.into_iter().fold(0, |set, ability| set | 1 << ability as u16))
    }
}

impl fmt::Display for Abilities {
    /// `tools, images`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, ability) in self.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(formatter, "{comma}{}", ability.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Abilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{self}}}")
    }
}
