"""The checks with Google's own client."""

import base64

import pydantic
from google import genai
from google.genai import errors, types

import expect

NO_CALLING = types.AutomaticFunctionCallingConfig(disable=True)
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(
                name="get_weather", description="the weather", parameters_json_schema=expect.WEATHER_SCHEMA
            ),
            types.FunctionDeclaration(name="get_time", description="the time"),
        ]
    )
]


class Answer(pydantic.BaseModel):
    city: str
    population: int


def text_of(parts):
    return "".join(part.text for part in parts if part.text and not part.thought)


def thoughts_of(parts):
    return "".join(part.text for part in parts if part.text and part.thought)


def calls_of(parts):
    return [part.function_call for part in parts if part.function_call]


class WithGemini:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model, self.thinking = options, provider, model, thinking
        self.client = self.with_key(options.key)

    def with_key(self, key):
        once = types.HttpRetryOptions(attempts=1)
        milliseconds = int(expect.TIMEOUT * 1000)
        http = types.HttpOptions(base_url=self.options.base_url, timeout=milliseconds, retry_options=once)
        return genai.Client(api_key=key, vertexai=False, http_options=http)

    def ask(self, contents, model=None, **config):
        config = types.GenerateContentConfig(automatic_function_calling=NO_CALLING, **config)
        return self.client.models.generate_content(model=model or self.model, contents=contents, config=config)

    def stream(self, contents, model=None, **config):
        config = types.GenerateContentConfig(automatic_function_calling=NO_CALLING, **config)
        return self.client.models.generate_content_stream(model=model or self.model, contents=contents, config=config)

    def collect(self, contents, model=None, **config):
        """All parts of a stream, its last finish reason and its last usage."""
        parts, finish, usage = [], None, None
        for chunk in self.stream(contents, model, **config):
            candidate = chunk.candidates[0] if chunk.candidates else None
            if candidate and candidate.content:
                parts += candidate.content.parts or []
            finish = candidate.finish_reason if candidate and candidate.finish_reason else finish
            usage = chunk.usage_metadata or usage
        return parts, finish, usage

    def check_whole(self):
        answer = self.ask(expect.HELLO)
        expect.hello(answer.text)
        expect.equal(answer.candidates[0].finish_reason, types.FinishReason.STOP, "the finish reason")
        expect.equal(answer.candidates[0].content.role, "model", "the role")
        assert answer.model_version, "no model version"

    def check_stream(self):
        parts, finish, _ = self.collect(expect.HELLO)
        expect.equal(finish, types.FinishReason.STOP, "the finish reason")
        expect.equal(text_of(parts), self.ask(expect.HELLO).text, "the text of the stream")

    def check_usage(self):
        usage, streamed = self.ask(expect.HELLO).usage_metadata, self.collect(expect.HELLO)[2]
        expect.positive(prompt=usage.prompt_token_count, candidates=usage.candidates_token_count)
        total = usage.prompt_token_count + usage.candidates_token_count + (usage.thoughts_token_count or 0)
        expect.equal(usage.total_token_count, total, "the total")
        for name in ("prompt_token_count", "candidates_token_count", "total_token_count"):
            expect.equal(getattr(streamed, name), getattr(usage, name), f"{name} of the stream")

    def check_system(self):
        expect.contains(self.ask(expect.HELLO, system_instruction=expect.SYSTEM).text, expect.SYSTEM)

    def both(self, parts):
        calls = calls_of(parts)
        expect.equal([call.name for call in calls], ["get_weather", "get_time"], "the called tools")
        expect.weather(calls[0].args)
        expect.nothing(calls[1].args)
        return calls

    def check_tools(self):
        answer = self.ask(expect.WEATHER, tools=TOOLS)
        expect.equal([call.name for call in answer.function_calls], ["get_weather"], "the called tools")
        expect.equal(answer.candidates[0].finish_reason, types.FinishReason.STOP, "the finish reason")
        expect.weather(answer.function_calls[0].args)

    def check_tools_parallel(self):
        self.both(self.ask(expect.PARALLEL, tools=TOOLS).candidates[0].content.parts)

    def check_stream_tools(self):
        parts, finish, _ = self.collect(expect.PARALLEL, tools=TOOLS)
        self.both(parts)
        expect.equal(finish, types.FinishReason.STOP, "the finish reason")

    def check_tool_choice(self):
        if self.provider == "ollama":
            raise expect.Skipped("Ollama cannot force a call")
        for mode, allowed, names in (
            ("ANY", ["get_time"], ["get_time"]),
            ("ANY", None, ["get_weather"]),
            ("NONE", None, []),
            ("AUTO", None, []),
        ):
            calling = types.FunctionCallingConfig(mode=mode, allowed_function_names=allowed)
            answer = self.ask("hi", tools=TOOLS, tool_config=types.ToolConfig(function_calling_config=calling))
            expect.equal([call.name for call in answer.function_calls or []], names, f"tools with {mode} {allowed}")

    def round_trip(self, first, model=None, **config):
        """Both tools called, the answer given back as it came."""
        contents = [types.Content(role="user", parts=[types.Part(text=expect.PARALLEL)])]
        parts = first(contents, model, tools=TOOLS, **config)
        calls = self.both(parts)
        contents.append(types.Content(role="model", parts=parts))
        results = ({"result": "sunny, 21 °C"}, {"error": "the clock stands still"})
        responses = [
            types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response=result))
            for call, result in zip(calls, results)
        ]
        contents.append(types.Content(role="user", parts=responses))
        answer = self.ask(contents, model, tools=TOOLS, **config)
        expect.quotes(answer.text, "The tool get_weather returned", "sunny, 21 °C", "The tool get_time", "stands still")
        return parts

    def whole_parts(self, contents, model=None, **config):
        return self.ask(contents, model, **config).candidates[0].content.parts

    def stream_parts(self, contents, model=None, **config):
        return self.collect(contents, model, **config)[0]

    def check_tool_results(self):
        for first in (self.whole_parts, self.stream_parts):
            self.round_trip(first)

    def check_thinking(self):
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        for first in (self.whole_parts, self.stream_parts):
            parts = self.round_trip(first, self.thinking, thinking_config=thinking)
            expect.contains(thoughts_of(parts), "no thoughts", "the thoughts")
            if self.provider == "gemini":
                signed = [bool(part.thought_signature) for part in parts if part.function_call]
                expect.equal(signed, [True, False], "which calls are signed")

    def check_stream_thinking(self):
        thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        parts, _, usage = self.collect(expect.HELLO, self.thinking, thinking_config=thinking)
        expect.contains(thoughts_of(parts), "no thoughts", "the thoughts")
        expect.hello(text_of(parts))
        if self.provider not in ("anthropic", "ollama") or usage.thoughts_token_count:
            expect.positive(thoughts=usage.thoughts_token_count)

    def check_image(self):
        png = base64.b64decode(expect.PNG)
        by_bytes = types.Part.from_bytes(data=png, mime_type="image/png")
        by_address = types.Part.from_uri(file_uri=expect.PICTURE, mime_type="image/png")
        for part, seen in expect.pictures(self.provider, by_bytes, by_address):
            answer = self.ask([types.Content(role="user", parts=[types.Part(text="look"), part])])
            expect.contains(answer.text, f"I see 1 image(s): {seen}")

    def check_structured(self):
        answer = self.ask(
            expect.HELLO, response_mime_type="application/json", response_json_schema=expect.ANSWER_SCHEMA
        )
        expect.structured(answer.text)

    def check_structured_parsed(self):
        answer = self.ask(expect.HELLO, response_mime_type="application/json", response_schema=Answer)
        assert isinstance(answer.parsed, Answer), answer.text

    def check_stop(self):
        answer = self.ask(expect.HELLO, stop_sequences=["never", expect.STOP])
        assert expect.STOP not in answer.text and answer.text, answer.text
        expect.equal(answer.candidates[0].finish_reason, types.FinishReason.STOP, "the finish reason")

    def check_length(self):
        answer = self.ask(expect.HELLO, max_output_tokens=3)
        expect.equal(answer.text, "You said: \"H", "the text")
        expect.equal(answer.candidates[0].finish_reason, types.FinishReason.MAX_TOKENS, "the finish reason")

    def check_count_tokens(self):
        if not self.options.direct:
            raise expect.Skipped("the gateway does not count tokens yet")
        if self.provider != "gemini":
            raise expect.Skipped("only Google counts its own tokens")
        counted = self.client.models.count_tokens(model=self.model, contents=expect.HELLO)
        expect.positive(total=counted.total_tokens)

    def check_models(self):
        names = [model.name.removeprefix("models/") for model in self.client.models.list()]
        assert self.model in names, f"{self.model} is not among {names}"

    def check_wrong_key(self):
        client = self.with_key(self.options.wrong_key)
        ask = lambda: client.models.generate_content(model=self.model, contents="hi")
        expect.raises(errors.ClientError, ask, status=(400, 401, 403))

    def check_unknown_model(self):
        expect.raises(errors.ClientError, lambda: self.ask("hi", self.options.unknown_model), status=(404,))

    def check_bad_request(self):
        wrong = types.Content(role="nobody", parts=[types.Part(text="hi")])
        expect.raises(errors.ClientError, lambda: self.ask([wrong]), status=(400,))

    def check_fault_status(self):
        expect.raises(errors.ClientError, lambda: self.ask("hi", f"{self.model}@fault=status:429"), status=(429,))
        expect.raises(errors.ServerError, lambda: self.ask("hi", f"{self.model}@fault=status:500"))

    def check_fault_cut_stream(self):
        expect.raises(Exception, lambda: list(self.stream("hi", f"{self.model}@fault=cut:4")))

    def check_fault_trickle(self):
        expect.hello(text_of(self.collect(expect.HELLO, f"{self.model}@fault=trickle:1")[0]))

    def check_fault_nonsense(self):
        for fault in ("garbage", "html", "blank", "close"):
            expect.raises(Exception, lambda: self.ask("hi", f"{self.model}@fault={fault}").candidates[0].content)
            expect.raises(Exception, lambda: list(self.stream("hi", f"{self.model}@fault={fault}"))[0].candidates[0])

    def check_fault_error_in_stream(self):
        expect.raises(errors.APIError, lambda: list(self.stream("hi", f"{self.model}@fault=error-event:4")))
