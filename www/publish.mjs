// Trunk's post-build hook of a build for publication: makes the engine small, in two parts, takes out of its
// glue what only people read, and lets the page open without a network once it has been there.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { renamed, withShortImports } from "./imports.mjs";
import { shrunk } from "./shrink.mjs";
import { split } from "./split.mjs";

const worker = new URL("offline.js", import.meta.url);

/** Asks the browser to keep the page, once it has had time to begin. */
const registration = `<script>
addEventListener("load", () => setTimeout(() => navigator.serviceWorker?.register("offline.js").catch(() => {}), 10000));
</script>`;

/** A name for what `bytes` are, so that a browser never takes others for them. */
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

/** The glue's `script`, which brings the engine's second `part`, too. */
async function withLaterPart(script, part) {
  const bringer = await readFile(new URL("later.js", import.meta.url), "utf8");
  const made = "function __wbg_get_imports() {";
  if (!script.includes(made)) throw new Error("the glue has no imports where they are looked for");
  return `${script.replace(made, "function __wbg_own_imports() {")}
    function __wbg_get_imports() {
      const imports = __wbg_own_imports();
      imports.later = { bring: bringer(new URL("${part}", import.meta.url), imports, () => wasm) };
      return imports;
    }
    ${bringer}`;
}

/** Makes the engine of the built site in `folder` small, in two parts, and its glue. */
async function small(folder) {
  const files = await readdir(folder);
  const [engine, glue] = [".wasm", ".js"].map((ending) => join(folder, files.find((name) => name.endsWith(ending))));
  const { bytes, names } = withShortImports(shrunk(await readFile(engine)));
  const { first, later } = split(bytes);
  const part = `modules/engine-${hash(later)}.wasm`;
  await writeFile(engine, first);
  await writeFile(join(folder, part), later);
  const script = await withLaterPart(renamed(await readFile(glue, "utf8"), names), part);
  await writeFile(glue, (await transform(script, { format: "esm", minify: true })).code);
}

/** Lets the built site in `folder` open without a network. */
export async function keep(folder) {
  const page = join(folder, "index.html");
  await writeFile(page, (await readFile(page, "utf8")).replace("</body>", `${registration}</body>`));
  const [version, site] = [createHash("sha256"), []];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    version.update(await readFile(path));
    site.push(relative(folder, path).split(sep).join("/"));
  }
  const script = (await readFile(worker, "utf8"))
    .replace("VERSION_OF_THE_SITE", version.digest("hex").slice(0, 16))
    .replace("[/* the site's files */]", JSON.stringify(site.sort()));
  const { code } = await transform(script, { minify: true });
  await writeFile(join(folder, "offline.js"), code);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.env.TRUNK_PROFILE === "release") {
  await small(process.env.TRUNK_STAGING_DIR);
  await keep(process.env.TRUNK_STAGING_DIR);
}
