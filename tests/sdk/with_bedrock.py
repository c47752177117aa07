"""The checks with AWS's own client (boto3), which takes a gateway's key as a Bedrock API key. It sends such a key over https
only; AWS_CA_BUNDLE names the certificate."""

import base64
import json
import os

import boto3
import botocore.config
import botocore.exceptions

import expect

TOOLS = {
    "tools": [
        {"toolSpec": {"name": "get_weather", "description": "the weather", "inputSchema": {"json": expect.WEATHER_SCHEMA}}},
        {"toolSpec": {"name": "get_time", "description": "the time", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
    ]
}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}


def user(*content):
    return {"role": "user", "content": [{"text": part} if isinstance(part, str) else part for part in content]}


def text_of(message):
    return "".join(block.get("text", "") for block in message["content"])


def calls_of(message):
    return [block["toolUse"] for block in message["content"] if "toolUse" in block]


def results(calls, *texts):
    return user(
        *({"toolResult": {"toolUseId": call["toolUseId"], "content": [{"text": text}]}} for call, text in zip(calls, texts))
    )


class WithBedrock:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model, self.thinking = options, provider, model, thinking
        self.client = self.with_key(options.key)

    def with_key(self, key):
        os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key
        config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=expect.TIMEOUT)
        return boto3.client("bedrock-runtime", region_name="eu-central-1", endpoint_url=self.options.base_url, config=config)

    def fields(self, messages, more):
        if isinstance(messages, str):
            messages = [user(messages)]
        return {"modelId": self.model, "messages": messages, **more}

    def ask(self, messages, **more):
        answer = self.client.converse(**self.fields(messages, more))
        expect.equal(answer["output"]["message"]["role"], "assistant", "the role")
        return answer

    def collect(self, messages, **more):
        """A stream put together as AWS's examples do it: one block at a time, in order."""
        answer = {"output": {"message": {"role": None, "content": []}}}
        blocks, open_block, names = answer["output"]["message"]["content"], None, []
        for event in self.client.converse_stream(**self.fields(messages, more))["stream"]:
            ((name, inside),) = event.items()
            names.append(name)
            if name == "messageStart":
                answer["output"]["message"]["role"] = inside["role"]
            elif name == "contentBlockStart":
                expect.equal((open_block, inside["contentBlockIndex"]), (None, len(blocks)), "a block that begins")
                open_block = inside["contentBlockIndex"]
                blocks.append({"toolUse": {**inside["start"]["toolUse"], "input": ""}})
            elif name == "contentBlockDelta":
                if open_block is None:
                    open_block = inside["contentBlockIndex"]
                    blocks.append({})
                expect.equal(inside["contentBlockIndex"], open_block, "the block of a piece")
                add(blocks[-1], inside["delta"])
            elif name == "contentBlockStop":
                expect.equal(inside["contentBlockIndex"], open_block, "the block that ends")
                open_block = None
            elif name == "messageStop":
                answer.update(inside)
            elif name == "metadata":
                answer.update(inside)
        expect.equal((names[0], names[-2:]), ("messageStart", ["messageStop", "metadata"]), "the first and the last events")
        for call in calls_of(answer["output"]["message"]):
            call["input"] = json.loads(call["input"] or "{}")
        return answer

    def check_whole(self):
        answer = self.ask(expect.HELLO)
        expect.hello(text_of(answer["output"]["message"]))
        expect.equal(answer["stopReason"], "end_turn", "the reason")
        assert answer["ResponseMetadata"]["RequestId"]

    def check_stream(self):
        answer = self.collect(expect.HELLO)
        expect.hello(text_of(answer["output"]["message"]))
        expect.equal(answer["stopReason"], "end_turn", "the reason")

    def check_usage(self):
        for answer in (self.ask(expect.HELLO), self.collect(expect.HELLO)):
            usage = answer["usage"]
            expect.positive(input=usage["inputTokens"], output=usage["outputTokens"])
            expect.equal(usage["totalTokens"], usage["inputTokens"] + usage["outputTokens"], "the total")
            assert isinstance(answer["metrics"]["latencyMs"], int)

    def check_system(self):
        answer = self.ask(expect.HELLO, system=[{"text": expect.SYSTEM}])
        expect.contains(text_of(answer["output"]["message"]), f'The system prompt is: "{expect.SYSTEM}"')

    def tools(self, answer):
        (call,) = calls_of(answer["output"]["message"])
        expect.equal((call["name"], answer["stopReason"]), ("get_weather", "tool_use"), "the call")
        expect.weather(call["input"])

    def check_tools(self):
        self.tools(self.ask(expect.WEATHER, toolConfig=TOOLS))

    def check_stream_tools(self):
        self.tools(self.collect(expect.WEATHER, toolConfig=TOOLS))

    def check_parallel_tools_there_and_back(self):
        for ask in (self.ask, self.collect):
            first = ask(expect.PARALLEL, toolConfig=TOOLS)
            message = first["output"]["message"]
            calls = calls_of(message)
            expect.equal([call["name"] for call in calls], ["get_weather", "get_time"], "the calls")
            expect.nothing(calls[1]["input"])
            turns = [user(expect.PARALLEL), message, results(calls, "sunny", "noon")]
            expect.quotes(text_of(ask(turns, toolConfig=TOOLS)["output"]["message"]), "sunny", "noon")

    def check_a_result_that_is_an_error_and_one_that_is_json(self):
        calls = calls_of(message := self.ask(expect.PARALLEL, toolConfig=TOOLS)["output"]["message"])
        back = results(calls, "broken", "")
        back["content"][0]["toolResult"]["status"] = "error"
        back["content"][1]["toolResult"]["content"] = [{"json": {"time": "noon"}}]
        text = text_of(self.ask([user(expect.PARALLEL), message, back], toolConfig=TOOLS)["output"]["message"])
        expect.quotes(text, "broken", "noon")

    def check_forced_tool(self):
        choice = {"tool": {"name": "get_time"}}
        answer = self.ask("hello", toolConfig={**TOOLS, "toolChoice": choice})
        expect.equal([call["name"] for call in calls_of(answer["output"]["message"])], ["get_time"], "the calls")
        answer = self.ask("hello", toolConfig={**TOOLS, "toolChoice": {"any": {}}})
        expect.equal(len(calls_of(answer["output"]["message"])), 1, "the number of calls")

    def check_settings(self):
        answer = self.ask(expect.HELLO, inferenceConfig={"maxTokens": 3, "temperature": 0.5})
        expect.equal(answer["stopReason"], "max_tokens", "the reason")
        answer = self.ask(expect.HELLO, inferenceConfig={"stopSequences": [expect.STOP]})
        assert text_of(answer["output"]["message"]).endswith("This is Causeway's "), answer

    def check_schema(self):
        schema = {"name": "answer", "schema": json.dumps(expect.ANSWER_SCHEMA)}
        form = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
        expect.structured(text_of(self.ask("tell me", outputConfig=form)["output"]["message"]))

    def check_image(self):
        image = {"image": {"format": "png", "source": {"bytes": base64.b64decode(expect.PNG)}}}
        answer = self.ask([user("look", image)])
        expect.contains(text_of(answer["output"]["message"]), "image/png of 68 bytes")

    def check_thinking_there_and_back(self):
        more = {"additionalModelRequestFields": THINKING, "inferenceConfig": {"maxTokens": 4096}}
        for ask in (self.ask, self.collect):
            model, self.model = self.model, self.thinking
            try:
                message = ask(expect.PARALLEL, toolConfig=TOOLS, **more)["output"]["message"]
                thoughts = [block["reasoningContent"] for block in message["content"] if "reasoningContent" in block]
                told = "".join(thought.get("reasoningText", {}).get("text", "") for thought in thoughts)
                expect.contains(told, "A mock has no thoughts", "the thought")
                turns = [user(expect.PARALLEL), message, results(calls_of(message), "sunny", "noon")]
                expect.quotes(text_of(ask(turns, toolConfig=TOOLS, **more)["output"]["message"]), "sunny", "noon")
            finally:
                self.model = model

    def error(self, ask):
        error = expect.raises(botocore.exceptions.ClientError, ask)
        told = error.response
        assert told["Error"]["Message"] and told["ResponseMetadata"]["RequestId"], told
        return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]

    def check_unknown_model(self):
        self.model, model = self.options.unknown_model, self.model
        try:
            expect.equal(self.error(lambda: self.ask("hello")), ("ResourceNotFoundException", 404), "the error")
        finally:
            self.model = model

    def check_wrong_key(self):
        client = self.client
        try:
            self.client = self.with_key(self.options.wrong_key)
            expect.equal(self.error(lambda: self.ask("hello")), ("AccessDeniedException", 403), "the error")
        finally:
            self.client = client
            os.environ["AWS_BEARER_TOKEN_BEDROCK"] = self.options.key

    def check_signature(self):
        """A signed request cannot be checked, and the error says what to do."""
        del os.environ["AWS_BEARER_TOKEN_BEDROCK"]
        client = self.client
        self.client = boto3.client(
            "bedrock-runtime",
            region_name="eu-central-1",
            endpoint_url=self.options.base_url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
        )
        try:
            error = expect.raises(botocore.exceptions.ClientError, lambda: self.ask("hello"))
            expect.equal(error.response["Error"]["Code"], "AccessDeniedException", "the error")
            expect.contains(error.response["Error"]["Message"], "AWS_BEARER_TOKEN_BEDROCK")
        finally:
            self.client = client
            os.environ["AWS_BEARER_TOKEN_BEDROCK"] = self.options.key

    def check_wrong_request(self):
        turns = [{"role": "user", "content": [{"toolUse": {"toolUseId": "a", "name": "b", "input": {}}}]}]
        expect.equal(self.error(lambda: self.ask(turns)), ("ValidationException", 400), "the error")

    def check_fault_limit(self):
        model, self.model = self.model, f"{self.model}@fault=status:429"
        try:
            expect.equal(self.error(lambda: self.ask("hello")), ("ThrottlingException", 429), "the error")
        finally:
            self.model = model

    def check_fault_in_a_stream(self):
        model = self.model
        for fault in ("error-event:4", "cut:4"):
            self.model = f"{model}@fault={fault}"
            try:
                expect.raises(
                    (botocore.exceptions.EventStreamError, botocore.exceptions.ClientError), lambda: self.collect(expect.HELLO)
                )
            finally:
                self.model = model


def add(block, delta):
    ((kind, piece),) = delta.items()
    if kind == "text":
        block["text"] = block.get("text", "") + piece
    elif kind == "toolUse":
        block["toolUse"]["input"] += piece["input"]
    elif kind == "reasoningContent":
        thought = block.setdefault("reasoningContent", {})
        ((kind, piece),) = piece.items()
        if kind == "redactedContent":
            thought["redactedContent"] = thought.get("redactedContent", b"") + piece
        else:
            told = thought.setdefault("reasoningText", {"text": ""})
            told[kind] = told.get(kind, "") + piece
    else:
        raise AssertionError(f"an unknown piece {delta}")
