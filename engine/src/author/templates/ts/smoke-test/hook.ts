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

@GET@

@ANSWERING@
