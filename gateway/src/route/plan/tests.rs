//! Tiers, models among targets, addresses, wishes; and that an explanation is what then happens.

use std::time::{Duration, Instant};

use http::{HeaderMap, Method};

use crate::balance;
use crate::config::{Cache, Capabilities, Empty, Lossy, Statuses, Sticky, TimeoutOverrides};
use crate::domain::{
    Asks, Destination, Envelope, LazyAsks, Micros, ModelFacts, ModelPrice, Operation, Pattern, Price,
    PriceBook, RequestHead, Rules, Target, VirtualKey, Wishes,
};
use crate::error::GatewayError;
use crate::route::{Care, Clues, Facts, Fleet, Memories, Model, Plan, Question, Retry, Step, Table, Turns};

mod addresses;
mod nested;
mod properties;
mod wishes;

const NOW: u64 = 1_800_000_000;

fn model(name: &str, balance: &str, targets: Vec<Target>, fallback: Vec<Target>) -> Model {
    Model {
        name: name.into(),
        targets,
        balance: balance::named(balance).unwrap_or_else(|| panic!("`{balance}` is a strategy")),
        memory: parking_lot::Mutex::new(Memories::default()),
        sticky: Sticky::Off,
        care: Care::default(),
        hedge: None,
        fallback,
        on_content_policy: Vec::new(),
        on_context_length: Vec::new(),
        empty: Empty::default(),
        keep_alive: Duration::ZERO,
        retry: Retry {
            attempts: 3,
            on: Vec::new(),
            failover: Statuses::default(),
            sent: true,
            first_wait: Duration::ZERO,
            longest_wait: Duration::ZERO,
        },
        lossy: Lossy::Allow,
        cache: Cache::Off,
        reuse: None,
        single_flight: false,
        rules: Rules::default(),
        timeouts: TimeoutOverrides::default(),
        facts: ModelFacts::default(),
        when: None,
        capabilities: Capabilities::default(),
    }
}

/// `provider/model`, or the name of a model; then ` w` with a weight and ` t` with a tier.
fn target(text: &str) -> Target {
    let mut words = text.split(' ');
    let name = words.next().expect("a name");
    let to = match name.split_once('/') {
        Some((provider, model)) => {
            Destination::Provider { provider: provider.into(), model: model.to_owned() }
        }
        None => Destination::Model(name.into()),
    };
    let mut target = Target::to(to);
    for word in words {
        let number = word[1..].parse().expect("a number");
        match &word[..1] {
            "w" => target.weight = number,
            "t" => target.tier = number,
            other => panic!("`{other}` says nothing"),
        }
    }
    target
}

fn targets(texts: &[&str]) -> Vec<Target> {
    texts.iter().map(|text| target(text)).collect()
}

fn price(input: i64, output: i64) -> Price {
    let base = ModelPrice { input: Micros(input), output: Micros(output), ..ModelPrice::default() };
    Price::new(base, Micros(0), Vec::new())
}

fn key(models: Option<&[&str]>) -> VirtualKey {
    let models = models.map(|models| models.iter().map(|name| Pattern::new(*name)).collect());
    VirtualKey { models, preferences: true, ..VirtualKey::named("k") }
}

/// One question to a table.
struct Asked<'a> {
    table: &'a Table,
    key: VirtualKey,
    fleet: Fleet,
    wishes: Option<Wishes>,
    instant: Instant,
    now: u64,
    seed: u64,
}

impl<'a> Asked<'a> {
    fn of(table: &'a Table) -> Self {
        let instant = Instant::now();
        Self { table, key: key(None), fleet: Fleet::default(), wishes: None, instant, now: NOW, seed: 1 }
    }

    fn plan(&self, asked: &str, turns: Turns) -> Result<Plan, GatewayError> {
        let head = RequestHead {
            method: Method::POST,
            path: "/v1/chat/completions".to_owned(),
            query: None,
            headers: HeaderMap::new(),
        };
        let envelope = Envelope::whole(bytes::Bytes::new(), asked.to_owned(), None);
        let asks: LazyAsks<'_> =
            LazyAsks::new(Box::new(|| Asks { input_tokens: 1_000, ..Asks::of(&envelope, Operation::Chat) }));
        let facts = Facts { asks: &asks, dialect: "openai-chat", session: None, now: self.now };
        let (key, wishes, seed) = (&self.key, self.wishes.as_ref(), self.seed);
        let clues = Clues::default();
        let question = Question { key, asked, head: &head, now: self.instant, clues, facts, wishes, seed };
        self.table.plan(&question, &self.fleet, turns)
    }

