//! Model names that mean the same model at the same price.
//!
//! Vendors hang a date, a version or the place where it runs on a model's name. Removed, one after the other: what stands
//! before the last `/` of a resource name (`arn:…`, `models/`, `publishers/…`), Google's `@20250929`, Bedrock's `:0` and
//! `-v1`, a date (`-2025-08-07`, `-20250929`) or `-latest`; and before the name, each time, Bedrock's group of regions
//! (`us.`, `global.` …). Nothing else: a name that only begins alike is another model.

/// Bedrock's groups of regions.
const REGIONS: [&str; 8] = ["us", "eu", "apac", "jp", "au", "ca", "us-gov", "global"];

/// The longest first; the name itself is not among them.
pub(super) fn shorter(model: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut name = without_resource(model);
    let cuts: [fn(&str) -> &str; 4] = [without_place_in_time, without_number, without_version, without_date];
    let mut add = |name| {
        for name in [name, without_region(name)] {
            if name != model && !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    };
    add(name);
    for cut in cuts {
        name = cut(name);
        add(name);
    }
    names
}

fn without_resource(name: &str) -> &str {
    let resource =
        ["arn:", "models/", "publishers/", "projects/"].iter().any(|first| name.starts_with(first));
    name.rsplit_once('/').filter(|_| resource).map_or(name, |(_, last)| last)
}

fn without_region(name: &str) -> &str {
    match name.split_once('.') {
        Some((region, rest)) if REGIONS.contains(&region) => rest,
        _ => name,
    }
}

fn without_place_in_time(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

fn without_number(name: &str) -> &str {
    name.rsplit_once(':').filter(|(_, number)| digits(number)).map_or(name, |(name, _)| name)
}

fn without_version(name: &str) -> &str {
    name.rsplit_once("-v").filter(|(_, number)| digits(number)).map_or(name, |(name, _)| name)
}

fn without_date(name: &str) -> &str {
    if let Some(name) = name.strip_suffix("-latest") {
        return name;
    }
    let Some((rest, last)) = name.rsplit_once('-') else { return name };
    if last.len() == 8 && is_year(last.get(..4).unwrap_or_default()) && digits(last) {
        return rest;
    }
    let Some((rest, month)) = rest.rsplit_once('-') else { return name };
    let Some((rest, year)) = rest.rsplit_once('-') else { return name };
    let two = |part: &str| part.len() == 2 && digits(part);
    if two(last) && two(month) && is_year(year) { rest } else { name }
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.starts_with("20") && digits(text)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::shorter;

    #[test]
    fn what_is_hung_on_a_name_is_removed_from_the_end() {
        for (model, names) in [
            ("gpt-5", &[][..]),
            ("gpt-5-2025-08-07", &["gpt-5"]),
            ("gpt-5-mina", &[]),
            ("claude-sonnet-4-5-20250929", &["claude-sonnet-4-5"]),
            ("claude-sonnet-4-5@20250929", &["claude-sonnet-4-5"]),
            ("mistral-large-latest", &["mistral-large"]),
            ("command-a-03-2025", &[]),
            ("gpt-4-0613", &[]),
            ("o3-12345678", &[]),
            ("models/gemini-2.5-pro", &["gemini-2.5-pro"]),
            ("deepseek-ai/DeepSeek-V3", &[]),
            ("ft:gpt-4o-2024-08-06:org::7p4lURel", &[]),
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                &[
                    "anthropic.claude-sonnet-4-5-20250929-v1:0",
                    "us.anthropic.claude-sonnet-4-5-20250929-v1",
                    "anthropic.claude-sonnet-4-5-20250929-v1",
                    "us.anthropic.claude-sonnet-4-5-20250929",
                    "anthropic.claude-sonnet-4-5-20250929",
                    "us.anthropic.claude-sonnet-4-5",
                    "anthropic.claude-sonnet-4-5",
                ],
            ),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/eu.amazon.nova-pro-v1:0",
                &[
                    "eu.amazon.nova-pro-v1:0",
                    "amazon.nova-pro-v1:0",
                    "eu.amazon.nova-pro-v1",
                    "amazon.nova-pro-v1",
                    "eu.amazon.nova-pro",
                    "amazon.nova-pro",
                ],
            ),
            ("", &[]),
            ("@", &[]),
            ("-latest", &[]),
            ("ü-ü-ü", &[]),
        ] {
            assert_eq!(shorter(model), names, "{model}");
        }
    }
}
