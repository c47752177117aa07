//! What vendors write into their errors.
//!
//! Sources: OpenAI's guide to error codes; Anthropic's API errors and what its API answers to an empty account; Google's
//! `google.rpc` codes and the Gemini API's troubleshooting guide; Azure OpenAI's content filtering and quota pages; the
//! error pages of Amazon Bedrock, DeepSeek, Mistral, Cohere, OpenRouter, Groq, Together, DashScope and Zhipu; the messages
//! of vLLM, llama.cpp and Ollama.

use crate::error::Kind;

/// What an error says, each text as [`plain`](crate::domain::trigger::plain) leaves it.
pub(super) struct Said {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) body: String,
}

/// Words for programs: a code or a type says exactly this.
const CODES: &[(&str, Kind)] = &[
    ("insufficient_quota", Kind::Quota),
    ("quota_exceeded", Kind::Quota),
    ("billing_hard_limit_reached", Kind::Quota),
    ("billing_not_active", Kind::Quota),
    ("billing_error", Kind::Quota),
    ("insufficient_balance", Kind::Quota),
    ("arrearage", Kind::Quota),
    ("account_deactivated", Kind::Authentication),
    ("invalid_api_key", Kind::Authentication),
    ("invalidapikey", Kind::Authentication),
    ("api_key_invalid", Kind::Authentication),
    ("authentication_error", Kind::Authentication),
    ("unauthenticated", Kind::Authentication),
    ("overloaded_error", Kind::Overloaded),
    ("overloaded", Kind::Overloaded),
    ("engine_overloaded", Kind::Overloaded),
    ("engine_overloaded_error", Kind::Overloaded),
    ("server_overloaded", Kind::Overloaded),
    ("slow_down", Kind::Overloaded),
    ("unavailable", Kind::Overloaded),
    ("rate_limit_exceeded", Kind::RateLimited),
    ("rate_limit_error", Kind::RateLimited),
    ("rate_limited", Kind::RateLimited),
    ("throttlingexception", Kind::RateLimited),
    ("throttling.ratequota", Kind::RateLimited),
    ("model_not_found", Kind::ModelNotFound),
    ("model_not_supported", Kind::ModelNotFound),
    ("modelnotfound", Kind::ModelNotFound),
    ("deploymentnotfound", Kind::ModelNotFound),
    ("context_length_exceeded", Kind::ContextLength),
    ("string_above_max_length", Kind::ContextLength),
    ("content_filter", Kind::ContentPolicy),
    ("content_policy_violation", Kind::ContentPolicy),
    ("responsibleaipolicyviolation", Kind::ContentPolicy),
    ("data_inspection_failed", Kind::ContentPolicy),
    ("datainspectionfailed", Kind::ContentPolicy),
    ("moderation_blocked", Kind::ContentPolicy),
];

/// The account has no money or no quota left.
const QUOTA: &[&str] = &[
    "youexceededyourcurrentquota",
    "exceededyourcurrentquota",
    "insufficient_quota",
    "creditbalanceistoolow",
    "insufficientbalance",
    "insufficientcredits",
    "insufficientaccountbalance",
    "insufficientfunds",
    "billinghardlimit",
    "checkyourplanandbilling",
    "youraccountisnotactive,pleasecheckyourbilling",
    "billingnotenabled",
    "paymentrequired",
    "monthlyusagelimit",
    "monthlyspendinglimit",
    "reachedyourspecifiedapiusagelimits",
    "outofcredits",
    "余额不足",
    "账户已欠费",
];

/// The key is wrong, or may not be used any more.
const KEY: &[&str] = &[
    "incorrectapikeyprovided",
    "invalidapikey",
    "apikeynotvalid",
    "apikeyexpired",
    "apikeynotfound",
    "invalidx-api-key",
    "invalidauthentication",
    "thisorganizationhasbeendisabled",
    "youraccounthasbeendeactivated",
    "thesecuritytokenincludedintherequest",
    "hasbeensuspended",
];

/// Too much in too short a time.
const RATE: &[&str] = &[
    "ratelimit",
    "toomanyrequests",
    "toomanytokens,pleasewait",
    "requestsperminute",
    "tokensperminute",
    "requestwasthrottled",
];

/// More to do than the provider can.
const OVERLOAD: &[&str] = &[
    "overloaded",
    "currentlyatcapacity",
    "nocapacityavailable",
    "highdemand",
    "servicetemporarilyunavailable",
    "serverisbusy",
    "serverbusy",
    "server_is_overloaded",
];

/// There is no such model, or not for this account.
const ROUTE: &[&str] = &[
    "model_not_found",
    "modelnotexist",
    "modelnotfound",
    "nosuchmodel",
    "unknownmodel",
    "invalidmodel",
    "theprovidedmodelidentifierisinvalid",
    "invocationofmodelid",
];

/// The prompt is longer than the model takes.
const CONTEXT: &[&str] = &[
    "context_length_exceeded",
    "maximumcontextlength",
    "contextlengthexceeded",
    "exceedcontextlimit",
    "exceedsthecontextwindow",
    "exceedstheavailablecontextsize",
    "exceedsthemodel'smaximumcontext",
    "promptistoolong",
    "inputistoolongforrequestedmodel",
    "exceedsthemaximumnumberoftokens",
    "requesttoolargeformodel",
    "reducethelengthofthemessages",
];

