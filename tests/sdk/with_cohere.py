"""The checks with Cohere's own client."""

import cohere
import cohere.core.api_error
import httpx

import expect

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "the weather", "parameters": expect.WEATHER_SCHEMA}},
    {
        "type": "function",
        "function": {"name": "get_time", "description": "the time", "parameters": {"type": "object", "properties": {}}},
    },
]
THINKING = {"type": "enabled", "token_budget": 1024}


def user(content):
    return {"role": "user", "content": content}


def text_of(message):
    return "".join(block.text for block in message.content or [] if block.type == "text")


def results(calls, *texts):
    return [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in zip(calls, texts)]


class Collected:
    """A stream put together, checked on the way."""

    def __init__(self, events):
        self.text, self.thought, self.plan, self.finish_reason, self.usage = "", "", "", None, None
        self.calls, names, content, call = [], [], None, None
        for event in events:
            names.append(event.type)
            message = getattr(getattr(event, "delta", None), "message", None)
            if event.type == "content-start":
                expect.equal(content, None, "an open block")
                content = event.index
            elif event.type == "content-delta":
                expect.equal(event.index, content, "the block of a piece")
                self.text += message.content.text or ""
                self.thought += message.content.thinking or ""
            elif event.type == "content-end":
                expect.equal(event.index, content, "the block that ends")
                content = None
            elif event.type == "tool-plan-delta":
                self.plan += message.tool_plan
            elif event.type == "tool-call-start":
                expect.equal((call, event.index), (None, len(self.calls)), "a call that begins")
                call = event.index
                self.calls.append([message.tool_calls.id, message.tool_calls.function.name, ""])
            elif event.type == "tool-call-delta":
                expect.equal(event.index, call, "the call of a piece")
                self.calls[-1][2] += message.tool_calls.function.arguments
            elif event.type == "tool-call-end":
                expect.equal(event.index, call, "the call that ends")
                call = None
            elif event.type == "message-end":
                self.finish_reason, self.usage, self.error = event.delta.finish_reason, event.delta.usage, event.delta.error
        expect.equal((names[0], names[-1]), ("message-start", "message-end"), "the first and the last event")


