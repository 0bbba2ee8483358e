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

const call = { settings: `{"url":"http://127.0.0.1:9000/live"}`, facts: [] };

test("what is applied is observed", async () => {
  let live = "blue";
  const { router } = await hook({
    send({ method, body }) {
      live = method === "PUT" ? String.fromCharCode(...body) : live;
      return { status: 200, headers: [], text: `${live}\n` };
    },
  });
  for (const want of [{ blue: 0, green: 100 }, { blue: 0, green: 0 }, { blue: 100, green: 0 }]) {
    router.apply(call, "lb1", { ...want, out: [] });
    assert.deepEqual(router.observe(call, "lb1").routing, { ...want, out: [] });
  }
  assert.equal(router.prepare(call, "lb1", { blue: 0, green: 100, out: [] }), "-blue\n+green\n");
  live = "purple";
  assert.throws(() => router.observe(call, "lb1"), { tag: "failed" });
});
