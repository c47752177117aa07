//! Ids of calls, as the server takes them: the same in call and result, and in every later request.

use plugin_sdk::chat::Text;

use crate::options::ToolId;

const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The id, or a digest of it where the server would refuse it.
pub(super) fn id(id: Text<'_>, style: ToolId) -> Text<'_> {
    match style {
        ToolId::OpenAi if id.len() > 40 => format!("call_{:016x}", digest(&id)).into(),
        ToolId::Alphanumeric9 if id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            let mut rest = digest(&id);
            let letters = std::iter::repeat_with(|| {
                let letter = LETTERS.get((rest % 62) as usize).copied().unwrap_or(b'0');
                rest /= 62;
                char::from(letter)
            });
            letters.take(9).collect::<String>().into()
        }
        _ => id,
    }
}

/// FNV-1a; no secret depends on it.
fn digest(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
