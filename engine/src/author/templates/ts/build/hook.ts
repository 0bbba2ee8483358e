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
