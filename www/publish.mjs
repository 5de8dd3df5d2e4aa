// Trunk's post-build hook of a build for publication: makes the engine small, takes out of its glue what
// only people read, and lets the page open without a network once it has been there.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { renamed, withShortImports } from "./imports.mjs";
import { shrunk } from "./shrink.mjs";

const worker = new URL("offline.js", import.meta.url);

/** Asks the browser to keep the page, once it has had time to begin. */
const registration = `<script>
addEventListener("load", () => setTimeout(() => navigator.serviceWorker?.register("offline.js").catch(() => {}), 10000));
</script>`;

/** Makes the built site in `folder` ready for publication. */
export async function publish(folder) {
  const names = new Map();
  const files = await readdir(folder);
  for (const path of files.filter((name) => name.endsWith(".wasm")).map((name) => join(folder, name))) {
    const engine = withShortImports(shrunk(await readFile(path)));
    engine.names.forEach((short, long) => names.set(long, short));
    await writeFile(path, engine.bytes);
  }
  for (const path of files.filter((name) => name.endsWith(".js")).map((name) => join(folder, name))) {
    const script = renamed(await readFile(path, "utf8"), names);
    const { code } = await transform(script, { format: "esm", minify: true });
    await writeFile(path, code);
  }
  const page = join(folder, "index.html");
  await writeFile(page, (await readFile(page, "utf8")).replace("</body>", `${registration}</body>`));

  const hash = createHash("sha256");
  const site = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash.update(await readFile(path));
    site.push(relative(folder, path).split(sep).join("/"));
  }
  const script = (await readFile(worker, "utf8"))
    .replace("VERSION_OF_THE_SITE", hash.digest("hex").slice(0, 16))
    .replace("[/* the site's files */]", JSON.stringify(site.sort()));
  const { code } = await transform(script, { minify: true });
  await writeFile(join(folder, "offline.js"), code);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.env.TRUNK_PROFILE === "release") {
  await publish(process.env.TRUNK_STAGING_DIR);
}
