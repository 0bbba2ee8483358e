// Holds a JSON API of the idle colour against what the settings say of it: status, fields, time; and writes something, reads it back and
// removes it again.

import { elapsedMs } from "cutover:hook/engine@0.1.0";
import type { Call, HookError, Instance, SettingFault } from "cutover:hook/hook-types@0.1.0";
import { send, type Response } from "cutover:hook/http-client@0.1.0";
import type { Outcome, SmokeTest, TestCase } from "cutover:hook/smoke-test@0.1.0";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

interface Check {
  name: string;
  path: string;
  status?: number;
  equals?: Record<string, Json>;
  types?: Record<string, string>;
}

interface Write {
  path: string;
  body: Record<string, Json>;
  id?: string;
}

interface Settings {
  "budget-ms"?: number;
  checks?: Check[];
  write?: Write;
}

const TYPES = ["null", "boolean", "number", "string", "array", "object"];

export const smokeTest: SmokeTest = {
  validate(text) {
    const settings: Settings = JSON.parse(text);
    const { checks = [], write } = settings;
    const faults = [...unknown("", settings, ["budget-ms", "checks", "write"])];
    if (checks.length === 0 && write === undefined) {
      faults.push({ key: "", reason: "tests nothing: `checks` or `write` says what" });
    }
    if (!Number.isInteger(settings["budget-ms"] ?? 1)) {
      faults.push({ key: "budget-ms", reason: `\`${settings["budget-ms"]}\` is no number of milliseconds` });
    }
    checks.forEach((check, at) => {
      const key = `checks[${at}]`;
      faults.push(...unknown(key, check, ["name", "path", "status", "equals", "types"]), ...path(key, check.path));
      if (typeof check.name !== "string") {
        faults.push({ key, reason: "lacks `name`: what people call it" });
      }
      for (const [field, type] of Object.entries(check.types ?? {}).filter(([, type]) => !TYPES.includes(type))) {
        faults.push({ key: `${key}.types.${field}`, reason: `\`${type}\` is none of ${TYPES.join(", ")}` });
      }
    });
    if (write !== undefined) {
      faults.push(...unknown("write", write, ["path", "body", "id"]), ...path("write", write.path));
      if (typeOf(write.body ?? null) !== "object") {
        faults.push({ key: "write", reason: "lacks `body`: the table that is sent" });
      }
    }
    return faults;
  },

  run: answering((call: Call) => {
    const settings: Settings = JSON.parse(call.settings);
    return call.instances.flatMap((instance) => {
      const api = new Api(instance, settings["budget-ms"] ?? 1000);
      (settings.checks ?? []).forEach((check) => api.try(check.name, () => held(api, check)));
      if (settings.write !== undefined) {
        written(api, settings.write);
      }
      return api.cases;
    });
  }),
};

function unknown(at: string, table: object, known: string[]): SettingFault[] {
  const reason = `there is no such key: ${known.map((key) => `\`${key}\``).join(", ")} are accepted`;
  const keys = Object.keys(table).filter((key) => !known.includes(key));
  return keys.map((key) => ({ key: at === "" ? key : `${at}.${key}`, reason }));
}

function path(key: string, path: unknown): SettingFault[] {
  return String(path).startsWith("/") ? [] : [{ key, reason: `\`path\` does not begin with \`/\`: \`${path}\`` }];
}

// The application does not do what it should.
class Wrong extends Error {}

// One instance, with what was found there.
class Api {
  readonly cases: TestCase[] = [];

  constructor(
    private readonly instance: Instance,
    private readonly budgetMs: number,
  ) {}

  // Makes a case of it: whether it did what it should, and in its time.
  try(name: string, deed: () => void): boolean {
    const begun = elapsedMs();
    let wrong: string | null = null;
    try {
      deed();
    } catch (error) {
      if (!(error instanceof Wrong)) {
        throw error;
      }
      wrong = error.message;
    }
    const durationMs = elapsedMs() - begun;
    if (wrong === null && durationMs > this.budgetMs) {
      wrong = `took ${durationMs} ms, of ${this.budgetMs} ms that it may take`;
    }
    this.note(name, wrong === null ? { tag: "passed" } : { tag: "failed", val: wrong }, durationMs);
    return wrong === null;
  }

  skip(name: string, why: string): void {
    this.note(name, { tag: "skipped", val: why }, 0);
  }

  private note(name: string, outcome: Outcome, durationMs: number): void {
    this.cases.push({ name: `${name} on ${this.instance.host}`, outcome, durationMs, labels: [] });
  }

  // Starts from the instance's own host, where it may listen on loopback alone.
  ask(method: string, path: string, body?: Json): Response {
    const all: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
    const local = all[this.instance.listen] ?? this.instance.listen;
    const address = local.includes(":") ? `[${local}]` : local;
    const type: [string, string][] = body === undefined ? [] : [["content-type", "application/json"]];
    return send({
      method,
      url: `http://${address}:${this.instance.port}${path}`,
      via: this.instance.host,
      connectTo: null,
      headers: [["accept", "application/json"], ...type],
      secretHeaders: [],
      body: body === undefined ? null : bytes(JSON.stringify(body)),
      secretBody: null,
      binary: false,
      timeoutMs: 10_000,
    });
  }
}

