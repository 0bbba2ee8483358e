// A hook of every kind that does what its settings say. The same text is a script, and a component by componentize-qjs.

import { exec } from "cutover:hook/hosts@0.1.0";
import { send } from "cutover:hook/http-client@0.1.0";

const validate = (settings) => {
  const keys = Object.keys(JSON.parse(settings));
  return keys.includes("case") ? [] : [{ key: "", reason: "missing field `case`" }];
};

function act(call) {
  const { case: wanted, url } = JSON.parse(call.settings);
  switch (wanted) {
    case "answers":
      return "hello";
    case "denied":
      throw { tag: "denied", val: "not for me\nhint: ask for it" };
    case "temporary":
      throw { tag: "temporary", val: "later" };
    case "failed":
      throw { tag: "failed", val: "broken" };
    case "other":
      throw { tag: "other", val: ["E42", "strange"] };
    case "crash":
      throw new Error("nobody expects this");
    case "refused":
      try {
        return `${get("http://192.0.2.1/").status}`;
      } catch (error) {
        throw { tag: error.payload.tag, val: error.payload.val };
      }
    case "http": {
      const answer = get(url);
      return `${answer.status} ${answer.text}`;
    }
    case "exec": {
      const output = exec("web1", {
        program: "/bin/echo",
        args: ["hello"],
        env: [],
        secretEnv: [],
        directory: null,
        input: null,
        secretInput: null,
        asRoot: false,
        timeoutMs: null,
      });
      return `${output.status} ${output.out.trim()}`;
    }
  }
}

function get(url) {
  return send({
    method: "GET",
    url,
    via: null,
    connectTo: null,
    headers: [],
    secretHeaders: [],
    body: null,
    secretBody: null,
    binary: false,
    timeoutMs: null,
  });
}

export const build = {
  validate,
  run: (call, source) => ({ path: "dist", version: act(call), labels: [["branch", source.branch]] }),
};

export const healthCheck = {
  validate,
  check: (call, instance) => ({ tag: "starting", val: act(call) }),
};

export const smokeTest = {
  validate,
  run: (call) => [
    { name: act(call), outcome: { tag: "passed" }, durationMs: 7, labels: [] },
    { name: `${call.instances[0].port}`, outcome: { tag: "failed", val: "no" }, durationMs: 7, labels: [] },
    { name: call.app, outcome: { tag: "skipped", val: "not today" }, durationMs: 7, labels: [] },
  ],
};

export const router = {
  validate,
  features: (call) => ["weights", "hosts"],
  observe: (call, router) => ({
    routing: { blue: 25, green: 75, out: ["web1"] },
    settled: true,
    labels: [["router", router]],
  }),
  prepare: (call, router, want) => act(call),
  apply: (call, router, want) => {
    if (want.green !== 100) {
      throw { tag: "failed", val: `green ${want.green}` };
    }
  },
  discard: (call, router) => {},
  connections: (call, router, color) => (color === "blue" ? 3 : null),
};
