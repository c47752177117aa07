// The checks with OpenAI's own client: its chat API and its Responses API.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import * as expect from "./expect.mjs";

class WithOpenAI {
  constructor(options) {
    Object.assign(this, options);
    this.client = this.retrying(0);
  }

  retrying(maxRetries, fetch) {
    return new OpenAI({ baseURL: `${this.url}/v1`, apiKey: this.key, maxRetries, timeout: expect.TIMEOUT, fetch });
  }

  async check_error() {
    const unknown = (error) => error instanceof OpenAI.APIError && error.status === this.unknown && error.code === "model_not_found";
    await expect.raises(unknown, () => this.ask("hi", { model: "unknown-model" }));
    await expect.raises((error) => error instanceof OpenAI.AuthenticationError, () => this.client.withOptions({ apiKey: "sk-unknown" }).models.list());
  }

  async check_retry() {
    const limited = (error) => error instanceof OpenAI.RateLimitError && error.headers.get("retry-after") === "1";
    const fetch = expect.counting();
    await expect.raises(limited, () => this.ask("hi", { model: this.limited }, this.retrying(1, fetch)));
    // The gateway says when asking again helps, and in `x-should-retry` that it does.
    expect.equal(fetch.requests, 2, "the number of requests");
    const broken = expect.counting({ broken: 1 });
    expect.truthy((await this.ask("hi", {}, this.retrying(1, broken))).id, "the answer");
    expect.equal(broken.requests, 2, "the number of requests");
  }
}

const FUNCTIONS = [
  { name: "get_weather", description: "the weather", parameters: expect.WEATHER },
  { name: "get_time", description: "the time", parameters: expect.NOTHING },
];

export class WithChat extends WithOpenAI {
  tools = FUNCTIONS.map((tool) => ({ type: "function", function: tool }));
  unknown = 404;

  ask(content, more = {}, client = this.client) {
    return client.chat.completions.create({ model: this.model, messages: [{ role: "user", content }], ...more });
  }

  async check_text() {
    const answer = await this.ask(expect.HELLO);
    expect.hello(answer.choices[0].message.content);
    expect.equal(answer.choices[0].finish_reason, "stop", "the finish reason");
    expect.truthy(answer.usage.total_tokens > 0, "the usage");
  }

  async check_stream() {
    const stream = this.client.chat.completions.stream({ model: this.model, messages: [{ role: "user", content: expect.HELLO }], stream_options: { include_usage: true } });
    let text = "";
    stream.on("content", (piece) => (text += piece));
    expect.equal(await stream.finalContent(), text, "the pieces");
    expect.hello(text);
    expect.truthy((await stream.totalUsage()).total_tokens > 0, "the usage");
  }

  async check_tools() {
    const said = [];
    const tools = this.tools.map((tool) => ({
      type: "function",
      function: {
        ...tool.function,
        parse: JSON.parse,
        function: (input) => (said.push([tool.function.name, input]), expect.RESULTS[tool.function.name]),
      },
    }));
    const runner = this.client.chat.completions.runTools({ model: this.model, messages: [{ role: "user", content: expect.PARALLEL }], tools, stream: true });
    expect.quotes(await runner.finalContent());
    expect.both(said);
  }

  async check_structured() {
    const messages = [{ role: "user", content: expect.HELLO }];
    const response_format = zodResponseFormat(expect.Answer, "answer");
    const answer = await this.client.chat.completions.parse({ model: this.model, messages, response_format });
    expect.structured(answer.choices[0].message.parsed);
  }

  async check_image() {
    const image_url = { url: `data:image/png;base64,${expect.PNG}` };
    const answer = await this.ask([{ type: "text", text: "look" }, { type: "image_url", image_url }]);
    expect.contains(answer.choices[0].message.content, expect.SEEN);
  }

  async check_abort() {
    const stream = await this.ask(expect.HELLO, { model: `${this.model}@rate=4`, stream: true });
    let text = "";
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (text) stream.controller.abort();
    }
    expect.truthy(text && !text.includes(expect.ENDING), `an aborted stream's text ${text}`);
  }
}

export class WithResponses extends WithOpenAI {
  tools = FUNCTIONS.map((tool) => ({ type: "function", strict: false, ...tool }));
  unknown = 400;

  ask(input, more = {}, client = this.client) {
    return client.responses.create({ model: this.model, input, ...more });
  }

  async check_text() {
    const answer = await this.ask(expect.HELLO);
    expect.hello(answer.output_text);
    expect.equal(answer.status, "completed", "the status");
    expect.truthy(answer.usage.total_tokens > 0, "the usage");
  }

  async check_stream() {
    const stream = this.client.responses.stream({ model: this.model, input: expect.HELLO });
    let text = "";
    for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
    const answer = await stream.finalResponse();
    expect.equal(answer.output_text, text, "the pieces");
    expect.hello(text);
    expect.truthy(answer.usage.total_tokens > 0, "the usage");
  }

  async check_tools() {
    const input = [{ role: "user", content: expect.PARALLEL }];
    const more = { tools: this.tools, store: false, include: ["reasoning.encrypted_content"] };
    const answer = await this.client.responses.stream({ model: this.model, input, ...more }).finalResponse();
    const calls = answer.output.filter((item) => item.type === "function_call");
    expect.both(calls.map((call) => [call.name, call.arguments]));
    const results = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: expect.RESULTS[call.name] }));
    expect.quotes((await this.ask([...input, ...answer.output, ...results], more)).output_text);
  }

  async check_structured() {
    const text = { format: zodTextFormat(expect.Answer, "answer") };
    const answer = await this.client.responses.parse({ model: this.model, input: expect.HELLO, text });
    expect.structured(answer.output_parsed);
  }

  async check_image() {
    const image_url = `data:image/png;base64,${expect.PNG}`;
    const content = [{ type: "input_text", text: "look" }, { type: "input_image", image_url, detail: "auto" }];
    expect.contains((await this.ask([{ role: "user", content }])).output_text, expect.SEEN);
  }

  async check_abort() {
    const stream = await this.ask(expect.HELLO, { model: `${this.model}@rate=4`, stream: true });
    let text = "";
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (text) stream.controller.abort();
    }
    expect.truthy(text && !text.includes(expect.ENDING), `an aborted stream's text ${text}`);
  }
}
