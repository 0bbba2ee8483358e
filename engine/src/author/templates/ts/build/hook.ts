// Turns a checkout into an artifact, on the host that builds.

import type { Build, Source } from "cutover:hook/build@0.1.0";
import type { Call, HookError } from "cutover:hook/hook-types@0.1.0";
import { exec } from "cutover:hook/hosts@0.1.0";

export const build: Build = {
  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    return Object.keys(JSON.parse(settings)).map((key) => ({ key, reason: "there are no settings" }));
  },

  run: answering((call: Call, source: Source) => {
    run("/bin/cp", ["-R", `${source.checkout}/.`, source.output]);
    return { path: "", version: null, labels: [] };
  }),
};

// Runs a program that has to end with status 0. There is no shell.
function run(program: string, args: string[]): void {
  const output = exec("builder", {
    program,
    args,
    env: [],
    secretEnv: [],
    directory: null,
    input: null,
    secretInput: null,
    asRoot: false,
    timeoutMs: null,
  });
  if (output.status !== 0) {
    throw new Error(`\`${program}\` ended with status ${output.status}\n${output.errors}`);
  }
}

@ANSWERING@
