// The benches in Chromium: `cargo xtask bench [filter]`. The protocol stands in benches/engine.
//
// Each bench opens a fresh page, and may use its `window.podflow`.
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

/**
 * Pods a second from their creation to their binding, on nodes without kubelets, as in benches/engine:
 * `pods` of them with `spec` besides a container that wants `cpu`, once `before` is there. Those of `before`
 * that are called so settle first.
 */
async function scheduled({ nodes = 5000, pods = 5000, spec = {}, cpu = "100m", before = [], settle = [] }) {
  await podflow.ready;
  await podflow.reset({ nodes: 0 });
  await podflow.run(5);
  const post = (path, object) => podflow.fetch(path, { method: "POST", body: JSON.stringify(object) });
  const capacity = { cpu: "4", memory: "32Gi", pods: "110" };
  for (let number = 0; number < nodes; number += 1) {
    const name = `bare-${number}`;
    const labels = { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": `zone-${number % 3}` };
    const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady" }];
    const status = { capacity, allocatable: capacity, conditions };
    post("/api/v1/nodes", { metadata: { name, labels }, status });
    // Who waits for more than a minute of the cluster's time for an answer gives up.
    if (number % 1000 === 999) await podflow.run(5);
  }
  await podflow.run(20);
  const settled = async (color) => {
    for (let waiting = 1; waiting > 0; ) {
      await podflow.run(1);
      const list = await podflow.fetch(`/api/v1/pods?fieldSelector=spec.nodeName%3D&labelSelector=color%3D${color}&limit=1`);
      waiting = (await list.json()).items.length;
    }
  };
  const pod = (name, color, cpu, spec) => {
    const resources = { requests: { cpu, memory: "500Mi" } };
    const containers = [{ name: "pause", image: "registry.k8s.io/pause:3.10", resources }];
    return post("/api/v1/namespaces/default/pods", { metadata: { name, labels: { color } }, spec: { terminationGracePeriodSeconds: 0, containers, ...spec } });
  };
  for (const { path, object, pods: count = 0, color, cpu } of before) {
    if (path) post(path, object);
    for (let number = 0; number < count; number += 1) {
      pod(`${color}-${number}`, color, cpu, {});
      if (number % 5000 === 4999) await podflow.run(2);
    }
  }
  await podflow.run(5);
  for (const color of settle) await settled(color);
  const begin = performance.now();
  for (let number = 0; number < pods; number += 1) {
    pod(`pod-${number}`, "blue", cpu, spec);
    if (number % 5000 === 4999) await podflow.run(1);
  }
  await settled("blue");
  return pods / ((performance.now() - begin) / 1000);
}

/** The status of a node that takes Pods: one that does not say that it is ready gets a taint. */
const ready = (capacity) => ({ capacity, allocatable: capacity, conditions: [{ type: "Ready", status: "True" }] });

const ZONE = "topology.kubernetes.io/zone";
const near = (topologyKey) => ({ topologyKey, labelSelector: { matchLabels: { color: "blue" } } });
const required = (terms) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms });
const named = [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["own"] }] }];

/** The shapes of upstream's `scheduler_perf`, by the names that they have in benches/engine. */
const SHAPES = {
  "basic-5000-nodes": { pods: 10_000 },
  "node-affinity-5000-nodes": {
    spec: { affinity: { nodeAffinity: required({ nodeSelectorTerms: [{ matchExpressions: [{ key: ZONE, operator: "In", values: ["zone-0", "zone-1"] }] }] }) } },
  },
  "topology-spreading-5000-nodes": {
    spec: { topologySpreadConstraints: [{ ...near(ZONE), maxSkew: 5, whenUnsatisfiable: "DoNotSchedule" }] },
  },
  "pod-affinity-5000-nodes": { pods: 2000, spec: { affinity: { podAffinity: required([near(ZONE)]) } } },
  "pod-anti-affinity-5000-nodes": { pods: 1000, spec: { affinity: { podAntiAffinity: required([near("kubernetes.io/hostname")]) } } },
  "preferred-pod-affinity-5000-nodes": {
    pods: 2000,
    spec: { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: near("kubernetes.io/hostname") }] } } },
  },
  "default-spreading-5000-nodes": {
    before: [{ path: "/api/v1/namespaces/default/services", object: { metadata: { name: "blue" }, spec: { selector: { color: "blue" }, ports: [{ port: 80 }] } } }],
  },
  "unschedulable-5000-nodes": { before: [{ pods: 200, color: "large", cpu: "9" }] },
  "preemption-5000-nodes": {
    cpu: "3",
    spec: { priorityClassName: "high" },
    before: [
      { path: "/apis/scheduling.k8s.io/v1/priorityclasses", object: { metadata: { name: "high" }, value: 10 } },
      { pods: 20_000, color: "low", cpu: "900m" },
    ],
    settle: ["low"],
  },
  "daemonset-15000-nodes": {
    nodes: 15_000,
    pods: 10_000,
    spec: { affinity: { nodeAffinity: required({ nodeSelectorTerms: named }) } },
    before: [{ path: "/api/v1/nodes", object: { metadata: { name: "own" }, status: ready({ cpu: "90000", memory: "90000Gi", pods: "90000" }) } }],
  },
  "fill-5000-nodes-150000-pods": { pods: 150_000 },
};

for (const [name, shape] of Object.entries(SHAPES)) {
  BENCHES.push({ name, unit: "pods/s", measure: (page) => page.evaluate(scheduled, shape) });
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

const filter = process.argv[2] ?? "";
const server = await serve();
const browser = await launch();
try {
  for (const { name, unit, measure } of BENCHES.filter((bench) => bench.name.includes(filter))) {
    const page = await browser.newPage();
    page.on("pageerror", (error) => {
      console.error(`${name}: ${error}`);
      process.exitCode = 1;
    });
    await page.goto(server.url);
    await page.waitForFunction(() => window.podflow);
    console.log(JSON.stringify({ bench: name, where: "chromium", value: await measure(page), unit }));
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
