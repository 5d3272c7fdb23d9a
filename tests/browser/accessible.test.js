// axe-core on each page, light and dark, wide and narrow; and nothing wider than the screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { count, jobDone, labs, open, serve, shown, slide, startSearch, until, visit } from "./browser.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Every lab, empty and with its example; and what else they show. `press` is a button of the page. */
const pages = {
  home: "#/",
  ...Object.fromEntries(labs.flatMap(({ name, empty, example }) => [[`${name}, empty`, empty], [`${name}, example`, example]])),
  "detect, anchors": "#/detect?v=1&p=cat&w=anchors&m=5",
  "detect, scores": "#/detect?v=1&p=cat&w=scores",
  "detect, suppression": "#/detect?v=1&p=astronaut&w=suppressed&s=0.10&o=0.30",
  "detect, proposals": "#/detect?v=1&p=cat&f=faster-rcnn&w=proposals",
  "propose, boxes": "#/propose?v=1&p=cat&w=boxes&t=4,10,20,850,980",
  "propose, composed": "#/propose?v=1&p=temple&w=boxes&q=2,300,600,250,0;6,700,650,450,0",
  "propose, merged": "#/propose?v=1&p=cat&n=40",
  "compare, truth": "#/compare?v=1&p=cat&t=4,10,20,850,980",
  "segment, mask": "#/segment?v=1&p=astronaut",
  "segment, picture": "#/segment?v=1&p=astronaut&e=picture",
  "style, drawing": ["#/stylize", "open-draw"],
  "style, painting": "#/stylize?v=1&p=cat&n=128&g=auvers",
  "style, mixture": "#/stylize?v=1&p=cat&n=128&y=3:50,12:50",
  "optimise, a step": ["#/gatys?v=1&p=cat&n=64&s=1", "run"],
  "dream, a step": ["#/dream?v=1&p=cat&n=64&s=1&o=1", "run"],
  "sample, neighbours": "#/sample?v=1&m=vae-avatars&w=neighbours",
  "sample, walk": "#/sample?v=1&m=vae-digits&w=walk",
  "encode, map": "#/encode?v=1&d=digits&w=map",
  "encode, versus": "#/encode?v=1&w=versus",
  "divergence, convexity": "#/divergence?v=1&w=convexity",
  "divergence, lipschitz": "#/divergence?v=1&w=lipschitz",
  models: "#/models",
};

/** Fragments of the labs that the links on this page lead to. */
const linked = (driver) =>
  driver.executeScript(() => [...document.querySelectorAll('a[href^="#/"]')].map((a) => a.getAttribute("href").split("?")[0]));

test("links lead from the front page to every lab, and nowhere else", async () => {
  const site = await serve();
  const driver = await open();
  try {
    const known = new Set(["#/", "#/models", ...labs.map(({ empty }) => empty)]);
    const found = new Set(["#/"]);
    // A set goes on with what is added to it.
    for (const fragment of found) {
      assert.ok(known.has(fragment), `a link leads to ${fragment}`);
      await visit(driver, `${site.url}?backend=cpu${fragment}`);
      for (const next of await linked(driver)) found.add(next);
    }
    assert.deepEqual([...found].sort(), [...known].sort());
  } finally {
    await driver.quit();
    await site.close();
  }
});

/** What the charts of the page say, in words. */
const charts = (driver) => driver.executeScript(() => [...document.querySelectorAll(".plot svg")].map((svg) => svg.getAttribute("aria-label")));
/** What screen readers are told, where it is in no other place. */
const spoken = (driver) => driver.executeScript(() => [...document.querySelectorAll(".visually-hidden[role=status]")].map((p) => p.innerText).join(" "));

test("charts say what they show, and a training that it runs and stands", async () => {
  const site = await serve();
  const driver = await open();
  const go = (fragment) => visit(driver, `${site.url}?backend=cpu${fragment}`);
  const all = async (what, fits) => until(driver, what, async () => {
    const said = await charts(driver);
    return said.length > 0 && said.every(fits) && said;
  });
  const click = (id) => driver.executeScript((id) => document.getElementById(id).click(), id);
  try {
    const ends = /ends at .*\d/;
    await go("#/divergence");
    const before = await all("curves in words", (said) => ends.test(said));
    await slide(driver, "bump-0", -2);
    await until(driver, "words that follow", async () => (await charts(driver))[0] !== before[0]);
    for (const view of ["convexity", "lipschitz"]) {
      await go(`#/divergence?v=1&w=${view}`);
      await all(view, (said) => ends.test(said));
    }
    await go("#/gatys?v=1&p=cat&n=64&s=3");
    await startSearch(driver);
    await jobDone(driver);
    await all("the losses of a search", (said) => ends.test(said));
    await go("#/encode?v=1&w=invert");
    await until(driver, "the picture", () => count(driver, "canvas.sheet"));
    await click("invert");
    await until(driver, "it runs", async () => /Runs, from step/.test(await spoken(driver)));
    await all("the error of an inversion", (said) => ends.test(said));
    await go("#/train?v=1&d=ring");
    const ms = () => driver.executeScript(() => Number(document.getElementById("train-step").dataset.step));
    await until(driver, "the plane", () => driver.executeScript(() => document.querySelectorAll("#fact-js").length));
    await click("train-run");
    await until(driver, "it runs", async () => /Runs, from step 0/.test(await spoken(driver)));
    await until(driver, "steps", async () => (await ms()) > 20);
    const said = await spoken(driver);
    assert.match(said, /Runs, from step 0/, "not each step is told");
    await click("train-run");
    await until(driver, "it stands", async () => /Stands at step \d+\. Loss of D \d/.test(await spoken(driver)));
    await all("losses and gradients", (said) => ends.test(said));
  } finally {
    await driver.quit();
    await site.close();
  }
});

for (const [width, dark] of [[1280, false], [1280, true], [390, false], [390, true]]) {
  test(`no serious violation at ${width} pixels, ${dark ? "dark" : "light"}`, async () => {
    const site = await serve();
    const driver = await open({ width, dark });
    try {
      const found = [];
      for (const [name, page] of Object.entries(pages)) {
        const [fragment, press] = [page].flat();
        await visit(driver, `${site.url}?backend=cpu${fragment}`);
        if (press === "run") await startSearch(driver);
        else if (press) await driver.executeScript((id) => document.getElementById(id).click(), press);
        await shown(driver, fragment, press === "run");
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
