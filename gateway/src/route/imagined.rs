//! A request that nobody sent, in an operator's words: `model=gpt-5 key=web header.x-tier=gold tokens=5000 tools=true`.

use std::collections::BTreeSet;
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{Clues, Facts, Fleet, Plan, Question, Table, Turns};
use crate::domain::date::seconds_of_rfc3339;
use crate::domain::{Asks, Envelope, Json, Operation, RequestHead, Sort, VirtualKey, Wishes};
use crate::error::GatewayError;

/// What can be said, beside `header.…`.
const WORDS: &str = "model, key, header.NAME, dialect, session, now, seed, stream, messages, tokens, max_output, body, tools, \
     images, documents, audio_input, audio_output, reasoning, json, models, order, only, ignore, sort, max_prompt, \
     max_completion, max_request, allow_fallbacks, require_parameters";

/// The dialects by their ids; the first holds where none is said.
const DIALECTS: [&str; 7] = [
    "openai-chat",
    "openai-responses",
    "anthropic-messages",
    "gemini-generate",
    "ollama-chat",
    "cohere-chat",
    "bedrock-converse",
];

/// A request that nobody sent.
#[derive(Clone, Debug)]
pub struct Imagined {
    /// The model it asks for.
    pub model: String,
    /// The name of its key; `None`: one that may everything.
    pub key: Option<String>,
    head: RequestHead,
    asks: Box<Asks>,
    dialect: &'static str,
    session: Option<String>,
    now: Option<u64>,
    seed: Option<u64>,
    wishes: Option<Wishes>,
}

impl Imagined {
    /// Reads names and their values.
    ///
    /// # Errors
    /// Which of them says nothing.
    pub fn read(words: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let envelope = Envelope::whole(bytes::Bytes::new(), String::new(), None);
        let head = RequestHead {
            method: Method::POST,
            path: "/v1/chat/completions".to_owned(),
            query: None,
            headers: HeaderMap::new(),
        };
        let mut imagined = Self {
            model: String::new(),
            key: None,
            head,
            asks: Box::new(Asks::of(&envelope, Operation::Chat)),
            dialect: DIALECTS[0],
            session: None,
            now: None,
            seed: None,
            wishes: None,
        };
        let mut seen = BTreeSet::new();
        for (name, value) in words {
            if !seen.insert(name.clone()) {
                return Err(format!("`{name}` is said twice"));
            }
            imagined.take(&name, &value)?;
        }
        if imagined.model.is_empty() {
            return Err("`model` is missing: say which one is asked for, as in `model=gpt-5`".to_owned());
        }
        Ok(imagined)
    }

    /// Whether it wishes something of its targets.
    pub fn wishes(&self) -> bool {
        self.wishes.is_some()
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        if let Some(header) = name.strip_prefix("header.") {
            let wrong = || format!("`{name}={value}` is no header");
            let header = HeaderName::try_from(header).map_err(|_| wrong())?;
            self.head.headers.append(header, HeaderValue::try_from(value).map_err(|_| wrong())?);
            return Ok(());
        }
        match name {
            "model" => self.model = value.to_owned(),
            "key" => self.key = Some(value.to_owned()),
            "session" => self.session = Some(value.to_owned()),
            "seed" => self.seed = Some(number(name, value)?),
            "now" => {
                let moment = seconds_of_rfc3339(value).or_else(|| value.parse().ok());
                self.now = Some(moment.ok_or_else(|| format!("`now={value}` is no moment in RFC 3339"))?);
            }
            "dialect" => {
                let known = DIALECTS.into_iter().find(|known| *known == value);
                self.dialect = known.ok_or_else(|| {
                    format!("there is no dialect `{value}`; there are {}", DIALECTS.join(", "))
                })?;
            }
            _ => return self.take_ask(name, value),
        }
        Ok(())
    }

    fn take_ask(&mut self, name: &str, value: &str) -> Result<(), String> {
        let asks = &mut self.asks;
        match name {
            "messages" => asks.messages = u32::try_from(number(name, value)?).unwrap_or(u32::MAX),
            "tokens" => asks.input_tokens = number(name, value)?,
            "max_output" => asks.max_output = Some(number(name, value)?),
            "body" => asks.body_bytes = number(name, value)?,
            "stream" => asks.stream = truth(name, value)?,
            "tools" => asks.tools = truth(name, value)?,
            "images" => asks.images = truth(name, value)?,
            "documents" => asks.documents = truth(name, value)?,
            "audio_input" => asks.audio_input = truth(name, value)?,
            "audio_output" => asks.audio_output = truth(name, value)?,
            "reasoning" => asks.reasoning = truth(name, value)?,
            "json" => {
                asks.json = match value {
                    "object" => Json::Object,
                    "schema" => Json::Schema,
                    "no" => Json::No,
                    _ => return Err(format!("`json={value}`: write object, schema or no")),
                }
            }
            _ => return self.take_wish(name, value),
        }
        Ok(())
    }

    fn take_wish(&mut self, name: &str, value: &str) -> Result<(), String> {
        let mut wishes = self.wishes.clone().unwrap_or_default();
        let list = || value.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
        let money = || value.parse().map(Some);
        match name {
            "models" => wishes.models = list(),
            "order" => wishes.order = list(),
            "only" => wishes.only = Some(list()),
            "ignore" => wishes.ignore = list(),
            "max_prompt" => wishes.max_prompt = money()?,
            "max_completion" => wishes.max_completion = money()?,
            "max_request" => wishes.max_request = money()?,
            "allow_fallbacks" => wishes.no_fallbacks = !truth(name, value)?,
            "require_parameters" => wishes.require_parameters = truth(name, value)?,
            "sort" => {
                let sort =
                    Sort::named(value).ok_or_else(|| format!("`sort={value}`: write {}", Sort::WORDS))?;
                wishes.sort = Some(sort);
            }
            _ => return Err(format!("`{name}` says nothing about a request; there are {WORDS}")),
        }
        self.wishes = Some(wishes);
        Ok(())
    }

    /// Sent at this moment, in Unix seconds, unless it says so itself.
    #[must_use]
    pub fn at(mut self, now: u64) -> Self {
        self.now.get_or_insert(now);
        self
    }

    /// What would happen to it. Nothing is counted.
    ///
    /// # Errors
    /// As [`Table::plan`].
    pub fn plan(
        &self,
        table: &Table,
        key: &VirtualKey,
        fleet: &Fleet,
        clues: Clues<'_>,
    ) -> Result<Plan, GatewayError> {
        let facts = Facts {
            asks: &self.asks,
            dialect: self.dialect,
            session: self.session.as_deref(),
            now: self.now.unwrap_or_default(),
        };
        let question = Question {
            key,
            asked: &self.model,
            head: &self.head,
            now: Instant::now(),
            clues,
            facts,
            wishes: self.wishes.as_ref().filter(|_| key.preferences),
            seed: self.seed.unwrap_or_else(|| fastrand::u64(..)),
        };
        table.plan(&question, fleet, Turns::Untouched)
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("`{name}={value}`: a whole number is wanted"))
}

fn truth(name: &str, value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{name}={value}`: write true or false"))
}
