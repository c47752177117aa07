//! What a node remembers for the time when the shared counters are lost: what it has seen, what it was given, what it
//! spent.

use std::collections::{HashMap, VecDeque};
use std::vec::IntoIter;

use super::super::{Hold, Part, Place, Rule, Settle, Settled, Standing, Unit};
use crate::domain::Cost;

/// So many counters and open holds are remembered; of more, those go that were not touched for longest.
const MOST: usize = 100_000;

pub(super) struct State {
    places: HashMap<Place, Seen>,
    /// Held by the shared counters, not settled.
    open: HashMap<String, Open>,
    /// Held by this node alone, not settled: their parts of money.
    leased: HashMap<String, Vec<Part>>,
    /// Spent without the counters, not booked.
    owed: HashMap<Place, (Part, Cost)>,
    bookings: VecDeque<Booking>,
    /// Holds of which nobody knows whether they came to be; they are to be settled with nothing.
    doubtful: VecDeque<String>,
    emptied: u64,
}

/// A counter of money as this node saw it last.
struct Seen {
    part: Part,
    spent: i64,
    /// What this node may still spend without the counters.
    given: i64,
    at: u64,
}

struct Open {
    parts: Vec<Part>,
    emptied: u64,
    at: u64,
}

/// Something that was spent without the counters.
#[derive(Clone)]
pub(super) struct Booking {
    pub(super) id: String,
    pub(super) part: Part,
    pub(super) cost: Cost,
    /// The first of two steps is done.
    pub(super) is_held: bool,
}

impl State {
    pub(super) fn new(emptied: u64) -> Self {
        Self {
            places: HashMap::new(),
            open: HashMap::new(),
            leased: HashMap::new(),
            owed: HashMap::new(),
            bookings: VecDeque::new(),
            doubtful: VecDeque::new(),
            emptied,
        }
    }

    /// A counter was seen. Where there is room, and nothing waits to be booked, the node is given a slice.
    pub(super) fn saw(&mut self, part: &Part, standing: &Standing, slice: i64, now: u64) {
        if part.unit != Unit::Money {
            return;
        }
        let spent = standing.used.saturating_sub(standing.held);
        let left = standing.limit.saturating_sub(standing.used).max(0);
        let owes = self.owes(&part.place);
        let seen = self.places.entry(part.place.clone()).or_insert_with(|| Seen {
            part: part.clone(),
            spent,
            given: 0,
            at: now,
        });
        seen.part.rule = part.rule;
        (seen.spent, seen.at) = (spent, now);
        if !owes {
            seen.given = slice.min(left);
        }
        if self.places.len() > MOST {
            let middle = median(self.places.values().map(|seen| seen.at));
            self.places.retain(|_, seen| seen.at > middle);
        }
    }

    fn owes(&self, place: &Place) -> bool {
        let leased = || self.leased.values().flatten().any(|part| part.place == *place);
        self.owed.contains_key(place) || self.bookings.iter().any(|it| it.part.place == *place) || leased()
    }

    /// The shared counters hold it.
    pub(super) fn opened(&mut self, hold: Hold, now: u64) {
        let parts: Vec<Part> = money(hold.parts).collect();
        if parts.is_empty() {
            return;
        }
        self.open.insert(hold.id, Open { parts, emptied: self.emptied, at: now });
        if self.open.len() > MOST {
            let middle = median(self.open.values().map(|open| open.at));
            self.open.retain(|_, open| open.at > middle);
        }
    }

    /// The shared counters have settled it. What they had forgotten is booked.
    pub(super) fn settled(&mut self, settle: &Settle, settled: &mut Settled) {
        for spent in &settled.money {
            if let Some(seen) = self.places.get_mut(&spent.place) {
                seen.spent = spent.after;
            }
        }
        let Some(open) = self.open.remove(&settle.id) else { return };
        if !settled.known && open.emptied != self.emptied {
            settled.known = true;
            for part in open.parts {
                let cost = settle.cost.unwrap_or_else(|| held(&part));
                self.owe(part, cost);
            }
        }
    }

