//! What a test needs: a gateway that runs, a provider behind it, and a client that sees every byte.
//!
//! [`Gateway`] is the process, [`upstream`] what stands behind it (the mock provider, or a script of bytes), [`client`]
//! speaks HTTP by hand so that a missing last chunk is seen, and [`Shape`] knows the three vendors' forms.

pub(crate) mod client;
pub(crate) mod gateway;
pub(crate) mod packages;
pub(crate) mod question;
pub(crate) mod redis;
pub(crate) mod said;
pub(crate) mod shape;
pub(crate) mod sse;
pub(crate) mod translation;
pub(crate) mod upstream;

pub(crate) use gateway::Gateway;
pub(crate) use shape::{Shape, in_path};

use std::time::Duration;

/// Nothing in a test takes so long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The client key every configuration of [`configuration`] knows.
pub(crate) const KEY: &str = "cw-key-of-the-tests-0123456789";

/// The admin password of every gateway whose configuration names no other.
pub(crate) const ADMIN_PASSWORD: &str = "admin-password-of-the-tests";

/// Three providers at one upstream, each behind `<provider>/<model of the mock>`, and one client key.
pub(crate) fn configuration(upstream: &str) -> String {
    let mut text = format!("[keys.tests]\nsecret = \"{KEY}\"\n");
    for shape in Shape::ALL {
        text.push_str(&provider(shape.word(), shape, upstream));
        text.push_str(&format!(
            "[models.\"{0}/*\"]\ntargets = [\"{0}/*\"]\nretry = {{ attempts = 1 }}\n",
            shape.word()
        ));
    }
    text
}

/// One provider, with a key that names it.
pub(crate) fn provider(name: &str, shape: Shape, upstream: &str) -> String {
    format!(
        "[providers.{name}]\nplugin = \"{}\"\nurl = \"{upstream}\"\nkeys = [\"{}\"]\n",
        shape.word(),
        provider_key(name)
    )
}

/// The key that [`provider`] gives to a provider.
pub(crate) fn provider_key(name: &str) -> String {
    format!("sk-upstream-{name}-9876543210")
}

/// A configuration in which nobody rests, whatever fails: without circuit breakers, and without provider keys.
pub(crate) fn steady(configuration: &str) -> String {
    let lines = configuration.lines().filter(|line| !line.starts_with("keys = [\"sk-upstream-"));
    unbroken(&lines.flat_map(|line| [line, "\n"]).collect::<String>())
}

/// A configuration in which no target rests, whatever fails.
pub(crate) fn unbroken(configuration: &str) -> String {
    const NEVER: &str = "[defaults.model]\nbreaker = false\ndegrade = false\n\
         cool_down = { missing = \"0s\", rate = \"0s\", longest_rate = \"0s\", longest_overload = \"0s\" }\n";
    let more = if configuration.contains("[defaults.model]") { "" } else { NEVER };
    format!("{configuration}{more}")
}

/// Waits until something has become true.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
