//! stub
use plugin_sdk::*;
struct OpenAi;
struct S;
impl StreamTranslator for S {
    fn push(&mut self, _b: &[u8]) -> Result<Step, Failure> {
        Err(failure::adapter("x"))
    }
    fn finish(&mut self) -> Result<Step, Failure> {
        Err(failure::adapter("x"))
    }
}
impl Adapter for OpenAi {
    type Stream = S;
    fn describe() -> Manifest {
        Manifest {
            name: "openai".into(),
            version: "0".into(),
            provider: "openai".into(),
            default_url: "".into(),
            operations: vec![],
            capabilities: vec![],
            options_schema: "{}".into(),
            passages: vec![],
            client_headers: vec![],
        }
    }
    fn configure(_: &str) -> Result<Self, Failure> {
        Ok(OpenAi)
    }
    fn translate_request(&self, _: &Route, _: Operation, _: &[u8]) -> Result<UpstreamRequest, Failure> {
        Err(failure::adapter("x"))
    }
    fn translate_response(&self, _: &Route, _: Operation, _: &[Header], _: &[u8]) -> Result<Answer, Failure> {
        Err(failure::adapter("x"))
    }
    fn open_stream(&self, _: &Route, _: Operation, _: &[Header]) -> Result<S, Failure> {
        Ok(S)
    }
}
register_adapter!(OpenAi);
