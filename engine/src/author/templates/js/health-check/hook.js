// Whether one instance is healthy: asked again and again, until it is or the time is up.

import { send } from "cutover:hook/http-client@0.1.0";

export const healthCheck = {
  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    const { path = "/", ...others } = JSON.parse(settings);
    const faults = Object.keys(others).map((key) => ({ key, reason: "there is no such key: `path` is accepted" }));
    if (!String(path).startsWith("/")) {
      faults.push({ key: "path", reason: `\`${path}\` does not begin with \`/\`` });
    }
    return faults;
  },

  check: answering((call, instance) => {
    const { path = "/" } = JSON.parse(call.settings);
    let answer;
    try {
      answer = get(instance, path);
    } catch (error) {
      const { tag, val } = error.payload ?? {};
      if (tag === undefined || tag === "denied") {
        throw error;
      }
      return { tag: "starting", val: String(val) };
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
function release(call, answer) {
  const marker = call.facts.find(([name]) => name === "marker-header")?.[1];
  return answer.headers.find(([name]) => name === marker?.toLowerCase())?.[1] ?? null;
}

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
