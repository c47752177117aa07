//! Forms with files, as requests carry them (`multipart/form-data`, RFC 7578).

/// A form while it is filled.
#[derive(Debug, Default)]
pub struct Form(Vec<Field>);

#[derive(Debug)]
struct Field {
    head: String,
    bytes: Vec<u8>,
}

impl Form {
    /// Adds a field.
    pub fn text(&mut self, name: &str, value: impl Into<String>) {
        let head = format!("content-disposition: form-data; name=\"{}\"", quoted(name));
        self.0.push(Field { head, bytes: value.into().into_bytes() });
    }

    /// Adds a file.
    pub fn file(&mut self, name: &str, filename: &str, content_type: &str, bytes: Vec<u8>) {
        // A media type is text of the client's; a line break in it would end the head.
        let content_type = content_type.replace(['\r', '\n'], " ");
        let head = format!(
            "content-disposition: form-data; name=\"{}\"; filename=\"{}\"\r\ncontent-type: {content_type}",
            quoted(name),
            quoted(filename)
        );
        self.0.push(Field { head, bytes });
    }

    /// The value of `content-type`, and the body.
    pub fn finish(self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let length: usize = self.0.iter().map(|field| field.head.len() + field.bytes.len() + 64).sum();
        let mut body = Vec::with_capacity(length);
        for field in &self.0 {
            body.extend_from_slice(format!("--{boundary}\r\n{}\r\n\r\n", field.head).as_bytes());
            body.extend_from_slice(&field.bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }

    /// An adapter has no source of chance: a counter goes up until no field holds the boundary.
    fn boundary(&self) -> String {
        let mut number = 0_u32;
        loop {
            let boundary = format!("causeway-{number:08x}");
            let taken =
                self.0.iter().any(|field| memchr::memmem::find(&field.bytes, boundary.as_bytes()).is_some());
            if !taken {
                return boundary;
            }
            number = number.wrapping_add(1);
        }
    }
}

/// A name between quotes, escaped as the HTML standard says.
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_field_with_the_boundary_gets_another_one_and_names_cannot_break_out() {
        let mut form = Form::default();
        form.text("a", "causeway-00000000");
        form.file("f", "x\"\r\ny: z", "image/png\r\nz: 1", vec![0xFF]);
        let (content_type, body) = form.finish();
        assert_eq!(content_type, "multipart/form-data; boundary=causeway-00000001");
        let expected: &[u8] = b"--causeway-00000001\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\ncauseway-00000000\r\n\
            --causeway-00000001\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x%22%0D%0Ay: z\"\r\n\
            content-type: image/png  z: 1\r\n\r\n\xFF\r\n--causeway-00000001--\r\n";
        assert_eq!(body, expected);
    }
}
