//! What a request loses on its way to a provider, and whether its model allows that.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::config::Lossy;
use crate::domain::http::Loss;
use crate::error::{GatewayError, Kind};
use crate::state::Provider;

/// All losses of a request, each named once. Fields of other vendors are named one by one.
///
/// # Errors
/// 400 naming the field when the model is strict and the model at the provider would have read it.
pub(super) fn of_request(
    lossy: Lossy,
    provider: &Provider,
    canonical: &[u8],
    found: Vec<Loss>,
) -> Result<Vec<Loss>, GatewayError> {
    if found.is_empty() {
        return Ok(found);
    }
    let losses = in_detail(canonical, found);
    let serious = || losses.iter().filter(|loss| !loss.is_bookkeeping());
    match lossy {
        Lossy::Allow => {}
        Lossy::Warn => {
            let fields: Vec<_> = serious().map(|loss| loss.field.as_str()).collect();
            if !fields.is_empty() {
                tracing::warn!(provider = %provider.upstream.name, fields = fields.join(", "), "fields were lost in translation");
            }
        }
        Lossy::Strict => {
            if let Some(loss) = serious().next() {
                let message = format!(
                    "`{}` cannot be carried to this provider ({}), and the model is strict",
                    loss.field, loss.reason
                );
                let refused = GatewayError::client(Kind::Unsupported, message);
                return Err(GatewayError { param: Some(loss.field.clone()), ..refused });
            }
        }
    }
    Ok(losses)
}

/// An adapter names another vendor's fields as one; the operator and the list of mere bookkeeping want each.
fn in_detail(canonical: &[u8], found: Vec<Loss>) -> Vec<Loss> {
    #[derive(Default, Deserialize)]
    struct Request<'a> {
        #[serde(borrow, default)]
        vendor: std::collections::BTreeMap<String, &'a RawValue>,
    }
    let whole = |loss: &Loss| loss.field.strip_prefix("vendor.").is_some_and(|name| !name.contains('.'));
    let request: Request<'_> = match found.iter().any(whole) {
        true => serde_json::from_slice(canonical).unwrap_or_default(),
        false => Request::default(),
    };
    let mut losses: Vec<Loss> = Vec::with_capacity(found.len());
    for loss in found {
        let fields = loss.field.strip_prefix("vendor.").and_then(|name| request.vendor.get(name));
        let fields = fields.and_then(|fields| {
            serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(fields.get()).ok()
        });
        let each = match fields {
            Some(fields) if !fields.is_empty() => fields
                .into_keys()
                .map(|name| Loss { field: format!("{}.{name}", loss.field), reason: loss.reason.clone() })
                .collect(),
            _ => vec![loss],
        };
        for loss in each {
            if losses.iter().all(|known| known.field != loss.field) {
                losses.push(loss);
            }
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_of_another_vendor_is_named_and_none_twice() {
        let loss = |field: &str| Loss { field: field.to_owned(), reason: "no".to_owned() };
        let canonical = br#"{"model":"m","vendor":{"openai-responses":{"client_metadata":{},"truncation":"auto"},"gemini":{}}}"#;
        let found =
            ["top_k", "vendor.openai-responses", "vendor.gemini", "top_k", "messages[0].vendor.x"].map(loss);
        let fields: Vec<_> =
            in_detail(canonical, found.to_vec()).into_iter().map(|loss| loss.field).collect();
        let expected = [
            "top_k",
            "vendor.openai-responses.client_metadata",
            "vendor.openai-responses.truncation",
            "vendor.gemini",
            "messages[0].vendor.x",
        ];
        assert_eq!(fields, expected);
        let bookkeeping: Vec<_> = fields.iter().filter(|field| loss(field).is_bookkeeping()).collect();
        assert_eq!(bookkeeping, ["vendor.openai-responses.client_metadata"]);
    }
}
