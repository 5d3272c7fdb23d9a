// Writes screenshots of every page, light and dark, wide and narrow, to tests/browser/screenshots/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { labs, open, serve, shown, startSearch, until, visit } from "./browser.js";

const folder = join(import.meta.dirname, "screenshots");
mkdirSync(folder, { recursive: true });

/** Every lab, empty and with its example; and what else they show, which a later page of the same name replaces. */
export const pages = {
  home: "#/",
  ...Object.fromEntries(labs.flatMap(({ name, empty, example }) => [[`${name}-empty`, empty], [name, example]])),
  "detect-anchors": "#/detect?v=1&p=coffee&w=anchors&m=5",
  "detect-scores": "#/detect?v=1&p=photographer&w=scores",
  "detect-suppressed": "#/detect?v=1&p=astronaut&w=suppressed&s=0.10&o=0.30",
  "propose-boxes": "#/propose?v=1&p=cat&w=boxes&t=4,10,20,850,980",
  "propose-composed": "#/propose?v=1&p=temple&w=boxes&q=2,300,600,250,0;6,700,650,450,0",
  "propose-merged": "#/propose?v=1&p=crew&n=60",
  "detect-proposals": "#/detect?v=1&p=cat&f=faster-rcnn&w=proposals",
  "detect-yolo": "#/detect?v=1&p=cat&f=yolo-v1&w=anchors",
  "compare-truth": "#/compare?v=1&p=cat&t=4,10,20,850,980",
  "segment-mask": "#/segment?v=1&p=astronaut",
  "segment-blur": "#/segment?v=1&p=astronaut&e=blur",
  "segment-cutout": "#/segment?v=1&p=astronaut&e=cutout",
  "explain-occlusion": "#/explain?v=1&p=cat&m=occlusion",
  "explain-integrated": "#/explain?v=1&p=coffee&m=integrated",
  "stylize-painting": "#/stylize?v=1&p=coffee&g=auvers",
  "stylize-mix": "#/stylize?v=1&p=astronaut&y=5:60,19:100",
  "stylize-draw": "#/stylize?v=1",
  gatys: "#/gatys?v=1&p=temple&g=auvers&n=128&s=12",
  texture: "#/texture?v=1&g=poppies&n=96&s=12",
  dream: "#/dream?v=1&p=temple&n=160&s=4&o=2",
  sample: "#/sample?v=1",
  "sample-many": "#/sample?v=1&m=gan-fashion-mnist-hinge&w=many",
  "sample-neighbours": "#/sample?v=1&m=vae-avatars&w=neighbours",
  "sample-walk": "#/sample?v=1&m=vae-avatars&w=walk",
  encode: "#/encode?v=1&i=3",
  "encode-map": "#/encode?v=1&d=digits&w=map",
  "encode-versus": "#/encode?v=1&w=versus",
  "encode-invert": "#/encode?v=1&i=3&w=invert",
  train: "#/train?v=1&o=hinge&n=on&rd=0.005&k=3",
  "train-pictures": "#/train?v=1&d=digits&o=hinge&n=on&z=32&b=32",
  "divergence-convexity": "#/divergence?v=1&w=convexity&c=two-valleys",
  "divergence-lipschitz": "#/divergence?v=1&w=lipschitz",
  models: "#/models",
};

/** Training under way, a search under way: started, watched for a while, and paused. */
async function watch(driver, name) {
  const id = { train: "train-run", "train-pictures": "train-run", "encode-invert": "invert", "encode-map": "tsne" }[name];
  const press = () => driver.executeScript((id) => document.getElementById(id).click(), id);
  if (!id) return;
  await press();
  await driver.sleep(name === "encode-map" ? 20_000 : 12_000);
  await press();
  await until(driver, "answers", () => driver.executeScript(() => document.querySelector(".standing")?.dataset.busy !== "true"));
}

const only = process.argv.slice(2);
const site = await serve();
for (const [width, height] of (process.env.WIDE ? [[1280, 900]] : [[1280, 900], [390, 844]])) {
  for (const dark of (process.env.WIDE ? [false] : [false, true])) {
    const driver = await open({ width, height, dark });
    for (const [name, fragment] of Object.entries(pages)) {
      if (only.length && !only.includes(name)) continue;
      await visit(driver, site.url + fragment);
      const started = /^#\/(gatys|texture|dream)\?.*&s=/.test(fragment);
      if (started) await startSearch(driver);
      if (name === "stylize-draw") await driver.executeScript(() => document.getElementById("open-draw").click());
      await shown(driver, fragment, started);
      if (name === "detect-anchors") {
        await driver.executeScript(() => document.querySelectorAll(".cell")[12].click());
      }
      await watch(driver, name);
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
