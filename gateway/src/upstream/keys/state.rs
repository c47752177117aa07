//! What is known of the keys now, behind one lock that is held for a microsecond and never while anything waits.

use std::collections::HashMap;

use super::rest::{Cause, Rest};
use super::ring::{Question, Ring};
use super::window::{Limits, Used};
use super::{Failure, Millis, Settings};
use crate::domain::Blame;

/// Models with a line of their own; when there are more, the one longest not asked for forgets its rests.
const MOST_MODELS: usize = 64;
/// While nothing but refused keys is left, one of them is tried so often.
const TRIED_EVERY: Millis = 10_000;
/// The weight of the latest attempt in a key's success.
const LATEST: f32 = 0.1;

/// What is known of all keys of a pool.
#[derive(Debug)]
pub(super) struct State {
    /// One line for each rule of limits.
    rings: Vec<Ring>,
    /// Models at which some key rests.
    pub(super) models: HashMap<Box<str>, ModelLine>,
    /// What is held against keys; most have nothing.
    pub(super) rests: HashMap<u32, Rest>,
    /// By rule and key.
    used: HashMap<(usize, u32), Used>,
    /// How well each does, from 0 to 1; only where the choice asks.
    scores: Vec<f32>,
    serial: u64,
    last_trial: Millis,
}

/// The keys at one model.
#[derive(Debug)]
pub(super) struct ModelLine {
    ring: Ring,
    pub(super) rests: HashMap<u32, Rest>,
    /// The last choice for it.
    asked: u64,
}

/// A wanted key.
pub(super) struct Wish<'a> {
    pub(super) model: &'a str,
    /// Best first.
    pub(super) preferred: &'a [u32],
    pub(super) avoided: &'a dyn Fn(u32) -> bool,
}

/// Nobody may be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Away {
    /// When the first is back.
    pub(super) until: Option<Millis>,
    /// It is a limit that keeps the first.
    pub(super) limited: bool,
    pub(super) why: &'static str,
}

/// When keys may be asked for one model.
struct Times<'a> {
    rests: &'a HashMap<u32, Rest>,
    here: Option<&'a HashMap<u32, Rest>>,
    used: &'a HashMap<(usize, u32), Used>,
    limits: &'a Limits,
    rule: usize,
    now: Millis,
}

impl Times<'_> {
    fn free_at(&self, key: u32) -> Millis {
        self.rests.get(&key).map_or(0, |rest| rest.until).max(self.limited_until(key))
    }

    /// By what holds at this model alone.
    fn limited_until(&self, key: u32) -> Millis {
        let here = self.here.and_then(|here| here.get(&key)).map_or(0, |rest| rest.until);
        let used = (!self.limits.is_none()).then(|| self.used.get(&(self.rule, key))).flatten();
        here.max(used.map_or(0, |used| used.free_at(self.limits, self.now)))
    }

    /// Since when nothing but a refusal keeps a key.
    fn refused_since(&self, key: u32) -> Option<Millis> {
        let rest = self.rests.get(&key).filter(|rest| rest.cause == Cause::Refused);
        rest.filter(|_| self.limited_until(key) <= self.now).map(|rest| rest.since)
    }

    /// Why nobody may be asked, when this one is the first to come back.
    fn away(&self, key: u32, until: Millis) -> Away {
        let limited = self.limited_until(key) >= until;
        let rest = self.rests.get(&key).filter(|_| !limited);
        Away { until: Some(until), limited, why: rest.map_or("limits", |rest| rest.cause.as_str()) }
    }
}

/// A rest that has just begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) cause: Cause,
    pub(super) until: Millis,
    pub(super) level: u32,
    /// Only at this model.
    pub(super) model: Option<String>,
    pub(super) why: &'static str,
}

