//! The one wasmtime engine: pooling, epochs, compile cache.

use std::path::Path;
use std::time::Duration;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel,
    PoolingAllocationConfig,
};

use crate::error::{GatewayError, Kind};

/// How often a running guest is asked whether its time is up.
const TICK: Duration = Duration::from_millis(5);

/// Largest linear memory a slot can hold: the default limit plus four times the largest body.
const SLOT_MEMORY: usize = 1 << 30;

/// What is compiled once per process: the engine and the thread that moves its epoch.
#[derive(Clone)]
pub struct Runtime {
    pub(super) engine: Engine,
}

impl Runtime {
    /// Starts the engine. `cache` is the folder of compiled adapters, keyed by content, engine version,
    /// settings and CPU; it holds native code, so only its owner may write there. `None`: compile each time.
    ///
    /// # Errors
    /// When no engine can be made on this machine.
    pub fn start(cache: Option<&Path>) -> Result<Self, GatewayError> {
        // Thousands of open streams hold an instance each. Slots are address space, not memory; where a
        // machine grants less of it, fewer slots will do.
        let mut why = String::new();
        let engine = [12_000, 1_000, 100, 10]
            .into_iter()
            .find_map(|slots| {
                let made = Engine::new(&settings(slots, cache));
                made.inspect_err(|error| why = format!("{error:#}")).ok()
            })
            .ok_or_else(|| {
                GatewayError::gateway(Kind::Internal, "no wasm engine can be made on this machine")
                    .context(why)
            })?;
        let pulse = engine.weak();
        std::thread::Builder::new()
            .name("adapter-epoch".to_owned())
            .spawn(move || {
                while let Some(engine) = pulse.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(TICK);
                }
            })
            .map_err(|error| {
                GatewayError::gateway(Kind::Internal, format!("no thread for the epoch: {error}"))
            })?;
        Ok(Self { engine })
    }
}

fn settings(slots: u32, cache: Option<&Path>) -> Config {
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(slots)
        .total_core_instances(slots)
        .total_memories(slots)
        .total_tables(slots)
        .max_memory_size(SLOT_MEMORY)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_core_instances_per_component(8)
        .max_memories_per_component(4)
        .max_tables_per_component(8)
        // Without pagemap_scan a large keep_resident writes every byte of the slot.
        .linear_memory_keep_resident(256 << 10)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    if let Some(cache) = cache.and_then(open_cache) {
        config.cache(Some(cache));
    }
    config
}

fn open_cache(folder: &Path) -> Option<Cache> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).ok()?;
    let mut settings = CacheConfig::new();
    settings.with_directory(folder.canonicalize().ok()?);
    Cache::new(settings).ok()
}
