// The built site served as a static host would, and the browser to look at it.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project. */
export const root = fileURLToPath(new URL("../../", import.meta.url));
const { chromium } = createRequire(join(root, "www/package.json"))("playwright-core");

const site = resolve(root, process.env.PODFLOW_SITE ?? "target/web/test");

/** Where the site is served: a static host gives no more than some path. */
const BASE = "/some/path/";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".yaml": "text/yaml; charset=utf-8",
};

/** Serves `folder` below BASE on a free port of this machine; a plain host without any rewriting. */
export async function serve(folder = site) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    const name = path.startsWith(BASE) && normalize(path.slice(BASE.length) || "index.html");
    try {
      if (!name || name.startsWith("..")) throw new Error("outside of the site");
      const body = await readFile(join(folder, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" });
      response.end(body);
    } catch {
      response.writeHead(404, { "content-type": "text/plain" }).end("not here");
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}${BASE}`,
    close: () => new Promise((done) => server.close(done).closeAllConnections()),
  };
}

/** Starts the browser with which all is tested. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.PODFLOW_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
