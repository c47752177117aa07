//! What a guest may call: log, and nothing else.

use super::sandbox::Confined;
use super::since_v0_1_0::contract::causeway::adapter::host::{Host, Level};

const LONGEST_LINE: usize = 1024;

impl Host for Confined {
    fn log(&mut self, level: Level, message: String) {
        if self.log_lines_left == 0 {
            return;
        }
        self.log_lines_left -= 1;
        let end =
            (0..=message.len().min(LONGEST_LINE)).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        let said = message[..end].escape_debug().to_string();
        let adapter = self.adapter.as_str();
        match level {
            Level::Debug => tracing::debug!(adapter, said, "adapter says"),
            Level::Info => tracing::info!(adapter, said, "adapter says"),
            Level::Warn => tracing::warn!(adapter, said, "adapter says"),
            Level::Error => tracing::error!(adapter, said, "adapter says"),
        }
    }
}

impl super::since_v0_1_0::contract::causeway::adapter::types::Host for Confined {}
