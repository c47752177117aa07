//! Rows as a table for a spreadsheet, RFC 4180. A cell that a spreadsheet would take for a formula is made text.

use std::fmt::Write;

use crate::domain::{LedgerRow, Usage, rfc3339};

const HEAD: [&str; 22] = [
    "id",
    "request",
    "at",
    "key",
    "user",
    "team",
    "model",
    "provider",
    "target",
    "provider_key",
    "dialect",
    "operation",
    "outcome",
    "status",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "reasoning",
    "estimated",
    "price",
    "cost_usd",
];

/// The table, with its head line.
pub fn csv(rows: &[LedgerRow]) -> String {
    let mut text = HEAD.join(",");
    text.push_str("\r\n");
    for row in rows {
        line(row, &mut text);
    }
    text
}

fn line(row: &LedgerRow, text: &mut String) {
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let Usage { input, output, cache_read, cache_write, reasoning, estimated, .. } =
        row.usage.unwrap_or_default();
    let cells = [
        row.id.clone(),
        row.request.clone(),
        rfc3339(row.at / 1000),
        row.key.clone(),
        word(&row.user),
        word(&row.team),
        row.model.clone(),
        row.provider.clone(),
        row.target.clone(),
        word(&row.provider_key),
        row.dialect.clone(),
        row.operation.clone(),
        row.outcome.clone(),
        number(row.status.map(u64::from)),
        number(input),
        number(output),
        number(cache_read),
        number(cache_write),
        number(reasoning),
        if estimated { "yes" } else { "" }.to_owned(),
        word(&row.price),
        row.cost.map(|cost| dollars(cost.0)).unwrap_or_default(),
    ];
    for (at, field) in cells.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        cell(field, text);
    }
    text.push_str("\r\n");
}

fn cell(field: &str, text: &mut String) {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = formula || field.contains(['"', ',', '\r', '\n']);
    if !quoted {
        text.push_str(field);
        return;
    }
    text.push('"');
    if formula {
        text.push('\'');
    }
    text.push_str(&field.replace('"', "\"\""));
    text.push('"');
}

/// Exact, as decimal.
fn dollars(cost: u64) -> String {
    const PER_DOLLAR: u64 = 1_000_000_000_000;
    let mut text = String::new();
    let _ = write!(text, "{}.{:012}", cost / PER_DOLLAR, cost % PER_DOLLAR);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Cost;

    #[test]
    fn cells_are_never_formulas_and_never_break_a_line() {
        for (field, expected) in [
            ("web", "web"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@sum", "\"'@sum\""),
            ("\tx", "\"'\tx\""),
            ("a,b", "\"a,b\""),
            ("a\nb", "\"a\nb\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            let mut text = String::new();
            cell(field, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn a_row_is_one_line_and_money_is_exact() {
        let row = LedgerRow {
            id: "1".into(),
            key: "=cmd".into(),
            cost: Some(Cost(1_500_000_000_001)),
            at: 1_000,
            ..LedgerRow::default()
        };
        let text = csv(&[row, LedgerRow::default()]);
        let lines: Vec<_> = text.split("\r\n").collect();
        assert_eq!(lines[1], "1,,1970-01-01T00:00:01Z,\"'=cmd\",,,,,,,,,,,,,,,,,,1.500000000001");
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().take(3).all(|line| line.split(',').count() == HEAD.len()), "{text}");
        // No price is known: that is not zero.
        assert!(lines[2].ends_with(','));
    }
}
