// The portrait lab in a real browser, on the CPU backend.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { By, choose, count, jobDone, jobState, open, root, serve, slide, text, until } from "./browser.js";

let site;
let driver;
let downloads;
before(async () => {
  site = await serve();
  driver = await open();
  downloads = mkdtempSync(join(tmpdir(), "kiln-"));
  await driver.sendDevToolsCommand("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
});
after(async () => {
  await driver?.quit();
  await site?.close();
  if (downloads) rmSync(downloads, { recursive: true });
});

const visit = async (fragment) => {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu${fragment}`);
  await jobDone(driver);
};
const download = (name) =>
  until(driver, `the file ${name}`, () => {
    const found = readdirSync(downloads).find((file) => file === name);
    return found && readFileSync(join(downloads, found));
  });
/** Pixels of a PNG, decoded by the browser: alpha of some points. */
const alphas = (png, points) =>
  driver.executeAsyncScript(
    (base64, points, done) => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        canvas.width = image.width;
        canvas.height = image.height;
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        done({
          width: image.width,
          height: image.height,
          pixels: points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]),
        });
      };
      image.src = `data:image/png;base64,${base64}`;
    },
    png.toString("base64"),
    points,
  );

test("the astronaut covers as much as in the reference", async () => {
  await visit("#/segment?v=1&p=astronaut");
  const shown = Number((await text(driver, "#coverage")).match(/([\d.]+) %/)[1]);
  const bytes = readFileSync(join(root, "tests/vectors/astronaut-selfie.bin"));
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16LE(i);
  assert.ok(Math.abs(shown - (sum / (bytes.length / 2) / 65535) * 100) < 0.5, `${shown}`);
});

test("a cut-out is transparent around the person and opaque in it", async () => {
  await visit("#/segment?v=1&p=astronaut&e=cutout");
  await driver.findElement(By.id("export-png")).click();
  const { width, height, pixels } = await alphas(await download("astronaut-cutout.png"), [[20, 20], [220, 110], [490, 150]]);
  assert.deepEqual([width, height], [512, 512]);
  assert.ok(pixels[0][3] < 10 && pixels[2][3] < 10, "the background");
  assert.ok(pixels[1][3] > 245, "the face");
});

test("a new colour fills the background of the exported picture", async () => {
  await visit("#/segment?v=1&p=astronaut&e=color&c=00ff00");
  await driver.findElement(By.id("export-png")).click();
  const { pixels } = await alphas(await download("astronaut-color.png"), [[490, 150], [220, 110]]);
  assert.deepEqual(pixels[0].map((v) => Math.round(v / 8)), [0, 32, 0, 32], "green behind");
  assert.ok(pixels[1][0] > 100, "the face is not green");
});

test("dropping an exported picture restores its settings", async () => {
  await visit("#/segment?v=1&p=astronaut&e=blur&b=20");
  await driver.findElement(By.id("export-png")).click();
  const file = await download("astronaut-blur.png");
  const path = join(downloads, "again.png");
  writeFileSync(path, file);
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu#/detect`);
  await until(driver, "the page", () => count(driver, "#open-picture"));
  await choose(driver, path);
  await until(driver, "the segment lab", async () => (await text(driver, "h1")) === "Segment a person");
  await jobDone(driver);
  assert.equal(await driver.executeScript(() => document.getElementById("blur").value), "20");
});

test("another picture can stand behind the person", async () => {
  await visit("#/segment?v=1&p=astronaut&e=picture");
  assert.equal(await driver.findElement(By.id("export-png")).isEnabled(), false, "no background yet");
  await driver.executeScript(() => document.querySelector(".inspector [data-sample=temple]").click());
  await until(driver, "the background", () => count(driver, ".layer.cover"));
  await driver.findElement(By.id("export-png")).click();
  const { pixels } = await alphas(await download("astronaut-picture.png"), [[20, 20], [220, 110]]);
  assert.ok(pixels[0][2] > pixels[0][0], "the temple's sky is blue");
  assert.ok(pixels[1][0] > pixels[1][2], "the face is not");
});

test("the sliders act without another job", async () => {
  await visit("#/segment?v=1&p=astronaut");
  await slide(driver, "opacity", 25);
  await until(driver, "the opacity", () =>
    driver.executeScript(() => [...document.querySelectorAll("canvas.layer")].some((c) => c.style.opacity === "0.25")),
  );
  assert.equal(await jobState(driver), "done");
});
