//! Where a conversation is at home.

use super::Planner;
use crate::domain::Destination;
use crate::domain::target::model_for;
use crate::route::affinity::Place;
use crate::route::{Affinity, Conversation, Model, Reading};

impl<'p> Planner<'p> {
    /// What came of keeping the conversation in its place. Its home is also one that may not be asked now: the conversation
    /// comes back to it.
    pub(super) fn affinity(&self, reading: &Reading<'p>) -> Affinity {
        let home =
            |conversation| Some((conversation, self.home(reading.model, &reading.sent, conversation, 0)?));
        match self.conversation.and_then(home) {
            Some((conversation, home)) => Affinity::Known { conversation, home },
            None => Affinity::Unknown,
        }
    }

    fn home(
        &self,
        model: &'p Model,
        asked: &str,
        conversation: Conversation,
        depth: usize,
    ) -> Option<String> {
        let serving = || model.targets.iter().filter(|target| target.weight > 0);
        let tier = serving().map(|target| target.tier).min()?;
        let first: Vec<_> = serving().filter(|target| target.tier == tier).collect();
        let names: Vec<(&str, String)> = first
            .iter()
            .map(|target| match &target.to {
                Destination::Provider { provider, model } => {
                    (provider.as_ref(), model_for(provider, model, asked))
                }
                Destination::Model(name) => ("", name.to_string()),
            })
            .collect();
        let places = first.iter().zip(&names).map(|(target, (provider, model))| Place {
            provider,
            model,
            weight: target.weight,
            in_flight: 0,
        });
        let at = conversation.home(places)?;
        match names.get(at)? {
            ("", name) => {
                let (model, asked) = self.inner(name, asked, depth)?;
                self.home(model, &asked, conversation, depth + 1)
            }
            (provider, model) => Some(format!("{provider}/{model}")),
        }
    }
}
