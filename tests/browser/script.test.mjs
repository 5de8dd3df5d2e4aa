// `window.podflow`: every call of it, and what it says to nonsense.
import assert from "node:assert/strict";
import { pageTest } from "./harness.mjs";

const POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: nginx}]}\n";

const TALK = `
apiVersion: v1
kind: Pod
metadata: {name: talk}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox, command: [sh, -c, "echo one; sleep 30; echo two"]}]
`;

/** A page whose cluster is ready, with what a rejection says in a form that can be compared. */
const scripted = (name, body) =>
  pageTest(name, async (given) => {
    await given.page.waitForFunction(() => window.podflow);
    await given.page.evaluate(async () => {
      await podflow.ready;
      window.rejection = (promise) =>
        promise.then(
          () => "resolved",
          (error) => (error instanceof Error ? error.message : JSON.stringify(error)),
        );
    });
    await body(given);
  });

scripted("apply creates, changes and leaves alone, as kubectl does", async ({ page }) => {
  const seen = await page.evaluate(async (pod) => {
    const [created] = await podflow.apply(pod);
    const [same] = await podflow.apply(pod);
    const [changed] = await podflow.apply(pod.replace("{name: web}", '{name: web, labels: {tier: "1"}}'));
    const [without] = await podflow.apply(pod);
    return {
      uid: created.metadata.uid === same.metadata.uid && same.metadata.uid === changed.metadata.uid,
      tier: [changed.metadata.labels.tier, without.metadata.labels?.tier ?? null],
      note: Object.keys(created.metadata.annotations),
    };
  }, POD);
  assert.deepEqual(seen, {
    uid: true,
    tier: ["1", null],
    note: ["kubectl.kubernetes.io/last-applied-configuration"],
  });
});

scripted("an answer of fetch is the browser's, though it is written late", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const body = JSON.stringify({ metadata: { name: "settings", colour: "red" }, data: { colour: "blue" } });
    const answer = await podflow.fetch("/api/v1/namespaces/default/configmaps", { method: "POST", body });
    const warning = answer.headers.get("warning");
    const copy = await answer.clone().json();
    // What is written is what was answered, not what has become of it.
    await podflow.fetch("/api/v1/namespaces/default/configmaps/settings", { method: "DELETE" });
    const unread = answer.bodyUsed;
    const { data } = await answer.json();
    const again = await answer.text().then(() => "read twice", (error) => error.name);
    return [answer instanceof Response, answer.status, answer.ok, warning, copy.data, unread, data, answer.bodyUsed, again];
  });
  const data = { colour: "blue" };
  assert.deepEqual(seen, [true, 201, true, '299 - "unknown field \\"metadata.colour\\""', data, false, data, true, "TypeError"]);
});

scripted("a thousand calls at once come in their order, and each has its answer", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const create = async (number) => {
      const body = JSON.stringify({ metadata: { name: `map-${number}` } });
      const answer = await podflow.fetch("/api/v1/namespaces/default/configmaps", { method: "POST", body });
      return [answer.status, (await answer.json()).metadata.name === `map-${number}`].join();
    };
    const before = podflow.now();
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, number) => create(number)));
    const list = await (await podflow.fetch("/api/v1/namespaces/default/configmaps")).json();
    const at = ({ metadata }) => Number(metadata.resourceVersion);
    const names = list.items.sort((one, other) => at(one) - at(other)).map(({ metadata }) => metadata.name);
    const order = names.filter((name) => name !== "kube-root-ca.crt");
    return [new Set(answers).size, answers[0], order.filter((name, place) => name === `map-${place}`).length, podflow.now() - before < 1];
  });
  assert.deepEqual(seen, [1, "201,true", 1000, true]);
});

scripted("who waits for a cluster that is gone is told so", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const create = (number) =>
      podflow
        .fetch("/api/v1/namespaces/default/configmaps", { method: "POST", body: JSON.stringify({ metadata: { name: `map-${number}` } }) })
        .then((answer) => answer.status, (error) => error.message);
    const words = new Set();
    // Whether somebody still waits just then, only the clock knows.
    for (let tries = 0; tries < 200 && ![...words].some((word) => word !== 201); tries += 1) {
      const calls = Array.from({ length: 200 }, (_, number) => create(`${tries}-${number}`));
      await new Promise((done) => setTimeout(done, tries % 10));
      await podflow.reset({ nodes: 1 });
      for (const word of await Promise.all(calls)) words.add(word);
    }
    const nodes = await (await podflow.fetch("/api/v1/nodes")).json();
    return [[...words].filter((word) => word !== 201), nodes.kind];
  });
  assert.deepEqual(seen, [["another cluster has taken this one's place"], "NodeList"]);
});

