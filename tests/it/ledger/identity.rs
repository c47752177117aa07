//! The accounting identity: what the ledger says of many mixed requests is what their provider counted itself.
//!
//! Whole and streamed, every pair of dialect and provider, refusals, retries, hedges, broken streams, timeouts, and clients
//! that leave at any byte. What a provider counted is on the ledger to the token; what it did not tell is within a
//! twentieth.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use causeway::domain::LedgerRow;
use causeway::mock::Served;

use super::books::{Books, STORE};
use crate::support::{Gateway, Shape, configuration, unbroken, upstream};

/// How many requests, unless `CAUSEWAY_LEDGER_REQUESTS` says otherwise.
const USUAL: usize = 3_000;
/// Clients at a time.
const CLIENTS: usize = 24;

const MODELS: &str = r#"
[models.retried]
targets = ["openai/mock@fault=status:500"]
fallback = ["anthropic/mock@chunks=10"]
retry = { attempts = 2, backoff = "1ms..2ms" }
[models.second]
targets = [{ to = "openai/mock@first-token=2s", tier = 0 }, { to = "gemini/mock@chunks=10", tier = 1 }]
hedge = { after = "10ms", share = 1 }
[models.silent]
targets = ["anthropic/mock@fault=hang"]
retry = { attempts = 1 }
timeouts = { first_token = "100ms" }
"#;

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What one client does with its answer.
enum Does {
    Reads,
    /// It leaves after so many bytes of the body.
    LeavesAfter(usize),
    /// It leaves so soon after it asked, without a look at the answer.
    LeavesIn(Duration),
}

struct Case {
    dialect: Shape,
    model: String,
    streamed: bool,
    does: Does,
}

fn case(number: usize, chance: &mut Chance) -> Case {
    let [dialect, provider] = [number, number / 3].map(|number| Shape::ALL[number % Shape::ALL.len()]);
    let at = |model: &str| format!("{}/{model}", provider.word());
    let streamed = chance.below(2) == 0;
    let (model, streamed, does) = match number % 20 {
        9 => (at("mock@usage=off@chunks=20"), streamed, Does::Reads),
        10 => ("retried".to_owned(), streamed, Does::Reads),
        11 => (at("mock@fault=status:429"), streamed, Does::Reads),
        12 => (at("mock@fault=cut:9@chunks=25"), true, Does::Reads),
        13 => ("second".to_owned(), streamed, Does::Reads),
        // A whole answer may be silent until its total time is over.
        14 => ("silent".to_owned(), true, Does::Reads),
        15 => (at("mock@fault=error-event:6@chunks=25"), true, Does::Reads),
        16 | 17 => {
            let bytes = usize::try_from(chance.below(8_000)).unwrap();
            (at("mock@rate=300@chunks=40"), true, Does::LeavesAfter(bytes))
        }
        18 => {
            let soon = Duration::from_millis(chance.below(40));
            (at("mock@first-token=20ms"), streamed, Does::LeavesIn(soon))
        }
        _ => (at("mock@chunks=20"), streamed, Does::Reads),
    };
    Case { dialect, model, streamed, does }
}

