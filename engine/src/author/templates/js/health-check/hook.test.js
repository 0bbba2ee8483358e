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

test("healthy with the release that it says", async () => {
  let answer = () => ({ status: 200, headers: [["x-release", "r2"]], text: "fine" });
  const asked = [];
  const { healthCheck } = await hook({
    send(request) {
      asked.push(`${request.method} ${request.url} via ${request.via}`);
      return answer();
    },
  });
  assert.deepEqual(healthCheck.check(call, instance), { tag: "healthy", val: "r2" });
  assert.deepEqual(asked, ["GET http://127.0.0.1:4002/up via web1"]);

  answer = () => ({ status: 500, headers: [], text: "no database" });
  assert.deepEqual(healthCheck.check(call, instance), { tag: "unhealthy", val: "answers 500" });

  answer = () => {
    throw Object.assign(new Error("connect"), { payload: { tag: "connect", val: "refused" } });
  };
  assert.deepEqual(healthCheck.check(call, instance), { tag: "starting", val: "refused" });

  answer = () => null;
  assert.throws(() => healthCheck.check(call, instance), { tag: "failed" });
  assert.deepEqual(healthCheck.validate(`{"path":"up"}`).map(({ key }) => key), ["path"]);
});
