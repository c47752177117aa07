// The checks with Google's own client.
import { ApiError, GoogleGenAI } from "@google/genai";
import { z } from "zod";
import * as expect from "./expect.mjs";

const TOOLS = [
  {
    functionDeclarations: [
      { name: "get_weather", description: "the weather", parametersJsonSchema: expect.WEATHER },
      { name: "get_time", description: "the time" },
    ],
  },
];

export class WithGemini {
  constructor(options) {
    Object.assign(this, options);
    this.client = this.retrying(1);
  }

  retrying(attempts, fetch, apiKey = this.key) {
    const retryOptions = { attempts, initialDelay: 0.1 };
    return new GoogleGenAI({ apiKey, vertexai: false, httpOptions: { baseUrl: this.url, timeout: expect.TIMEOUT, retryOptions, fetch } });
  }

  ask(contents, config = {}, model = this.model, client = this.client) {
    return client.models.generateContent({ model, contents, config });
  }

  async check_text() {
    const answer = await this.ask(expect.HELLO);
    expect.hello(answer.text);
    expect.equal(answer.candidates[0].finishReason, "STOP", "the finish reason");
    expect.truthy(answer.usageMetadata.totalTokenCount > 0, "the usage");
  }

  async check_stream() {
    let [text, usage] = ["", undefined];
    for await (const chunk of await this.client.models.generateContentStream({ model: this.model, contents: expect.HELLO })) {
      text += chunk.text ?? "";
      usage = chunk.usageMetadata ?? usage;
    }
    expect.hello(text);
    expect.truthy(usage.totalTokenCount > 0, "the usage");
  }

  async check_tools() {
    const chat = this.client.chats.create({ model: this.model, config: { tools: TOOLS } });
    const calls = [];
    for await (const chunk of await chat.sendMessageStream({ message: expect.PARALLEL })) calls.push(...(chunk.functionCalls ?? []));
    expect.both(calls.map((call) => [call.name, call.args]));
    const message = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: expect.RESULTS[name] } } }));
    expect.quotes((await chat.sendMessage({ message })).text);
  }

  async check_structured() {
    const config = { responseMimeType: "application/json", responseJsonSchema: z.toJSONSchema(expect.Answer) };
    expect.structured(JSON.parse((await this.ask(expect.HELLO, config)).text));
  }

  async check_image() {
    const contents = [{ inlineData: { mimeType: "image/png", data: expect.PNG } }, { text: "look" }];
    expect.contains((await this.ask(contents)).text, expect.SEEN);
  }

  async check_error() {
    await expect.raises((error) => error instanceof ApiError && error.status === 404, () => this.ask("hi", {}, "unknown-model"));
    const stranger = this.retrying(1, undefined, "sk-unknown");
    await expect.raises((error) => error instanceof ApiError && [400, 401].includes(error.status), () => this.ask("hi", {}, this.model, stranger));
  }

  async check_retry() {
    const fetch = expect.counting();
    const ask = () => this.ask("hi", {}, `${this.model}@fault=status:503`, this.retrying(2, fetch));
    // When its attempts are used up, this client says so in a plain error of its own.
    await expect.raises((error) => error instanceof Error, ask);
    expect.equal(fetch.requests, 2, "the number of requests");
  }

  async check_abort() {
    const controller = new AbortController();
    const config = { abortSignal: controller.signal };
    let text = "";
    await expect.raises((error) => controller.signal.aborted && error instanceof Error, async () => {
      for await (const chunk of await this.client.models.generateContentStream({ model: `${this.model}@rate=4`, contents: expect.HELLO, config })) {
        text += chunk.text ?? "";
        if (text) controller.abort();
      }
    });
    expect.truthy(text && !text.includes(expect.ENDING), `an aborted stream's text ${text}`);
  }
}
