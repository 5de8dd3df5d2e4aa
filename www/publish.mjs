// Trunk's post-build hook of a build for publication: makes the engine small, takes out of its glue what
// only people read, and lets the page open without a network once it has been there.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { shrunk } from "./shrink.mjs";

const worker = new URL("offline.js", import.meta.url);

/** Asks the browser to keep the page, once it has had time to begin. */
const registration = `<script>
addEventListener("load", () => setTimeout(() => navigator.serviceWorker?.register("offline.js").catch(() => {}), 10000));
</script>`;

/** Makes the built site in `folder` ready for publication. */
export async function publish(folder) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".wasm")) await writeFile(path, shrunk(await readFile(path)));
    if (!name.endsWith(".js")) continue;
    const { code } = await transform(await readFile(path, "utf8"), { format: "esm", minify: true });
    await writeFile(path, code);
  }
  const page = join(folder, "index.html");
  await writeFile(page, (await readFile(page, "utf8")).replace("</body>", `${registration}</body>`));

  const hash = createHash("sha256");
  const files = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    hash.update(await readFile(path));
    files.push(relative(folder, path).split(sep).join("/"));
  }
  const script = (await readFile(worker, "utf8"))
    .replace("VERSION_OF_THE_SITE", hash.digest("hex").slice(0, 16))
    .replace("[/* the site's files */]", JSON.stringify(files.sort()));
  const { code } = await transform(script, { minify: true });
  await writeFile(join(folder, "offline.js"), code);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.env.TRUNK_PROFILE === "release") {
  await publish(process.env.TRUNK_STAGING_DIR);
}
