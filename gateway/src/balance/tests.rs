//! Distributions and exact sequences.

use super::{Candidate, Memory, Turn, named};

fn candidates(weights: &[u32]) -> Vec<Candidate> {
    let candidate = |(place, weight): (usize, &u32)| Candidate {
        place,
        weight: *weight,
        success: 1.0,
        ..Candidate::default()
    };
    weights.iter().enumerate().map(candidate).collect()
}

#[test]
fn weights_hold_over_ten_thousand_draws() {
    let candidates = candidates(&[70, 30]);
    let weighted = named("weighted").expect("it is in the list");
    let mut first = 0;
    let mut random = fastrand::Rng::with_seed(7);
    let mut memory = Memory::default();
    for _ in 0..10_000 {
        let mut draw = |bound| random.u32(0..bound);
        let order = weighted.order(&candidates, &mut Turn { random: &mut draw, memory: &mut memory });
        assert_eq!(order.len(), 2);
        first += u32::from(order[0] == 0);
    }
    // Four standard deviations around 7,000.
    assert!((6_817..=7_183).contains(&first), "{first}");
}