class WithCohere:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model, self.thinking = options, provider, model, thinking
        self.client = self.with_key(options.key)

    def with_key(self, key):
        return cohere.ClientV2(api_key=key, base_url=self.options.base_url, timeout=expect.TIMEOUT)

    def fields(self, messages, more):
        if isinstance(messages, str):
            messages = [user(messages)]
        options = {"max_retries": 0}
        return {"model": self.model, "messages": messages, "request_options": options, **more}

    def ask(self, messages, **more):
        answer = self.client.chat(**self.fields(messages, more))
        expect.equal(answer.message.role, "assistant", "the role")
        return answer

    def collect(self, messages, **more):
        return Collected(self.client.chat_stream(**self.fields(messages, more)))

    def check_whole(self):
        answer = self.ask(expect.HELLO)
        expect.hello(text_of(answer.message))
        expect.equal(answer.finish_reason, "COMPLETE", "the reason")
        assert answer.id

    def check_stream(self):
        answer = self.collect(expect.HELLO)
        expect.hello(answer.text)
        expect.equal(answer.finish_reason, "COMPLETE", "the reason")

    def check_usage(self):
        for usage in (self.ask(expect.HELLO).usage, self.collect(expect.HELLO).usage):
            expect.positive(input=int(usage.tokens.input_tokens), output=int(usage.tokens.output_tokens))
            expect.positive(billed=int(usage.billed_units.input_tokens))

    def check_system(self):
        answer = self.ask([{"role": "system", "content": expect.SYSTEM}, user(expect.HELLO)])
        expect.contains(text_of(answer.message), f'The system prompt is: "{expect.SYSTEM}"')

    def check_tools(self):
        answer = self.ask(expect.WEATHER, tools=TOOLS)
        (call,) = answer.message.tool_calls
        expect.equal((call.function.name, answer.finish_reason), ("get_weather", "TOOL_CALL"), "the call")
        expect.weather(call.function.arguments)

    def check_stream_tools(self):
        answer = self.collect(expect.PARALLEL, tools=TOOLS)
        expect.equal([name for _, name, _ in answer.calls], ["get_weather", "get_time"], "the calls")
        expect.weather(answer.calls[0][2])
        if answer.calls[1][2] != "null":
            expect.nothing(answer.calls[1][2])
        expect.equal(answer.finish_reason, "TOOL_CALL", "the reason")

    def check_parallel_tools_there_and_back(self):
        message = self.ask(expect.PARALLEL, tools=TOOLS).message
        turns = [user(expect.PARALLEL), message, *results(message.tool_calls, "sunny", "noon")]
        expect.quotes(text_of(self.ask(turns, tools=TOOLS).message), "sunny", "noon")
        expect.quotes(self.collect(turns, tools=TOOLS).text, "sunny", "noon")

    def check_documents_in_results(self):
        message = self.ask(expect.WEATHER, tools=TOOLS).message
        document = {"type": "document", "document": {"data": {"weather": "sunny"}, "id": "d1"}}
        turns = [user(expect.WEATHER), message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": [document]}]
        expect.quotes(text_of(self.ask(turns, tools=TOOLS).message), "sunny")

    def check_forced_tool(self):
        answer = self.ask("hello", tools=TOOLS, tool_choice="REQUIRED")
        expect.equal(len(answer.message.tool_calls), 1, "the number of calls")
        answer = self.ask(expect.WEATHER, tools=TOOLS, tool_choice="NONE")
        expect.equal(answer.message.tool_calls, None, "the calls")

    def check_settings(self):
        answer = self.ask(expect.HELLO, max_tokens=3, temperature=0.5, p=0.9, k=5)
        expect.equal(answer.finish_reason, "MAX_TOKENS", "the reason")
        answer = self.ask(expect.HELLO, stop_sequences=[expect.STOP])
        assert text_of(answer.message).endswith("This is Causeway's "), answer

    def check_schema(self):
        form = {"type": "json_object", "json_schema": expect.ANSWER_SCHEMA}
        expect.structured(text_of(self.ask("tell me", response_format=form).message))

    def check_image(self):
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{expect.PNG}"}}
        answer = self.ask([user([{"type": "text", "text": "look"}, image])])
        expect.contains(text_of(answer.message), "image/png of 68 bytes")

    def check_thinking_there_and_back(self):
        model, self.model = self.model, self.thinking
        try:
            first = self.ask(expect.PARALLEL, tools=TOOLS, thinking=THINKING, max_tokens=4096).message
            told = "".join(block.thinking for block in first.content or [] if block.type == "thinking")
            expect.contains(told, "A mock has no thoughts", "the thought")
            turns = [user(expect.PARALLEL), first, *results(first.tool_calls, "sunny", "noon")]
            expect.quotes(text_of(self.ask(turns, tools=TOOLS, thinking=THINKING, max_tokens=4096).message), "sunny", "noon")
            expect.contains(self.collect("hello", thinking=THINKING, max_tokens=4096).thought, "A mock has no thoughts")
        finally:
            self.model = model

    def error(self, ask, status):
        error = expect.raises(cohere.core.api_error.ApiError, ask, status=(status,))
        body = error.body if isinstance(error.body, dict) else vars(error.body)
        assert body["message"] and body["id"], body

    def check_unknown_model(self):
        self.model, model = self.options.unknown_model, self.model
        try:
            self.error(lambda: self.ask("hello"), 404)
        finally:
            self.model = model

    def check_wrong_key(self):
        client = self.client
        try:
            self.client = self.with_key(self.options.wrong_key)
            self.error(lambda: self.ask("hello"), 401)
        finally:
            self.client = client

    def check_wrong_request(self):
        self.error(lambda: self.ask([{"role": "nobody", "content": "x"}]), 400)

    def check_fault_limit(self):
        model, self.model = self.model, f"{self.model}@fault=status:429"
        try:
            self.error(lambda: self.ask("hello"), 429)
        finally:
            self.model = model

    def check_fault_in_a_stream(self):
        model = self.model
        for fault in ("error-event:4", "cut:4"):
            self.model = f"{model}@fault={fault}"
            ended = None
            try:
                # The stream ends with an error in its last event, and without the end of its body.
                for event in self.client.chat_stream(**self.fields(expect.HELLO, {})):
                    ended = event.delta.error if event.type == "message-end" else None
            except httpx.RemoteProtocolError:
                pass
            except cohere.core.api_error.ApiError:
                # Nothing had been sent yet.
                ended = "an error"
            finally:
                self.model = model
            assert ended, f"a stream that {fault} ends like one that did not"
