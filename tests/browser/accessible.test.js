// axe-core on each page, light and dark, wide and narrow; and nothing wider than the screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { count, jobDone, open, serve, startSearch, until } from "./browser.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pages = {
  home: "#/",
  "detect, empty": "#/detect",
  "detect, detections": "#/detect?v=1&p=cat",
  "detect, anchors": "#/detect?v=1&p=cat&w=anchors&m=5",
  "detect, scores": "#/detect?v=1&p=cat&w=scores",
  "detect, suppression": "#/detect?v=1&p=astronaut&w=suppressed&s=0.10&o=0.30",
  "segment, mask": "#/segment?v=1&p=astronaut",
  "segment, picture": "#/segment?v=1&p=astronaut&e=picture",
  "style, empty": "#/stylize",
  "style, painting": "#/stylize?v=1&p=cat&n=128&g=auvers",
  "style, mixture": "#/stylize?v=1&p=cat&n=128&y=3:50,12:50",
  "optimise, a step": "#/gatys?v=1&p=cat&n=64&s=1",
  "texture, empty": "#/texture",
  "dream, a step": "#/dream?v=1&p=cat&n=64&s=1&o=1",
  sample: "#/sample?v=1&m=vae-avatars&w=neighbours",
  "sample, walk": "#/sample?v=1&m=vae-digits&w=walk",
  encode: "#/encode?v=1&d=digits",
  "encode, map": "#/encode?v=1&d=digits&w=map",
  "encode, versus": "#/encode?v=1&w=versus",
  train: "#/train?v=1",
  divergence: "#/divergence?v=1",
  "divergence, convexity": "#/divergence?v=1&w=convexity",
  "divergence, lipschitz": "#/divergence?v=1&w=lipschitz",
  scores: "#/scores?v=1",
  models: "#/models",
};

for (const [width, dark] of [[1280, false], [1280, true], [390, false], [390, true]]) {
  test(`no serious violation at ${width} pixels, ${dark ? "dark" : "light"}`, async () => {
    const site = await serve();
    const driver = await open({ width, dark });
    try {
      const found = [];
      for (const [name, fragment] of Object.entries(pages)) {
        await driver.get("about:blank");
        await driver.get(`${site.url}?backend=cpu${fragment}`);
        await until(driver, name, () => count(driver, "main h1"));
        if (/^#\/(gatys|dream)/.test(fragment)) await startSearch(driver);
        if (name === "style, empty") await driver.executeScript(() => document.getElementById("open-draw").click());
        if (fragment.includes("p=")) await jobDone(driver);
        if (/^#\/(sample|encode|train|scores)/.test(fragment)) {
          await driver.sleep(500);
          await until(driver, "answers", () => driver.executeScript(() => document.querySelector(".standing").dataset.busy !== "true"));
        }
        await driver.executeScript(axe);
        const result = await driver.executeAsyncScript((done) => window.axe.run().then(done));
        assert.ok(result.passes.length > 5, `axe looked at ${name}`);
        for (const violation of result.violations) {
          if (["serious", "critical"].includes(violation.impact)) {
            found.push(`${name}: ${violation.id}: ${violation.nodes.map((n) => n.html).join(" ").slice(0, 300)}`);
          }
        }
        const wide = await driver.executeScript(() => document.documentElement.scrollWidth);
        if (wide > width) found.push(`${name}: ${wide} pixels wide`);
      }
      assert.deepEqual(found, []);
    } finally {
      await driver.quit();
      await site.close();
    }
  });
}