impl State {
    pub(super) fn new(settings: &Settings, keys: u32) -> Self {
        let smart = settings.choice == super::Choice::Smart;
        Self {
            rings: (0..settings.rules.count()).map(|_| Ring::new(settings.choice, keys)).collect(),
            models: HashMap::new(),
            rests: HashMap::new(),
            used: HashMap::new(),
            scores: if smart { vec![1.0; keys as usize] } else { Vec::new() },
            serial: 0,
            last_trial: 0,
        }
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn choose(
        &mut self,
        settings: &Settings,
        wish: &Wish<'_>,
        now: Millis,
        random: &mut dyn FnMut(usize) -> usize,
    ) -> Result<u32, Away> {
        let rule = settings.rules.of(wish.model);
        let limits = settings.rules.limits(rule);
        let Self { rings, models, rests, used, scores, serial, last_trial } = self;
        let (ring, here) = match models.get_mut(wish.model) {
            Some(line) => {
                line.asked = *serial;
                (Some(&mut line.ring), Some(&line.rests))
            }
            None => (rings.get_mut(rule), None),
        };
        let nobody = Away { until: None, limited: false, why: "each was tried" };
        let Some(ring) = ring else { return Err(nobody) };
        let times = Times { rests, here, used, limits, rule, now };
        let free_at = |key: u32| times.free_at(key);
        let score = |key: u32| scores.get(key as usize).copied().unwrap_or(1.0);
        let wanted = wish.preferred.iter().copied().find(|key| !(wish.avoided)(*key) && free_at(*key) <= now);
        let mut question = Question { now, free_at: &free_at, avoided: wish.avoided, score: &score, random };
        let chosen = match wanted.or_else(|| ring.choose(settings.choice, &mut question)) {
            Some(key) => key,
            None => {
                let (until, key) = ring.earliest(&free_at).ok_or(nobody)?;
                let since = times.refused_since(key).filter(|_| !(wish.avoided)(key));
                let since = since.map(|since| since.max(*last_trial));
                if since.is_none_or(|since| now < since.saturating_add(TRIED_EVERY)) {
                    return Err(times.away(key, until));
                }
                *last_trial = now;
                key
            }
        };
        if !limits.is_none() {
            used.entry((rule, chosen)).or_insert_with(|| Used::none(limits)).request(limits, now);
        }
        Ok(chosen)
    }

    /// True when a rest was lifted.
    pub(super) fn succeeded(&mut self, key: u32, serial: u64, model: &str) -> bool {
        self.rate(key, 1.0);
        let later = |rest: &&Rest| serial > rest.known_from;
        let mut lifted = false;
        if self.rests.get(&key).filter(later).is_some()
            && let Some(rest) = self.rests.remove(&key)
            && rest.level > 0
        {
            self.lift(key);
            lifted = true;
        }
        if let Some(line) = self.models.get_mut(model)
            && line.rests.get(&key).filter(later).is_some()
        {
            line.rests.remove(&key);
            line.ring.lift(key);
            lifted = true;
        }
        lifted
    }

    /// What begins with this failure of a key that was chosen as the so-manieth.
    pub(super) fn failed(
        &mut self,
        settings: &Settings,
        (key, chosen): (u32, u64),
        model: &str,
        failure: Failure,
        now: Millis,
    ) -> Option<Begun> {
        let resting = &settings.resting;
        match failure.blame {
            Blame::Key | Blame::Quota | Blame::Rate => self.rate(key, 0.0),
            _ => return None,
        }
        let serial = self.serial;
        // Where there is only one, resting it on a guess helps nobody.
        let alone = self.rings.first().is_some_and(|ring| ring.keys() == 1);
        if failure.blame == Blame::Rate {
            let length =
                (!alone || failure.retry_after.is_some()).then(|| resting.limited(failure.retry_after))?;
            return Some(self.rest_at_model(settings, key, model, (Cause::Limited, length), now));
        }
        let rest = self.rests.entry(key).or_insert_with(Rest::none);
        // Requests that were under way when the rest began have nothing new to say.
        if chosen <= rest.known_from {
            return None;
        }
        let (cause, length) = if failure.blame == Blame::Quota {
            (Cause::Quota, resting.used_up(failure.retry_after))
        } else {
            rest.failures = rest.failures.saturating_add(1);
            let forbidden = failure.status == Some(403);
            let enough = if forbidden { resting.forbidden_after } else { resting.after };
            let length = resting.refused(rest.level);
            if rest.failures < enough {
                return forbidden
                    .then(|| self.rest_at_model(settings, key, model, (Cause::Refused, length), now));
            }
            (Cause::Refused, length)
        };
        rest.begin(cause, now, length, serial);
        let begun = Begun { cause, until: rest.until, level: rest.level, model: None, why: cause.as_str() };
        // One that was tried in its rest may now have a shorter one.
        self.lift(key);
        Some(begun)
    }

    pub(super) fn spent(&mut self, settings: &Settings, key: u32, model: &str, tokens: u64, now: Millis) {
        let rule = settings.rules.of(model);
        let limits = settings.rules.limits(rule);
        if !limits.tokens.is_empty() {
            self.used.entry((rule, key)).or_insert_with(|| Used::none(limits)).tokens(limits, now, tokens);
        }
    }

    /// Whether a key could be had, without having it.
    pub(super) fn has_another(
        &mut self,
        settings: &Settings,
        model: &str,
        avoided: &dyn Fn(u32) -> bool,
        now: Millis,
    ) -> bool {
        let rule = settings.rules.of(model);
        let limits = settings.rules.limits(rule);
        let Self { rings, models, rests, used, .. } = self;
        let (ring, here) = match models.get_mut(model) {
            Some(line) => (Some(&mut line.ring), Some(&line.rests)),
            None => (rings.get_mut(rule), None),
        };
        let times = Times { rests, here, used, limits, rule, now };
        ring.is_some_and(|ring| ring.has_free(now, &|key| times.free_at(key), avoided))
    }

    /// Lifts all rests of a key; true when there was one.
    pub(super) fn restore(&mut self, key: u32) -> bool {
        let mut lifted = self.rests.remove(&key).is_some_and(|rest| rest.level > 0);
        for line in self.models.values_mut() {
            lifted |= line.rests.remove(&key).is_some();
        }
        self.lift(key);
        lifted
    }

    /// A rest that began in another life.
    pub(super) fn resume(&mut self, settings: &Settings, key: u32, begun: &Begun, now: Millis) {
        match &begun.model {
            Some(model) => {
                let length = begun.until.saturating_sub(now);
                self.rest_at_model(settings, key, model, (begun.cause, length), now);
            }
            None => {
                let rest = self.rests.entry(key).or_insert_with(Rest::none);
                if rest.until < begun.until {
                    rest.begin(begun.cause, now, begun.until.saturating_sub(now), 0);
                    rest.level = begun.level;
                }
            }
        }
    }

    /// Takes over from the pool before; `index` is what a key of it is here.
    pub(super) fn take_over(
        &mut self,
        before: &Self,
        settings: &Settings,
        same_rules: bool,
        index: &dyn Fn(u32) -> Option<u32>,
    ) {
        self.serial = before.serial;
        self.last_trial = before.last_trial;
        let rests = |rests: &HashMap<u32, Rest>| -> HashMap<u32, Rest> {
            rests.iter().filter_map(|(key, rest)| Some((index(*key)?, *rest))).collect()
        };
        self.rests = rests(&before.rests);
        for (model, line) in &before.models {
            let ring = Ring::new(settings.choice, self.rings.first().map_or(0, Ring::keys));
            let line = ModelLine { ring, rests: rests(&line.rests), asked: line.asked };
            self.models.insert(model.clone(), line);
        }
        if same_rules {
            let used = before
                .used
                .iter()
                .filter_map(|((rule, key), used)| Some(((*rule, index(*key)?), used.clone())));
            self.used = used.collect();
        }
        for (key, score) in (0_u32..).zip(&before.scores) {
            if let Some(own) = index(key).and_then(|key| self.scores.get_mut(key as usize)) {
                *own = *score;
            }
        }
    }

    fn rest_at_model(
        &mut self,
        settings: &Settings,
        key: u32,
        model: &str,
        (cause, length): (Cause, Millis),
        now: Millis,
    ) -> Begun {
        if !self.models.contains_key(model) {
            if self.models.len() >= MOST_MODELS {
                let oldest = self.models.iter().min_by_key(|(_, line)| line.asked);
                if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                    self.models.remove(&oldest);
                }
            }
            let ring = Ring::new(settings.choice, self.rings.first().map_or(0, Ring::keys));
            let line = ModelLine { ring, rests: HashMap::new(), asked: self.serial };
            self.models.insert(model.into(), line);
        }
        let serial = self.serial;
        let mut begun = Rest::none();
        begun.begin(cause, now, length, serial);
        if let Some(line) = self.models.get_mut(model) {
            let rest = line.rests.entry(key).or_insert_with(Rest::none);
            // A shorter word does not shorten what was said before.
            if rest.until < begun.until {
                *rest = begun;
            }
            begun = *rest;
        }
        Begun {
            cause,
            until: begun.until,
            level: begun.level,
            model: Some(model.to_owned()),
            why: cause.as_str(),
        }
    }

    fn lift(&mut self, key: u32) {
        self.rings.iter_mut().for_each(|ring| ring.lift(key));
        self.models.values_mut().for_each(|line| line.ring.lift(key));
    }

    fn rate(&mut self, key: u32, came: f32) {
        if let Some(score) = self.scores.get_mut(key as usize) {
            *score += LATEST * (came - *score);
        }
    }

    /// How many keys were looked at, ever.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.rings.iter().chain(self.models.values().map(|line| &line.ring)).map(|ring| ring.steps).sum()
    }
}
