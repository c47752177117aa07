//! Bounds as counters: which places one request counts in, what each allows, and what it is called.

use std::time::Duration;

use super::{Need, Shown};
use crate::domain::period::Turn;
use crate::domain::{Allowance, Bounds, CalendarUnit, Period, Rate, Scope};
use crate::store::holds::{Part, Place, Rule, Standing, Unit};

/// One counter of a request, and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Counted<'a> {
    pub(super) scope: &'a Scope,
    pub(super) what: What<'a>,
    place: Place,
    /// For all but money.
    amount: u64,
}

/// What is limited.
#[derive(Clone, Debug)]
pub(super) enum What<'a> {
    Requests(Rate),
    Tokens(Rate),
    Concurrent(u32),
    Money {
        allowance: &'a Allowance,
        turn: Turn,
        /// In force now, raises included.
        limit: i64,
        /// Used up is no reason to refuse this request.
        open: bool,
    },
}

/// Everything a request counts in, each place once: money first, since waiting helps least there. `now` is Unix time in
/// seconds.
pub(super) fn all<'a>(need: &Need<'a>, now: u64) -> Vec<Counted<'a>> {
    let mut all: Vec<Counted<'a>> = Vec::new();
    for bounds in &need.bounds {
        each(bounds, need, now, &mut |counted| match all.iter_mut().find(|it| it.place == counted.place) {
            // The same place twice: the tighter rule holds.
            Some(known) if counted.limit() < known.limit() => *known = counted,
            Some(_) => {}
            None => all.push(counted),
        });
    }
    all.sort_by_key(|counted| counted.unit() != Unit::Money);
    all
}

fn each<'a>(bounds: &'a Bounds, need: &Need<'a>, now: u64, add: &mut dyn FnMut(Counted<'a>)) {
    let scope = &bounds.scope;
    let of_scope = scope.to_string();
    for allowance in &bounds.money {
        let turn = allowance.period.turn(now);
        let place = place(&of_scope, &allowance.name, Some(&turn.name));
        let open = need.instead.is_some() && allowance.downgrade.as_deref() == need.instead;
        let what = What::Money { allowance, turn, limit: limit(allowance, now), open };
        add(Counted { scope, what, place, amount: 0 });
    }
    for rate in &bounds.requests {
        let place = place(&of_scope, "requests", Some(itoa::Buffer::new().format(rate.per.as_secs())));
        add(Counted { scope, what: What::Requests(*rate), place, amount: 1 });
    }
    for rate in &bounds.tokens {
        let place = place(&of_scope, "tokens", Some(itoa::Buffer::new().format(rate.per.as_secs())));
        // What is larger than the window passes when nobody else is there, and is waited for afterwards.
        let amount = need.tokens.min(rate.count);
        add(Counted { scope, what: What::Tokens(*rate), place, amount });
    }
    if let Some(most) = bounds.concurrent {
        let place = place(&of_scope, "concurrent", None);
        add(Counted { scope, what: What::Concurrent(most), place, amount: 1 });
    }
}

/// `key/web/requests/60`; put together by hand, since every request needs several.
fn place(scope: &str, what: &str, window: Option<&str>) -> Place {
    let mut name = String::with_capacity(scope.len() + what.len() + 24);
    name.push_str(scope);
    name.push('/');
    name.push_str(what);
    if let Some(window) = window {
        name.push('/');
        name.push_str(window);
    }
    name.into()
}

/// What an allowance comes to now, with what it is raised by.
fn limit(allowance: &Allowance, now: u64) -> i64 {
    let raises = allowance.raises.iter();
    let active = raises.filter(|raise| raise.from <= now && raise.until.is_none_or(|until| now < until));
    active.fold(allowance.limit.get(), |limit, raise| limit.saturating_add(raise.micros.get()))
}

impl Counted<'_> {
    pub(super) fn unit(&self) -> Unit {
        match self.what {
            What::Requests(_) => Unit::Requests,
            What::Tokens(_) => Unit::Tokens,
            What::Concurrent(_) => Unit::Concurrent,
            What::Money { .. } => Unit::Money,
        }
    }

    /// What is held; `micros` of it are money.
    pub(super) fn part(&self, micros: u64) -> Part {
        let rate = |rate: Rate| Rule::Rate { count: rate.count, per: rate.per };
        let (rule, amount) = match &self.what {
            What::Requests(own) | What::Tokens(own) => (rate(*own), self.amount),
            What::Concurrent(most) => (Rule::Concurrent { most: *most }, self.amount),
            What::Money { allowance, limit, open, .. } => {
                let limit = if *open { i64::MAX } else { *limit };
                let rolling = match allowance.period {
                    Period::Rolling(time) => Some(time),
                    _ => None,
                };
                let life = allowance.period.life().map(Duration::from_secs);
                (Rule::Money { limit, rolling, life }, micros)
            }
        };
        Part { place: self.place.clone(), unit: self.unit(), rule, amount }
    }

    fn limit(&self) -> i64 {
        match self.what {
            What::Requests(rate) | What::Tokens(rate) => i64::try_from(rate.count).unwrap_or(i64::MAX),
            What::Concurrent(most) => i64::from(most),
            What::Money { limit, .. } => limit,
        }
    }

    /// When it begins again, Unix time in seconds, where it does so at once.
    pub(super) fn until(&self) -> Option<u64> {
        match &self.what {
            What::Money { turn, .. } => turn.until,
            _ => None,
        }
    }

    pub(super) fn shown(&self, standing: Standing) -> Shown {
        Shown { scope: self.scope.to_string(), window: self.window(), until: self.until(), standing }
    }

    fn window(&self) -> String {
        match &self.what {
            What::Requests(rate) | What::Tokens(rate) => rate.to_string(),
            What::Concurrent(most) => format!("{most} at a time"),
            What::Money { allowance, .. } => format!("{} {}", allowance.word(), per(&allowance.period)),
        }
    }
}

/// A period in words.
pub(super) fn per(period: &Period) -> String {
    match period {
        Period::Calendar(CalendarUnit::Hour, _) => "per hour".to_owned(),
        Period::Calendar(CalendarUnit::Day, _) => "per day".to_owned(),
        Period::Calendar(CalendarUnit::Week, _) => "per week".to_owned(),
        Period::Calendar(CalendarUnit::Month, _) => "per month".to_owned(),
        Period::Rolling(time) => format!("in {}", words(*time)),
        Period::Total => "in total".to_owned(),
    }
}

/// A time as people say it.
pub(super) fn words(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}min", seconds.div_ceil(60)),
        7_200..172_800 => format!("{}h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

/// What kind of scope it is, for metrics: names would be too many.
pub(super) fn kind(scope: &Scope) -> &'static str {
    match scope {
        Scope::Global => "global",
        Scope::Key(_) => "key",
        Scope::User(_) => "user",
        Scope::Team(_) => "team",
        Scope::Model(_) => "model",
        Scope::Provider(_) => "provider",
    }
}

/// What is counted, for metrics.
pub(super) fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Requests => "requests",
        Unit::Tokens => "tokens",
        Unit::Concurrent => "concurrent",
        Unit::Money => "money",
    }
}