scripted("apply says what is wrong and changes nothing", async ({ page }) => {
  const said = await page.evaluate(
    async (pod) => [
      await rejection(podflow.apply("a: [1")),
      await rejection(podflow.apply("")),
      await rejection(podflow.apply(pod.replace("kind: Pod", "kind: Pot"))),
      JSON.parse(await rejection(podflow.apply(pod.replace("name: web}", "name: W}")))).reason,
      (await (await podflow.fetch("/api/v1/pods")).json()).items.length,
    ],
    POD,
  );
  assert.match(said[0], /^line 2, column 1: /);
  assert.equal(said[1], "no objects passed to apply");
  assert.match(said[2], /no matches for kind "Pot" in version "v1"/);
  assert.equal(said[3], "Invalid");
  assert.equal(said[4], 0);
});

scripted("a thousand calls at once come in at one moment, and in their order", async ({ page }) => {
  const log = await page.evaluate(async () => {
    const create = (number) =>
      podflow.fetch("/api/v1/namespaces/default/configmaps", {
        method: "POST",
        body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: `c-${number}` } }),
      });
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, number) => create(number)));
    const made = await Promise.all(answers.map((answer) => answer.json()));
    const versions = made.map((object) => Number(object.metadata.resourceVersion));
    if (versions.some((version, at) => version <= versions[at - 1])) throw new Error("out of order");
    return podflow.log();
  });
  const sent = log.split("\n").filter((line) => line.includes("POST /api/v1/namespaces/default/configmaps"));
  const moments = new Set(sent.map((line) => line.split(" ")[0]));
  assert.deepEqual([sent.length, moments.size], [1000, 1]);
});

scripted("fetch speaks HTTP, and watches stream", async ({ page }) => {
  const seen = await page.evaluate(async (pod) => {
    const missing = await podflow.fetch("/api/v1/namespaces/default/pods/none");
    const table = await podflow.fetch("/api/v1/nodes", {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    const watch = await podflow.fetch("/api/v1/pods?watch=1");
    const reader = watch.body.pipeThrough(new TextDecoderStream()).getReader();
    await podflow.apply(pod);
    await podflow.run(10);
    let text = "";
    while (!text.includes('"Running"')) text += (await reader.read()).value;
    const types = text.trim().split("\n").map((line) => JSON.parse(line).type);
    return [missing.status, (await missing.json()).reason, (await table.json()).rows.length, types[0], new Set(types).size];
  }, POD);
  assert.deepEqual(seen, [404, "NotFound", 3, "ADDED", 2]);
  const said = await page.evaluate(async () => [
    await rejection(podflow.fetch("no-slash")),
    (await podflow.fetch("/api/v1/namespaces/default/pods", { method: "POST", body: "{" })).status,
  ]);
  assert.match(said[0], /beginning with \//);
  assert.equal(said[1], 400);
});

scripted("a watch's stream closes when its time is over", async ({ page }) => {
  const read = await page.evaluate(async (pod) => {
    const watch = await podflow.fetch("/api/v1/pods?watch=1&timeoutSeconds=20&fieldSelector=status.phase=Pending");
    await podflow.apply(pod);
    await podflow.run(25);
    return watch.text();
  }, POD);
  assert.equal(JSON.parse(read.split("\n")[0]).type, "ADDED");
});

scripted("a followed log streams text until the container ends", async ({ page }) => {
  const read = await page.evaluate(async (pod) => {
    await podflow.apply(pod);
    await podflow.run(10);
    const log = await podflow.fetch("/api/v1/namespaces/default/pods/talk/log?follow=true");
    await podflow.run(60);
    return [log.headers.get("content-type"), await log.text()];
  }, TALK);
  assert.deepEqual(read, ["text/plain", "one\ntwo\n"]);
});

scripted("listeners hear, a broken one harms nobody, and each can be ended", async ({ page }) => {
  const heard = await page.evaluate(async (pod) => {
    const heard = {};
    const ends = ["message", "object", "decision", "narration", "state"].map((kind) =>
      podflow.on(kind, (event) => (heard[kind] ??= []).push(event)),
    );
    podflow.on("message", () => {
      throw new Error("mine");
    });
    await podflow.apply(pod);
    podflow.play(100);
    while (!heard.decision || !heard.narration) await new Promise((done) => setTimeout(done, 20));
    podflow.pause();
    ends.forEach((end) => end());
    const counts = Object.keys(heard).length;
    const before = heard.message.length;
    await podflow.run(20);
    return [counts, heard.message.length === before, heard.decision[0].pod.name, heard.decision[0].nodes.length, typeof heard.narration[0].text];
  }, POD);
  assert.deepEqual(heard, [5, true, "web", 3, "string"]);
  assert.match(await page.evaluate(() => { try { podflow.on("noise", () => {}); } catch (error) { return error.message; } }), /"decision"/);
});

scripted("whatIf tells what would be decided, and nothing has happened", async ({ page }) => {
  const seen = await page.evaluate(async (pod) => {
    const before = podflow.log();
    const fits = await podflow.whatIf(pod);
    const none = await podflow.whatIf(pod.replace("image: nginx", "image: nginx, resources: {requests: {cpu: 64}}"));
    const refused = JSON.parse(await rejection(podflow.whatIf(pod.replace("name: web}", "name: W}"))));
    return {
      same: podflow.log() === before,
      node: fits.nodes.some(({ node }) => node === fits.node),
      scored: fits.nodes.every(({ scores, total }) => scores.length > 0 && total > 0),
      none: [none.node, none.message.split(".")[0], none.refused],
      refused: refused.reason,
      words: await rejection(podflow.whatIf(`${pod}---\n${pod}`)),
    };
  }, POD);
  assert.deepEqual(seen, {
    same: true,
    node: true,
    scored: true,
    none: [null, "0/3 nodes are available: 3 Insufficient cpu", 3],
    refused: "Invalid",
    words: "one Pod can be tried at a time",
  });
});

scripted("a scheduler's configuration is applied like any manifest, and a link keeps it", async ({ page }) => {
  const seen = await page.evaluate(async (pod) => {
    const configuration = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
    const profiles = "profiles: [{schedulerName: mine, plugins: {score: {disabled: [{name: '*'}], enabled: [{name: NodeResourcesFit, weight: 5}]}}}]\n";
    const wrong = await rejection(podflow.apply(`${configuration}profiles: [{plugins: {filter: {enabled: [{name: Mine}]}}}]`));
    const [applied] = await podflow.apply(configuration + profiles);
    const mine = pod.replace("{containers:", "{schedulerName: mine, containers:");
    const scores = async () => (await podflow.whatIf(mine)).nodes[0].scores.map(({ plugin, weighted, normalized }) => [plugin, weighted / normalized]);
    const first = await scores();
    const link = podflow.link();
    await podflow.reset();
    const without = await rejection(podflow.whatIf(mine));
    await podflow.open(link);
    return [wrong, applied.kind, first, without, await scores()];
  }, POD);
  assert.match(seen[0], /FilterPlugin "Mine" does not exist$/);
  assert.deepEqual(seen.slice(1), [
    "KubeSchedulerConfiguration",
    [["NodeResourcesFit", 5]],
    'no scheduler here has the name "mine"',
    [["NodeResourcesFit", 5]],
  ]);
});

scripted("a cluster read elsewhere takes the place of this one, without its secrets", async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "far", uid: "u1" }, spec: {}, status: { allocatable: { cpu: "2", memory: "4Gi", pods: "9" } } };
    const pod = (name, cpu, more) => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec: { containers: [{ name: "a", image: "nginx", resources: { requests: { cpu } } }], ...more } });
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "default" }, data: { k: "c2VzYW0=" } };
    const items = [node, secret, pod("there", "1500m", { nodeName: "far" }), pod("waits", "1")];
    const told = await podflow.importCluster(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const get = async (path) => (await podflow.fetch(path)).json();
    const pods = (await get("/api/v1/pods")).items;
    return {
      told,
      nodes: (await get("/api/v1/nodes")).items.map(({ metadata }) => metadata.name),
      places: pods.map(({ spec }) => spec.nodeName ?? null),
      why: pods[1].status.conditions[0].message.split(".")[0],
      secret: (await get("/api/v1/namespaces/default/secrets/s")).data,
      other: await rejection(podflow.importCluster("kind: Pod\napiVersion: v1\n")),
    };
  });
  assert.deepEqual(seen, {
    told: { nodes: 1, placed: 1, pending: 1, others: 1, secrets: 1, leftOut: {}, refusals: 0, refused: [] },
    nodes: ["far"],
    places: ["far", null],
    why: "0/1 nodes are available: 1 Insufficient cpu",
    secret: { k: "" },
    other: "there is no node in it that a cluster tells of",
  });
});

