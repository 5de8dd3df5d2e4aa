// The published engine comes in two parts: the page opens with the first, and has the second when it wants it.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";

/** The requests for the second part, as long as the page lives. */
function requests(page) {
  const found = [];
  page.on("request", (request) => {
    if (/modules\/engine-\w+\.wasm$/.test(request.url())) found.push(request.resourceType());
  });
  return found;
}

/** Opens the site in `page`, creates a Pod and waits until it runs; the Pod's phase. */
async function start(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => window.podflow);
  return page.evaluate(async () => {
    await podflow.ready;
    const pod = { metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "nginx" }] } };
    await podflow.fetch("/api/v1/namespaces/default/pods", { method: "POST", body: JSON.stringify(pod) });
    await podflow.run(10);
    return (await (await podflow.fetch("/api/v1/namespaces/default/pods/web")).json()).status.phase;
  });
}

const patch = () =>
  podflow.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {tier: front}}\nspec: {containers: [{name: web, image: nginx}]}");

pageTest("a Pod runs before the second part is there, which then comes when it is wanted", async ({ profile, url }) => {
  const page = await profile.context.newPage();
  const asked = requests(page);
  // Whoever fetches it waits for ever; who has to have it at once gets it.
  await page.route("**/modules/engine-*.wasm", (route) => route.request().resourceType() === "xhr" && route.continue());
  assert.equal(await start(page, url), "Running");
  assert.deepEqual(asked, ["fetch"]);
  const [pod] = await page.evaluate(patch);
  assert.equal(pod.metadata.labels.tier, "front");
  assert.deepEqual(asked, ["fetch", "xhr"]);
  await page.evaluate(patch);
  assert.equal(asked.length, 2);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

pageTest("the second part comes by itself, and once", async ({ profile, url }) => {
  const page = await profile.context.newPage();
  const asked = requests(page);
  const comes = page.waitForResponse(/modules\/engine-/);
  assert.equal(await start(page, url), "Running");
  await (await comes).finished();
  await page.evaluate(patch);
  assert.deepEqual(asked, ["fetch"]);
});
