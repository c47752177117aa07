//! What each Claude takes, judged by its name. Names that are not Claude's get the most widely understood form.

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// It cannot.
    Never,
    /// `enabled` with a budget.
    Budget,
    /// `enabled` with a budget, or `adaptive`.
    Either,
    /// Only `adaptive`.
    Adaptive,
}

/// What is known about a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    is_claude: bool,
    /// Major and minor; newest when a Claude's name tells none.
    version: (u32, u32),
}

const NEWEST: (u32, u32) = (u32::MAX, 0);

impl Model {
    /// `claude-3-7-sonnet-20250219`, `claude-sonnet-4-5`, `anthropic/claude-opus-4.7`, `claude-opus-5@20261001`, …
    pub(crate) fn named(name: &str) -> Self {
        let Some((_, after)) = name.split_once("claude-") else {
            return Self { is_claude: name.contains("claude"), version: NEWEST };
        };
        let mut version = after.split(['-', '.', '@', ':']).map(|word| match word.len() {
            // Longer numbers are dates.
            1 | 2 => word.parse::<u32>().ok(),
            _ => None,
        });
        // The family's name stands before the version (`sonnet-4-5`) or behind it (`3-5-sonnet`).
        let first = version.next().flatten();
        let major = first.or_else(|| version.next().flatten());
        let minor = version.next().flatten();
        Self { is_claude: true, version: major.map_or(NEWEST, |major| (major, minor.unwrap_or(0))) }
    }

    fn since(self, major: u32, minor: u32) -> bool {
        self.is_claude && self.version >= (major, minor)
    }

    /// How it is told to think.
    pub(crate) fn thinking(self) -> Thinking {
        match self.version {
            _ if !self.is_claude => Thinking::Budget,
            version if version >= (4, 7) => Thinking::Adaptive,
            version if version >= (4, 6) => Thinking::Either,
            version if version >= (3, 7) => Thinking::Budget,
            _ => Thinking::Never,
        }
    }

    /// It thinks unless told not to.
    pub(crate) fn thinks_by_default(self) -> bool {
        self.since(5, 0)
    }

    /// It takes `output_config.effort` without a beta header.
    pub(crate) fn takes_effort(self) -> bool {
        self.since(4, 6)
    }

    /// It knows the effort `xhigh`.
    pub(crate) fn takes_xhigh(self) -> bool {
        self.since(4, 7)
    }

    /// It takes `temperature`, `top_p` and `top_k`.
    pub(crate) fn takes_sampling(self) -> bool {
        !self.since(4, 7)
    }

    /// It takes `temperature` together with `top_p`.
    pub(crate) fn takes_both_samplings(self) -> bool {
        !self.since(4, 1)
    }

    /// It shows its thinking only when asked to.
    pub(crate) fn hides_thinking(self) -> bool {
        self.since(4, 7)
    }

    /// It takes `output_config.format`.
    pub(crate) fn takes_format(self) -> bool {
        !self.is_claude || self.since(4, 5)
    }

    /// The output cap for clients that set none: what the model can write, within reason.
    pub(crate) fn default_max_tokens(self) -> u64 {
        match self.version {
            _ if !self.is_claude => 4096,
            version if version >= (3, 7) => 32_000,
            version if version >= (3, 5) => 8192,
            _ => 4096,
        }
    }
}

#[cfg(test)]
mod tests;
