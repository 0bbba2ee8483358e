import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

// The hook with functions of the test in place of what it imports: Node.js has no modules `cutover:…`.
async function hook(imports) {
  globalThis.imports = imports;
  const text = await readFile(new URL("@SCRIPT@", import.meta.url), "utf8");
  const replaced = text.replace(
    /import (\{[^}]*\}) from "cutover:[^"]*";/g,
    (line, names) => `const ${names} = globalThis.imports;`,
  );
  return import(`data:text/javascript,${encodeURIComponent(replaced)}`);
}

const instance = { host: "web1", color: "green", listen: "0.0.0.0", address: "10.0.0.11", port: 4002, labels: [] };
const call = { settings: `{"path":"/up"}`, facts: [["marker-header", "x-release"]], instances: [instance] };

test("a case for each instance", async () => {
  let status = 200;
  const { smokeTest } = await hook({ elapsedMs: () => 7, send: () => ({ status, headers: [], text: "" }) });
  const base = { name: "/up on web1", durationMs: 0, labels: [] };
  assert.deepEqual(smokeTest.run(call), [{ ...base, outcome: { tag: "passed" } }]);
  status = 500;
  assert.deepEqual(smokeTest.run(call), [{ ...base, outcome: { tag: "failed", val: "answers 500" } }]);
  assert.deepEqual(smokeTest.validate(`{"path":"up"}`).map(({ key }) => key), ["path"]);
});
