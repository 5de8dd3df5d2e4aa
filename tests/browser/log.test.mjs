// The engine in the page does what it does natively: the log of the same inputs is the same, byte by
// byte. tests/it/log.rs plays them natively against the same file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pageTest } from "./harness.mjs";
import { root } from "./site.mjs";

const data = join(root, "tests/data/log");
const script = JSON.parse(await readFile(join(data, "inputs.json"), "utf8"));
const expected = await readFile(join(data, "log.txt"), "utf8");

/** Plays the inputs; a fetch answers only as time goes on, so nobody waits for one. */
async function play({ seed, inputs, until }) {
  await podflow.ready;
  await podflow.reset({ seed, nodes: 3 });
  for (const { at, method, path, body } of inputs) {
    await podflow.run(at - podflow.now());
    podflow.fetch(path, { method, body: body && JSON.stringify(body) });
  }
  await podflow.run(until - podflow.now());
  return podflow.log();
}

pageTest("the log of the same inputs is the same bytes as natively", async ({ page }) => {
  await page.waitForFunction(() => window.podflow);
  assert.ok((await page.evaluate(play, script)) === expected, "the logs differ");
  const again = await page.evaluate(async () => {
    const end = podflow.now();
    await podflow.seek(7);
    const there = podflow.now();
    await podflow.seek(end);
    return [there, podflow.log()];
  });
  assert.equal(again[0], 7);
  assert.ok(again[1] === expected, "after going back and on again the logs differ");
});
