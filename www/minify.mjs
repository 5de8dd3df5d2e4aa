// After a build for publication: takes out of the engine's glue what only people read.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";

const { TRUNK_PROFILE, TRUNK_STAGING_DIR } = process.env;

if (TRUNK_PROFILE === "release") {
  for (const name of await readdir(TRUNK_STAGING_DIR)) {
    if (!name.endsWith(".js")) continue;
    const path = join(TRUNK_STAGING_DIR, name);
    const { code } = await transform(await readFile(path, "utf8"), { format: "esm", minify: true });
    await writeFile(path, code);
  }
}
