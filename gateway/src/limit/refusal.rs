//! Why a request may not be made now, in words for who asked.

use std::sync::Arc;
use std::time::Duration;

use super::count::{Counted, What, per, words};
use crate::domain::{Micros, Scope};
use crate::error::{GatewayError, Kind};
use crate::store::holds::{Standing, Unit};

/// Others hold what is left for a moment at most.
const SOON: Duration = Duration::from_secs(1);

/// Why there is no permit.
#[derive(Debug)]
pub struct Refused {
    /// In words for who asked.
    pub error: GatewayError,
    /// A budget is used up, and this model answers instead.
    pub instead: Option<Arc<str>>,
    /// How every limit stands.
    pub standings: Vec<Standing>,
}

impl From<GatewayError> for Refused {
    fn from(error: GatewayError) -> Self {
        Self { error, instead: None, standings: Vec::new() }
    }
}

/// What came instead of a hold.
pub(super) struct Told<'a> {
    pub(super) counted: &'a [Counted<'a>],
    /// The one that did not fit.
    pub(super) part: usize,
    pub(super) retry_after: Option<Duration>,
    pub(super) standings: &'a [Standing],
}

/// The refusal of a request that needs `micros`. `now` is Unix time in milliseconds.
pub(super) fn of(told: &Told<'_>, micros: u64, now: u64) -> Refused {
    let (Some(counted), Some(standing)) = (told.counted.get(told.part), told.standings.get(told.part)) else {
        return GatewayError::gateway(Kind::Internal, "a limit was refused that nobody asked for").into();
    };
    let whose = whose(counted.scope);
    let limited = |message: String, retry_after: Option<Duration>| GatewayError {
        retry_after,
        ..GatewayError::client(Kind::RateLimited, message)
    };
    let mut instead = None;
    let error = match &counted.what {
        What::Requests(rate) => limited(format!("{whose} may make {rate} requests"), told.retry_after),
        What::Tokens(rate) => limited(format!("{whose} may use {rate} tokens"), told.retry_after),
        What::Concurrent(most) => {
            let as_many = if *most == 1 { "one request".to_owned() } else { format!("{most} requests") };
            limited(format!("{whose} may run {as_many} at a time"), Some(SOON))
        }
        What::Money { allowance, .. } => {
            instead.clone_from(&allowance.downgrade);
            money(told, (counted, standing), micros, now)
        }
    };
    Refused { error, instead, standings: told.standings.to_vec() }
}

fn money(
    told: &Told<'_>,
    (counted, standing): (&Counted<'_>, &Standing),
    micros: u64,
    now: u64,
) -> GatewayError {
    let What::Money { allowance, limit, .. } = &counted.what else {
        return GatewayError::gateway(Kind::Internal, "what is no budget was refused as one");
    };
    let (whose, limit) = (whose(counted.scope), Micros(*limit));
    let spent = Micros(standing.used.saturating_sub(standing.held));
    let name = format!("the {} of {whose} {}", allowance.word(), per(&allowance.period));
    let needs = i64::try_from(micros).unwrap_or(i64::MAX);
    if standing.held > 0 && spent.get().saturating_add(needs) <= limit.get() {
        let message = format!(
            "{name} (${limit}) is reserved by requests that are running; some of it is free again when they end"
        );
        return GatewayError {
            retry_after: Some(SOON),
            code: Some("budget_reserved".to_owned()),
            ..GatewayError::client(Kind::RateLimited, message)
        };
    }
    let until = counted.until().map(|until| Duration::from_millis((until * 1_000).saturating_sub(now)));
    let retry_after = until.or(told.retry_after);
    let then = match retry_after {
        Some(wait) if until.is_some() => format!("; it begins again in {}", words(wait)),
        Some(wait) => format!("; there is enough of it again in {}", words(wait)),
        None => String::new(),
    };
    let message = if spent >= limit {
        format!("{name} is used up: ${spent} of ${limit}{then}")
    } else {
        let needed = Micros(needs);
        format!(
            "{name} has too little left for this request: ${spent} of ${limit} are spent, and it may cost ${needed}{then}"
        )
    };
    GatewayError {
        retry_after,
        code: Some("budget_exceeded".to_owned()),
        ..GatewayError::client(Kind::Quota, message)
    }
}

/// A request whose cost nobody knows, for somebody with a budget.
pub(super) fn unpriced(target: &str, counted: &[Counted<'_>]) -> Refused {
    let limited = counted.iter().find(|counted| counted.unit() == Unit::Money);
    let whose = limited.map_or_else(|| "the gateway".to_owned(), |counted| whose(counted.scope));
    let message = format!(
        "{whose} has a budget, and what `{target}` costs is not known; the gateway's operator can add its price under [prices]"
    );
    let code = Some("price_unknown".to_owned());
    GatewayError { code, ..GatewayError::client(Kind::Quota, message) }.into()
}

fn whose(scope: &Scope) -> String {
    match scope {
        Scope::Global => "the gateway".to_owned(),
        Scope::Key(name) => format!("key `{name}`"),
        Scope::User(name) => format!("user `{name}`"),
        Scope::Team(name) => format!("team `{name}`"),
        Scope::Model(name) => format!("model `{name}`"),
        Scope::Provider(name) => format!("provider `{name}`"),
    }
}