    /// Takes what a hold needs from what this node was given; false: it is not enough, and nothing was taken.
    pub(super) fn lease(&mut self, hold: &Hold, is_limited: impl Fn(&Part) -> bool) -> bool {
        let parts: Vec<Part> = money(hold.parts.iter().cloned()).collect();
        let given = |place: &Place| self.places.get(place).map_or(0, |seen| seen.given);
        if parts.iter().any(|part| is_limited(part) && signed(part.amount) > given(&part.place)) {
            return false;
        }
        for part in &parts {
            if let Some(seen) = self.places.get_mut(&part.place) {
                seen.given = seen.given.saturating_sub(signed(part.amount));
            }
        }
        if self.doubtful.len() < MOST {
            self.doubtful.push_back(hold.id.clone());
        }
        self.leased.insert(hold.id.clone(), parts);
        true
    }

    /// Ends what this node held alone; `None`: it did not.
    pub(super) fn end_lease(&mut self, settle: &Settle) -> Option<Settled> {
        let parts = self.leased.remove(&settle.id)?;
        let mut settled = Settled { known: true, ..Settled::default() };
        for part in parts {
            let cost = settle.cost.unwrap_or_else(|| held(&part));
            if let Some(seen) = self.places.get_mut(&part.place) {
                let unused = signed(part.amount).saturating_sub(signed(cost.ceiling()));
                seen.given = seen.given.saturating_add(unused);
            }
            settled.overrun = settled.overrun.max(cost.ceiling().saturating_sub(part.amount));
            self.owe(part, cost);
        }
        Some(settled)
    }

    fn owe(&mut self, part: Part, cost: Cost) {
        if cost == Cost(0) {
            return;
        }
        let (_, owed) = self.owed.entry(part.place.clone()).or_insert_with(|| (part, Cost(0)));
        *owed = owed.plus(cost);
    }

    /// How the parts of a hold stand: money by what is left of the slice, the rest as this node counted it.
    pub(super) fn standings(&self, parts: &[Part], own: &mut IntoIter<Standing>) -> Vec<Standing> {
        let one = |part: &Part| match part.rule {
            Rule::Money { limit, .. } => {
                let given = self.places.get(&part.place).map_or(0, |seen| seen.given);
                Some(Standing {
                    place: part.place.clone(),
                    unit: part.unit,
                    limit,
                    used: limit.saturating_sub(given),
                    held: signed(part.amount),
                    reset: None,
                })
            }
            _ => own.next(),
        };
        parts.iter().filter_map(one).collect()
    }

    /// One of which nobody knows whether it was held.
    pub(super) fn doubtful(&self) -> Option<String> {
        self.doubtful.front().cloned()
    }

    /// It is not held any more.
    pub(super) fn is_sure(&mut self, id: &str) {
        self.doubtful.retain(|other| other != id);
    }

    /// What is to be booked next. It keeps its id until it is, so that it is booked once.
    pub(super) fn booking(&mut self) -> Option<Booking> {
        if self.bookings.is_empty() {
            for (_, (part, cost)) in self.owed.drain() {
                let id = format!("lease-{}", ulid::Ulid::generate());
                self.bookings.push_back(Booking { id, part, cost, is_held: false });
            }
        }
        self.bookings.front().cloned()
    }

    pub(super) fn is_begun(&mut self, id: &str) {
        if let Some(booking) = self.bookings.iter_mut().find(|booking| booking.id == id) {
            booking.is_held = true;
        }
    }

    pub(super) fn is_booked(&mut self, id: &str) {
        self.bookings.retain(|booking| booking.id != id);
    }

    /// What this node has seen of budgets, when the counters were emptied since it said so last.
    pub(super) fn seen(&self, emptied: u64) -> Option<Vec<(Part, i64)>> {
        let seen = || self.places.values().map(|seen| (seen.part.clone(), seen.spent)).collect();
        (emptied != self.emptied).then(seen)
    }

    pub(super) fn was_said(&mut self, emptied: u64) {
        self.emptied = emptied;
        // What was begun is forgotten with the counters.
        for booking in &mut self.bookings {
            booking.is_held = false;
        }
    }
}

fn money(parts: impl IntoIterator<Item = Part>) -> impl Iterator<Item = Part> {
    parts.into_iter().filter(|part| part.unit == Unit::Money)
}

/// As much as was held.
fn held(part: &Part) -> Cost {
    Cost(part.amount.saturating_mul(1_000_000))
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn median(times: impl Iterator<Item = u64>) -> u64 {
    let mut times: Vec<u64> = times.collect();
    let middle = times.len() / 2;
    if times.is_empty() { 0 } else { *times.select_nth_unstable(middle).1 }
}
