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

const source = { revision: "9f3c2a1", branch: "main", checkout: "/src", output: "/out" };

test("the checkout is the artifact", async () => {
  let status = 0;
  const ran = [];
  const { build } = await hook({
    exec(host, { program, args }) {
      ran.push([host, program, ...args].join(" "));
      return { status, out: "", errors: "disk full", truncated: false };
    },
  });
  assert.deepEqual(build.run({ settings: "{}" }, source), { path: "", version: null, labels: [] });
  assert.deepEqual(ran, ["builder /bin/cp -R /src/. /out"]);
  status = 1;
  assert.throws(() => build.run({ settings: "{}" }, source), { tag: "failed" });
});
