"""The checks with Anthropic's own client."""

import anthropic
import pydantic

import expect

TOOLS = [
    {"name": "get_weather", "description": "the weather", "input_schema": expect.WEATHER_SCHEMA},
    {"name": "get_time", "description": "the time", "input_schema": {"type": "object", "properties": {}}},
]
THINKING = {"type": "enabled", "budget_tokens": 1024}


class Answer(pydantic.BaseModel):
    city: str
    population: int


def user(content):
    return {"role": "user", "content": content}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


class WithAnthropic:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model, self.thinking = options, provider, model, thinking
        self.client = self.with_key(options.key)

    def with_key(self, key):
        url = self.options.base_url
        return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=expect.TIMEOUT)

    def fields(self, messages, more):
        if isinstance(messages, str):
            messages = [user(messages)]
        return {"model": self.model, "max_tokens": 4096, "messages": messages, **more}

    def ask(self, messages, **more):
        return self.client.messages.create(**self.fields(messages, more))

    def collect(self, messages, **more):
        """A stream put together by the client, its events in their order."""
        with self.client.messages.stream(**self.fields(messages, more)) as stream:
            raw = [event for event in stream]
            message = stream.get_final_message()
        names = [event.type for event in raw]
        expect.equal((names[0], names[-1]), ("message_start", "message_stop"), "the first and the last event")
        expect.equal(names.count("content_block_start"), names.count("content_block_stop"), "the number of ended blocks")
        starts = [event.index for event in raw if event.type == "content_block_start"]
        expect.equal(starts, list(range(len(starts))), "the numbers of the blocks")
        return message

    def check_whole(self):
        message = self.ask(expect.HELLO)
        expect.hello(text_of(message))
        expect.equal((message.role, message.type, message.stop_reason), ("assistant", "message", "end_turn"), "the message")
        assert message.id and message.model

    def check_stream(self):
        message = self.collect(expect.HELLO)
        expect.equal(text_of(message), text_of(self.ask(expect.HELLO)), "the text of the stream")
        expect.equal(message.stop_reason, "end_turn", "the stop reason")

    def check_stream_raw(self):
        kinds = [event.type for event in self.ask(expect.HELLO, stream=True)]
        assert "content_block_delta" in kinds and kinds[-2:] == ["message_delta", "message_stop"], kinds

    def check_usage(self):
        usage, streamed = self.ask(expect.HELLO).usage, self.collect(expect.HELLO).usage
        expect.positive(input=usage.input_tokens, output=usage.output_tokens)
        expect.equal(
            (streamed.input_tokens, streamed.output_tokens), (usage.input_tokens, usage.output_tokens), "usage of the stream"
        )

    def check_cache(self):
        system = [{"type": "text", "text": f"{self} " * 100, "cache_control": {"type": "ephemeral"}}]
        usages = [self.ask(expect.HELLO, system=system).usage for _ in range(2)]
        if self.provider != "anthropic":
            raise expect.Skipped("marks are Anthropic's own")
        expect.positive(written=usages[0].cache_creation_input_tokens, read=usages[1].cache_read_input_tokens)

    def check_system(self):
        for system in (expect.SYSTEM, [{"type": "text", "text": expect.SYSTEM}]):
            expect.contains(text_of(self.ask(expect.HELLO, system=system)), expect.SYSTEM)

    def both(self, message):
        calls = [block for block in message.content if block.type == "tool_use"]
        expect.equal([call.name for call in calls], ["get_weather", "get_time"], "the called tools")
        expect.weather(calls[0].input)
        expect.nothing(calls[1].input)
        expect.equal((message.stop_reason, len({call.id for call in calls})), ("tool_use", 2), "stop reason and ids")
        return calls

    def check_tools(self):
        message = self.ask(expect.WEATHER, tools=TOOLS)
        calls = [block for block in message.content if block.type == "tool_use"]
        expect.equal(([call.name for call in calls], message.stop_reason), (["get_weather"], "tool_use"), "the calls")
        expect.weather(calls[0].input)

    def check_tools_parallel(self):
        self.both(self.ask(expect.PARALLEL, tools=TOOLS))

    def check_tools_not_parallel(self):
        choice = {"type": "auto", "disable_parallel_tool_use": True}
        message = self.ask(expect.PARALLEL, tools=TOOLS, tool_choice=choice)
        if self.provider in ("gemini", "ollama"):
            raise expect.Skipped("Gemini and Ollama cannot forbid it")
        expect.equal(len(message.content), 1, "the number of blocks")

    def check_stream_tools(self):
        self.both(self.collect(expect.PARALLEL, tools=TOOLS))

    def check_tool_choice(self):
        if self.provider == "ollama":
            raise expect.Skipped("Ollama cannot force a call")
        named = {"type": "tool", "name": "get_time"}
        cases = ((named, ["get_time"]), ({"type": "any"}, ["get_weather"]), ({"type": "none"}, []), ({"type": "auto"}, []))
        for choice, names in cases:
            message = self.ask("hi", tools=TOOLS, tool_choice=choice)
            expect.equal([block.name for block in message.content if block.type == "tool_use"], names, f"tools with {choice}")

    def round_trip(self, first, **more):
        """Both tools called, the answer given back as it came, the results in the other order and text behind them."""
        messages = [user(expect.PARALLEL)]
        message = first(messages, tools=TOOLS, **more)
        calls = self.both(message)
        results = [
            {"type": "tool_result", "tool_use_id": calls[1].id, "content": [{"type": "text", "text": "noon"}]},
            {"type": "tool_result", "tool_use_id": calls[0].id, "content": "no boat left", "is_error": True},
            {"type": "text", "text": "Thank you."},
        ]
        messages += [{"role": "assistant", "content": message.content}, user(results)]
        answer = self.ask(messages, tools=TOOLS, **more)
        expect.equal(answer.stop_reason, "end_turn", "the stop reason")
        return message, text_of(answer)

    def check_tool_results(self):
        _, text = self.round_trip(self.ask)
        if self.provider != "anthropic":
            # The text behind the results is a turn of its own there.
            expect.contains(text, "Thank you.")
        else:
            expect.quotes(text, "The tool get_weather failed with", "no boat left", "The tool get_time returned: \"noon\"")

    def check_thinking(self):
        for first in (self.ask, self.collect):
            message, _ = self.round_trip(first, model=self.thinking, thinking=THINKING)
            expect.equal(message.content[0].type, "thinking", "the first block")
            expect.contains(message.content[0].thinking, "no thoughts", "the thinking")

    def check_stream_thinking(self):
        message = self.collect(expect.HELLO, model=self.thinking, thinking=THINKING)
        blocks = [block.type for block in message.content]
        # Gemini signs its text, too; Anthropic's clients carry that signature as an encrypted block.
        allowed = [["thinking", "text"]] + ([["thinking", "text", "redacted_thinking"]] if self.provider == "gemini" else [])
        assert blocks in allowed, blocks
        expect.hello(text_of(message))

    def check_thinking_redacted(self):
        if self.provider != "anthropic":
            raise expect.Skipped("encrypted blocks are Anthropic's own")
        message, _ = self.round_trip(self.ask, model=f"{self.model}-redacted", thinking=THINKING)
        expect.equal(message.content[0].type, "redacted_thinking", "the first block")

    def check_image(self):
        data = {"type": "base64", "media_type": "image/png", "data": expect.PNG}
        for source, seen in expect.pictures(self.provider, data, {"type": "url", "url": expect.PICTURE}):
            blocks = [{"type": "image", "source": source}, {"type": "text", "text": "look"}]
            expect.contains(text_of(self.ask([user(blocks)])), f"I see 1 image(s): {seen}")

    def check_structured(self):
        format = {"type": "json_schema", "schema": expect.ANSWER_SCHEMA}
        expect.structured(text_of(self.ask(expect.HELLO, output_config={"format": format})))

    def check_structured_parsed(self):
        messages = [user(expect.HELLO)]
        answer = self.client.messages.parse(model=self.model, max_tokens=4096, messages=messages, output_format=Answer)
        assert isinstance(answer.parsed_output, Answer)

    def check_stop(self):
        message = self.ask(expect.HELLO, stop_sequences=["never", expect.STOP])
        assert expect.STOP not in text_of(message) and text_of(message), message
        if self.provider == "anthropic":
            expect.equal((message.stop_reason, message.stop_sequence), ("stop_sequence", expect.STOP), "the end")
        else:
            # Other vendors do not say which sequence it was, or whether it was one.
            assert message.stop_reason in ("end_turn", "stop_sequence"), message.stop_reason

    def check_length(self):
        message = self.ask(expect.HELLO, max_tokens=3)
        expect.equal((message.stop_reason, text_of(message)), ("max_tokens", "You said: \"H"), "the end")

    def check_count_tokens(self):
        if not self.options.direct:
            raise expect.Skipped("the gateway does not count tokens yet")
        if self.provider != "anthropic":
            raise expect.Skipped("only Anthropic counts its own tokens")
        counted = self.client.messages.count_tokens(model=self.model, messages=[user(expect.HELLO)])
        expect.positive(input=counted.input_tokens)

    def check_models(self):
        names = [model.id for model in self.client.models.list()]
        assert self.model in names, f"{self.model} is not among {names}"

    def check_wrong_key(self):
        client = self.with_key(self.options.wrong_key)
        expect.raises(anthropic.AuthenticationError, lambda: client.messages.create(**self.fields("hi", {})))

    def check_unknown_model(self):
        expect.raises(anthropic.NotFoundError, lambda: self.ask("hi", model=self.options.unknown_model))

    def check_bad_request(self):
        expect.raises(anthropic.BadRequestError, lambda: self.ask([{"role": "nobody", "content": "hi"}]))

    def faulty(self, fault, **more):
        return self.ask("hi", model=f"{self.model}@fault={fault}", **more)

    def check_fault_status(self):
        expect.raises(anthropic.RateLimitError, lambda: self.faulty("status:429"))
        expect.raises(anthropic.InternalServerError, lambda: self.faulty("status:500"))

    def check_fault_cut_stream(self):
        expect.raises(Exception, lambda: list(self.faulty("cut:5", stream=True)))

    def check_fault_trickle(self):
        expect.hello(text_of(self.collect(expect.HELLO, model=f"{self.model}@fault=trickle:1")))

    def check_fault_nonsense(self):
        for fault in ("garbage", "html", "blank", "close"):
            expect.raises(Exception, lambda: self.faulty(fault).content[0])
            expect.raises(Exception, lambda: list(self.faulty(fault, stream=True))[0])

    def check_fault_error_in_stream(self):
        expect.raises(anthropic.APIError, lambda: list(self.faulty("error-event:5", stream=True)))
