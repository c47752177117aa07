"""The checks with OpenAI's own client."""

import json

import openai
import pydantic

import expect

TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "the weather", "parameters": expect.WEATHER_SCHEMA},
    },
    {"type": "function", "function": {"name": "get_time", "description": "the time"}},
]


class Answer(pydantic.BaseModel):
    city: str
    population: int


def user(content):
    return {"role": "user", "content": content}


class WithOpenAI:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model, self.thinking = options, provider, model, thinking
        self.client = self.with_key(options.key)

    def with_key(self, key):
        url = f"{self.options.base_url}/v1"
        return openai.OpenAI(base_url=url, api_key=key, max_retries=0, timeout=expect.TIMEOUT)

    def ask(self, messages, **more):
        if isinstance(messages, str):
            messages = [user(messages)]
        return self.client.chat.completions.create(**{"model": self.model, "messages": messages, **more})

    def collect(self, messages, **more):
        """The deltas of a stream put together by hand, as many programs do."""
        text, reasoning, calls, finish, usage, ids = "", "", {}, None, None, set()
        for chunk in self.ask(messages, stream=True, stream_options={"include_usage": True}, **more):
            ids.add(chunk.id)
            if chunk.usage is not None:
                expect.equal(chunk.choices, [], "the choices of the chunk with usage")
                usage = chunk.usage
            for choice in chunk.choices:
                assert finish is None, "a delta after the finish reason"
                finish = choice.finish_reason
                text += choice.delta.content or ""
                reasoning += getattr(choice.delta, "reasoning_content", None) or ""
                for piece in choice.delta.tool_calls or []:
                    call = calls.setdefault(piece.index, {"id": None, "name": "", "arguments": ""})
                    call["id"] = call["id"] or piece.id
                    call["name"] += piece.function.name or ""
                    call["arguments"] += piece.function.arguments or ""
        expect.equal(len(ids), 1, "the number of different ids in a stream")
        assert usage is not None, "no usage although it was asked for"
        return text, reasoning, [calls[index] for index in sorted(calls)], finish, usage

    def check_whole(self):
        answer = self.ask(expect.HELLO)
        expect.hello(answer.choices[0].message.content)
        expect.equal(answer.choices[0].finish_reason, "stop", "the finish reason")
        expect.equal(answer.object, "chat.completion", "the object")
        assert answer.id and answer.created > 0

    def check_stream(self):
        text, _, _, finish, _ = self.collect([user(expect.HELLO)])
        expect.hello(text)
        expect.equal(finish, "stop", "the finish reason")
        expect.equal(text, self.ask(expect.HELLO).choices[0].message.content, "the text of the stream")

    def check_stream_without_usage(self):
        chunks = list(self.ask(expect.HELLO, stream=True))
        assert all(chunk.usage is None and chunk.choices for chunk in chunks), "usage that nobody asked for"
        expect.equal(chunks[0].choices[0].delta.role, "assistant", "the role in the first chunk")

    def check_stream_helper(self):
        with self.client.chat.completions.stream(model=self.model, messages=[user(expect.PARALLEL)], tools=TOOLS) as stream:
            for _ in stream:
                pass
            message = stream.get_final_completion().choices[0].message
        self.both(message.tool_calls)

    def check_usage(self):
        usage = self.ask(expect.HELLO).usage
        expect.positive(prompt=usage.prompt_tokens, completion=usage.completion_tokens)
        expect.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, "the total")
        streamed = self.collect([user(expect.HELLO)])[4]
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            expect.equal(getattr(streamed, name), getattr(usage, name), f"{name} of the stream")

    def check_system(self):
        for role in ("system", "developer"):
            answer = self.ask([{"role": role, "content": expect.SYSTEM}, user(expect.HELLO)])
            expect.contains(answer.choices[0].message.content, expect.SYSTEM)

    def both(self, calls):
        calls = [call.function for call in calls] if hasattr(calls[0], "function") else calls
        pick = lambda call, name: call[name] if isinstance(call, dict) else getattr(call, name)
        expect.equal([pick(call, "name") for call in calls], ["get_weather", "get_time"], "the called tools")
        expect.weather(pick(calls[0], "arguments"))
        expect.nothing(pick(calls[1], "arguments"))

    def check_tools(self):
        choice = self.ask(expect.WEATHER, tools=TOOLS).choices[0]
        expect.equal(choice.finish_reason, "tool_calls", "the finish reason")
        expect.equal([call.function.name for call in choice.message.tool_calls], ["get_weather"], "the called tools")
        expect.weather(choice.message.tool_calls[0].function.arguments)

    def check_tools_parallel(self):
        message = self.ask(expect.PARALLEL, tools=TOOLS).choices[0].message
        self.both(message.tool_calls)
        assert len({call.id for call in message.tool_calls}) == 2, "two calls with one id"

    def check_tools_not_parallel(self):
        message = self.ask(expect.PARALLEL, tools=TOOLS, parallel_tool_calls=False).choices[0].message
        if self.provider in ("gemini", "ollama"):
            raise expect.Skipped("Gemini and Ollama cannot forbid it")
        expect.equal(len(message.tool_calls), 1, "the number of calls")

    def check_stream_tools(self):
        text, _, calls, finish, _ = self.collect([user(expect.PARALLEL)], tools=TOOLS)
        expect.equal((text, finish), ("", "tool_calls"), "text and finish reason")
        self.both(calls)
        assert len({call["id"] for call in calls}) == 2, "two calls with one id"

    def check_tool_choice(self):
        if self.provider == "ollama":
            raise expect.Skipped("Ollama cannot force a call")
        named = {"type": "function", "function": {"name": "get_time"}}
        for choice, names in ((named, ["get_time"]), ("required", ["get_weather"]), ("none", []), ("auto", [])):
            message = self.ask("hi", tools=TOOLS, tool_choice=choice).choices[0].message
            expect.equal([call.function.name for call in message.tool_calls or []], names, f"tools with {choice}")

    def round_trip(self, **more):
        """Both tools called, the answer given back as it came, the results in the other order."""
        messages = [user(expect.PARALLEL)]
        message = self.ask(messages, tools=TOOLS, **more).choices[0].message
        self.both(message.tool_calls)
        messages.append(message.model_dump(exclude_none=True))
        for call, result in reversed(list(zip(message.tool_calls, ("sunny, 21 °C", '{"time": "noon"}')))):
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        answer = self.ask(messages, tools=TOOLS, **more).choices[0]
        expect.equal(answer.finish_reason, "stop", "the finish reason")
        expect.quotes(answer.message.content, "The tool get_weather returned", "sunny, 21 °C", "The tool get_time returned")
        return message

    def check_tool_results(self):
        self.round_trip()

    def check_thinking(self):
        message = self.round_trip(model=self.thinking, reasoning_effort="low")
        assert getattr(message, "reasoning_content", None), "no reasoning_content"

    def check_stream_thinking(self):
        text, reasoning, _, _, usage = self.collect([user(expect.HELLO)], model=self.thinking, reasoning_effort="low")
        expect.contains(reasoning, "no thoughts", "the reasoning")
        expect.hello(text)
        details = usage.completion_tokens_details
        if self.provider not in ("anthropic", "ollama") or (details and details.reasoning_tokens):
            expect.positive(reasoning=usage.completion_tokens_details.reasoning_tokens)

    def check_image(self):
        data = f"data:image/png;base64,{expect.PNG}"
        for url, seen in expect.pictures(self.provider, data, expect.PICTURE):
            parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]
            expect.contains(self.ask([user(parts)]).choices[0].message.content, f"I see 1 image(s): {seen}")

    def check_structured(self):
        schema = {"name": "answer", "schema": expect.ANSWER_SCHEMA, "strict": True}
        answer = self.ask(expect.HELLO, response_format={"type": "json_schema", "json_schema": schema})
        expect.structured(answer.choices[0].message.content)

    def check_structured_parsed(self):
        answer = self.client.chat.completions.parse(
            model=self.model, messages=[user(expect.HELLO)], response_format=Answer
        )
        assert isinstance(answer.choices[0].message.parsed, Answer)

    def check_json(self):
        answer = self.ask("Answer in JSON.", response_format={"type": "json_object"})
        if self.provider == "anthropic":
            raise expect.Skipped("Anthropic has no JSON mode")
        json.loads(answer.choices[0].message.content)

    def check_stop(self):
        for stop in (expect.STOP, ["never", expect.STOP]):
            choice = self.ask(expect.HELLO, stop=stop).choices[0]
            expect.equal(choice.finish_reason, "stop", "the finish reason")
            assert expect.STOP not in choice.message.content and choice.message.content, choice.message.content

    def check_length(self):
        choice = self.ask(expect.HELLO, max_completion_tokens=3).choices[0]
        expect.equal((choice.finish_reason, choice.message.content), ("length", "You said: \"H"), "the end")

    def check_several_choices(self):
        try:
            answer = self.ask(expect.HELLO, n=2)
        except openai.BadRequestError:
            # Saying that it cannot be done is fine where it cannot be done; one choice for two is not.
            assert self.provider in ("anthropic", "ollama"), f"{self.provider} refuses two choices"
            return
        expect.equal([choice.index for choice in answer.choices], [0, 1], "the choices")
        for choice in answer.choices:
            expect.hello(choice.message.content)

    def complete(self, prompt=expect.HELLO, **more):
        return self.client.completions.create(**{"model": self.model, "prompt": prompt, "max_tokens": 4096, **more})

    def check_completions(self):
        for prompt in (expect.HELLO, [expect.HELLO]):
            answer = self.complete(prompt)
            expect.hello(answer.choices[0].text)
            expect.equal((answer.object, answer.choices[0].finish_reason), ("text_completion", "stop"), "object and end")
            expect.positive(prompt=answer.usage.prompt_tokens, completion=answer.usage.completion_tokens)
        echo = self.complete(echo=True, max_tokens=3).choices[0]
        expect.equal((echo.text, echo.finish_reason), (f'{expect.HELLO}You said: "H', "length"), "the echo and the end")

    def check_completions_stream(self):
        chunks = list(self.complete(stream=True, stream_options={"include_usage": True}))
        expect.hello("".join(chunk.choices[0].text for chunk in chunks if chunk.choices))
        expect.equal([chunk.usage is not None for chunk in chunks].count(True), 1, "the number of chunks with usage")
        expect.equal(chunks[-2].choices[0].finish_reason, "stop", "the finish reason")

    def check_completions_of_several_prompts(self):
        try:
            answer = self.complete(["one", "two"])
        except openai.BadRequestError as error:
            assert self.provider != "openai", error
            expect.equal(error.param, "prompt[1]", "the blamed field")
            return
        expect.equal(self.provider, "openai", "the provider that takes several prompts")
        assert answer.choices[0].text

    def check_models(self):
        names = [model.id for model in self.client.models.list()]
        assert self.model in names, f"{self.model} is not among {names}"

    def check_wrong_key(self):
        client = self.with_key(self.options.wrong_key)
        messages = [user("hi")]
        expect.raises(openai.AuthenticationError, lambda: client.chat.completions.create(model=self.model, messages=messages))

    def check_unknown_model(self):
        error = expect.raises(openai.NotFoundError, lambda: self.ask("hi", model=self.options.unknown_model))
        expect.equal(error.code, "model_not_found", "the code")

    def check_bad_request(self):
        expect.raises(openai.BadRequestError, lambda: self.ask([user("hi"), {"role": "nobody", "content": "hi"}]))

    def faulty(self, fault, **more):
        return self.ask("hi", model=f"{self.model}@fault={fault}", **more)

    def check_fault_status(self):
        expect.raises(openai.RateLimitError, lambda: self.faulty("status:429"))
        expect.raises(openai.InternalServerError, lambda: self.faulty("status:500"))

    def check_fault_cut_stream(self):
        expect.raises(Exception, lambda: list(self.faulty("cut:4", stream=True)))

    def check_fault_trickle(self):
        text = self.collect([user(expect.HELLO)], model=f"{self.model}@fault=trickle:1")[0]
        expect.hello(text)

    def check_fault_nonsense(self):
        for fault in ("garbage", "html", "blank", "close"):
            expect.raises(Exception, lambda: self.faulty(fault).choices[0].message)
            expect.raises(Exception, lambda: list(self.faulty(fault, stream=True))[0].choices)

    def check_fault_error_in_stream(self):
        expect.raises(openai.APIError, lambda: list(self.faulty("error-event:4", stream=True)))
