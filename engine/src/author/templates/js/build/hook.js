// Turns a checkout into an artifact, on the host that builds.

import { exec } from "cutover:hook/hosts@0.1.0";

export const build = {
  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    return Object.keys(JSON.parse(settings)).map((key) => ({ key, reason: "there are no settings" }));
  },

  run: answering((call, source) => {
    run("/bin/cp", ["-R", `${source.checkout}/.`, source.output]);
    return { path: "", version: null, labels: [] };
  }),
};

// Runs a program that has to end with status 0. There is no shell.
function run(program, args) {
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