function held(api: Api, { path, status = 200, equals = {}, types = {} }: Check): void {
  const answer = api.ask("GET", path);
  expect(answer.status === status, `answers ${answer.status} instead of ${status}`);
  const fields = Object.keys(equals).length + Object.keys(types).length;
  const said = fields === 0 ? null : json(answer);
  for (const [field, wanted] of Object.entries(equals)) {
    const found = at(said, field);
    expect(same(found, wanted), `\`${field}\` is ${shown(found)} instead of ${shown(wanted)}`);
  }
  for (const [field, wanted] of Object.entries(types)) {
    const found = at(said, field);
    expect(found !== undefined && typeOf(found) === wanted, `\`${field}\` is ${shown(found)}, and no ${wanted}`);
  }
}

// What was written is removed, whatever came in between.
function written(api: Api, { path, body, id = "id" }: Write): void {
  let place: string | null = null;
  try {
    const is = api.try("write", () => {
      const answer = api.ask("POST", path, body);
      expect([200, 201].includes(answer.status), `POST is answered with ${answer.status}`);
      const found = at(json(answer), id);
      expect(typeof found === "string" || typeof found === "number", `\`${id}\` is ${shown(found)}, and names nothing`);
      place = `${path}/${encodeURIComponent(String(found))}`;
    });
    if (is && place !== null) {
      const check = { name: "read back", path: place, equals: body };
      api.try(check.name, () => held(api, check));
    } else {
      api.skip("read back", "write failed");
    }
  } finally {
    remove(api, place);
  }
}

function remove(api: Api, place: string | null): void {
  if (place === null) {
    return api.skip("clean-up", "nothing was written");
  }
  api.try("clean-up", () => {
    const answer = api.ask("DELETE", place);
    expect([200, 202, 204].includes(answer.status), `DELETE is answered with ${answer.status}: \`${place}\` is left`);
    const gone = api.ask("GET", place).status;
    expect([404, 410].includes(gone), `\`${place}\` answers ${gone} after DELETE`);
  });
}

function expect(isSo: boolean, otherwise: string): void {
  if (!isSo) {
    throw new Wrong(otherwise);
  }
}

function json(answer: Response): Json {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw new Wrong(answer.truncated ? "answers with more than fits" : "answers no JSON");
  }
}

// `items.0.price` in what was said.
function at(said: Json, field: string): Json | undefined {
  let found: Json | undefined = said;
  for (const key of field.split(".")) {
    found = found !== null && typeof found === "object" && Object.hasOwn(found, key) ? (found as Record<string, Json>)[key] : undefined;
    if (found === undefined) {
      return undefined;
    }
  }
  return found;
}

// Keys of objects have no order.
function same(one: Json | undefined, other: Json): boolean {
  if (one === undefined || typeOf(one) !== typeOf(other)) {
    return false;
  }
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") {
    return one === other;
  }
  const [ones, others] = [Object.entries(one), Object.keys(other)];
  return ones.length === others.length && ones.every(([key, value]) => others.includes(key) && same(value, at(other, key) ?? null));
}

function typeOf(value: Json): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function shown(value: Json | undefined): string {
  return value === undefined ? "not there" : `\`${JSON.stringify(value)}\``;
}

// There is no TextEncoder in a component: what is beyond ASCII is escaped, as JSON may have it.
function bytes(text: string): Uint8Array {
  const ascii = text.replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return Uint8Array.from(ascii, (letter) => letter.charCodeAt(0));
}

const ERRORS = ["denied", "temporary", "failed", "other"];
const WORTH_ANOTHER_TRY = ["unreachable", "connect", "broken", "timed-out"];

// What is thrown: `{ tag, val }` by the hook, an `Error` with that as its `payload` by an import, and whatever else.
interface Thrown {
  tag?: string;
  payload?: { tag: string; val: unknown };
}

// An error that is none of the contract would be a crash: it becomes `failed`, with its text.
function answering<Words extends unknown[], Answer>(ask: (...words: Words) => Answer): (...words: Words) => Answer {
  return (...words) => {
    try {
      return ask(...words);
    } catch (error) {
      throw ERRORS.includes((error as Thrown | null)?.tag ?? "") ? error : failure(error);
    }
  };
}

function failure(error: unknown): HookError {
  const payload = (error as Thrown | null)?.payload;
  if (payload === undefined) {
    return { tag: "failed", val: String(error) };
  }
  const { tag, val } = payload;
  if (tag === "denied") {
    return { tag, val: String(val) };
  }
  return { tag: WORTH_ANOTHER_TRY.includes(tag) ? "temporary" : "failed", val: `${tag}: ${val}` };
}
