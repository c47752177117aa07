//! The key of a conversation: the same one again and again, and few conversations move when keys come and go.

use super::mixed;

/// How many points are looked at: the more, the more evenly conversations spread.
const PROBES: u64 = 8;
/// Up to here every key is compared.
const FEW: usize = 64;

/// The keys by digest, as points on a circle.
#[derive(Debug)]
pub(super) struct Circle(Vec<(u64, u32)>);

impl Circle {
    /// Of digest and index.
    pub(super) fn new(mut points: Vec<(u64, u32)>) -> Self {
        points.sort_unstable();
        Self(points)
    }

    /// The index of a digest.
    pub(super) fn index(&self, digest: u64) -> Option<u32> {
        let at = self.0.binary_search_by_key(&digest, |(digest, _)| *digest).ok()?;
        self.0.get(at).map(|(_, index)| *index)
    }

    /// The keys a conversation prefers, best first. Few keys are all ranked by their digest mixed with the conversation's
    /// (rendezvous hashing); of many, those next behind a few points (multi-probe consistent hashing, arXiv:1505.00062).
    pub(super) fn preferred(&self, conversation: u64) -> impl Iterator<Item = u32> + use<> {
        let mut ranked: Vec<(u64, u32)> = if self.0.len() <= FEW {
            self.0
                .iter()
                .map(|(digest, index)| (mixed(conversation ^ digest.rotate_left(17)), *index))
                .collect()
        } else {
            (0..PROBES)
                .filter_map(|probe| self.behind(mixed(conversation.wrapping_add(mixed(probe)))))
                .collect()
        };
        ranked.sort_unstable();
        ranked.into_iter().take(usize::try_from(PROBES).unwrap_or(1)).map(|(_, index)| index)
    }

    /// How far behind a point the next key is, and which it is.
    fn behind(&self, point: u64) -> Option<(u64, u32)> {
        let at = self.0.partition_point(|(digest, _)| *digest < point);
        let (digest, index) = self.0.get(at).or_else(|| self.0.first())?;
        Some((digest.wrapping_sub(point), *index))
    }
}
