//! Real agents do real work through the gateway, each over providers that are not its own.
//!
//! The mock is told in the prompt which tools to call (`call:<tool>{arguments}`); the agent runs them on this machine,
//! in a folder of its own, and brings the results back. What it prints in the end quotes them, so a turn that ends well
//! has gone to the provider and back twice.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::support::gateway::Folder;
use super::support::{Gateway, KEY, configuration, packages, upstream};

/// An agent starts in a second; a busy machine may take much longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// What one run of an agent came to.
struct Work {
    status: ExitStatus,
    said: String,
    complaint: String,
    /// Holds `work`, where the agent worked, until the test has looked at it.
    folder: Folder,
}

impl Work {
    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("work").join(name)).unwrap_or_default()
    }
}

impl std::fmt::Display for Work {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}\n--- out\n{}\n--- error\n{}", self.status, self.said, self.complaint)
    }
}

/// Runs an agent in an empty home and an empty folder until it ends.
fn work(program: &Path, prepare: impl FnOnce(&Path, &mut Command)) -> Work {
    let folder = Folder::new();
    let (home, work) = (folder.path().join("home"), folder.path().join("work"));
    for folder in [&home, &work] {
        std::fs::create_dir(folder).unwrap();
    }
    let (said, complaint) = (folder.path().join("said"), folder.path().join("complaint"));
    let mut command = packages::bare(program);
    command.current_dir(&work).env("HOME", &home).env("TMPDIR", folder.path()).stdin(Stdio::null());
    // Agents look for news at their makers; a test goes nowhere but to the gateway.
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
    command.stdout(File::create(&said).unwrap()).stderr(File::create(&complaint).unwrap());
    prepare(&home, &mut command);
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            let _ = child.kill();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    Work { status, said: read(&said), complaint: read(&complaint), folder }
}

/// Lets an agent do `prompt` with each of these models; `check` looks at what came of it.
async fn each(
    models: &[&'static str],
    agent: impl Fn(&Path, &str, &str) -> Work + Send + Sync + Clone + 'static,
    check: impl Fn(&Work, &str),
) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    let packages = match tokio::task::spawn_blocking(|| packages::node("agent")).await.unwrap() {
        Ok(packages) => packages,
        Err(reason) => return packages::skip(&name, &reason),
    };
    let mock = upstream::mock();
    let strict = "[models.\"strict/*\"]\ntargets = [\"anthropic/*\"]\nlossy = \"strict\"\n";
    let gateway = Gateway::start(&(configuration(&upstream::url(&mock)) + strict)).await;
    for &model in models {
        let (packages, url, agent) = (packages.clone(), gateway.url(), agent.clone());
        let work = tokio::task::spawn_blocking(move || agent(&packages, &url, model)).await.unwrap();
        assert!(work.status.success(), "{model}: {work}");
        check(&work, model);
        for line in gateway.log().iter().filter(|line| line["message"] == "request") {
            assert_eq!(line["status"], 200, "{model}: {line}");
        }
    }
}

/// The program in a package for this platform; the package's own start script only looks for it.
fn claude(packages: &Path) -> PathBuf {
    let vendor = packages.join("node_modules/@anthropic-ai");
    let mut found = std::fs::read_dir(&vendor).unwrap().map(|entry| entry.unwrap().path().join("claude"));
    found.find(|program| program.is_file()).unwrap_or_else(|| panic!("no program in {}", vendor.display()))
}

fn claude_code(packages: &Path, url: &str, model: &str, prompt: &str) -> Work {
    work(&claude(packages), |_, command| {
        command.env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_AUTH_TOKEN", KEY);
        command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        command.args(["--print", prompt, "--model", model, "--allowedTools", "Bash,Read"]);
    })
}

fn codex(packages: &Path, url: &str, model: &str, prompt: &str) -> Work {
    // A search that OpenAI would run is lost elsewhere, which a strict model minds.
    let search = if model.starts_with("strict") { "disabled" } else { "live" };
    work(Path::new("node"), |home, command| {
        let settings = home.join(".codex");
        std::fs::create_dir(&settings).unwrap();
        let text = format!(
            "model = \"{model}\"\nmodel_provider = \"causeway\"\nweb_search = \"{search}\"\n[model_providers.causeway]\nname = \"Causeway\"\n\
             base_url = \"{url}/v1\"\nenv_key = \"CAUSEWAY_KEY\"\nwire_api = \"responses\"\n"
        );
        std::fs::write(settings.join("config.toml"), text).unwrap();
        command.env("CAUSEWAY_KEY", KEY).arg(packages.join("node_modules/@openai/codex/bin/codex.js"));
        command.args(["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", prompt]);
    })
}

#[tokio::test]
async fn claude_code_runs_a_command_with_every_provider() {
    let prompt = r#"call:Bash{"command":"echo ahoy | tee made","description":"make a file"}"#;
    let agent = move |packages: &Path, url: &str, model: &str| claude_code(packages, url, model, prompt);
    let models = ["openai/mock", "gemini/mock", "gemini/mock-think", "anthropic/mock"];
    each(&models, agent, |work, model| {
        assert_eq!(work.file("made"), "ahoy\n", "{model}: {work}");
        assert!(work.said.contains("The tool Bash returned: \"ahoy\""), "{model}: {work}");
    })
    .await;
}

#[tokio::test]
async fn codex_runs_a_command_with_every_provider() {
    let prompt = r#"call:exec_command{"cmd":"echo ahoy | tee made"}"#;
    let agent = move |packages: &Path, url: &str, model: &str| codex(packages, url, model, prompt);
    let models = ["anthropic/mock", "gemini/mock", "gemini/mock-think", "openai/mock", "strict/mock"];
    each(&models, agent, |work, model| {
        assert_eq!(work.file("made"), "ahoy\n", "{model}: {work}");
        assert!(work.said.contains("The tool exec_command returned: \""), "{model}: {work}");
        assert!(work.said.contains("Output:\nahoy\n"), "{model}: {work}");
    })
    .await;
}
