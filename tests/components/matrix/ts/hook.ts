// A hook of every kind that does what its settings say, in TypeScript. What it answers is the same in every language.

import type { Build } from "cutover:hook/build@0.1.0";
import type { HealthCheck } from "cutover:hook/health-check@0.1.0";
import type { Call, HookError, SettingFault } from "cutover:hook/hook-types@0.1.0";
import { exec } from "cutover:hook/hosts@0.1.0";
import { send, type HttpError, type Response } from "cutover:hook/http-client@0.1.0";
import type { Router } from "cutover:hook/router@0.1.0";
import type { SmokeTest } from "cutover:hook/smoke-test@0.1.0";

type Settings = { case?: string; url: string };

function validate(settings: string): SettingFault[] {
  const { case: wanted }: Settings = JSON.parse(settings);
  return wanted === undefined ? [{ key: "", reason: "missing field `case`" }] : [];
}

function fail(error: HookError): never {
  throw error;
}

function act(call: Call): string {
  const { case: wanted, url }: Settings = JSON.parse(call.settings);
  switch (wanted) {
    case "answers":
      return "hello";
    case "denied":
      return fail({ tag: "denied", val: "not for me\nhint: ask for it" });
    case "temporary":
      return fail({ tag: "temporary", val: "later" });
    case "failed":
      return fail({ tag: "failed", val: "broken" });
    case "other":
      return fail({ tag: "other", val: ["E42", "strange"] });
    case "refused":
      try {
        return `${get("http://192.0.2.1/").status}`;
      } catch (error) {
        const { payload } = error as { payload: HttpError };
        return payload.tag === "denied" ? fail({ tag: "denied", val: payload.val }) : fail({ tag: "failed", val: payload.tag });
      }
    case "http": {
      const { status, text } = get(url);
      return `${status} ${text}`;
    }
    case "exec": {
      const program = { program: "/bin/echo", args: ["hello"], env: [], secretEnv: [], directory: null };
      const output = exec("web1", { ...program, input: null, secretInput: null, asRoot: false, timeoutMs: null });
      return `${output.status} ${output.out.trim()}`;
    }
    default:
      throw new Error("nobody expects this");
  }
}

function get(url: string): Response {
  const plain = { method: "GET", url, via: null, connectTo: null, headers: [], secretHeaders: [] };
  return send({ ...plain, body: null, secretBody: null, binary: false, timeoutMs: null });
}

export const build: Build = {
  validate,
  run: (call, source) => ({ path: "dist", version: act(call), labels: [["branch", source.branch]] }),
};

export const healthCheck: HealthCheck = {
  validate,
  check: (call) => ({ tag: "starting", val: act(call) }),
};

export const smokeTest: SmokeTest = {
  validate,
  run: (call) => [
    { name: act(call), outcome: { tag: "passed" }, durationMs: 7, labels: [] },
    { name: `${call.instances[0]?.port}`, outcome: { tag: "failed", val: "no" }, durationMs: 7, labels: [] },
    { name: call.app, outcome: { tag: "skipped", val: "not today" }, durationMs: 7, labels: [] },
  ],
};

export const router: Router = {
  validate,
  features: () => ["weights", "hosts"],
  observe: (_, router) => ({
    routing: { blue: 25, green: 75, out: ["web1"] },
    settled: true,
    labels: [["router", router]],
  }),
  prepare: act,
  apply(_, router, want) {
    if (want.green !== 100) {
      fail({ tag: "failed", val: `green ${want.green}` });
    }
  },
  discard() {},
  connections: (_, router, color) => (color === "blue" ? 3 : null),
};