scripted("time obeys: run, step, seek, runUntilIdle, reset", async ({ page }) => {
  const seen = await page.evaluate(async (pod) => {
    const now = () => Math.round(podflow.now() * 1000);
    const times = [now()];
    await podflow.run(2.5);
    times.push(now());
    await podflow.step();
    times.push(now() >= times[1]);
    await podflow.seek(6);
    times.push(now());
    await podflow.apply(pod);
    await podflow.runUntilIdle(30);
    const { status } = await (await podflow.fetch("/api/v1/namespaces/default/pods/web")).json();
    await podflow.reset({ seed: 3, nodes: 5 });
    await podflow.run(5);
    const nodes = await (await podflow.fetch("/api/v1/nodes")).json();
    return [times, status.phase, nodes.items.length, podflow.version.split(".").length];
  }, POD);
  assert.deepEqual(seen, [[5000, 7500, true, 6000], "Running", 5, 3]);
  const said = await page.evaluate(async () => [
    await rejection(podflow.reset({ nodes: -1 })),
    await rejection(podflow.reset({ nodes: [{ kind: 1 }] })),
    await rejection(podflow.open("nonsense")),
    await rejection(podflow.run(-5)),
    await rejection(podflow.seek(Number.NaN)),
  ]);
  assert.match(said[0], /nodes/);
  assert.match(said[1], /nodes/);
  assert.match(said[2], /no Podflow recording/);
  assert.deepEqual(said.slice(3), ["resolved", "resolved"]);
});
