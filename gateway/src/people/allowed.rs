//! How much may be asked and spent, as it is written down.

use serde::{Deserialize, Serialize};

use crate::domain::Rate;

/// How much may be asked and spent. What is not given is not limited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allowed {
    /// Requests per window; all windows count.
    pub requests: Vec<Rate>,
    /// Tokens per window, prompt and answer together; all windows count.
    pub tokens: Vec<Rate>,
    /// Requests at the same time.
    pub concurrent: Option<u32>,
}
