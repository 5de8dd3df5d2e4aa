// The shapes of upstream's scheduler_perf, which benches/shapes.json tells, run by the page's own script interface.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./site.mjs";

const { templates, shapes } = JSON.parse(await readFile(join(root, "benches/shapes.json"), "utf8"));
export { shapes };

/** So often a shape that has a floor is run: the first time makes memory ready, and the engine's code. */
const RUNS = 4;

/** Pods a second of `shape` in `page`, from their creation to their binding, on nodes without kubelets: the median. */
export async function measure(page, shape) {
  if (!shape.floor) return page.evaluate(run, { shape, templates });
  const rates = [];
  for (let round = 0; round < RUNS; round += 1) rates.push(await page.evaluate(run, { shape, templates }));
  return rates.slice(1).sort((a, b) => a - b)[(RUNS - 1) >> 1];
}

/** In the page. */
export async function run({ shape, templates }) {
  await podflow.ready;
  await podflow.reset({ nodes: 0 });
  const json = (object) => ({ method: "POST", body: JSON.stringify(object) });
  const homes = shape.steps.map((step, number) => step.in ?? `namespace-${number}`);
  for (const name of [...homes, "churn"]) podflow.fetch("/api/v1/namespaces", json({ metadata: { name } }));
  await podflow.run(5);

  const collection = (resource, namespace) => {
    if (resource === "nodes") return "/api/v1/nodes";
    if (resource === "priorityclasses") return "/apis/scheduling.k8s.io/v1/priorityclasses";
    return `/api/v1/namespaces/${namespace}/${resource}`;
  };
  const made = {};
  const post = (resource, like, namespace, zone) => {
    const { metadata = {}, ...object } = templates[like];
    made[like] ??= 0;
    const name = metadata.name ?? `${like}-${made[like]++}`;
    const labels = resource === "nodes" ? { "kubernetes.io/hostname": name } : { ...metadata.labels };
    if (zone) labels["topology.kubernetes.io/zone"] = zone;
    podflow.fetch(collection(resource, namespace), json({ ...object, metadata: { ...metadata, name, labels } }));
  };
  const stir = ({ mode, like }) => {
    for (const [resource, template] of like) {
      if (mode === "recreate" && made[template]) {
        podflow.fetch(`${collection(resource, "churn")}/${template}-${made[template] - 1}`, { method: "DELETE" });
      }
      post(resource, template, "churn");
    }
  };
  const get = async (path) => (await podflow.fetch(path)).json();
  /** Whether a Pod waits for its node; all are only looked through once the last one of its kind has one. */
  const isWaiting = async (namespace, like) => {
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const last = await get(`${pods}/${like}-${made[like] - 1}`);
    if (last.spec && !last.spec.nodeName) return true;
    return (await get(`${pods}?fieldSelector=spec.nodeName%3D&limit=1`)).items.length > 0;
  };

  let rate = NaN;
  for (const [number, { create, of, like, zones = [], measured, beside }] of shape.steps.entries()) {
    const begin = performance.now();
    for (let made = 0; made < create; made += 1) {
      if (beside && made % beside.every === 0) stir(beside);
      post(of, like, homes[number], zones[made % zones.length]);
      // Who waits for more than a minute of the cluster's time for an answer gives up.
      if (made % 5000 === 4999) await podflow.run(of === "nodes" ? 10 : 1);
    }
    await podflow.run(1);
    while (of === "pods" && (await isWaiting(homes[number], like))) await podflow.run(1);
    if (measured) rate = create / ((performance.now() - begin) / 1000);
  }
  return rate;
}
