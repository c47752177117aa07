//! What an adapter is, said by the very engine that would run it.

use std::path::Path;
use std::process::ExitCode;

use crate::adapter::{Limits, Registry, Runtime, Source};

pub(super) fn inspect(file: &Path) -> ExitCode {
    match describe(file) {
        Ok(text) => {
            super::say(&text);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            super::complain(&[problem]);
            ExitCode::FAILURE
        }
    }
}

fn describe(file: &Path) -> Result<String, String> {
    let shown = file.display().to_string();
    let bundled = Registry::bundled().any(|name| name == shown);
    let source = if bundled { Source::Bundled } else { Source::File { path: file.to_owned(), digest: None } };
    let name = if bundled {
        shown.as_str()
    } else {
        file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("adapter")
    };
    let runtime = Runtime::start(None).map_err(|error| error.message)?;
    let loaded =
        Registry::new(runtime).load(name, &source, Limits::default()).map_err(|error| error.message)?;
    let manifest = loaded.manifest();
    let mut text = String::new();
    let mut line = |label: &str, value: String| text.push_str(&format!("{label:<14}{value}\n"));
    line("adapter", format!("{} {}", manifest.name, manifest.version));
    line("contract", "causeway:adapter@0.1.0, imports nothing but its log".to_owned());
    line("provider", manifest.provider.clone());
    line("default url", manifest.default_url.clone());
    line("operations", manifest.operations.join(", "));
    line("capabilities", manifest.capabilities.join(", "));
    for passage in &manifest.passages {
        line("passes", format!("{} at {} ({:?})", passage.dialect, passage.path, passage.credential));
    }
    line("headers", manifest.client_headers.join(", "));
    line("size", format!("{} bytes", loaded.bytes()));
    line("digest", format!("sha256:{}", loaded.digest()));
    line("options", manifest.options_schema.clone());
    Ok(text)
}
