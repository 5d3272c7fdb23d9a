// Writes screenshots of every page, light and dark, wide and narrow, to tests/browser/screenshots/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { By, count, jobDone, open, serve, startSearch, slide, until } from "./browser.js";

const folder = join(import.meta.dirname, "screenshots");
mkdirSync(folder, { recursive: true });

export const pages = {
  home: "#/",
  detect: "#/detect?v=1&p=cat",
  "detect-empty": "#/detect",
  "detect-anchors": "#/detect?v=1&p=coffee&w=anchors&m=5",
  "detect-scores": "#/detect?v=1&p=photographer&w=scores",
  "detect-suppressed": "#/detect?v=1&p=astronaut&w=suppressed&s=0.10&o=0.30",
  "segment-mask": "#/segment?v=1&p=astronaut",
  "segment-blur": "#/segment?v=1&p=astronaut&e=blur",
  "segment-cutout": "#/segment?v=1&p=astronaut&e=cutout",
  stylize: "#/stylize?v=1&p=temple",
  "stylize-painting": "#/stylize?v=1&p=coffee&g=auvers",
  "stylize-mix": "#/stylize?v=1&p=astronaut&y=5:60,19:100",
  "stylize-draw": "#/stylize?v=1",
  gatys: "#/gatys?v=1&p=temple&g=auvers&n=128&s=12",
  texture: "#/texture?v=1&g=poppies&n=96&s=12",
  dream: "#/dream?v=1&p=temple&n=160&s=4&o=2",
  models: "#/models",
};

const only = process.argv.slice(2);
const site = await serve();
for (const [width, height] of [[1280, 900], [390, 844]]) {
  for (const dark of [false, true]) {
    const driver = await open({ width, height, dark });
    for (const [name, fragment] of Object.entries(pages)) {
      if (only.length && !only.includes(name)) continue;
      await driver.get("about:blank");
      await driver.get(site.url + fragment);
      await until(driver, "the page", () => count(driver, "main h1"));
      const search = /^#\/(gatys|texture|dream)/.test(fragment);
      if (search) await startSearch(driver);
      if (name === "stylize-draw") await driver.executeScript(() => document.getElementById("open-draw").click());
      if (search || fragment.includes("p=")) await jobDone(driver);
      if (name === "detect-anchors") {
        await driver.executeScript(() => document.querySelectorAll(".cell")[12].click());
      }
      await driver.executeScript(() => document.fonts.ready.then(() => null));
      await driver.sleep(400);
      const { data } = await driver.sendAndGetDevToolsCommand("Page.captureScreenshot", { captureBeyondViewport: true, format: "png" });
      writeFileSync(join(folder, `${name}-${width}-${dark ? "dark" : "light"}.png`), Buffer.from(data, "base64"));
    }
    await driver.quit();
  }
}
await site.close();
console.log(`screenshots are in ${folder}`);
