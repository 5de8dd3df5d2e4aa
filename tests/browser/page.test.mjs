// The page a person first sees: a running cluster that waits, playback by mouse and keys, both themes
// and languages, and no column lost on a narrow screen.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";

/** The page once its cluster is ready. */
async function ready(page) {
  await page.locator(".narration-line", { hasText: /is running|正在运行/ }).waitFor({ state: "attached" });
}

pageTest("it opens on three ready nodes, and waits", async ({ page }) => {
  await ready(page);
  assert.equal(await page.getByRole("button", { name: /^Node .*: Ready$/ }).count(), 3);
  const clock = page.locator(".toolbar-clock");
  const before = await clock.innerText();
  await page.waitForTimeout(400);
  assert.equal(await clock.innerText(), before);
});

pageTest("space plays and pauses, and the keys of a field are its own", async ({ page }) => {
  await ready(page);
  await page.getByLabel("Speed").selectOption("1×");
  await page.locator(".stage").click({ position: { x: 4, y: 4 } });
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Pause (space)" }).waitFor();
  await page.waitForFunction(() => document.querySelector(".toolbar-clock").innerText > "00:00:05.2");
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Play (space)" }).waitFor();
  await page.getByLabel("Speed").focus();
  await page.keyboard.press(".");
  await page.getByRole("button", { name: "Play (space)" }).waitFor();
});

pageTest("one of many nodes is found by pointing and by keys", async ({ page }) => {
  await ready(page);
  await page.evaluate(async () => {
    await podflow.reset({ nodes: 60 });
    await podflow.run(5);
  });
  const nodes = page.getByRole("listbox", { name: "60 nodes" });
  const area = page.locator(".cells-area");
  const chosen = (name) => page.getByRole("heading", { name, exact: true }).waitFor();
  const { width, height } = await area.boundingBox();
  await area.hover({ position: { x: 10, y: 10 } });
  await nodes.getByRole("option", { name: "Node node-1: Ready" }).waitFor();
  await area.click({ position: { x: width - 10, y: 10 } });
  const columns = Number((await nodes.getByRole("option").getAttribute("aria-label")).match(/node-(\d+)/)[1]);
  await chosen(`node-${columns}`);
  assert.ok(columns > 2 && height > 10);
  await page.mouse.move(0, 0);
  await nodes.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await chosen(`node-${2 * columns - 1}`);
  assert.equal(await nodes.getByRole("option", { selected: true }).count(), 1);
});

pageTest("a node is selected by mouse and by key", async ({ page }) => {
  await ready(page);
  const node = page.getByRole("button", { name: /^Node node-2/ });
  await node.click({ position: { x: 20, y: 12 } });
  assert.equal(await node.getAttribute("aria-pressed"), "true");
  const other = page.getByRole("button", { name: /^Node node-3/ });
  await other.focus();
  await page.keyboard.press("Enter");
  assert.equal(await other.getAttribute("aria-pressed"), "true");
});

pageTest("language and colours are kept", async ({ page, profile }) => {
  await ready(page);
  await page.getByRole("button", { name: "切换到中文" }).click();
  await page.getByRole("button", { name: "配色：跟随系统" }).click();
  await page.getByRole("button", { name: "配色：浅色" }).click();
  const again = await profile.page();
  await ready(again);
  const root = again.locator("html");
  assert.equal(await root.getAttribute("lang"), "zh-CN");
  assert.equal(await root.getAttribute("data-theme"), "dark");
});

const narrow = { context: { viewport: { width: 360, height: 740 } } };

pageTest("a narrow page shows one part at a time and never scrolls sideways", narrow, async ({ page }) => {
  await ready(page);
  for (const name of ["Stage", "Manifest", "Inspector", "Timeline"]) {
    await page.getByRole("button", { name, exact: true }).click();
    assert.equal(await page.locator(".app-part:visible").count(), 1);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
  }
});

pageTest("a failure of the engine is told, and the page can be opened again", { allow: [/unreachable/] }, async ({ page }) => {
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
  await page.evaluate(() => podflow.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: kept}\nspec: {containers: [{name: a, image: nginx}]}"));
  await page.evaluate(() => podflow.run(5));
  const failure = page.getByRole("alert").filter({ hasText: "The engine has stopped." });
  assert.equal(await failure.isVisible(), false);
  // The autosave comes a moment after.
  await page.waitForTimeout(1500);
  await page.evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); }));
  await failure.waitFor();
  await failure.getByRole("link", { name: /Open it again/ }).click();
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
  assert.equal(await failure.isVisible(), false);
  const pods = await page.evaluate(async () => (await (await podflow.fetch("/api/v1/pods")).json()).items.map((pod) => pod.metadata.name));
  assert.deepEqual(pods, ["kept"]);
});

pageTest("a node that nobody runs stands on the stage while there is one", async ({ page }) => {
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
  const bare = page.getByRole("button", { name: /^Node bare/ });
  await page.evaluate(() => podflow.fetch("/api/v1/nodes", { method: "POST", body: JSON.stringify({ metadata: { name: "bare" } }) }));
  await bare.getByText("no kubelet").waitFor();
  assert.equal(await page.getByText("no kubelet").count(), 1);
  await page.evaluate(() => podflow.fetch("/api/v1/nodes/bare", { method: "DELETE" }));
  await bare.waitFor({ state: "detached" });
  assert.equal(await page.getByRole("button", { name: /^Node node-/ }).count(), 3);
});
