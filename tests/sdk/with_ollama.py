"""The checks with Ollama's own client."""

import json

import ollama

import expect

TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "the weather", "parameters": expect.WEATHER_SCHEMA},
    },
    {"type": "function", "function": {"name": "get_time", "description": "the time"}},
]


def user(content, **more):
    return {"role": "user", "content": content, **more}


class WithOllama:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model, self.thinking = options, provider, model, thinking
        self.client = self.with_key(options.key)

    def with_key(self, key):
        headers = {"Authorization": f"Bearer {key}"}
        return ollama.Client(host=f"{self.options.base_url}/ollama", headers=headers, timeout=expect.TIMEOUT)

    def ask(self, messages, model=None, **more):
        if isinstance(messages, str):
            messages = [user(messages)]
        return self.client.chat(model=model or self.model, messages=messages, **more)

    def collect(self, messages, model=None, **more):
        """A stream put together by hand, as Ollama's documentation does it, and its last object."""
        text, thinking, calls, last = "", "", [], None
        for part in self.ask(messages, model, stream=True, **more):
            assert last is None, "an object after the last one"
            text += part.message.content or ""
            thinking += part.message.thinking or ""
            calls += part.message.tool_calls or []
            last = part if part.done else None
        assert last is not None, "no last object"
        return text, thinking, calls, last

    def check_whole(self):
        answer = self.ask(expect.HELLO)
        expect.hello(answer.message.content)
        expect.equal((answer.done, answer.done_reason), (True, "stop"), "the end")
        expect.equal(answer.message.role, "assistant", "the role")
        assert answer.model and answer.created_at, answer

    def check_stream(self):
        text, _, _, last = self.collect(expect.HELLO)
        expect.equal(text, self.ask(expect.HELLO).message.content, "the text of the stream")
        expect.equal(last.done_reason, "stop", "the reason")

    def check_usage(self):
        answer, streamed = self.ask(expect.HELLO), self.collect(expect.HELLO)[3]
        expect.positive(prompt=answer.prompt_eval_count, answer=answer.eval_count, total=answer.total_duration)
        expect.positive(total=streamed.total_duration, prompt=streamed.prompt_eval_duration)
        for name in ("prompt_eval_count", "eval_count"):
            expect.equal(getattr(streamed, name), getattr(answer, name), f"{name} of the stream")

    def check_system(self):
        answer = self.ask([{"role": "system", "content": expect.SYSTEM}, user(expect.HELLO)])
        expect.contains(answer.message.content, expect.SYSTEM)

    def both(self, calls):
        expect.equal([call.function.name for call in calls], ["get_weather", "get_time"], "the called tools")
        expect.weather(calls[0].function.arguments)
        expect.nothing(calls[1].function.arguments)

    def check_tools(self):
        answer = self.ask(expect.WEATHER, tools=TOOLS)
        expect.equal([call.function.name for call in answer.message.tool_calls], ["get_weather"], "the called tools")
        expect.weather(answer.message.tool_calls[0].function.arguments)
        expect.equal(answer.done_reason, "stop", "the reason")

    def check_tools_of_python(self):
        """The client makes a schema of a function and calls it."""

        def get_weather(city: str, unit: str) -> str:
            """The weather.

            Args:
                city: the city
                unit: the unit
            """
            return f"sunny in {city}, in {unit}"

        answer = self.ask(expect.WEATHER, tools=[get_weather])
        [call] = answer.message.tool_calls
        expect.contains(get_weather(**call.function.arguments), "sunny in x")

    def check_tools_parallel(self):
        self.both(self.ask(expect.PARALLEL, tools=TOOLS).message.tool_calls)

    def check_stream_tools(self):
        text, _, calls, last = self.collect(expect.PARALLEL, tools=TOOLS)
        expect.equal((text, last.done_reason), ("", "stop"), "text and reason")
        self.both(calls)

    def round_trip(self, model=None, **more):
        """Both tools called, the answer given back as the client keeps it (without ids), the results in the other order."""
        messages = [user(expect.PARALLEL)]
        message = self.ask(messages, model, tools=TOOLS, **more).message
        self.both(message.tool_calls)
        messages.append(message)
        for call, result in reversed(list(zip(message.tool_calls, ("sunny, 21 °C", '{"time": "noon"}')))):
            messages.append({"role": "tool", "tool_name": call.function.name, "content": result})
        answer = self.ask(messages, model, tools=TOOLS, **more)
        expect.quotes(answer.message.content, "The tool get_weather returned", "sunny, 21 °C", "The tool get_time returned")
        return message

    def check_tool_results(self):
        self.round_trip()

    def check_thinking(self):
        message = self.round_trip(self.thinking, think=True)
        expect.contains(message.thinking, "no thoughts", "the thinking")

    def check_stream_thinking(self):
        text, thinking, _, _ = self.collect(expect.HELLO, self.thinking, think=True)
        expect.contains(thinking, "no thoughts", "the thinking")
        expect.hello(text)

    def check_image(self):
        answer = self.ask([user("look", images=[expect.PNG])])
        expect.contains(answer.message.content, "I see 1 image(s): image/png of 68 bytes")

    def check_structured(self):
        expect.structured(self.ask(expect.HELLO, format=expect.ANSWER_SCHEMA).message.content)

    def check_json(self):
        answer = self.ask("Answer in JSON.", format="json")
        if self.provider == "anthropic":
            raise expect.Skipped("Anthropic has no JSON mode")
        json.loads(answer.message.content)

    def check_stop(self):
        answer = self.ask(expect.HELLO, options={"stop": [expect.STOP], "num_ctx": 4096}, keep_alive="1m")
        assert expect.STOP not in answer.message.content and answer.message.content, answer.message.content

    def check_length(self):
        answer = self.ask(expect.HELLO, options=ollama.Options(num_predict=3))
        expect.equal((answer.done_reason, answer.message.content), ("length", "You said: \"H"), "the end")

    def check_generate(self):
        answer = self.client.generate(model=self.model, prompt=expect.HELLO, system=expect.SYSTEM)
        expect.hello(answer.response)
        expect.contains(answer.response, expect.SYSTEM)
        expect.equal((answer.done, answer.done_reason), (True, "stop"), "the end")

    def check_stream_generate(self):
        parts = list(self.client.generate(model=self.thinking, prompt=expect.HELLO, think=True, stream=True))
        expect.hello("".join(part.response or "" for part in parts))
        expect.contains("".join(part.thinking or "" for part in parts), "no thoughts", "the thinking")
        expect.equal([part.done for part in parts].count(True), 1, "the number of last objects")
        expect.positive(answer=parts[-1].eval_count)

    def check_generate_image(self):
        answer = self.client.generate(model=self.model, prompt="look", images=[expect.PNG])
        expect.contains(answer.response, "I see 1 image(s): image/png of 68 bytes")

    def only_the_gateway(self):
        if self.options.direct:
            raise expect.Skipped("the mock has models that answer, and nothing else")

    def check_load(self):
        self.only_the_gateway()
        expect.equal(self.client.generate(model=self.model).done_reason, "load", "the reason")
        expect.equal(self.ask([], keep_alive=0).done_reason, "unload", "the reason")

    def check_models(self):
        names = [model.model for model in self.client.list().models]
        assert self.model in names, f"{self.model} is not among {names}"

    def check_show(self):
        self.only_the_gateway()
        shown = self.client.show(self.model)
        for capability in ("completion", "tools", "vision", "thinking"):
            assert capability in shown.capabilities, shown.capabilities
        expect.equal(list(self.client.ps().models), [], "the models in memory")

    def refused(self, status, ask):
        error = expect.raises(ollama.ResponseError, ask)
        expect.equal(error.status_code, status, "the status")
        assert error.error and not error.error.startswith("{"), error.error

    def check_wrong_key(self):
        client = self.with_key(self.options.wrong_key)
        self.refused(401, lambda: client.chat(model=self.model, messages=[user("hi")]))

    def check_unknown_model(self):
        self.refused(404, lambda: self.ask("hi", self.options.unknown_model))
        if not self.options.direct:
            self.refused(404, lambda: self.client.show(self.options.unknown_model))

    def check_bad_request(self):
        self.refused(400, lambda: self.ask([user("hi"), {"role": "nobody", "content": "hi"}]))

    def faulty(self, fault, **more):
        return self.ask("hi", f"{self.model}@fault={fault}", **more)

    def check_fault_status(self):
        self.refused(429, lambda: self.faulty("status:429"))
        self.refused(500 if self.options.direct else 502, lambda: self.faulty("status:500"))
        self.refused(429, lambda: list(self.faulty("status:429", stream=True)))

    def check_fault_cut_stream(self):
        expect.raises(Exception, lambda: list(self.faulty("cut:4", stream=True)))

    def check_fault_trickle(self):
        expect.hello(self.collect(expect.HELLO, f"{self.model}@fault=trickle:1")[0])

    def check_fault_nonsense(self):
        for fault in ("garbage", "html", "blank", "close"):
            expect.raises(Exception, lambda: self.faulty(fault).message.content)
            expect.raises(Exception, lambda: list(self.faulty(fault, stream=True))[0].message)

    def check_fault_error_in_stream(self):
        expect.raises(ollama.ResponseError, lambda: list(self.faulty("error-event:4", stream=True)))
