//! Files in canonical operations: `{ "filename", "content_type", "data" }`.

use crate::chat::Text;
use crate::{Failure, base64, failure};

crate::object! {
    /// A file of a request (image, sound).
    FileInput {
        /// Its name.
        filename: Option<Text<'a>> = "filename",
        /// Its media type.
        content_type: Option<Text<'a>> = "content_type",
        /// Base64.
        data: Text<'a> = "data",
    }
}

impl FileInput<'_> {
    /// The bytes; `path` is that of the file.
    ///
    /// # Errors
    /// [`crate::FailureKind::InvalidRequest`] when it holds nothing or no base64.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Failure> {
        let path = format!("{path}.data");
        match base64::decode(&self.data) {
            Some(bytes) if !bytes.is_empty() => Ok(bytes),
            Some(_) => Err(failure::invalid(path.clone(), format!("{path}: is empty"))),
            None => Err(failure::invalid(path.clone(), format!("{path}: is not base64"))),
        }
    }

    /// Its name; where the client gave none, one with the ending vendors judge by.
    pub fn name(&self) -> String {
        if let Some(name) = self.filename.as_deref().filter(|name| !name.is_empty()) {
            return name.to_owned();
        }
        let ending = match self.media_type() {
            "audio/mpeg" | "audio/mp3" => "mp3",
            "audio/mp4" | "audio/m4a" | "audio/x-m4a" => "m4a",
            "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
            "image/jpeg" => "jpg",
            other => other.split_once('/').map_or("bin", |(_, kind)| kind),
        };
        format!("file.{}", ending.split([';', '+']).next().unwrap_or(ending))
    }

    /// Its media type, or the one everything has.
    pub fn media_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or("application/octet-stream")
    }
}
