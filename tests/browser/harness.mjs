// What every browser test stands on: pages of fresh profiles on the served site, which fail their test
// on any error the browser reports.
//
//     import { pageTest } from "./harness.mjs";
//     pageTest("the page says its name", async ({ page }) => { … });
//
// `cargo xtask test` runs all; one file alone, on the site of the last run:
//     node --test tests/browser/smoke.test.mjs

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { launch, root, serve } from "./site.mjs";

const failures = resolve(root, process.env.PODFLOW_FAILURES ?? "target/web/failures");

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
