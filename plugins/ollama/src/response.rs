//! Ollama → canonical, whole answers.

use plugin_sdk::chat::{
    AnswerMessage, Choice, Completion, Content, End, Fields, FinishReason, Json, Text, ToolCall, UsageReport,
};
use plugin_sdk::{Answer, Failure, Usage, failure, json};
use serde_json::Value;

use crate::VENDOR;
use crate::error;
use crate::wire::{self, Call};

/// The whole answer.
pub(crate) fn translate(body: &[u8]) -> Result<Answer, Failure> {
    let mut answer: wire::Answer<'_> = json::answer("answer", body)?;
    if let Some(error) = &answer.error {
        return Err(error::inside(error));
    }
    let Some(message) = answer.message.take() else {
        return Err(failure::malformed("the provider's answer holds no message"));
    };
    let created = answer.created_at.as_deref().unwrap_or_default();
    let calls = message.tool_calls.into_iter().zip(0..);
    let calls: Vec<ToolCall<'_>> = calls.map(|(call, place)| whole_call(call, created, place)).collect();
    let mut own = Value::Null;
    gather(&message.rest, &mut own);
    let (durations, others) = sort(&answer.rest);
    gather(&others, &mut own);
    let usage = usage(&answer);
    let (finish_reason, end) = end(answer.done_reason.take(), !calls.is_empty(), own);
    let content = message.content.filter(|text| !text.is_empty() || calls.is_empty());
    let message = AnswerMessage {
        content: content.map(Content::Text),
        reasoning_content: message.thinking.filter(|text| !text.is_empty()),
        tool_calls: calls,
        ..AnswerMessage::default()
    };
    let logprobs = answer.logprobs.take().map(logprobs);
    let completion = Completion {
        model: answer.model,
        choices: vec![Choice {
            message,
            logprobs,
            finish_reason: Some(finish_reason),
            end,
            ..Choice::default()
        }],
        usage: usage.as_ref().map(|usage| report(usage, durations)),
        ..Completion::default()
    };
    Ok(Answer { body: completion.to_vec()?, content_type: None, usage, losses: Vec::new() })
}

fn whole_call<'a>(call: Call<'a>, created: &str, place: u64) -> ToolCall<'a> {
    let called = Called::of(call, created, place);
    let mut whole = ToolCall::function(called.id, called.name, called.arguments);
    if let Some(own) = called.own {
        whole.rest.push("vendor", own);
    }
    whole
}

/// A call in canonical words.
pub(crate) struct Called<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) arguments: Text<'a>,
    /// `vendor`, when the call has fields without a name.
    pub(crate) own: Option<Json<'a>>,
}

impl<'a> Called<'a> {
    /// The call at this place of its answer.
    pub(crate) fn of(call: Call<'a>, created: &str, place: u64) -> Self {
        let mut own = Value::Null;
        gather(&call.rest, &mut own);
        gather(&call.function.rest, &mut own);
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| made_id(created, place).into());
        Self {
            id,
            name: call.function.name,
            arguments: call.function.arguments.as_ref().map_or_else(|| "{}".into(), arguments),
            own: vendor(own).map(|own| serde_json::to_value(&own).unwrap_or_default().into()),
        }
    }
}

/// Old servers give no ids. One made of the time is another in every turn, and the same whenever the same bytes are read.
fn made_id(created: &str, place: u64) -> String {
    // FNV-1a; nothing secret depends on it.
    let digest = created.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("call_{digest:016x}_{place}")
}

/// Some servers in front of Ollama write the object as a string.
fn arguments<'a>(json: &Json<'a>) -> Text<'a> {
    match json.read::<Text<'a>>() {
        Some(text) => text,
        None if json.is_null() => "{}".into(),
        None => json.text().into(),
    }
}

/// Why it stopped. Ollama says `stop` for calls too.
pub(crate) fn end(word: Option<Text<'_>>, has_calls: bool, own: Value) -> (FinishReason, End<'_>) {
    let reason = match word.as_deref() {
        Some("length") => FinishReason::Length,
        _ if has_calls => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    let said = match reason {
        FinishReason::Length => "length",
        FinishReason::Stop => "stop",
        FinishReason::ToolCalls | FinishReason::ContentFilter => "",
    };
    let native_finish_reason = word.filter(|word| *word != said);
    (reason, End { native_finish_reason, vendor: vendor(own).unwrap_or_default(), ..End::default() })
}

/// `{ "ollama": … }`, when there is anything.
fn vendor<'a>(own: Value) -> Option<Fields<'a>> {
    if own.is_null() {
        return None;
    }
    let mut vendor = Fields::default();
    vendor.push(VENDOR, own);
    Some(vendor)
}

/// Keeps fields without a name; later ones replace earlier ones.
pub(crate) fn gather(fields: &Fields<'_>, own: &mut Value) {
    for (name, value) in fields.present() {
        json::merge(own, serde_json::json!({ name: value.to_value() }));
    }
}

/// Durations, which are told with usage, and all other fields without a name.
pub(crate) fn sort<'a>(rest: &Fields<'a>) -> (Fields<'a>, Fields<'a>) {
    let fields = rest.0.iter().cloned();
    let (durations, others) = fields.partition(|(name, _)| name.ends_with("_duration"));
    (Fields(durations), Fields(others))
}

/// What was counted, when anything was.
pub(crate) fn usage(answer: &wire::Answer<'_>) -> Option<Usage> {
    let usage = Usage { input: answer.prompt_eval_count, output: answer.eval_count, ..Usage::default() };
    (usage != Usage::default()).then_some(usage)
}

/// Usage as canonical chat writes it, with the durations in nanoseconds.
pub(crate) fn report<'a>(usage: &Usage, durations: Fields<'a>) -> UsageReport<'a> {
    let report = UsageReport::from(usage);
    if durations.is_empty() {
        return report;
    }
    report.with_vendor(VENDOR, serde_json::to_value(&durations).unwrap_or_default())
}

/// Ollama's entries are OpenAI's.
pub(crate) fn logprobs(entries: Json<'_>) -> Json<'_> {
    Json::Value(serde_json::json!({ "content": entries.to_value(), "refusal": null }))
}
