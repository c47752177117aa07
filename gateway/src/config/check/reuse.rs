//! Checks of `[models.*.reuse]` and `[routing]`.

use super::Check;
use crate::config::tree::Route;
use crate::domain::{ByteSize, Timespan};

impl Check<'_> {
    pub(super) fn reuse(&mut self) {
        for (name, model) in &self.config.models {
            let Some(reuse) = &model.reuse else { continue };
            let route = Route::keys(&["models", name, "reuse"]);
            self.bounds(&route, reuse.ttl, reuse.max_answer, "leave `reuse` out to keep nothing");
            if reuse.max_answer > self.config.routing.reuse_size {
                let message = format!(
                    "an answer of {} does not fit into the {} of `routing.reuse_size`",
                    reuse.max_answer, self.config.routing.reuse_size
                );
                self.report(&route.key("max_answer"), message, "larger than all together", None);
            }
        }
        let idempotency = self.config.routing.idempotency;
        let route = Route::keys(&["routing", "idempotency"]);
        let help = "`enabled = false` switches it off";
        self.bounds(&route, idempotency.ttl, idempotency.max_answer, help);
    }

    fn bounds(&mut self, route: &Route, ttl: Timespan, max_answer: ByteSize, help: &str) {
        if ttl == Timespan::default() {
            let message = "an answer that is kept for no time is of no use";
            self.report(&route.key("ttl"), message, "zero", Some(help.to_owned()));
        }
        if max_answer == ByteSize::default() {
            let message = "no answer is as small as that";
            self.report(&route.key("max_answer"), message, "zero", Some(help.to_owned()));
        }
    }
}
