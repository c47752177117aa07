//! OpenAI's legacy completions: a prompt and no conversation.

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::{OpenAi, answer};
use crate::mock::prompt::Prompt;
use crate::mock::reply::{End, Reply};
use crate::mock::tree::{NULL, Tree, object};
use crate::mock::vendor::{Complaint, Memory, Target, Vendor, flag, given, list, text};

pub(in crate::mock) struct Completions;

impl Vendor for Completions {
    fn variable(&self) -> &'static str {
        OpenAi.variable()
    }

    fn key(&self, headers: &HeaderMap, query: &str) -> Option<String> {
        OpenAi.key(headers, query)
    }

    fn wrong_key(&self, key: Option<&str>) -> Complaint {
        OpenAi.wrong_key(key)
    }

    fn unknown_model(&self, model: &str) -> Complaint {
        OpenAi.unknown_model(model)
    }

    fn not_json(&self, reason: &str) -> Complaint {
        OpenAi.not_json(reason)
    }

    fn check(&self, _headers: &HeaderMap, body: &Value, _model: &str) -> Result<(), Complaint> {
        for foreign in ["messages", "tools", "response_format", "max_completion_tokens"] {
            if given(body, foreign).is_some() {
                let message = format!("Unrecognized request argument supplied: {foreign}");
                return Err(Complaint::invalid(message).at(foreign));
            }
        }
        let fits = match body.get("prompt") {
            None | Some(Value::Null | Value::String(_)) => true,
            Some(Value::Array(prompts)) => {
                let numbers = |list: &[Value]| list.iter().all(Value::is_u64);
                let lists = |list: &Value| list.as_array().is_some_and(|list| numbers(list));
                prompts.iter().all(Value::is_string) || numbers(prompts) || prompts.iter().all(lists)
            }
            Some(_) => false,
        };
        if !fits {
            return Err(Complaint::invalid("Invalid type for 'prompt'.").at("prompt"));
        }
        if given(body, "logprobs").is_some_and(|count| !count.as_u64().is_some_and(|count| count <= 5)) {
            return Err(Complaint::invalid("Invalid value for 'logprobs'.").at("logprobs"));
        }
        Ok(())
    }

    fn read(&self, body: &Value, _target: &Target, _memory: &Memory) -> Prompt {
        let mut prompt = Prompt {
            model: text(body, "model").to_owned(),
            stream: flag(body, "stream"),
            limit: body.get("max_tokens").and_then(Value::as_u64),
            candidates: body
                .get("n")
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(1),
            ..Prompt::default()
        };
        match body.get("stop") {
            Some(Value::String(stop)) => prompt.stops.push(stop.clone()),
            _ => prompt.stops.extend(list(body, "stop").iter().filter_map(Value::as_str).map(str::to_owned)),
        }
        prompt.say(text(body, "prompt"));
        for one in list(body, "prompt") {
            prompt.say(&one.as_str().map_or_else(|| one.to_string(), str::to_owned));
        }
        prompt.extras.echo = flag(body, "echo").then(|| prompt.said.clone());
        let options = body.get("stream_options").unwrap_or(&Value::Null);
        prompt.extras.include_usage = flag(options, "include_usage");
        prompt
    }

    fn whole(&self, prompt: &Prompt, reply: &Reply) -> Vec<u8> {
        let echo = prompt.extras.echo.as_deref().unwrap_or_default();
        let text = format!("{echo}{}", reply.text());
        let choices = (0..prompt.candidates).map(|index| choice(&text, index, finish(reply).into()));
        let answer = head(prompt, reply, choices.collect());
        answer.maybe("usage", reply.tokens.map(answer::usage)).compact()
    }

    fn stream(&self, prompt: &Prompt, reply: &Reply) -> Vec<Bytes> {
        let mut frames = Vec::new();
        let mut push = |index, text: &str, finish| {
            frames.push(answer::frame(&head(prompt, reply, vec![choice(text, index, finish)])));
        };
        for index in 0..prompt.candidates {
            if let Some(echo) = &prompt.extras.echo {
                push(index, echo, NULL);
            }
            for piece in &reply.pieces {
                push(index, piece, NULL);
            }
            push(index, "", finish(reply).into());
        }
        if prompt.extras.include_usage && reply.tokens.is_some() {
            let last = head(prompt, reply, Vec::new()).with("usage", reply.tokens.map(answer::usage));
            frames.push(answer::frame(&last));
        }
        frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
        frames
    }

    fn content_type(&self, prompt: Option<&Prompt>) -> &'static str {
        OpenAi.content_type(prompt)
    }

    fn error(&self, complaint: &Complaint, serial: u64) -> Vec<u8> {
        OpenAi.error(complaint, serial)
    }

    fn error_frame(&self, complaint: &Complaint, prompt: &Prompt, first: bool) -> Bytes {
        OpenAi.error_frame(complaint, prompt, first)
    }

    fn headers(&self, serial: u64, now: u64) -> Vec<(&'static str, String)> {
        OpenAi.headers(serial, now)
    }

    fn models(&self) -> Tree {
        OpenAi.models()
    }

    fn one_model(&self, name: &str) -> Tree {
        OpenAi.one_model(name)
    }

    fn count(&self, tokens: u64) -> Tree {
        OpenAi.count(tokens)
    }
}

fn head(prompt: &Prompt, reply: &Reply, choices: Vec<Tree>) -> Tree {
    object([
        ("id", format!("cmpl-{:029}", reply.serial).into()),
        ("object", "text_completion".into()),
        ("created", reply.created.into()),
        ("model", prompt.model.as_str().into()),
        ("choices", choices.into()),
    ])
}

fn choice(text: &str, index: usize, finish: Tree) -> Tree {
    object([("text", text.into()), ("index", index.into()), ("logprobs", NULL), ("finish_reason", finish)])
}

fn finish(reply: &Reply) -> &'static str {
    match reply.end {
        End::Length => "length",
        End::Blocked => "content_filter",
        _ => "stop",
    }
}
