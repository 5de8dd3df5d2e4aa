// Sessions of real clients against the example server: `cargo xtask test`.
//
// Each file in sessions/ is a transcript, played on a cluster of its own.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { start } from "./server.mjs";
import { matches, parse, printed } from "./transcript.mjs";

const sessions = new URL("sessions/", import.meta.url);

for (const name of (await readdir(sessions)).sort()) {
  test(name, async () => {
    const steps = parse(await readFile(new URL(name, sessions), "utf8"));
    const server = await start();
    try {
      for (const { line, command, wanted } of steps) {
        const got = printed(await server.run(command));
        if (process.env.PODFLOW_SHOW) console.log(`$ ${command}\n${got.join("\n")}`);
        assert.ok(
          matches(wanted, got),
          `line ${line}: ${command}\nwanted:\n${wanted.join("\n")}\ngot:\n${got.join("\n")}`,
        );
      }
    } finally {
      await server.close();
    }
  });
}

test("a transcript is compared line by line", () => {
  const [one, two] = parse("# note\n$ a \\\nb\nx  1\n\n$ c <<EOF\ny\nEOF\n...\nz {}s\n");
  assert.deepEqual(one, { line: 2, command: "a \\\nb", wanted: ["x  1"] });
  assert.equal(two.command, "c <<EOF\ny\nEOF");
  assert.ok(matches(one.wanted, ["x 1"]));
  assert.ok(!matches(one.wanted, ["x 1", "more"]));
  assert.ok(!matches(one.wanted, ["x 10"]));
  assert.ok(matches(two.wanted, ["p", "q", "z 3s"]));
  assert.ok(!matches(two.wanted, ["z s"]));
  assert.ok(!matches(two.wanted, []));
  assert.deepEqual(printed({ output: "a\n\n", code: 1 }), ["a", "[exit 1]"]);
});
