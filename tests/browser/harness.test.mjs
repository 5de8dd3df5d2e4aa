// The harness itself: what must fail a test does.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";
import { serve } from "./site.mjs";

pageTest("errors of the page are seen", { allow: [/on purpose/] }, async ({ page, profile }) => {
  await page.evaluate(() => {
    console.error("logged on purpose");
    setTimeout(() => {
      throw new Error("thrown on purpose");
    });
  });
  // The browser reports in its own time.
  for (let wait = 0; profile.errors.length < 2 && wait < 100; wait += 1) await page.waitForTimeout(100);
  assert.deepEqual(profile.errors.map((error) => error.split(":")[0]).sort(), ["console", "uncaught"]);
});

pageTest("a request that leaves the site is seen", { allow: [/left the site/, /404/] }, async ({ page, profile }) => {
  await page.evaluate(() => fetch("/elsewhere"));
  assert.match(profile.errors.join("\n"), /left the site: .*\/elsewhere/);
});

pageTest("each profile is fresh", async ({ page, newProfile }) => {
  await page.evaluate(() => localStorage.setItem("seen", "yes"));
  const other = await (await newProfile()).page();
  assert.equal(await other.evaluate(() => localStorage.getItem("seen")), null);
});

pageTest("the server gives the site and nothing else", async ({ url }) => {
  const server = await serve();
  const status = async (path) => (await fetch(new URL(path, server.url))).status;
  assert.equal(await status("."), 200);
  assert.equal(await status("/"), 404);
  assert.equal(await status("%2e%2e%2f%2e%2e%2fCargo.toml"), 404);
  assert.equal(await status("missing.js"), 404);
  assert.notEqual(server.url, url);
  await server.close();
});
