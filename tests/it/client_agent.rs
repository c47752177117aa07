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

/// Models beside those of [`configuration`]: one that minds losses, and names that Codex knows and has other tools for.
const MODELS: &str = r#"
[models."strict/*"]
targets = ["anthropic/*"]
lossy = "strict"
[models."gpt-5.5"]
targets = ["anthropic/mock"]
[models."gpt-6-sol"]
targets = ["gemini/mock"]
[models."gpt-6-luna"]
targets = ["anthropic/mock"]
"#;

/// Where an agent lives: an empty home and an empty folder to work in.
struct Place(Folder);

/// What one run of an agent came to.
struct Work {
    status: ExitStatus,
    said: String,
    complaint: String,
}

impl Place {
    fn new() -> Self {
        let place = Self(Folder::new());
        for name in ["home", "work"] {
            std::fs::create_dir(place.path(name)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What stands in a file that the agent made.
    fn made(&self, name: &str) -> String {
        std::fs::read_to_string(self.path("work").join(name)).unwrap_or_default()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = packages::bare(program);
        command.current_dir(self.path("work")).env("HOME", self.path("home")).env("TMPDIR", self.0.path());
        // Agents look for news at their makers; a test goes nowhere but to the gateway.
        command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
        command
    }

    /// Runs an agent until it ends.
    fn run(&self, command: &mut Command) -> Work {
        let (said, complaint) = (self.path("said"), self.path("complaint"));
        command.stdin(Stdio::null());
        command.stdout(File::create(&said).unwrap()).stderr(File::create(&complaint).unwrap());
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
        Work { status, said: read(&said), complaint: read(&complaint) }
    }
}

/// One task: the model, what the agent is told in one turn after the other, what it says to each, what it has made.
struct Task {
    model: &'static str,
    turns: &'static [(&'static str, &'static [&'static str])],
    made: &'static str,
}

/// An agent as it is started: packages, the gateway's address, the model, the prompt, whether it goes on.
type Agent = fn(&Place, &Start<'_>) -> Command;

struct Start<'a> {
    packages: &'a Path,
    url: &'a str,
    model: &'a str,
    prompt: &'a str,
    goes_on: bool,
}

async fn each(test: &str, agent: Agent, tasks: &'static [Task]) {
    let packages = match tokio::task::spawn_blocking(|| packages::node("agent")).await.unwrap() {
        Ok(packages) => packages,
        Err(reason) => return packages::skip(test, &reason),
    };
    let mock = upstream::mock();
    let gateway = Gateway::start(&(configuration(&upstream::url(&mock)) + MODELS)).await;
    let url = gateway.url();
    tokio::task::spawn_blocking(move || {
        for task in tasks {
            work(agent, &packages, &url, task);
        }
    })
    .await
    .unwrap();
    for line in gateway.log().iter().filter(|line| line["message"] == "request") {
        assert_eq!(line["status"], 200, "{line}");
    }
}

fn work(agent: Agent, packages: &Path, url: &str, task: &Task) {
    let (place, model) = (Place::new(), task.model);
    for (index, (prompt, answers)) in task.turns.iter().enumerate() {
        let start = Start { packages, url, model, prompt, goes_on: index > 0 };
        let Work { status, said, complaint } = place.run(&mut agent(&place, &start));
        let all = format!("{model}: {prompt}: {status}\n--- out\n{said}\n--- error\n{complaint}");
        assert!(status.success(), "{all}");
        for answer in *answers {
            assert!(said.contains(answer), "no {answer:?} from {all}");
        }
    }
    assert_eq!(place.made("made"), task.made, "{model}");
}

fn claude_code(place: &Place, start: &Start<'_>) -> Command {
    // The program for this platform; the package's own start script only looks for it.
    let vendor = start.packages.join("node_modules/@anthropic-ai");
    let mut found = std::fs::read_dir(vendor).unwrap().map(|entry| entry.unwrap().path().join("claude"));
    let mut command = place.command(&found.find(|program| program.is_file()).expect("the program"));
    command.env("ANTHROPIC_BASE_URL", start.url).env("ANTHROPIC_AUTH_TOKEN", KEY);
    command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    command.args(["--print", start.prompt, "--model", start.model, "--allowedTools", "Bash,Read,Edit,Write"]);
    command.args(start.goes_on.then_some("--continue"));
    command
}

