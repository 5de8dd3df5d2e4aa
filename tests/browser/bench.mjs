// The benches in Chromium: `cargo xtask bench [filter]`. The protocol stands in benches/engine.rs.
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
    console.log(JSON.stringify({ bench: name, where: "chromium", value: await measure(page), unit }));
    await page.close();
  }
} finally {
  await browser.close();
  await server.close();
}
