//! Where a figure was made.

use std::fmt;
use std::fs;

use serde::{Deserialize, Serialize};

/// What must be said beside every figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_bytes: u64,
    pub kernel: String,
    pub system: String,
    /// A virtual machine has neighbours.
    pub is_virtual: bool,
    /// How the clock of the processor is chosen, where the kernel says.
    pub governor: Option<String>,
    /// Mean number of programs that wanted to run in the last minute.
    pub load: f64,
}

impl Machine {
    /// The machine this runs on, now.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (processor, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let kilobytes = value(&memory, "MemTotal:").and_then(|text| text.split(' ').next()?.parse().ok());
        let model = ["model name", "Model", "CPU part"].iter().find_map(|name| value(&processor, name));
        let name = value(&read("/etc/os-release"), "PRETTY_NAME=");
        Self {
            processor: model.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes.unwrap_or(0_u64) * 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            system: name.unwrap_or_else(|| std::env::consts::OS.to_owned()),
            is_virtual: processor.contains(" hypervisor"),
            governor: fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
                .ok()
                .map(|governor| governor.trim().to_owned()),
            load: read("/proc/loadavg").split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0),
        }
    }
}

/// What stands behind a name, in lines of `name : value`.
fn value(text: &str, name: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(
        rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ':')
            .trim_matches('"')
            .to_owned(),
    )
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gibibytes = self.memory_bytes as f64 / f64::from(1 << 30);
        let kind = if self.is_virtual { " (virtual machine)" } else { "" };
        let cores = if self.cores == 1 { "core" } else { "cores" };
        write!(
            formatter,
            "{}{kind}, {} {cores}, {gibibytes:.0} GiB, {}, Linux {}, load {:.1}",
            self.processor, self.cores, self.system, self.kernel, self.load
        )?;
        self.governor.as_ref().map_or(Ok(()), |governor| write!(formatter, ", governor {governor}"))
    }
}
