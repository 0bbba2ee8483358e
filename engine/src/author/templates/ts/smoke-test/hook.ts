// Tests the idle colour before it gets traffic.

import { elapsedMs } from "cutover:hook/engine@0.1.0";
import type { Call, HookError, Instance, SettingFault } from "cutover:hook/hook-types@0.1.0";
import { send, type Response } from "cutover:hook/http-client@0.1.0";
import type { SmokeTest } from "cutover:hook/smoke-test@0.1.0";

export const smokeTest: SmokeTest = {
  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    const { path = "/", ...others } = JSON.parse(settings);
    const faults: SettingFault[] = Object.keys(others).map((key) => ({ key, reason: "there is no such key: `path` is accepted" }));
    if (!String(path).startsWith("/")) {
      faults.push({ key: "path", reason: `\`${path}\` does not begin with \`/\`` });
    }
    return faults;
  },

  run: answering((call: Call) => {
    const { path = "/" } = JSON.parse(call.settings);
    return call.instances.map((instance) => {
      const begun = elapsedMs();
      const { status } = get(instance, path);
      return {
        name: `${path} on ${instance.host}`,
        outcome: status === 200 ? { tag: "passed" } : { tag: "failed", val: `answers ${status}` },
        durationMs: elapsedMs() - begun,
        labels: [],
      };
    });
  }),
};

// Starts from the instance's own host, where it may listen on loopback alone.
function get(instance: Instance, path: string): Response {
  const all: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const local = all[instance.listen] ?? instance.listen;
  const address = local.includes(":") ? `[${local}]` : local;
  return send({
    method: "GET",
    url: `http://${address}:${instance.port}${path}`,
    via: instance.host,
    connectTo: null,
    headers: [],
    secretHeaders: [],
    body: null,
    secretBody: null,
    binary: false,
    timeoutMs: 5000,
  });
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
