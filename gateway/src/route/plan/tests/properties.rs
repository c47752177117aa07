//! Whatever the configuration, the question and the state of the fleet: what is explained is what is planned.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::{Asked, NOW, model, names, passed, price, target};
use crate::balance;
use crate::domain::{Micros, Sort, Target, Wishes};
use crate::error::{GatewayError, Kind};
use crate::route::{Care, Entry, Fleet, Model, Running, Step, Table, Turns};

const PROVIDERS: [&str; 4] = ["a", "b", "c", "d"];

fn some(random: &mut Rng, from: &[&str]) -> Vec<String> {
    (0..random.usize(0..3)).map(|_| from[random.usize(0..from.len())].to_owned()).collect()
}

/// A target, or a model that comes later in the list: so there is no circle.
fn any_target(random: &mut Rng, index: usize, count: usize) -> Target {
    let mut made = if random.u8(0..4) == 0 && index + 1 < count {
        target(&format!("m{}", random.usize(index + 1..count)))
    } else {
        target(&format!("{}/{}", PROVIDERS[random.usize(0..4)], random.u8(0..5)))
    };
    made.weight = random.u32(0..6);
    made.tier = random.u32(0..3);
    made.pause_until = (random.u8(0..6) == 0).then(|| NOW + random.u64(0..3) - 1);
    made.price = random.bool().then(|| price(random.i64(0..50), random.i64(0..50)).into());
    if random.u8(0..3) == 0 {
        made.tags = vec!["eu".into()];
    }
    made
}

fn any_models(random: &mut Rng) -> Vec<Model> {
    let count = random.usize(1..6);
    let of = |random: &mut Rng, index: usize, most| {
        (0..random.usize(0..most)).map(|_| any_target(random, index, count)).collect::<Vec<_>>()
    };
    (0..count)
        .map(|index| {
            let strategy = balance::ALL[random.usize(0..balance::ALL.len())].name();
            let mut own = of(random, index, 6);
            own.push(any_target(random, index, count));
            let mut fallback = of(random, index, 3);
            fallback.iter_mut().for_each(|target| (target.weight, target.pause_until) = (1, None));
            model(&format!("m{index}"), strategy, own, fallback)
        })
        .collect()
}

fn any_wishes(random: &mut Rng, models: usize) -> Option<Wishes> {
    if random.bool() {
        return None;
    }
    let words = ["a", "b", "c/1", "eu", "nobody"];
    Some(Wishes {
        models: (0..random.usize(0..3)).map(|_| format!("m{}", random.usize(0..models))).collect(),
        order: some(random, &words),
        only: (random.u8(0..4) == 0).then(|| some(random, &words)),
        ignore: some(random, &words),
        sort: [None, Some(Sort::Price), Some(Sort::Latency), Some(Sort::Throughput)][random.usize(0..4)],
        max_prompt: (random.u8(0..4) == 0).then(|| Micros(random.i64(0..50))),
        max_completion: None,
        max_request: None,
        no_fallbacks: random.u8(0..4) == 0,
        require_parameters: random.bool(),
    })
}

/// Requests that run, and answers of before.
fn any_fleet(random: &mut Rng, fleet: &Fleet, now: Instant) -> Vec<Running> {
    let care = Care::default();
    let mut running = Vec::new();
    for _ in 0..random.usize(0..12) {
        let provider = Arc::from(PROVIDERS[random.usize(0..4)]);
        let state = fleet.target(&provider, &random.u8(0..5).to_string());
        // Some fail so often that they rest or go behind the others.
        for _ in 0..[0, 0, 0, 3, 40][random.usize(0..5)] {
            if let Ok(failed) = state.begin(&care, Entry::Regular, now) {
                let kind = [Kind::Provider, Kind::Timeout, Kind::ModelNotFound][random.usize(0..3)];
                failed.failed(&GatewayError::upstream(kind, "no"), now);
            }
        }
        let Ok(began) = state.begin(&care, Entry::Regular, now) else { continue };
        if random.bool() {
            began.answered(Duration::from_millis(random.u64(1..900)), now);
        }
        if random.bool() {
            running.push(began);
        }
    }
    running
}

#[test]
fn what_is_explained_is_what_is_planned() {
    let (mut planned, mut refused, mut rested, mut longest) = (0, 0, 0, 0);
    for seed in 0..1_500 {
        let mut random = Rng::with_seed(seed);
        let models = any_models(&mut random);
        let count = models.len();
        let table = Table::new(models);
        let mut asked = Asked::of(&table);
        let _running = any_fleet(&mut random, &asked.fleet, asked.instant);
        for _ in 0..6 {
            asked.seed = random.u64(..);
            asked.wishes = any_wishes(&mut random, count);
            let name = format!("m{}", random.usize(0..count));
            let explained = asked.plan(&name, Turns::Untouched);
            let again = asked.plan(&name, Turns::Untouched);
            let taken = asked.plan(&name, Turns::Taken);
            match (explained, again, taken) {
                (Ok(explained), Ok(again), Ok(taken)) => {
                    for plan in [&again, &taken] {
                        assert_eq!(names(&explained.steps), names(&plan.steps), "{seed}");
                        assert_eq!(names(&explained.fallback), names(&plan.fallback), "{seed}");
                        assert_eq!(passed(&explained), passed(plan), "{seed}");
                    }
                    let steps = names(&taken.steps);
                    let distinct: HashSet<_> = steps.iter().collect();
                    let nested = taken.model.targets.iter().any(|target| target.provider().is_none());
                    assert!(!nested || distinct.len() == steps.len(), "{seed}: {steps:?}");
                    let regular = |step: &&Step| step.entry == Entry::Regular;
                    let told = explained.steps.iter().filter(regular).all(|step| step.told.is_some());
                    assert!(told, "{seed}");
                    rested +=
                        usize::from(passed(&taken).iter().any(|told| told.contains("it rests for another")));
                    assert!(taken.steps.iter().all(|step| step.told.is_none()), "{seed}");
                    planned += 1;
                    longest = longest.max(steps.len());
                }
                (Err(explained), Err(_), Err(taken)) => {
                    assert_eq!(explained.to_string(), taken.to_string(), "{seed}");
                    refused += 1;
                }
                _ => panic!("{seed}: one of them is refused and the others are not"),
            }
        }
    }
    assert!(planned > 5_000 && refused > 100, "{planned} {refused}");
    assert!(rested > 100 && longest > 8, "{rested} {longest}");
}

/// Without wishes no target stands before one of a lower tier, and nobody is asked who is drained or paused.
#[test]
fn tiers_are_never_mixed_and_rests_are_kept() {
    let mut compared = 0;
    for seed in 0..600 {
        let mut random = Rng::with_seed(seed);
        let table = Table::new(any_models(&mut random));
        let asked = Asked::of(&table);
        let plan = asked.plan("m0", Turns::Untouched).expect("no wishes, no refusal");
        // A target that is listed twice has no one tier.
        let mut tiers = Vec::new();
        for step in &plan.steps {
            let told = step.told.as_ref().expect("it is explained");
            if told.within.is_empty() {
                tiers.push(told.tier);
            }
        }
        compared += tiers.len().saturating_sub(1);
        assert!(tiers.is_sorted(), "{seed}: {tiers:?}");
        for own in &plan.model.targets {
            let rests = own.weight == 0 || own.pause_until.is_some_and(|until| until > NOW);
            let told = plan.passed_over.len();
            assert!(!rests || own.provider().is_none() || told > 0, "{seed}");
        }
    }
    assert!(compared > 500, "{compared}");
}
