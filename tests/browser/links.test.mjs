// Links, the autosave and the page inside of an article.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";

const POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: nginx}]}\n";

async function ready(page) {
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
}

/** The fragment of a link to the middle of a Pod's start. */
async function halfway(page) {
  await ready(page);
  return page.evaluate(async (pod) => {
    await podflow.apply(pod);
    await podflow.run(0.5);
    return podflow.link().split("#")[1];
  }, POD);
}

pageTest("a link copied half-way opens in a fresh profile, and plays on to the same end", async ({ page, newProfile }) => {
  const fragment = await halfway(page);
  const end = () => podflow.run(30 - podflow.now()).then(() => [podflow.now(), podflow.log()]);
  const there = await page.evaluate(() => podflow.now());
  const other = await (await newProfile()).page(`#${fragment}`);
  await other.waitForFunction((there) => window.podflow?.now() === there, there);
  await other.getByRole("button", { name: /^Pod default\/web/ }).waitFor();
  const [one, two] = [await page.evaluate(end), await other.evaluate(end)];
  assert.equal(one[0], two[0]);
  assert.ok(one[1] === two[1], "the logs differ");
});

pageTest("a bad link says what is wrong, in the page's language, and harms nothing", async ({ page, newProfile }) => {
  const fragment = await halfway(page);
  for (const [link, words] of [
    [fragment.slice(0, -9), /cut off/],
    ["p1=%%%", /characters that no link has/],
    ["p9=abc", /another version/],
    ["p1=AAAA", /cut off|no recording/],
  ]) {
    const other = await (await newProfile()).page(`#${link}`);
    await other.getByRole("alert").filter({ hasText: words }).waitFor();
    await ready(other);
    assert.equal(await other.evaluate(() => podflow.now()), 5);
  }
  const chinese = await (await newProfile()).page("?lang=zh#p9=abc");
  await chinese.getByRole("alert").filter({ hasText: "另一个版本" }).waitFor();
  const plain = await (await newProfile()).page("#chapter-2");
  await ready(plain);
  assert.equal(await plain.getByRole("alert").filter({ hasText: "link" }).count(), 0);
  // Into the open page it opens as well; a bad one leaves what is there.
  await page.evaluate(() => (location.hash = "p9=abc"));
  await page.getByRole("alert").filter({ hasText: /another version/ }).waitFor();
  assert.ok((await page.evaluate(() => podflow.now())) > 5);
});

pageTest("reload loses nothing, and a link puts one's own session only aside", async ({ page, profile, newProfile }) => {
  await ready(page);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("pod/nginx created").waitFor();
  await page.evaluate(() => podflow.run(20).then(() => podflow.pause()));
  await page.waitForFunction(() => localStorage.getItem("podflow.session"));
  const again = await profile.page();
  await again.getByRole("button", { name: /^Pod default\/nginx/ }).waitFor();
  const fragment = await halfway(await (await newProfile()).page());
  const linked = await profile.page(`#${fragment}`);
  await linked.getByRole("button", { name: "Back to your own" }).click();
  await linked.getByRole("button", { name: /^Pod default\/nginx/ }).waitFor();
});

pageTest("what was sent just before the page is left is kept", async ({ page }) => {
  await ready(page);
  await page.evaluate(async () => {
    const post = (name) => {
      const pod = { metadata: { name }, spec: { containers: [{ name: "a", image: "nginx" }] } };
      return podflow.fetch("/api/v1/namespaces/default/pods", { method: "POST", body: JSON.stringify(pod) });
    };
    // So many that keeping them takes its time, and is not done again at once.
    await Promise.all(Array.from({ length: 300 }, (_, number) => post(`pod-${number}`)));
    await podflow.run(1);
    await post("last");
  });
  await page.reload();
  await ready(page);
  const last = await page.evaluate(async () => (await podflow.fetch("/api/v1/namespaces/default/pods/last")).status);
  assert.equal(last, 200);
});

pageTest("storage that is broken is survived", async ({ profile }) => {
  await profile.context.addInitScript(() => {
    if (location.protocol !== "http:") return;
    localStorage.setItem("podflow.session", '"p1=rubbish"');
    localStorage.setItem("podflow.theme", "{{{");
    localStorage.setItem("podflow.manifest", "7");
  });
  const page = await profile.page();
  await ready(page);
  assert.equal(await page.evaluate(() => podflow.now()), 5);
});

pageTest("an article shows only what it asks for", async ({ page, newProfile }) => {
  const fragment = await halfway(page);
  const embedded = async (query) => {
    const profile = await newProfile();
    const other = await profile.page(`?embed&${query}#${fragment}`);
    await ready(other);
    return other;
  };
  const stage = await embedded("layout=stage&theme=dark&lang=zh&gear=10");
  assert.equal(await stage.locator(".app-part:visible").count(), 1);
  assert.equal(await stage.locator("html").getAttribute("data-theme"), "dark");
  assert.equal(await stage.locator("html").getAttribute("lang"), "zh-CN");
  assert.equal(await stage.locator(".toolbar-gear").evaluate((select) => select.selectedOptions[0].textContent), "10×");
  const split = await embedded("autoplay&readonly");
  assert.equal(await split.locator(".app-part:visible").count(), 2);
  assert.equal(await split.getByRole("button", { name: /^(Create|Apply)$/ }).count(), 0);
  await split.waitForFunction(() => podflow.now() > 5.6);
  // An article never takes the place of what the person does on the page itself.
  assert.equal(await split.evaluate(() => localStorage.getItem("podflow.session")), null);
});

pageTest("Embed makes the snippet and shows it", async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: "Embed", exact: true }).click();
  const snippet = page.getByLabel("HTML for the article");
  assert.match(await snippet.inputValue(), /^<iframe src="http[^"]*\?embed#p1=/);
  await page.getByLabel("Layout").selectOption("cluster only");
  await page.getByLabel("play at once").check();
  assert.match(await snippet.inputValue(), /\?embed&layout=stage&autoplay#p1=/);
  await page.frameLocator(".embed-preview").getByRole("button", { name: /^Node node-1/ }).waitFor();
});
