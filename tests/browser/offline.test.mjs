// A published site opens without a network once it has been there, and a new version replaces the old.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { keep } from "../../www/publish.mjs";
import { launch, serve } from "./site.mjs";

/** A site as a build makes it, that says `text`. */
async function site(folder, text) {
  await mkdir(join(folder, "modules"), { recursive: true });
  await writeFile(join(folder, "index.html"), '<!doctype html><html><body><script type="module" src="./app.js"></script></body></html>');
  await writeFile(join(folder, "app.js"), `const unused = 1; document.body.append((await import("./modules/words.js")).text);`);
  await writeFile(join(folder, "modules/words.js"), `export const text = ${JSON.stringify(text)};`);
  await keep(folder);
}

test("a published site opens without a network", { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "podflow-site-"));
  const [browser, server] = await Promise.all([launch(), site(folder, "one").then(() => serve(folder))]);
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    const says = (text) => page.waitForFunction((text) => document.body.innerText.trim() === text, text);
    const install = () =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.register("offline.js");
        await registration.update();
        const worker = registration.installing ?? registration.waiting ?? registration.active;
        while (worker.state === "installing") await new Promise((done) => worker.addEventListener("statechange", done, { once: true }));
        return worker.state;
      });
    await page.goto(server.url);
    await says("one");
    assert.notEqual(await install(), "redundant");
    await page.evaluate(() => navigator.serviceWorker.ready);

    await context.setOffline(true);
    await page.goto(`${server.url}?embed`);
    await says("one");
    await page.reload();
    await says("one");
    await context.setOffline(false);
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  }
});
