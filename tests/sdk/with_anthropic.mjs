// The checks with Anthropic's own client.
import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import * as expect from "./expect.mjs";

const TOOLS = [
  { name: "get_weather", description: "the weather", input_schema: expect.WEATHER },
  { name: "get_time", description: "the time", input_schema: expect.NOTHING },
];

const textOf = (message) => message.content.filter((block) => block.type === "text").map((block) => block.text).join("");

export class WithAnthropic {
  constructor(options) {
    Object.assign(this, options);
    this.client = this.retrying(0);
  }

  retrying(maxRetries, fetch) {
    return new Anthropic({ baseURL: this.url, apiKey: this.key, authToken: null, maxRetries, timeout: expect.TIMEOUT, fetch });
  }

  fields(content, more) {
    return { model: this.model, max_tokens: 4096, messages: [{ role: "user", content }], ...more };
  }

  ask(content, more = {}, client = this.client) {
    return client.messages.create(this.fields(content, more));
  }

  async check_text() {
    const message = await this.ask(expect.HELLO);
    expect.hello(message.content[0].text);
    expect.equal([message.content.length, message.stop_reason], [1, "end_turn"], "the message");
    expect.truthy(message.usage.input_tokens > 0 && message.usage.output_tokens > 0, "the usage");
  }

  async check_stream() {
    const stream = this.client.messages.stream(this.fields(expect.HELLO));
    let text = "";
    stream.on("text", (piece) => (text += piece));
    expect.equal(await stream.finalText(), text, "the pieces");
    expect.hello(text);
  }

  async check_tools() {
    const said = [];
    const tools = TOOLS.map((tool) => ({ ...tool, parse: (input) => input, run: (input) => (said.push([tool.name, input]), expect.RESULTS[tool.name]) }));
    const runner = this.client.beta.messages.toolRunner(this.fields(expect.PARALLEL, { tools, stream: true }));
    let last;
    for await (const stream of runner) last = await stream.finalMessage();
    expect.both(said);
    expect.quotes(textOf(last));
  }

  async check_thinking() {
    const thinking = { type: "enabled", budget_tokens: 1024 };
    const message = await this.client.messages.stream(this.fields(expect.HELLO, { model: `${this.model}-think`, thinking })).finalMessage();
    expect.contains(message.content.find((block) => block.type === "thinking")?.thinking, "no thoughts", "the thinking");
    expect.hello(textOf(message));
    const messages = [{ role: "user", content: "hi" }, { role: "assistant", content: message.content }, { role: "user", content: expect.HELLO }];
    expect.hello(textOf(await this.ask("", { model: `${this.model}-think`, thinking, messages })));
  }

  async check_structured() {
    const message = await this.client.messages.parse(this.fields(expect.HELLO, { output_config: { format: zodOutputFormat(expect.Answer) } }));
    expect.structured(message.parsed_output);
  }

  async check_image() {
    const source = { type: "base64", media_type: "image/png", data: expect.PNG };
    expect.contains(textOf(await this.ask([{ type: "image", source }, { type: "text", text: "look" }])), expect.SEEN);
  }

  async check_error() {
    const unknown = (error) => error instanceof Anthropic.NotFoundError && error.status === 404 && error.error?.error?.type === "not_found_error";
    await expect.raises(unknown, () => this.ask("hi", { model: "unknown-model" }));
    const refused = (error) => error instanceof Anthropic.AuthenticationError;
    await expect.raises(refused, () => this.ask("hi", {}, this.client.withOptions({ apiKey: "sk-unknown" })));
  }

  async check_retry() {
    const limited = (error) => error instanceof Anthropic.RateLimitError && error.headers.get("retry-after") === "1";
    const fetch = expect.counting();
    await expect.raises(limited, () => this.ask("hi", { model: this.limited }, this.retrying(1, fetch)));
    // The gateway says when asking again helps, and in `x-should-retry` that it does.
    expect.equal(fetch.requests, 2, "the number of requests");
    const broken = expect.counting({ broken: 1 });
    expect.truthy((await this.ask("hi", {}, this.retrying(1, broken))).id, "the answer");
    expect.equal(broken.requests, 2, "the number of requests");
  }

  async check_abort() {
    const stream = this.client.messages.stream(this.fields(expect.HELLO, { model: `${this.model}@rate=4` }));
    let text = "";
    stream.on("text", (piece) => {
      text += piece;
      stream.abort();
    });
    await expect.raises((error) => error instanceof Anthropic.APIUserAbortError, () => stream.done());
    expect.truthy(text && !text.includes(expect.ENDING), `an aborted stream's text ${text}`);
  }
}
