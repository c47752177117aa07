// The checks with Vercel's AI SDK, through each of its providers that a gateway can stand behind.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, Output, RetryError, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";
import * as expect from "./expect.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false;

class WithAiSdk {
  constructor(options) {
    Object.assign(this, options);
  }

  fields(content, more) {
    const messages = [{ role: "user", content }];
    return { model: this.named(this.model), messages, maxRetries: 0, onError: () => {}, ...more };
  }

  async check_text() {
    const answer = await generateText(this.fields(expect.HELLO));
    expect.hello(answer.text);
    expect.equal(answer.finishReason, "stop", "the finish reason");
    expect.truthy(answer.usage.inputTokens > 0 && answer.usage.outputTokens > 0, "the usage");
  }

  async check_stream() {
    const stream = streamText(this.fields(expect.HELLO));
    let text = "";
    for await (const piece of stream.textStream) text += piece;
    expect.hello(text);
    expect.truthy((await stream.usage).outputTokens > 0, "the usage");
  }

  async check_tools() {
    const said = [];
    const of = (name, schema) => tool({ description: name, inputSchema: jsonSchema(schema), execute: (input) => (said.push([name, input]), expect.RESULTS[name]) });
    const tools = { get_weather: of("get_weather", expect.WEATHER), get_time: of("get_time", expect.NOTHING) };
    const stream = streamText(this.fields(expect.PARALLEL, { tools, stopWhen: stepCountIs(3) }));
    expect.quotes(await stream.text);
    expect.both(said);
    expect.equal((await stream.steps).length, 2, "the number of steps");
  }

  async check_structured() {
    // For a model it does not know, this SDK asks Anthropic for a forced call, and Ollama cannot force one.
    if (this.provider === "ollama" && this.named(this.model).provider.startsWith("anthropic")) return;
    const answer = await generateText(this.fields(expect.HELLO, { output: Output.object({ schema: expect.Answer }) }));
    expect.structured(answer.output);
  }

  async check_image() {
    const image = Buffer.from(expect.PNG, "base64");
    const answer = await generateText(this.fields([{ type: "text", text: "look" }, { type: "image", image, mediaType: "image/png" }]));
    expect.contains(answer.text, expect.SEEN);
  }

  async check_error() {
    const unknown = (error) => APICallError.isInstance(error) && [400, 404].includes(error.statusCode) && error.message.includes("unknown-model");
    await expect.raises(unknown, () => generateText(this.fields("hi", { model: this.named("unknown-model") })));
  }

  async check_retry() {
    const fetch = expect.counting();
    const model = this.named(this.limited, fetch);
    const limited = (error) => RetryError.isInstance(error) && error.lastError.statusCode === 429 && error.lastError.isRetryable;
    await expect.raises(limited, () => generateText(this.fields("hi", { model, maxRetries: 1 })));
    expect.equal(fetch.requests, 2, "the number of requests");
  }

  async check_abort() {
    const controller = new AbortController();
    const stream = streamText(this.fields(expect.HELLO, { model: this.named(`${this.model}@rate=4`), abortSignal: controller.signal }));
    let [text, aborted] = ["", false];
    for await (const part of stream.fullStream) {
      if (part.type === "text-delta") text += part.text;
      if (part.type === "abort") aborted = true;
      if (text) controller.abort();
    }
    expect.truthy(aborted, "whether it says that it was aborted");
    expect.truthy(text && !text.includes(expect.ENDING), `an aborted stream's text ${text}`);
  }
}

const through = (make) =>
  class extends WithAiSdk {
    named(model, fetch) {
      return make({ url: this.url, apiKey: this.key, fetch }, model);
    }
  };

export const AI_SDK = {
  "ai-sdk-openai": through(({ url, ...more }, model) => createOpenAI({ baseURL: `${url}/v1`, ...more })(model)),
  "ai-sdk-openai-chat": through(({ url, ...more }, model) => createOpenAI({ baseURL: `${url}/v1`, ...more }).chat(model)),
  "ai-sdk-compatible": through(({ url, ...more }, model) =>
    createOpenAICompatible({ name: "causeway", baseURL: `${url}/v1`, includeUsage: true, supportsStructuredOutputs: true, ...more })(model),
  ),
  "ai-sdk-anthropic": through(({ url, ...more }, model) => createAnthropic({ baseURL: `${url}/v1`, ...more })(model)),
  "ai-sdk-google": through(({ url, ...more }, model) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, ...more })(model)),
};
