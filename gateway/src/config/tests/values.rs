//! Values written as one string: what they mean, and that they are written as they were read.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use super::*;
use crate::domain::{ByteSize, Rate, Timespan, TimespanRange};

fn means<T: FromStr<Err = String> + Display + Debug + PartialEq>(text: &str, value: T) {
    assert_eq!(text.parse::<T>().as_ref(), Ok(&value), "{text}");
    assert_eq!(value.to_string().parse::<T>().as_ref(), Ok(&value), "{text}");
}

fn nonsense<T: FromStr<Err = String> + Debug>(texts: &[&str]) {
    for text in texts {
        let message = text.parse::<T>().expect_err(text);
        assert!(!message.ends_with('.') && !message.starts_with(char::is_uppercase), "{message}");
    }
}

#[test]
fn durations() {
    means("60s", Timespan::seconds(60));
    means("200ms", Timespan::millis(200));
    means("14d", Timespan::seconds(14 * 86_400));
    means("0s", Timespan::default());
    assert_eq!("90us".parse::<Timespan>().map(Timespan::get), Ok(Duration::from_micros(90)));
    assert_eq!(Timespan::seconds(90).to_string(), "90s");
    means("200ms..5s", TimespanRange { from: Timespan::millis(200), to: Timespan::seconds(5) });
    nonsense::<Timespan>(&["", "s", "5", "5 s", "5S", "-5s", "5.5s", "1m30s", "٣s", "999999999999999999d"]);
    nonsense::<TimespanRange>(&["", "..", "1s", "1s..", "..1s", "2s..1s", "1s...2s"]);
}

#[test]
fn sizes() {
    means("32MiB", ByteSize(32 << 20));
    means("64KB", ByteSize(64_000));
    means("1GiB", ByteSize(1 << 30));
    means("0B", ByteSize(0));
    means("1025B", ByteSize(1025));
    nonsense::<ByteSize>(&[
        "",
        "B",
        "1",
        "1mb",
        "1 MB",
        "1.5MiB",
        "-1B",
        "99999999999999999999GiB",
        "99999999999GiB",
    ]);
}

#[test]
fn rates() {
    let per = |count, seconds| Rate { count, per: Duration::from_secs(seconds) };
    means("600/min", per(600, 60));
    means("4M/min", per(4_000_000, 60));
    means("10/s", per(10, 1));
    means("1G/day", per(1_000_000_000, 86_400));
    means("3K/h", per(3_000, 3_600));
    nonsense::<Rate>(&[
        "",
        "/",
        "1",
        "1/",
        "/s",
        "0/s",
        "1/fortnight",
        "1.5/s",
        "1m/s",
        "-1/s",
        "99999999999G/s",
    ]);
}

#[test]
fn money_keeps_every_digit() {
    means("20", Micros(20_000_000));
    means("0.05", Micros(50_000));
    means("-1.5", Micros(-1_500_000));
    means("0.000001", Micros(1));
    means("0.10000000000", Micros(100_000));
    means("1e-6", Micros(1));
    means("2.5e3", Micros(2_500_000_000));
    means("9223372036854.775807", Micros(i64::MAX));
    assert_eq!(Micros(-50_000).to_string(), "-0.05");
    nonsense::<Micros>(&[
        "",
        ".",
        ".5",
        "-",
        "1,5",
        "1_000",
        "$1",
        "nan",
        "inf",
        "1e",
        "1e99",
        "1e-2147483648",
        "0.0000001",
        "1e-7",
        "9223372036854.775808",
        "99999999999999999999999999999999999999999999",
    ]);
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..10_000 {
        // Up to a billion dollars, a JSON number keeps all 15 digits.
        let amount = Micros(random.i64(0..1_000_000_000_000_000));
        let json = serde_json::to_string(&amount).expect("JSON");
        assert_eq!(serde_json::from_str::<Micros>(&json).ok(), Some(amount), "{json}");
    }
}

#[test]
fn targets_and_sources() {
    let name =
        |provider: &str, model: &str| TargetName { provider: provider.to_owned(), model: model.to_owned() };
    means("openai/gpt-5", name("openai", "gpt-5"));
    means("lab/org/model", name("lab", "org/model"));
    means("anthropic/*", name("anthropic", "*"));
    means("file:./acme.wasm", Source::File(PathBuf::from("./acme.wasm")));
    means("file:///acme.wasm", Source::File(PathBuf::from("/acme.wasm")));
    means("oci://ghcr.io/acme/a:1", Source::Oci("ghcr.io/acme/a:1".to_owned()));
    means("https://a/b.wasm", Source::Https("https://a/b.wasm".to_owned()));
    nonsense::<Source>(&["", "file:", "file://", "http://a", "acme.wasm", "https://"]);
    nonsense::<Digest>(&[
        "",
        "sha256:",
        "sha256:+0",
        &format!("sha256:{}", "+1".repeat(32)),
        &"é".repeat(32),
    ]);
    means(&format!("sha256:{}", "0a".repeat(32)), Digest([10; 32]));
    for text in [
        "429",
        "5xx",
        "4xx",
        "500-503",
        "timeout",
        "connect",
        "context-length",
        "content-policy",
        "malformed",
        "plugin",
    ] {
        let condition: RetryCondition = text.parse().expect(text);
        assert_eq!(condition.to_string(), text);
    }
}
