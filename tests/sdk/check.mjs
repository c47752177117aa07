// Asks every provider through every JavaScript client and checks what comes back.
//
//     node check.mjs --base-url http://127.0.0.1:8080 --key KEY --models openai=NAME,anthropic=NAME,gemini=NAME
//
// NAME is what the gateway calls a model of that provider; behind it stands `causeway mock`, and what stands behind a
// NAME (`@fault=…`, `@rate=…`) must reach it. One line per check (`ok openai→anthropic stream`), a summary, and an exit
// code that is not 0 when one failed.
import { parseArgs } from "node:util";
import { AI_SDK } from "./with_ai_sdk.mjs";
import { WithAnthropic } from "./with_anthropic.mjs";
import { WithGemini } from "./with_gemini.mjs";
import { WithChat, WithResponses } from "./with_openai.mjs";
import { TIMEOUT } from "./expect.mjs";

const CLIENTS = { openai: WithChat, "openai-responses": WithResponses, anthropic: WithAnthropic, gemini: WithGemini, ...AI_SDK };
/** As many checks run at once; most of their time they wait. */
const AT_ONCE = 8;

const { values: options } = parseArgs({
  options: {
    "base-url": { type: "string" },
    key: { type: "string" },
    models: { type: "string" },
    clients: { type: "string", default: Object.keys(CLIENTS).join(",") },
    only: { type: "string", default: "" },
  },
});

const models = options.models.split(",").map((pair) => pair.split("="));
const waiting = [];
for (const client of options.clients.split(",")) {
  for (const [provider, model] of models) {
    // Of this client alone: a key that rests at a model rests for all who ask for it.
    const limited = `${model}@fault=status:429@text=${client}`;
    const suite = new CLIENTS[client]({ url: options["base-url"], key: options.key, provider, model, limited });
    for (let kind = CLIENTS[client]; kind?.prototype; kind = Object.getPrototypeOf(kind)) {
      for (const name of Object.getOwnPropertyNames(kind.prototype)) {
        if (!name.startsWith("check_") || !name.includes(options.only)) continue;
        waiting.push([`${client}→${provider} ${name.slice("check_".length)}`, () => suite[name]()]);
      }
    }
  }
}

let passed = 0;
let failed = 0;

async function run([title, check]) {
  const start = performance.now();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it takes too long")), TIMEOUT);
  });
  try {
    await Promise.race([check(), late]);
    passed += 1;
    console.log(`ok ${title} (${Math.round(performance.now() - start)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${title}: ${error?.stack ?? error}${error?.cause ? `\n  cause: ${error.cause.stack ?? error.cause}` : ""}`);
  } finally {
    clearTimeout(timer);
  }
}

async function work() {
  for (let next = waiting.shift(); next; next = waiting.shift()) await run(next);
}

// What goes wrong beside a check (a stream that nobody reads fails, too) is a finding of its own.
process.on("unhandledRejection", (error) => {
  failed += 1;
  console.log(`FAILED beside the checks: ${error?.stack ?? error}`);
});

await Promise.all(Array.from({ length: AT_ONCE }, work));
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