    /// The steps of a request's own plan, by their names.
    fn steps(&self, asked: &str) -> Vec<String> {
        names(&self.plan(asked, Turns::Taken).unwrap_or_else(|error| panic!("{asked}: {error}")).steps)
    }
}

fn names(steps: &[Step]) -> Vec<String> {
    steps.iter().map(|step| format!("{}/{}", step.provider, step.model)).collect()
}

fn passed(plan: &Plan) -> Vec<String> {
    let told = |(step, why): &(Step, super::Why)| format!("{}/{}: {why}", step.provider, step.model);
    plan.passed_over.iter().map(told).collect()
}

#[test]
fn a_whole_tier_stands_before_the_next() {
    let table = Table::new([model(
        "m",
        "weighted",
        targets(&["a/1 w5", "b/2 t2", "c/3 t1 w9", "d/4 t1", "e/5 w0"]),
        targets(&["f/6"]),
    )]);
    let mut asked = Asked::of(&table);
    for seed in 0..50 {
        asked.seed = seed;
        let plan = asked.plan("m", Turns::Taken).expect("a plan");
        let names = names(&plan.steps);
        assert_eq!((names[0].as_str(), names[3].as_str()), ("a/1", "b/2"), "{names:?}");
        assert!(names[1..3].contains(&"c/3".to_owned()), "{names:?}");
        assert_eq!(super::super::explain::name(&plan.fallback[0]), "f/6");
        assert_eq!(passed(&plan), ["e/5: its weight is 0"]);
    }
}

#[test]
fn a_paused_target_comes_back_by_itself() {
    let mut paused = target("a/1");
    paused.pause_until = Some(NOW);
    let table = Table::new([model("m", "priority", vec![paused, target("b/2")], vec![])]);
    let mut asked = Asked::of(&table);
    asked.now = NOW - 1;
    let plan = asked.plan("m", Turns::Taken).expect("a plan");
    assert_eq!(names(&plan.steps), ["b/2"]);
    assert_eq!(passed(&plan), ["a/1: it is paused until 2027-01-15T08:00:00Z"]);
    asked.now = NOW;
    assert_eq!(asked.steps("m"), ["a/1", "b/2"]);
}

#[test]
fn a_request_goes_where_it_costs_least() {
    let mut own = target("a/1");
    own.price = Some(price(9, 9).into());
    let prices = [("a", "1", 1, 1), ("b", "2", 4, 1), ("c", "*", 1, 8)];
    let prices = prices
        .map(|(provider, model, input, output)| (provider.into(), model.to_owned(), price(input, output)));
    let all = vec![own, target("b/2"), target("c/3"), target("d/4")];
    let table = Table::new([model("m", "cheapest", all, vec![])]).priced(PriceBook::of(prices));
    // 1,000 tokens in, 512 out: 13,608 for a, 4,512 for b, 5,096 for c.
    assert_eq!(Asked::of(&table).steps("m"), ["b/2", "c/3", "a/1", "d/4"]);
}

/// Turns that nobody takes do not count: the second tier has its own round.
#[test]
fn each_tier_takes_its_own_turns() {
    let table = Table::new([model("m", "round-robin", targets(&["a/1", "b/2", "c/3 t1", "d/4 t1"]), vec![])]);
    let asked = Asked::of(&table);
    assert_eq!(asked.steps("m"), ["a/1", "b/2", "c/3", "d/4"]);
    assert_eq!(asked.steps("m"), ["b/2", "a/1", "d/4", "c/3"]);
    asked.plan("m", Turns::Untouched).expect("a plan");
    assert_eq!(asked.steps("m"), ["a/1", "b/2", "c/3", "d/4"]);
}
