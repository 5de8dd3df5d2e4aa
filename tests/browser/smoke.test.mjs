// The page mounts, from any path, without an error.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";

pageTest("the page mounts", async ({ page }) => {
  await page.locator("main").waitFor();
  assert.equal(await page.title(), "Podflow");
});

pageTest("the editor's module loads when it is asked for", async ({ page }) => {
  const names = await page.evaluate(async () => Object.keys(await import("./modules/editor.js")));
  assert.notEqual(names.length, 0);
});

pageTest("without scripts the page says what it needs", { context: { javaScriptEnabled: false } }, async ({ page }) => {
  assert.match(await page.locator("noscript").innerText(), /JavaScript/);
});
