// Tests the idle colour before it gets traffic.

import { elapsedMs } from "cutover:hook/engine@0.1.0";
import { send } from "cutover:hook/http-client@0.1.0";

export const smokeTest = {
  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    const { path = "/", ...others } = JSON.parse(settings);
    const faults = Object.keys(others).map((key) => ({ key, reason: "there is no such key: `path` is accepted" }));
    if (!String(path).startsWith("/")) {
      faults.push({ key: "path", reason: `\`${path}\` does not begin with \`/\`` });
    }
    return faults;
  },

  run: answering((call) => {
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
function get(instance, path) {
  const local = { "0.0.0.0": "127.0.0.1", "::": "::1" }[instance.listen] ?? instance.listen;
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

// An error that is none of the contract would be a crash: it becomes `failed`, with its text.
function answering(ask) {
  return (...words) => {
    try {
      return ask(...words);
    } catch (error) {
      throw ERRORS.includes(error?.tag) ? error : failure(error);
    }
  };
}

function failure(error) {
  // What an import has thrown.
  const { tag, val } = error?.payload ?? {};
  if (tag === undefined) {
    return { tag: "failed", val: String(error) };
  }
  if (tag === "denied") {
    return { tag, val };
  }
  return { tag: WORTH_ANOTHER_TRY.includes(tag) ? "temporary" : "failed", val: `${tag}: ${val}` };
}