async fn ask(gateway: &Gateway, number: usize, chance: &mut Chance) {
    let Case { dialect, model, streamed, does } = case(number, chance);
    let words = (0..5 + chance.below(60)).map(|word| format!("word{word}")).collect::<Vec<_>>().join(" ");
    let body = dialect.named(&dialect.says(&format!("n-{number} {words}")), &model, streamed).to_string();
    let client = gateway.client().with_key().with("x-request-id", &format!("n-{number}"));
    let mut open = client.connect().await;
    open.write(&client.request("POST", &dialect.path(&model, streamed), body.as_bytes())).await;
    if let Does::LeavesIn(soon) = does {
        tokio::time::sleep(soon).await;
        return;
    }
    assert!(open.head().await, "no answer to n-{number}, {model}");
    match does {
        Does::LeavesAfter(bytes) => open.some(bytes).await,
        _ => drop(open.rest().await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_agrees_with_what_the_provider_counted() {
    let many = std::env::var("CAUSEWAY_LEDGER_REQUESTS");
    let many = many.map_or(USUAL, |many| many.parse().expect("CAUSEWAY_LEDGER_REQUESTS is a number"));
    let mock = upstream::mock();
    mock.count();
    let text = unbroken(&configuration(&upstream::url(&mock)));
    let gateway = Gateway::start(&format!("{STORE}[log]\nlevel = \"error\"\n{text}{MODELS}")).await;
    let (began, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let gateway = Arc::new(gateway);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (gateway, next) = (Arc::clone(&gateway), Arc::clone(&next));
            tokio::spawn(async move {
                let mut chance = Chance(u64::try_from(client).unwrap() + 7);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= many {
                        return;
                    }
                    ask(&gateway, number, &mut chance).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    gateway.until_metric("causeway_inflight", &[], 0.0).await;
    let took = began.elapsed();
    let mut gateway = Arc::into_inner(gateway).unwrap();
    gateway.stop().await;
    let books = Books::open(gateway.folder()).await;
    let rows = books.rows().await;
    assert_eq!(
        usize::try_from(books.sums().await.requests).unwrap(),
        rows.len(),
        "the sums are of these rows"
    );
    compare(&rows, &mock.served(), many);
    eprintln!("{many} requests in {took:?}");
}

/// Tokens of what was told, and of what had to be estimated.
#[derive(Debug, Default)]
struct Tokens {
    told: u64,
    estimated: u64,
}

fn compare(rows: &[LedgerRow], served: &[Served], many: usize) {
    // Refusals and silence: as many as the provider gave.
    for status in [429, 500] {
        let booked = rows.iter().filter(|row| row.status == Some(status)).count();
        let given = served.iter().filter(|served| served.status == status).count();
        assert_eq!(booked, given, "status {status}");
        // After a 429 the key rests for that model, and most of these are not sent at all.
        let least = if status == 429 { 1 } else { many / 25 };
        assert!(booked >= least, "{booked} of status {status}");
    }
    let silent = served.iter().filter(|served| served.status == 0).count();
    let timeouts = rows.iter().filter(|row| row.outcome == "timeout").count();
    // One that timed out before the provider had read it is booked as well: nobody knew.
    assert!(silent <= timeouts && timeouts - silent <= many / 1_000, "{timeouts} timeouts of {silent}");
    let answers = served.iter().filter(|served| served.status == 200);
    let mut by_request: HashMap<&str, (Vec<&LedgerRow>, Vec<&Served>)> = HashMap::new();
    for served in answers {
        by_request.entry(&served.label).or_default().1.push(served);
    }
    for row in rows.iter().filter(|row| row.outcome != "timeout" && row.usage.is_some()) {
        by_request.entry(&row.request).or_default().0.push(row);
    }
    let (mut booked, mut counted) = (Tokens::default(), Tokens::default());
    let mut unheard = 0;
    for (request, (rows, mut answers)) in by_request {
        let (told, estimated): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| !row.usage.unwrap().estimated);
        for row in told {
            let usage = row.usage.unwrap();
            let (input, output) = (usage.input.unwrap(), usage.output.unwrap());
            let same = |served: &&Served| served.told && (served.input, served.output) == (input, output);
            let at = answers.iter().position(same);
            let at = at.unwrap_or_else(|| panic!("{request}: {row:#?} is none of {answers:#?}"));
            let answer = answers.remove(at);
            booked.told += input + output;
            counted.told += answer.input + answer.output;
        }
        assert!(answers.len() <= estimated.len(), "{request}: nothing is free: {answers:#?} {estimated:#?}");
        // What the provider never heard of counts as well: nobody knew.
        unheard += estimated.len() - answers.len();
        for row in estimated {
            let usage = row.usage.unwrap();
            booked.estimated += usage.input.unwrap() + usage.output.unwrap();
        }
        counted.estimated += answers.iter().map(|answer| answer.input + answer.output_sent()).sum::<u64>();
    }
    eprintln!("booked {booked:?}, counted {counted:?}, {} rows, {unheard} never heard of", rows.len());
    assert_eq!(booked.told, counted.told);
    assert!(counted.told > counted.estimated, "{counted:?}");
    let off = booked.estimated.abs_diff(counted.estimated);
    // An estimate is of bytes, the mock counts words: within a quarter of each other.
    assert!(off * 4 <= counted.estimated, "off by {off}: {booked:?} {counted:?}");
}
