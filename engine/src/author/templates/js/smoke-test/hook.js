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

@GET@

@ANSWERING@
