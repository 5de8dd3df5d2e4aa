// The benches in Chromium: `cargo xtask bench [filter]`. The protocol stands in benches/engine.
//
// Each bench opens a fresh page, and may use its `window.podflow`.
import { measure as scheduled, shapes } from "./shapes.mjs";
import { launch, serve } from "./site.mjs";

const BENCHES = [
  {
    name: "page-ready",
    unit: "ms",
    /** From the navigation to the mounted page. */
    measure: async (page) => {
      await page.locator("main").waitFor();
      return page.evaluate(() => performance.now());
    },
  },
  {
    name: "machine",
    unit: "ns/step",
    /** The scale of everything else: how fast this machine is just now. */
    measure: (page) =>
      page.evaluate(() => {
        const count = 10_000_000;
        const begin = performance.now();
        let value = 1;
        for (let step = 0; step < count; step += 1) value = (Math.imul(value, 0x4c957f2d) + 1) | 0;
        const took = performance.now() - begin;
        return value === 0.5 ? 0 : (took * 1e6) / count; // The value is used, so that it is computed.
      }),
  },
];

/** So many Pods on the nodes of a fresh cluster, in the page: run until all are Running. */
async function run({ nodes, pods }) {
  await podflow.ready;
  await podflow.reset({ nodes });
  await podflow.run(5);
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
  observer.observe({ type: "longtask" });
  const begin = performance.now();
  for (let number = 0; number < pods; number += 1) {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `web-${number}` },
      spec: { containers: [{ name: "main", image: "nginx", resources: { requests: { cpu: "10m", memory: "16Mi" } } }] },
    };
    podflow.fetch("/api/v1/namespaces/default/pods", { method: "POST", body: JSON.stringify(pod) });
  }
  let running = 0;
  const accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
  while (running < pods) {
    await podflow.run(5);
    const list = await podflow.fetch("/api/v1/pods?fieldSelector=status.phase%3DRunning", { headers: { accept } });
    running = (await list.json()).items.length;
  }
  const seconds = (performance.now() - begin) / 1000;
  observer.disconnect();
  return { seconds, longest: Math.max(0, ...tasks) };
}

BENCHES.push(
  {
    name: "pods-1000-nodes-10",
    unit: "s",
    measure: async (page) => (await page.evaluate(run, { nodes: 10, pods: 1000 })).seconds,
  },
  {
    name: "pods-1000-nodes-10-longest-task",
    unit: "ms",
    /** Tasks below 50 ms are not reported by the browser, and count as none. */
    measure: async (page) => (await page.evaluate(run, { nodes: 10, pods: 1000 })).longest,
  },
  {
    name: "frames-12-nodes-200-pods",
    unit: "frames/s",
    /** The stage while time goes on at ten times the real one. */
    measure: async (page) => {
      await page.evaluate(run, { nodes: 12, pods: 200 });
      return page.evaluate(
        () =>
          new Promise((done) => {
            podflow.play(10);
            const times = [];
            const frame = (at) => (times.push(at) < 180 ? requestAnimationFrame(frame) : done((times.length - 1) / ((times.at(-1) - times[0]) / 1000)));
            requestAnimationFrame(frame);
          }),
      );
    },
  },
);

for (const shape of shapes) {
  BENCHES.push({ name: `scheduler-${shape.name}`, unit: "pods/s", floor: shape.floor, measure: (page) => scheduled(page, shape) });
}

const filter = process.argv[2] ?? "";
const server = await serve();
const browser = await launch();
try {
  for (const { name, unit, floor, measure } of BENCHES.filter((bench) => bench.name.includes(filter))) {
    const page = await browser.newPage();
    page.on("pageerror", (error) => {
      console.error(`${name}: ${error}`);
      process.exitCode = 1;
    });
    await page.goto(server.url);
    await page.waitForFunction(() => window.podflow);
    console.log(JSON.stringify({ bench: name, where: "chromium", value: await measure(page), unit, floor }));
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