/// The content was refused.
const POLICY: &[&str] = &[
    "contentmanagementpolicy",
    "content_filter",
    "contentfilteringpolicy",
    "content_policy_violation",
    "safetysystem",
    "violatesourusagepolic",
    "violatingourusagepolic",
    "inputdatamaycontaininappropriatecontent",
    "blockedbycontent",
    "yourinputwasflagged",
];

/// The kind that code and text mean; `None`: they say nothing beyond what is known already.
pub(super) fn kind(said: &Said, kind: Kind, status: Option<u16>) -> Option<Kind> {
    let coded = CODES.iter().find(|(code, _)| *code == said.code).map(|(_, kind)| *kind);
    match kind {
        Kind::InvalidRequest | Kind::TooLarge => of_a_refusal(said, coded),
        Kind::RateLimited => of_a_limit(said, coded, status),
        Kind::Quota if said.code == "resource_exhausted" => of_a_limit(said, coded, status),
        Kind::Authentication | Kind::Permission => of_a_ban(said, coded),
        Kind::Provider => of_a_failure(said, coded, status),
        _ => None,
    }
}

impl Said {
    fn hold(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.message.contains(phrase) || self.body.contains(phrase))
    }

    fn begin(&self, phrases: &[&str]) -> bool {
        let message = self.message.trim_start_matches("error:").trim_start_matches("your");
        phrases.iter().any(|phrase| {
            message.starts_with(phrase.trim_start_matches("your")) || message.starts_with(phrase)
        })
    }
}

/// "The request is wrong." A refusal may repeat what the client wrote, who must not be able to make keys and targets rest
/// by writing it: what blames those has to be a code, or stand at the beginning.
fn of_a_refusal(said: &Said, coded: Option<Kind>) -> Option<Kind> {
    let others = [
        (QUOTA, Kind::Quota),
        (KEY, Kind::Authentication),
        (ROUTE, Kind::ModelNotFound),
        (RATE, Kind::RateLimited),
    ];
    let own = [(CONTEXT, Kind::ContextLength), (POLICY, Kind::ContentPolicy)];
    coded
        .or_else(|| others.iter().find(|(phrases, _)| said.begin(phrases)).map(|(_, kind)| *kind))
        .or_else(|| own.iter().find(|(phrases, _)| said.hold(phrases)).map(|(_, kind)| *kind))
}

/// "Too much." A quota is no matter of minutes. Google calls both a quota, and names the period in its details.
fn of_a_limit(said: &Said, coded: Option<Kind>, status: Option<u16>) -> Option<Kind> {
    if matches!(coded, Some(Kind::Quota | Kind::Overloaded)) {
        return coded;
    }
    if said.code == "resource_exhausted" {
        let daily = said.body.contains("perday") || said.message.contains("perday");
        return Some(if daily { Kind::Quota } else { Kind::RateLimited });
    }
    if said.hold(QUOTA) {
        return Some(Kind::Quota);
    }
    let busy = said.hold(OVERLOAD) && !said.hold(RATE) && status != Some(429);
    busy.then_some(Kind::Overloaded)
}

/// "You may not."
fn of_a_ban(said: &Said, coded: Option<Kind>) -> Option<Kind> {
    let found = match coded {
        Some(Kind::Authentication) | None => None,
        coded => coded,
    };
    let texts = [(QUOTA, Kind::Quota), (RATE, Kind::RateLimited), (POLICY, Kind::ContentPolicy)];
    found.or_else(|| texts.iter().find(|(phrases, _)| said.hold(phrases)).map(|(_, kind)| *kind))
}

/// "It did not work."
fn of_a_failure(said: &Said, coded: Option<Kind>, status: Option<u16>) -> Option<Kind> {
    // Without a status of a failure it may repeat the client's words, as a refusal may.
    let whole = status.is_some_and(|status| status >= 500);
    let others = [(QUOTA, Kind::Quota), (KEY, Kind::Authentication), (ROUTE, Kind::ModelNotFound)];
    let own = [
        (CONTEXT, Kind::ContextLength),
        (POLICY, Kind::ContentPolicy),
        (RATE, Kind::RateLimited),
        (OVERLOAD, Kind::Overloaded),
    ];
    let found = || {
        let other = others.iter().find(|(phrases, _)| said.begin(phrases) || whole && said.hold(phrases));
        other.or_else(|| own.iter().find(|(phrases, _)| said.hold(phrases))).map(|(_, kind)| *kind)
    };
    // A good status, or none: an error inside an answer, whose code may be a number.
    let by_code = || said.code.parse::<u16>().ok().filter(|_| status.is_none_or(|status| status < 400));
    coded.or_else(found).or_else(|| {
        Some(match by_code()? {
            401 => Kind::Authentication,
            402 => Kind::Quota,
            403 => Kind::Permission,
            404 => Kind::ModelNotFound,
            408 | 504 => Kind::Timeout,
            429 => Kind::RateLimited,
            503 | 529 => Kind::Overloaded,
            _ => return None,
        })
    })
}
