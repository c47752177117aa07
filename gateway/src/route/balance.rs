//! The strategies that order a model's targets.

use crate::domain::Target;

/// Random by weight, without putting back: the first is drawn by its share, the rest stand ready behind it.
/// Targets of weight 0 are drained: they are not tried at all. `random(bound)` gives `0..bound`.
pub(super) fn weighted<'a>(targets: &'a [Target], random: &mut dyn FnMut(u32) -> u32) -> Vec<&'a Target> {
    let mut left: Vec<_> = targets.iter().filter(|target| target.weight > 0).collect();
    let mut order = Vec::with_capacity(left.len());
    while left.len() > 1 {
        let sum = left.iter().map(|target| target.weight).sum();
        let mut drawn = random(sum);
        let at = left
            .iter()
            .position(|target| {
                let hit = drawn < target.weight;
                drawn = drawn.saturating_sub(target.weight);
                hit
            })
            .unwrap_or(0);
        order.push(left.remove(at));
    }
    order.extend(left);
    order
}
