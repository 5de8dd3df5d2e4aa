// What somebody does who has come to learn: writes manifests, right and wrong, looks, deletes, shares.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";

async function ready(page) {
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
  await page.locator(".editor").hover();
  await page.locator(".cm-content").waitFor();
}

/** Puts `text` in the place of the whole manifest. */
async function write(page, text) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

const pods = (page) => page.evaluate(async () => (await (await podflow.fetch("/api/v1/pods")).json()).items.map((pod) => pod.metadata.name));
const pod = (name, more = "") => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n  - name: a\n    image: nginx\n${more}`;

pageTest("the editor comes to who turns to the manifest, and keeps what they began", async ({ page }) => {
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
  const loaded = () => page.evaluate(() => performance.getEntriesByType("resource").some(({ name }) => name.includes("editor.js")));
  assert.equal(await loaded(), false);
  await page.locator(".editor-key", { hasText: "apiVersion" }).waitFor();
  await page.locator(".editor-typed").focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("# mi");
  await page.locator(".cm-content").waitFor();
  await page.keyboard.type("ne");
  await page.locator(".cm-line", { hasText: "# mine" }).waitFor();
  assert.equal(await loaded(), true);
});

pageTest("without the editor the plain field does", { allow: [/ERR_FAILED/] }, async ({ page }) => {
  await page.route("**/modules/editor.js", (route) => route.abort());
  await page.waitForFunction(() => window.podflow);
  await page.evaluate(() => podflow.ready);
  await page.locator(".editor-typed").fill(pod("plain"));
  await page.keyboard.press("Control+Enter");
  await page.getByText("pod/plain created").waitFor();
});

pageTest("Create shows the Pod's way at once, and the button then applies", async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("pod/nginx created").waitFor();
  const inspector = page.getByRole("region", { name: "Inspector" });
  await inspector.getByText("Written to etcd").waitFor();
  await page.evaluate(() => podflow.run(20));
  await inspector.getByText("Running", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("pod/nginx unchanged").or(page.getByText("pod/nginx configured")).waitFor();
});

pageTest("of one manifest what others need is created before them, and the Pod is shown", async ({ page }) => {
  await ready(page);
  const shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
  const hot = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: hot}\nvalue: 7\n";
  const there = pod("web", "  priorityClassName: hot\n").replace("name: web", "name: web\n  namespace: shop");
  await write(page, [shop, hot, there].join("---\n"));
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("3 objects created").waitFor();
  await page.getByRole("region", { name: "Inspector" }).getByText("Pod in shop").waitFor();
});

pageTest("What if? shows where a Pod would go, and creates none", async ({ page }) => {
  await ready(page);
  const trial = page.getByRole("region", { name: "What if?" });
  await page.getByRole("button", { name: "What if?" }).click();
  await trial.getByText(/It would go to node-\d/).waitFor();
  assert.equal(await trial.locator("tbody tr").count(), 3);
  await write(page, pod("big", "    resources: {requests: {cpu: 64}}\n"));
  assert.equal(await trial.count(), 0);
  await page.getByRole("button", { name: "What if?" }).click();
  await trial.getByText("It would go nowhere").waitFor();
  await trial.getByText(/^Fits .* if it asks for cpu/).waitFor();
  await trial.getByRole("button", { name: "Close" }).click();
  await trial.waitFor({ state: "detached" });
  assert.deepEqual(await pods(page), []);
});

pageTest("a cluster pasted into the manifest is offered, and taken over only if one says so", async ({ page }) => {
  await ready(page);
  const node = "apiVersion: v1\nkind: Node\nmetadata: {name: far, uid: u1}\nstatus: {allocatable: {cpu: '2', memory: 4Gi, pods: '9'}}\n";
  await write(page, `${node}---\n${pod("there", "  nodeName: far\n")}`);
  const offer = page.getByRole("region", { name: "Import a cluster" });
  const nodes = () => page.evaluate(async () => (await (await podflow.fetch("/api/v1/nodes")).json()).items.length);
  await page.getByRole("button", { name: "Create" }).click();
  await offer.getByText(/1 nodes, 1 Pods/).waitFor();
  await offer.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await nodes(), 3);
  await page.getByRole("button", { name: "Create" }).click();
  await offer.getByRole("button", { name: "Import" }).click();
  await offer.waitFor({ state: "detached" });
  assert.equal(await nodes(), 1);
  assert.deepEqual(await pods(page), ["there"]);
  await page.locator(".cm-line", { hasText: "nginx:1.14.2" }).waitFor();
  assert.equal(await page.evaluate(() => Object.values(localStorage).some((kept) => kept.includes("name: far"))), false);
});

pageTest("files dropped on the page become the manifest, wherever they fall", async ({ page }) => {
  await ready(page);
  const drop = async (place, ...texts) => {
    const dataTransfer = await page.evaluateHandle((texts) => {
      const data = new DataTransfer();
      texts.forEach((text, at) => data.items.add(new File([text], `${at}.yaml`)));
      return data;
    }, texts);
    await page.locator(place).dispatchEvent("dragover", { dataTransfer });
    await page.locator(place).dispatchEvent("drop", { dataTransfer });
  };
  const written = () => page.locator(".cm-content").innerText();
  await drop(".cm-content", pod("first"));
  await page.locator(".cm-line", { hasText: "name: first" }).waitFor();
  assert.doesNotMatch(await written(), /nginx:1\.14\.2/);
  await drop("main", pod("second"), pod("third"));
  await page.locator(".cm-line", { hasText: "name: third" }).waitFor();
  assert.doesNotMatch(await written(), /first/);
  await page.getByRole("button", { name: "Create" }).click();
  await page.waitForFunction(async () => {
    const list = await (await podflow.fetch("/api/v1/namespaces/default/pods")).json();
    return list.items.map((pod) => pod.metadata.name).join() === "second,third";
  });
});

pageTest("a scheduler's configuration in the manifest starts it again", async ({ page }) => {
  await ready(page);
  const configuration = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
  await write(page, `${configuration}profiles:\n- plugins:\n    score:\n      enabled:\n      - name: Mine\n`);
  await page.locator(".editor-problems").filter({ hasText: /ScorePlugin "Mine" does not exist/ }).waitFor();
  await write(page, `${configuration}percentageOfNodesToScore: 50\n`);
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("scheduler started again with this configuration").waitFor();
});

pageTest("what is wrong is told at its line, and nothing is sent", async ({ page }) => {
  await ready(page);
  for (const [text, words] of [
    ["a: [1", /did not find expected/],
    [pod("a").replace("image", "imago"), /line 8.*unknown field "spec\.containers\[0\]\.imago"; did you mean "image"\?/s],
    [pod("a").replace("Pod", "Pot"), /line 2.*no matches for kind "Pot"/s],
    [`${pod("a")}---\n${pod("b").replace("v1", "v7")}`, /line 11.*no matches for kind "Pod" in version "v7"/s],
  ]) {
    await write(page, text);
    await page.locator(".editor-problems").filter({ hasText: words }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Create" }).isDisabled(), true);
  }
  assert.deepEqual(await pods(page), []);
});

pageTest("what the API server refuses is told in its words, at its line", async ({ page }) => {
  await ready(page);
  await write(page, `${pod("good")}---\n${pod("Bad_Name")}`);
  await page.getByRole("button", { name: "Create" }).click();
  await page.evaluate(() => podflow.run(5));
  await page.locator(".editor-problems").filter({ hasText: /line 13.*Pod "Bad_Name" is invalid: metadata\.name: Invalid value/s }).waitFor();
  await page.getByRole("status").filter({ hasText: /1 objects created, 1 objects refused/ }).waitFor();
  assert.deepEqual(await pods(page), ["good"]);
});

pageTest("ten thousand documents leave the page alive", { timeout: 120_000 }, async ({ page }) => {
  await ready(page);
  const text = Array.from({ length: 10_000 }, (_, index) => pod(`p${index}`)).join("---\n");
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    document.querySelector(".cm-content").focus();
    document.execCommand("selectAll");
    document.querySelector(".cm-content").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
  await page.getByRole("button", { name: /Create|Apply/ }).click();
  await page.locator(".editor-problems, .editor-result:not(:empty)").first().waitFor();
  // It still hears.
  await page.getByRole("button", { name: "切换到中文" }).click();
  await page.locator(".editor-head", { hasText: "清单" }).waitFor({ timeout: 20_000 });
});

pageTest("Objects are found, sorted, chosen and deleted with a grace period", async ({ page }) => {
  await ready(page);
  await write(page, ["b", "a", "web"].map((name) => pod(name)).join("---\n"));
  await page.keyboard.press("Control+Enter");
  await page.evaluate(() => podflow.run(20));
  await page.getByRole("tab", { name: "Objects" }).click();
  const names = () => page.locator(".objects-name").allInnerTexts();
  assert.deepEqual(await names(), ["a", "b", "web"]);
  const byName = page.getByRole("columnheader", { name: /^NAME/ }).last().getByRole("button");
  await byName.click();
  await byName.click();
  assert.deepEqual(await names(), ["web", "b", "a"]);
  await page.getByRole("searchbox").fill("we");
  assert.deepEqual(await names(), ["web"]);
  await page.getByRole("button", { name: "Delete web" }).click();
  await page.getByLabel("Grace period in seconds").fill("0");
  await page.getByRole("button", { name: "Delete", exact: true }).last().click();
  await page.evaluate(() => podflow.run(10));
  assert.deepEqual(await pods(page), ["a", "b"]);
  await page.getByRole("searchbox").fill("");
  await page.getByRole("button", { name: "events", exact: true }).click();
  await page.getByText("Scheduled").first().waitFor();
});

pageTest("a message opens with its way, its body and its cause", async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("pod/nginx created").waitFor();
  await page.evaluate(() => podflow.run(20));
  const inspector = page.getByRole("region", { name: "Inspector" });
  await inspector.getByRole("button", { name: "Created" }).click();
  await inspector.getByText("Body").first().waitFor();
  await inspector.getByText("Led to").first().waitFor();
});

pageTest("Share copies a link to this very moment", { context: { permissions: ["clipboard-read", "clipboard-write"] } }, async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: "Share" }).click();
  await page.getByRole("button", { name: "Copy" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await page.evaluate(() => podflow.link()));
});

pageTest("less motion is respected", { context: { reducedMotion: "reduce" } }, async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByText("pod/nginx created").waitFor();
  const moving = await page.evaluate(() => document.getAnimations().filter((each) => each.playState === "running").length);
  assert.equal(moving, 0);
});

pageTest("a Pod that fits nowhere says what would help", async ({ page }) => {
  await ready(page);
  await write(page, pod("big", "    resources: {requests: {cpu: 6}}\n"));
  await page.getByRole("button", { name: "Create" }).click();
  await page.evaluate(() => podflow.run(5));
  const inspector = page.getByRole("region", { name: "Inspector" });
  await inspector.getByRole("tab", { name: "Why here?" }).click();
  await inspector.getByText("Fits node-1, node-2, node-3 if it asks for cpu ≤ 4.").waitFor();
});

pageTest("Why here? tells of each attempt, of who had to go, and how a total comes about", async ({ page }) => {
  await ready(page);
  await page.evaluate(async () => {
    const asking = (name, cpu, more = {}) => ({
      apiVersion: "v1", kind: "Pod", metadata: { name },
      spec: { containers: [{ name: "a", image: "nginx", resources: { requests: { cpu } } }], ...more },
    });
    await podflow.apply(JSON.stringify({ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name: "urgent" }, value: 7 }));
    for (const name of ["low-1", "low-2", "low-3"]) await podflow.apply(JSON.stringify(asking(name, "3")));
    await podflow.run(30);
    await podflow.apply(JSON.stringify(asking("vip", "2", { priorityClassName: "urgent" })));
    await podflow.run(10);
  });
  const inspector = page.getByRole("region", { name: "Inspector" });
  await page.getByRole("button", { name: /^Pod default\/vip/ }).click();
  await inspector.getByRole("tab", { name: "Why here?" }).click();
  await inspector.getByText("so this node was tried first").waitFor();
  const attempts = inspector.getByLabel("Attempt");
  assert.equal(await attempts.locator("option").count(), 2);
  await attempts.selectOption({ index: 1 });
  await inspector.getByText(/^So that it can have node-\d, these have to go: low-\d \(priority 0\)\.$/).waitFor();
  assert.equal(await inspector.getByText("would have to go").count(), 2);
  await attempts.selectOption({ index: 0 });
  await inspector.getByText("can take it").waitFor();

  await page.getByRole("button", { name: /^Pod default\/low-[12]/ }).first().click();
  await inspector.getByText(/^[23] nodes share the highest total/).waitFor();
  await inspector.getByRole("button", { name: /^node-1$/ }).click();
  const sums = inspector.locator(".why-sums");
  assert.deepEqual(await sums.locator("thead th").allInnerTexts(), ["Plugin", "Raw", "0–100", "Weight", "Score"]);
  const row = await sums.getByRole("row", { name: /Taint/ }).locator("td").allInnerTexts();
  assert.deepEqual(row, ["0", "100", "3", "300"]);
});

pageTest("Why here? tells of all nodes that were looked at if one asks", async ({ page }) => {
  await ready(page);
  await page.evaluate(async (pod) => {
    await podflow.reset({ nodes: 300 });
    await podflow.run(5);
    await podflow.apply(pod);
    await podflow.run(5);
  }, pod("one"));
  const inspector = page.getByRole("region", { name: "Inspector" });
  await page.getByRole("tab", { name: "Objects" }).click();
  await page.getByRole("cell", { name: "one", exact: true }).click();
  await inspector.getByRole("tab", { name: "Why here?" }).click();
  await inspector.getByText(/^1[56] more nodes were looked at\./).waitFor();
  await inspector.getByRole("button", { name: "Show them" }).click();
  await inspector.getByRole("rowheader", { name: "143 nodes" }).waitFor();
  assert.equal(await inspector.getByText("more nodes were looked at").count(), 0);
});

pageTest("the Logs tab shows what each container wrote, and why one has not", async ({ page }) => {
  await ready(page);
  const shell = (name, script) => `  - name: ${name}\n    image: busybox\n    command: [sh, -c, "${script}"]\n`;
  await write(
    page,
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: talk\nspec:\n  containers:\n" +
      shell("says", "echo hello there; echo oh no >&2; sleep 999") +
      shell("mute", "sleep 999") +
      "  - name: stuck\n    image: nothing.invalid/there\n",
  );
  await page.keyboard.press("Control+Enter");
  await page.getByText("pod/talk created").waitFor();
  await page.evaluate(() => podflow.run(60));
  const inspector = page.getByRole("region", { name: "Inspector" });
  await inspector.getByRole("tab", { name: "Logs" }).click();
  const says = inspector.locator(".log", { hasText: "says" });
  assert.deepEqual(await says.locator(".log-text").allTextContents(), ["hello there", "oh no"]);
  assert.deepEqual(await says.locator(".log-stream").allTextContents(), ["stderr"]);
  assert.match((await says.locator(".log-at").allTextContents())[0], /^00:00:\d\d\.\d{3}$/);
  await inspector.locator(".log", { hasText: "mute" }).getByText("It has written nothing.").waitFor();
  await inspector.locator(".log", { hasText: "stuck" }).getByText("Not started: ImagePullBackOff.").waitFor();
});

pageTest("Share and Embed open one at a time, within a narrow page too, and Escape closes them", async ({ page }) => {
  await ready(page);
  const [share, embed] = ["Share", "Embed"].map((name) => ({ button: page.getByRole("button", { name, exact: true }), card: page.getByRole("dialog", { name }) }));
  for (const width of [1440, 768, 360]) {
    await page.setViewportSize({ width, height: 780 });
    await share.button.click();
    await share.card.waitFor();
    await embed.button.click();
    await embed.card.waitFor();
    assert.equal(await share.card.count(), 0);
    const { x, width: wide } = await embed.card.boundingBox();
    assert.ok(x >= 0 && x + wide <= width, `${x} and ${wide} of ${width}`);
    await page.keyboard.press("Escape");
    await embed.card.waitFor({ state: "detached" });
  }
});
