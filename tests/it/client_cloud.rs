//! The Python clients of AWS and Cohere against every provider, through the gateway and over TLS: AWS's clients send an API
//! key no other way. Their checks are in `tests/sdk`; where they run is as in `client_sdk`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::support::packages::{self, bare, folder, run, skip};
use super::support::{Gateway, KEY, upstream};

/// The adapter, what its models are called here, and the provider's key.
const PROVIDERS: [(&str, &str, &str); 5] = [
    ("openai", "gpt", "sk-upstream"),
    ("anthropic", "claude", "sk-upstream"),
    ("gemini", "gemini", "sk-upstream"),
    ("bedrock", "claude-sonnet-4-5-aws", "AKIDEXAMPLE:secret"),
    ("cohere", "command-next", "sk-upstream"),
];

#[tokio::test]
async fn the_clients_of_aws_and_cohere_get_what_they_expect_from_every_provider() {
    let ready = tokio::task::spawn_blocking(|| Ok::<_, String>((packages::python("sdk")?, certificate()?)));
    let (python, certificate) = match ready.await.unwrap() {
        Ok(ready) => ready,
        Err(reason) => return skip("the clients of AWS and Cohere", &reason),
    };
    let mock = upstream::mock();
    let gateway = Gateway::start(&configuration(&upstream::url(&mock), &certificate)).await;
    let url = gateway.url().replace("http://", "https://");
    let output = tokio::task::spawn_blocking(move || check(&python, &url, &certificate)).await.unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed: Vec<&str> = said.lines().filter(|line| line.starts_with("FAILED")).collect();
    assert!(
        output.status.success(),
        "{} checks of the clients failed\n{}\n--- all of it\n{said}{complaint}",
        failed.len(),
        failed.join("\n")
    );
    // Ten pairs with more than a dozen checks each; a loop over nothing would succeed too.
    let passed = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(passed > 150, "only {passed} checks ran\n{said}");
}

/// Names reach the mock with all their endings; what fails is told at once.
fn configuration(upstream: &str, certificate: &Path) -> String {
    let (cert, key) = (certificate.join("cert.pem"), certificate.join("key.pem"));
    let mut text = format!(
        "[server]\nlisten = [\"{{listen}}\"]\ntls = {{ cert = \"{}\", key = \"{}\" }}\n[admin]\nlisten = \"{{admin}}\"\n\
         [keys.tests]\nsecret = \"{KEY}\"\n",
        cert.display(),
        key.display()
    );
    for (plugin, name, key) in PROVIDERS {
        text.push_str(&format!(
            "[providers.{plugin}]\nplugin = \"{plugin}\"\nurl = \"{upstream}\"\nkeys = [\"{key}\"]\n"
        ));
        if plugin == "bedrock" {
            text.push_str("options = { region = \"eu-central-1\" }\n");
        }
        text.push_str(&format!(
            "[models.\"{name}-mock*\"]\ntargets = [\"{plugin}/*\"]\nretry.attempts = 1\n"
        ));
    }
    text
}

fn check(python: &Path, url: &str, certificate: &Path) -> Output {
    let models: Vec<String> =
        PROVIDERS.iter().map(|(plugin, name, _)| format!("{plugin}={name}-mock")).collect();
    let mut command = bare(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    command.arg(folder("sdk").join("cloud.py")).args([
        "--base-url",
        url,
        "--key",
        KEY,
        "--faults",
        "--verbose",
    ]);
    command.args(["--clients", "bedrock,cohere"]).arg("--models").arg(models.join(","));
    for name in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        command.env(name, certificate.join("cert.pem"));
    }
    command.output().unwrap()
}

/// A folder with a certificate for the loopback address.
fn certificate() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cloud-certificate");
    std::fs::create_dir_all(&home).unwrap();
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args(["-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]);
    command.arg("-keyout").arg(home.join("key.pem")).arg("-out").arg(home.join("cert.pem"));
    run(&mut command, "no certificate can be made")?;
    Ok(home)
}
