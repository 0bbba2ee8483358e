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

@GET@

@ANSWERING@
