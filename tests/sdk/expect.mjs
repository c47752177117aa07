// What the checks of all JavaScript clients share: what is asked, and what the mock is known to say.
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

export const TIMEOUT = 60_000;

export const HELLO = "Hello from the check, with an umlaut: ü and a ship: ⛵";
export const PARALLEL = "Please do both in parallel.";
/** The last words of the mock's usual answer. */
export const ENDING = "to talk to a real model.";

export const WEATHER = { type: "object", properties: { city: { type: "string" }, unit: { type: "string", enum: ["celsius", "fahrenheit"] } }, required: ["city", "unit"] };
export const NOTHING = { type: "object", properties: {} };
export const RESULTS = { get_weather: "sunny, 21 °C", get_time: "noon" };
export const Answer = z.object({ city: z.string(), population: z.number().int() });

/** The smallest PNG there is: one transparent pixel, 68 bytes. */
export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII=";
export const SEEN = "I see 1 image(s): image/png of 68 bytes";

export function equal(found, wanted, what) {
  if (!isDeepStrictEqual(found, wanted)) throw new Error(`${what} is ${show(found)}, not ${show(wanted)}`);
}

export function truthy(found, what) {
  if (!found) throw new Error(`${what} is ${show(found)}`);
}

export function contains(text, piece, what = "the text") {
  if (!text?.includes(piece)) throw new Error(`${what} lacks ${show(piece)}: ${show(text)}`);
}

export function hello(text) {
  contains(text, `You said: "${HELLO}"`);
  contains(text, ENDING);
}

/** Calls as `[name, arguments]`, in their order: both tools, the first with the fewest arguments. */
export function both(calls) {
  const read = (input) => (typeof input === "string" ? JSON.parse(input || "{}") : (input ?? {}));
  const plain = calls.map(([name, input]) => [name, { ...read(input) }]);
  equal(plain, [["get_weather", { city: "x", unit: "celsius" }], ["get_time", {}]], "what is called");
}

export function quotes(text) {
  for (const [name, result] of Object.entries(RESULTS)) {
    contains(text, `The tool ${name} returned: "`);
    contains(text, result);
  }
}

export function structured(answer) {
  Answer.parse(answer);
}

/** `ask` fails with an error that `is` accepts. */
export async function raises(is, ask) {
  let found;
  try {
    found = await ask();
  } catch (error) {
    if (!is(error)) throw new Error(`it fails with another error: ${error?.constructor?.name} ${error?.status} ${error}`, { cause: error });
    return error;
  }
  throw new Error(`it does not fail, but gives ${show(found)}`);
}

/** A `fetch` that counts, so that repeated requests show; the first ones may break. */
export function counting({ broken = 0 } = {}) {
  const count = async (...request) => {
    count.requests += 1;
    if (count.requests <= broken) throw new TypeError("fetch failed");
    return fetch(...request);
  };
  count.requests = 0;
  return count;
}

function show(value) {
  return (JSON.stringify(value) ?? String(value)).slice(0, 600);
}
