// Moves traffic: a balancer that tells and takes its live colour at one URL.

import { send } from "cutover:hook/http-client@0.1.0";

export const router = {
  // Beyond all requests to one colour: none at all.
  features: answering(() => ["maintenance"]),

  // Faults of the settings table in cutover.toml, asked before anything runs.
  validate(settings) {
    const { url = "", ...others } = JSON.parse(settings);
    const faults = Object.keys(others).map((key) => ({ key, reason: "there is no such key: `url` is accepted" }));
    if (!/^https?:\/\//.test(url)) {
      faults.push({ key: "url", reason: `\`${url}\` is no URL: \`http://…\` or \`https://…\`` });
    }
    return faults;
  },

  // What the balancer does now. Nothing may be changed here: the engine refuses every method but GET and HEAD.
  observe: answering((call, router) => {
    const live = ask(call, router, "GET", null);
    return { routing: { ...SHARES[live], out: [] }, settled: true, labels: [] };
  }),

  // What would change, for people.
  prepare: answering((call, router, want) => {
    // The once-only set-up is asked for without a router to speak to.
    if (call.facts.some(([name]) => name === "setup")) {
      return "# nothing has to be installed: the balancer is told over HTTP\n";
    }
    const [now, then] = [ask(call, router, "GET", null), wanted(want)];
    return now === then ? "" : `-${now}\n+${then}\n`;
  }),

  apply: answering((call, router, want) => {
    ask(call, router, "PUT", wanted(want));
  }),

  discard: answering(() => {}),

  // The balancer can't tell.
  connections: answering(() => null),
};

const SHARES = {
  blue: { blue: 100, green: 0 },
  green: { blue: 0, green: 100 },
  none: { blue: 0, green: 0 },
};

// `features` names neither `weights` nor `hosts`, so nothing else is asked than what `SHARES` has.
function wanted(want) {
  const found = Object.entries(SHARES).find(([, share]) => share.blue === want.blue && share.green === want.green);
  if (found === undefined) {
    throw new Error("the balancer can't share requests");
  }
  return found[0];
}

// What the balancer says is live, after it was told or only asked.
function ask(call, router, method, word) {
  const { url } = JSON.parse(call.settings);
  const answer = send({
    method,
    url,
    via: router,
    connectTo: null,
    headers: [],
    secretHeaders: [],
    body: word === null ? null : Uint8Array.from(word, (letter) => letter.charCodeAt(0)),
    secretBody: null,
    binary: false,
    timeoutMs: 5000,
  });
  if (answer.status !== 200) {
    throw { tag: answer.status >= 500 ? "temporary" : "failed", val: `${method} ${url} answered ${answer.status}` };
  }
  const live = answer.text.trim();
  if (!(live in SHARES)) {
    throw new Error(`the balancer names no colour: \`${live}\``);
  }
  return live;
}

@ANSWERING@
