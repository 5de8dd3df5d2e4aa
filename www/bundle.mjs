// Trunk's pre-build hook: writes into www/bundle/ what the page loads beside the wasm.
//
// - style.css: every sheet of www/css: the tokens, the base, then one file a component by name.
// - modules/NAME.js: one ES module for each www/NAME/index.js (the editor, …), which the page imports
//   when it first shows it, by an address relative to the page: modules/editor.js.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const www = fileURLToPath(new URL(".", import.meta.url));
const out = join(www, "bundle");
const options = {
  bundle: true,
  legalComments: "none",
  logLevel: "warning",
  minify: process.env.TRUNK_PROFILE === "release",
  target: "es2022",
};

/** The folders that hold a module of the page's own. */
function modules() {
  return readdirSync(www).filter((name) => existsSync(join(www, name, "index.js")));
}

/** One sheet that imports all others, in the order in which their rules count. */
function sheet() {
  const rank = { "tokens.css": 0, "base.css": 1 };
  return readdirSync(join(www, "css"))
    .filter((name) => name.endsWith(".css"))
    .sort((a, b) => (rank[a] ?? 2) - (rank[b] ?? 2) || (a < b ? -1 : 1))
    .map((name) => `@import "./css/${name}";`)
    .join("\n");
}

rmSync(join(out, "modules"), { recursive: true, force: true });
mkdirSync(join(out, "modules"), { recursive: true });
await Promise.all([
  build({
    ...options,
    entryPoints: modules().map((name) => ({ in: join(www, name, "index.js"), out: name })),
    format: "esm",
    outdir: join(out, "modules"),
  }),
  build({
    ...options,
    stdin: { contents: sheet(), loader: "css", resolveDir: www },
    outfile: join(out, "style.css"),
  }),
]);