fn codex(place: &Place, start: &Start<'_>) -> Command {
    let settings = place.path("home").join(".codex");
    std::fs::create_dir_all(&settings).unwrap();
    // A search that OpenAI would run is lost elsewhere, which a strict model minds.
    let search = if start.model.starts_with("strict") { "disabled" } else { "live" };
    let (model, url) = (start.model, start.url);
    let text = format!(
        "model = \"{model}\"\nmodel_provider = \"causeway\"\nweb_search = \"{search}\"\n\
         [model_providers.causeway]\nname = \"Causeway\"\nbase_url = \"{url}/v1\"\nenv_key = \"CAUSEWAY_KEY\"\n\
         wire_api = \"responses\"\n"
    );
    std::fs::write(settings.join("config.toml"), text).unwrap();
    let mut command = place.command(Path::new("node"));
    command.env("CAUSEWAY_KEY", KEY).arg(start.packages.join("node_modules/@openai/codex/bin/codex.js"));
    command.args(["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]);
    if start.goes_on {
        command.args(["resume", "--last"]);
    }
    command.arg(start.prompt);
    command
}

const BASH: &str = r#"call:Bash{"command":"echo ahoy | tee made","description":"make a file"}"#;
const BASH_SAID: &[&str] = &["The tool Bash returned: \"ahoy\""];

#[tokio::test]
async fn claude_code_uses_its_tools_with_every_provider() {
    // The second turn brings back what the model said in the first: calls, results, thoughts and their signatures.
    const TURNS: &[(&str, &[&str])] = &[
        (BASH, BASH_SAID),
        (
            r#"call:Bash{"command":"cat made"} call:Read{"file_path":"made"}"#,
            &["The tool Bash returned: \"ahoy\"", "The tool Read returned: \"1\tahoy"],
        ),
        (
            r#"call:Edit{"file_path":"made","old_string":"ahoy","new_string":"land"}"#,
            &["The tool Edit returned"],
        ),
    ];
    const fn task(model: &'static str) -> Task {
        Task { model, turns: TURNS, made: "land\n" }
    }
    const TASKS: &[Task] = &[
        task("openai/mock-think"),
        task("gemini/mock"),
        task("gemini/mock-think"),
        task("anthropic/mock-think"),
        Task { model: "openai/mock", turns: &[(BASH, BASH_SAID)], made: "ahoy\n" },
    ];
    each("Claude Code", claude_code, TASKS).await;
}

const SHELL: &str = r#"call:exec_command{"cmd":"echo ahoy | tee made"}"#;
const SHELL_SAID: &[&str] = &["The tool exec_command returned: \"", "Output:\nahoy\n"];

#[tokio::test]
async fn codex_uses_its_tools_with_every_provider() {
    const TURNS: &[(&str, &[&str])] = &[
        (SHELL, SHELL_SAID),
        (
            r#"call:exec_command{"cmd":"echo one"} call:exec_command{"cmd":"echo land > made"}"#,
            &["The tool exec_command returned: \"", "Output:\none\n"],
        ),
    ];
    const fn task(model: &'static str) -> Task {
        Task { model, turns: TURNS, made: "land\n" }
    }
    const TASKS: &[Task] = &[
        task("anthropic/mock-think"),
        task("gemini/mock"),
        task("gemini/mock-think"),
        task("openai/mock"),
        Task { model: "strict/mock", turns: &[(SHELL, SHELL_SAID)], made: "ahoy\n" },
        // A custom tool: its input is no JSON.
        Task {
            model: "gpt-5.5",
            turns: &[(
                r#"call:apply_patch{"input":"*** Begin Patch\n*** Add File: made\n+ahoy\n*** End Patch\n"}"#,
                &["The tool apply_patch returned: \"Exit code: 0"],
            )],
            made: "ahoy\n",
        },
        // Tools that an input item brings, a custom tool in a namespace, and a call with two results.
        Task { model: "gpt-6-sol", turns: SCRIPT, made: "ahoy\n" },
        Task { model: "gpt-6-luna", turns: SCRIPT, made: "ahoy\n" },
    ];
    each("Codex", codex, TASKS).await;
}

const SCRIPT: &[(&str, &[&str])] = &[(
    r#"call:functions__exec{"input":"const done = await tools.exec_command({cmd: \"echo ahoy | tee made\"}); notify(\"land\"); text(done.output);"}"#,
    &["The tool functions__exec returned: \"", "ahoy\n", "land"],
)];
