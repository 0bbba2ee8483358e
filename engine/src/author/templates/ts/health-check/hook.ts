// Whether one instance is healthy: asked again and again, until it is or the time is up.

import type { HealthCheck } from "cutover:hook/health-check@0.1.0";
import type { Call, HookError, Instance, SettingFault } from "cutover:hook/hook-types@0.1.0";
import { send, type Response } from "cutover:hook/http-client@0.1.0";

export const healthCheck: HealthCheck = {
  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    const { path = "/", ...others } = JSON.parse(settings);
    const faults: SettingFault[] = Object.keys(others).map((key) => ({ key, reason: "there is no such key: `path` is accepted" }));
    if (!String(path).startsWith("/")) {
      faults.push({ key: "path", reason: `\`${path}\` does not begin with \`/\`` });
    }
    return faults;
  },

  check: answering((call: Call, instance: Instance) => {
    const { path = "/" } = JSON.parse(call.settings);
    let answer: Response;
    try {
      answer = get(instance, path);
    } catch (error) {
      const payload = (error as Thrown).payload;
      if (payload === undefined || payload.tag === "denied") {
        throw error;
      }
      return { tag: "starting", val: String(payload.val) };
    }
    switch (answer.status) {
      case 200:
        return { tag: "healthy", val: release(call, answer) };
      case 503:
        return { tag: "starting", val: "answers 503" };
      default:
        return { tag: "unhealthy", val: `answers ${answer.status}` };
    }
  }),
};

// The release that the instance says it runs, where the configuration names a header for it.
function release(call: Call, answer: Response): string | null {
  const marker = call.facts.find(([name]) => name === "marker-header")?.[1];
  return answer.headers.find(([name]) => name === marker?.toLowerCase())?.[1] ?? null;
}

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
