// Tries pages of the idle colour out, on each of its instances.
//
//     [[smoke-test]]
//     name = "pages"
//     hook = "script:checks/pages.js"
//     settings = { pages = [{ path = "/checkout", text = "Your cart" }, { path = "/account", status = 302 }] }
//     grants = { http = [{ to = "instances" }] }

import { elapsedMs, log } from "cutover:hook/engine@0.1.0";
import { send } from "cutover:hook/http-client@0.1.0";

// What it listens on, as seen from its own host.
function authority({ listen, port }) {
  const local = { "0.0.0.0": "127.0.0.1", "::": "::1" }[listen] ?? listen;
  return local.includes(":") ? `[${local}]:${port}` : `${local}:${port}`;
}

function get(instance, path) {
  return send({
    method: "GET",
    url: `http://${authority(instance)}${path}`,
    via: instance.host,
    headers: [],
    secretHeaders: [],
    binary: false,
    timeoutMs: 5000,
  });
}

// Why a page is not as it has to be; null when it is.
function fault(call, instance, page) {
  const { status, headers, text } = get(instance, page.path);
  if (status !== (page.status ?? 200)) {
    return `answers ${status}`;
  }
  if (page.text !== undefined && !text.includes(page.text)) {
    return `does not say \`${page.text}\``;
  }
  const marker = call.facts.find(([name]) => name === "marker-header");
  const says = marker && headers.find(([name]) => name === marker[1].toLowerCase());
  return says && says[1] !== call.release.id ? `is of release ${says[1]}` : null;
}

export const smokeTest = {
  validate(settings) {
    const { pages } = JSON.parse(settings);
    if (!Array.isArray(pages) || pages.length === 0) {
      return [{ key: "pages", reason: "has to be a list of pages: `[{ path = \"/\" }]`" }];
    }
    return pages
      .map((page, at) => ({ key: `pages[${at}].path`, reason: "has to begin with `/`", path: page.path }))
      .filter(({ path }) => typeof path !== "string" || !path.startsWith("/"))
      .map(({ key, reason }) => ({ key, reason }));
  },

  run(call) {
    const { pages } = JSON.parse(call.settings);
    return call.instances.flatMap((instance) =>
      pages.map((page) => {
        const begun = elapsedMs();
        const wrong = fault(call, instance, page);
        log("info", `${instance.host} ${page.path}: ${wrong ?? "fine"}`);
        return {
          name: `${page.path} on ${instance.host}`,
          outcome: wrong === null ? { tag: "passed" } : { tag: "failed", val: wrong },
          durationMs: elapsedMs() - begun,
          labels: [],
        };
      }),
    );
  },
};
