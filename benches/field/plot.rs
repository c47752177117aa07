//! A record as a picture: bars side by side, plain SVG.

use std::fmt::Write as _;

use crate::record::Record;
use crate::table::short;

/// One panel: a title, and what its bars show.
struct Panel {
    title: &'static str,
    scenario: &'static str,
    figure: &'static str,
    scale: f64,
}

const PANELS: [Panel; 8] = [
    Panel::new("CPU of a request, same dialect (µs)", "pass.saturate", "cpu_us", 1.0),
    Panel::new("CPU of a request, OpenAI → Anthropic (µs)", "translated.saturate", "cpu_us", 1.0),
    Panel::new("CPU of a paced chunk, same dialect (µs)", "pass.paced", "cpu_us", 1.0),
    Panel::new("CPU of a paced chunk, translated (µs)", "translated.paced", "cpu_us", 1.0),
    Panel::new("p50 at 2,000 requests a second (µs)", "pass.rate-2000", "p50_us", 1.0),
    Panel::new("age of a streamed chunk, p50 (µs)", "pass.paced", "age_p50_us", 1.0),
    Panel::new("memory of an open stream (KB)", "pass.held-1000", "bytes_each", 1e3),
    Panel::new("memory when idle (MB)", "start", "idle_bytes", 1e6),
];

impl Panel {
    const fn new(title: &'static str, scenario: &'static str, figure: &'static str, scale: f64) -> Self {
        Self { title, scenario, figure, scale }
    }

    fn bars<'r>(&self, record: &'r Record) -> Vec<(&'r str, f64)> {
        let value = |peer: &str| Some(record.median(peer, self.scenario, self.figure)? / self.scale);
        let peers = record.measured().map(|peer| peer.name.as_str());
        peers.filter_map(|peer| Some((peer, value(peer)?))).collect()
    }
}

const WIDTH: f64 = 490.0;
/// Names stand left of it.
const LEFT: f64 = 185.0;
const BAR: f64 = 18.0;
/// A bar ends at so many times the median of its panel: one that is a hundred times as long would hide the others.
const LONGEST: f64 = 4.0;

/// Two panels beside each other, as many rows as there are figures for.
pub(crate) fn picture(record: &Record) -> String {
    let panels: Vec<(&Panel, Vec<(&str, f64)>)> =
        PANELS.iter().map(|panel| (panel, panel.bars(record))).filter(|(_, bars)| !bars.is_empty()).collect();
    let (mut body, mut top) = (String::new(), 60.0);
    for pair in panels.chunks(2) {
        for (column, (panel, bars)) in pair.iter().enumerate() {
            draw(&mut body, (column as f64 * WIDTH, top), panel.title, bars);
        }
        let most = pair.iter().map(|(_, bars)| bars.len()).max().unwrap_or(0);
        top += 40.0 + most as f64 * (BAR + 4.0);
    }
    let title = escaped(&format!("Gateways side by side, {}", record.date));
    let under = escaped(&format!("{}; medians of {} rounds", record.machine, record.rounds));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{top}\" viewBox=\"0 0 {0} {top}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n<text x=\"16\" y=\"42\" fill=\"#666\">{under}</text>\n{body}</svg>\n",
        WIDTH * 2.0
    )
}

fn draw(out: &mut String, (left, top): (f64, f64), title: &str, bars: &[(&str, f64)]) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>",
        left + 16.0,
        top + 16.0,
        escaped(title)
    );
    let mut sorted: Vec<f64> = bars.iter().map(|(_, value)| *value).collect();
    sorted.sort_by(f64::total_cmp);
    let most =
        sorted.last().copied().unwrap_or(1.0).min(sorted[sorted.len() / 2] * LONGEST).max(f64::MIN_POSITIVE);
    for (index, (peer, value)) in bars.iter().enumerate() {
        let y = top + 26.0 + index as f64 * (BAR + 4.0);
        let cut = *value > most;
        let length = (value.max(0.0) / most).min(1.0) * (WIDTH - LEFT - 80.0);
        let colour = if peer.starts_with("causeway") { "#1f6feb" } else { "#9aa4b2" };
        let end = left + LEFT + length;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><rect x=\"{}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{}\">{}{}</text>",
            left + LEFT - 6.0,
            y + 13.0,
            escaped(peer),
            left + LEFT,
            end + 4.0,
            y + 13.0,
            if cut { "» " } else { "" },
            short(*value)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{PeerFacts, Row};

    #[test]
    fn a_bar_for_each_peer_and_no_longer_than_the_panel() {
        let peers = ["bare", "a<b", "slow"];
        let values = [34.0, 40.0, 9000.0];
        let row = |(peer, value): (&&str, f64)| Row {
            peer: (*peer).to_owned(),
            scenario: "pass.saturate".to_owned(),
            figures: [("cpu_us".to_owned(), value)].into(),
            ..Row::default()
        };
        let record = Record {
            peers: peers.map(|name| PeerFacts { name: name.to_owned(), ..PeerFacts::default() }).into(),
            rows: peers.iter().zip(values).map(row).collect(),
            ..Record::default()
        };
        let picture = picture(&record);
        assert_eq!(picture.matches("height=\"18\"").count(), 3, "{picture}");
        assert!(picture.contains("a&lt;b") && picture.contains("» 9,000"), "{picture}");
    }
}
