// What every browser test stands on: the site served on loopback below some path, and pages of fresh
// profiles that fail their test on any error the browser reports.
//
//     import { pageTest } from "./harness.mjs";
//     pageTest("the page says its name", async ({ page }) => { … });
//
// `cargo xtask test` runs all; one file alone, on the site of the last run:
//     node --test tests/browser/smoke.test.mjs

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { mkdir, readFile } from "node:fs/promises";
import { extname, join, normalize, resolve } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { chromium } = createRequire(join(root, "www/package.json"))("playwright-core");

const site = resolve(root, process.env.PODFLOW_SITE ?? "target/web/test");
const failures = resolve(root, process.env.PODFLOW_FAILURES ?? "target/web/failures");

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

let started;

/** The server and the browser of this file's tests. */
function start() {
  started ??= Promise.all([serve(), launch()]);
  return started;
}

after(async () => {
  if (!started) return;
  const [server, browser] = await started;
  await browser.close();
  await server.close();
});

/** Opens pages of one fresh profile and collects what goes wrong in them. */
class Profile {
  errors = [];

  static async open(browser, url, options) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    return new Profile(context, url);
  }

  constructor(context, url) {
    this.context = context;
    this.url = url;
    context.on("weberror", (event) => this.errors.push(`uncaught: ${event.error()}`));
    context.on("console", (message) => {
      if (message.type() === "error") this.errors.push(`console: ${message.text()}`);
    });
    context.on("request", (request) => {
      const address = request.url();
      if (!address.startsWith(url) && !/^(data|blob):/.test(address)) this.errors.push(`left the site: ${address}`);
    });
  }

  /** A page on the site; `where` is what follows the site's address, such as "?embed" or "#p1=…". */
  async page(where = "") {
    const page = await this.context.newPage();
    await page.goto(this.url + where);
    return page;
  }
}

/**
 * A test in a page of a fresh profile.
 *
 * `body` gets `{ page, url, profile, newProfile }`: the open page, the site's address, its profile with
 * `context` and `errors`, and a function that opens another fresh profile. `options`: `where` to open
 * (see Profile.page), `context` (Playwright's options, such as viewport, colorScheme, locale),
 * `allow` (patterns of errors that belong to the test), `timeout` in milliseconds.
 */
export function pageTest(name, options, body) {
  if (typeof options === "function") return pageTest(name, {}, options);
  const { where = "", context = {}, allow = [], timeout = 60_000 } = options;
  return test(name, { timeout }, async () => {
    const [server, browser] = await start();
    const profiles = [];
    const newProfile = async (more = {}) => {
      const profile = await Profile.open(browser, server.url, { ...context, ...more });
      profiles.push(profile);
      return profile;
    };
    try {
      const profile = await newProfile();
      const page = await profile.page(where);
      await body({ page, url: server.url, profile, newProfile });
      const errors = profiles.flatMap((each) => each.errors);
      const unexpected = errors.filter((error) => !allow.some((pattern) => pattern.test(error)));
      if (unexpected.length) throw new Error(`the browser reported:\n${unexpected.join("\n")}`);
    } catch (failure) {
      await picture(name, profiles);
      const errors = profiles.flatMap((each) => each.errors);
      if (errors.length && failure instanceof Error && !failure.message.startsWith("the browser reported")) {
        failure.message += `\nthe browser reported:\n${errors.join("\n")}`;
      }
      throw failure;
    } finally {
      await Promise.all(profiles.map((profile) => profile.context.close()));
    }
  });
}

/** Keeps what each page shows, for whoever looks into the failure. */
async function picture(name, profiles) {
  await mkdir(failures, { recursive: true });
  const pages = profiles.flatMap((profile) => profile.context.pages());
  for (const [index, page] of pages.entries()) {
    const file = join(failures, `${name.replaceAll(/[^\p{L}\p{N}]+/gu, "-")}${index ? `-${index}` : ""}.png`);
    await page
      .screenshot({ path: file })
      .then(() => console.error(`picture of the failure: ${file}`))
      .catch((error) => console.error(`no picture of the failure: ${error.message}`));
  }
}
