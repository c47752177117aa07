"""The checks with LangChain's own OpenAI and Anthropic classes."""

import anthropic
import openai
import pydantic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

import expect

TOOLS = [
    {"type": "function", "function": {"name": "get_weather", "description": "the weather", "parameters": expect.WEATHER_SCHEMA}},
    {
        "type": "function",
        "function": {"name": "get_time", "description": "the time", "parameters": {"type": "object", "properties": {}}},
    },
]


class Answer(pydantic.BaseModel):
    """A city."""

    city: str
    population: int


class WithLangChain:
    def __init__(self, options, provider, model, thinking):
        self.options, self.provider, self.model = options, provider, model

    def check_whole(self):
        answer = self.chat().invoke(expect.HELLO)
        expect.hello(answer.text)
        expect.positive(input=answer.usage_metadata["input_tokens"], output=answer.usage_metadata["output_tokens"])

    def collect(self, chat, messages):
        whole = None
        for chunk in chat.stream(messages):
            whole = chunk if whole is None else whole + chunk
        return whole

    def check_stream(self):
        answer = self.collect(self.chat(), expect.HELLO)
        expect.hello(answer.text)

    def check_stream_tools(self):
        chat = self.chat().bind_tools(TOOLS)
        messages = [HumanMessage(expect.PARALLEL)]
        answer = self.collect(chat, messages)
        expect.equal([call["name"] for call in answer.tool_calls], ["get_weather", "get_time"], "the called tools")
        expect.weather(answer.tool_calls[0]["args"])
        expect.nothing(answer.tool_calls[1]["args"])
        messages.append(answer)
        for call, result in zip(answer.tool_calls, ("sunny, 21 °C", "noon")):
            messages.append(ToolMessage(result, tool_call_id=call["id"]))
        expect.quotes(chat.invoke(messages).text, "The tool get_weather returned", "sunny, 21 °C", "noon")

    def check_structured(self):
        chat = self.chat().with_structured_output(Answer, method="json_schema")
        assert isinstance(chat.invoke(expect.HELLO), Answer)

    def check_structured_by_a_tool(self):
        if self.provider == "ollama":
            raise expect.Skipped("Ollama cannot force a call")
        chat = self.chat().with_structured_output(Answer, method="function_calling")
        assert isinstance(chat.invoke(expect.HELLO), Answer)

    def check_image(self):
        image = {"type": "image", "base64": expect.PNG, "mime_type": "image/png"}
        answer = self.chat().invoke([HumanMessage([{"type": "text", "text": "look"}, image])])
        expect.contains(answer.text, "I see 1 image(s): image/png of 68 bytes")

    def check_error(self):
        expect.raises(self.unknown, lambda: self.chat("unknown-model").invoke("hi"), self.status)


class WithLangChainChat(WithLangChain):
    unknown, status = openai.NotFoundError, (404,)

    responses = False

    def chat(self, model=None):
        return ChatOpenAI(
            model=model or self.model,
            use_responses_api=self.responses,
            base_url=f"{self.options.base_url}/v1",
            api_key=self.options.key,
            max_retries=0,
            timeout=expect.TIMEOUT,
        )


class WithLangChainResponses(WithLangChainChat):
    unknown, status = openai.BadRequestError, (400,)
    responses = True


class WithLangChainAnthropic(WithLangChain):
    unknown, status = anthropic.NotFoundError, (404,)

    def chat(self, model=None):
        return ChatAnthropic(
            model=model or self.model,
            base_url=self.options.base_url,
            api_key=self.options.key,
            max_tokens=4096,
            max_retries=0,
            timeout=expect.TIMEOUT,
        )
