// The labs that take steps, in a real browser on the CPU backend.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { By, choose, count, jobDone, jobState, open, root, serve, slide, startSearch, text, until, upload } from "./browser.js";

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
  await until(driver, "the page", () => count(driver, "main h1"));
};
const click = (id) => driver.executeScript((id) => document.getElementById(id).click(), id);
const onStage = () => until(driver, "the picture", () => count(driver, ".frame > img"));
const step = () => driver.executeScript(() => Number(document.getElementById("search-step")?.dataset.step ?? -1));
const losses = async () =>
  (await driver.executeScript(() => document.querySelector(".curves")?.dataset.losses ?? "")).split(",").map(Number);
const painting = () =>
  driver.executeScript(() => {
    const canvas = document.querySelector("canvas.painting");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, rgba: [...data] };
  });
const start = () => startSearch(driver);
const file = (name) =>
  until(driver, name, () => {
    const found = readdirSync(downloads).find((file) => file === name);
    return found && readFileSync(join(downloads, found));
  });

const vectors = join(root, "tests/vectors");
test("the first losses of a style search equal the native ones, and the picture is exported", async () => {
  await visit("#/gatys?v=1&n=64&s=10&i=noise&g=own");
  await upload(driver, join(vectors, "cat-style.png"));
  assert.equal(await jobState(driver), "idle", "a heavy lab waits to be started");
  await start();
  await until(driver, "the sentence", async () => /open a picture as the style/.test(await text(driver, ".status")));
  await choose(driver, join(vectors, "coffee-selfie.png"), "open-style");
  await driver.sleep(300);
  await start();
  await jobDone(driver);
  assert.equal(await step(), 10);
  const native = readFileSync(join(vectors, "cat-gatys.csv"), "utf8").trim().split("\n").slice(1, 11);
  const found = await losses();
  assert.equal(found.length, 10);
  native.forEach((line, index) => {
    const expected = Number(line.split(",")[1]);
    assert.ok(Math.abs(found[index] - expected) < 1e-3 * expected, `step ${index}: ${found[index]}, natively ${expected}`);
  });
  // Five layers, each with the style's matrix, the picture's, and their difference.
  assert.equal(await count(driver, "#grams [data-gram]"), 5);
  assert.equal(await count(driver, "#grams canvas"), 15);
  await click("export-png");
  const png = await file("cat-style-gatys.png");
  assert.match(png.toString("latin1"), /#\/gatys\?v=1/);
  await click("export-gif");
  const gif = await file("cat-style-gatys.gif");
  assert.equal(gif.subarray(0, 6).toString(), "GIF89a");
});

test("a search pauses, takes one step, goes on, and is deterministic", async () => {
  await visit("#/gatys?v=1&p=temple&n=96&s=6&i=noise&g=auvers");
  await onStage();
  await start();
  await until(driver, "a step", async () => (await step()) >= 1);
  await click("pause");
  await jobDone(driver);
  const paused = await step();
  assert.ok(paused >= 1 && paused <= 6, `paused at ${paused}`);
  await click("step");
  await until(driver, "one more", async () => (await step()) === paused + 1 && (await jobState(driver)) === "done");
  await click("continue");
  await until(driver, "the end", async () => (await step()) >= 6 && (await jobState(driver)) === "done");
  const parts = [await losses(), await painting(), await step()];
  await start();
  await until(driver, "again", async () => (await step()) === 6 && (await jobState(driver)) === "done");
  if (parts[2] === 6) assert.deepEqual([await losses(), await painting(), 6], parts);
  else assert.deepEqual((await losses()).slice(0, 6), parts[0].slice(0, 6));
});

test("a link shows what it is of without being asked, small, and says so; a bare one waits", async () => {
  for (const [fragment, size] of [
    ["#/gatys?v=1&p=temple&g=auvers&n=160&s=30", 128],
    ["#/dream?v=1&p=cat&n=192&s=8&o=1&l=conv2_2", 160],
    ["#/texture?v=1&g=poppies&n=160&s=30&l=2", 128],
  ]) {
    await visit(fragment);
    await jobDone(driver, 180_000);
    assert.equal((await painting()).width, size);
    const [, small, full] = (await text(driver, "#search-sketch")).match(/(\d+) pixels.* (\d+) pixels/);
    assert.equal(Number(small), size);
    assert.equal(full, fragment.match(/n=(\d+)/)[1]);
    assert.equal(await count(driver, "#search-waits"), 0, "size and steps are the sketch's");
    await driver.executeScript(() => document.querySelector("#run").click());
    await until(driver, "the full search", async () => (await painting().catch(() => ({}))).width === Number(full));
    assert.equal(await count(driver, "#search-sketch"), 0);
    await click("pause");
    await jobDone(driver);
  }
  await visit("#/dream?v=1&p=cat&n=64&s=1&o=1&l=conv2_2");
  await jobDone(driver);
  assert.equal(await count(driver, "#search-sketch"), 0, "all of it was done");
  await visit("#/texture");
  await driver.sleep(1500);
  assert.equal(await jobState(driver), "idle");
});

test("weights act on the running search, cancel ends it, and the page stays whole", async () => {
  await visit("#/gatys?v=1&p=cat&n=96&s=1000");
  await onStage();
  await start();
  await until(driver, "steps", async () => (await step()) >= 2);
  await slide(driver, "content-weight", 0);
  await until(driver, "the link", async () => /w=0\.0/.test(await driver.getCurrentUrl()));
  const at = await step();
  await until(driver, "it goes on", async () => (await step()) > at + 1);
  await click("cancel");
  await until(driver, "cancelled", async () => /Cancelled/.test(await text(driver, ".status")));
  await click("continue");
  await until(driver, "it goes on after that", async () => (await step()) > at + 2);
  await click("pause");
  await jobDone(driver);
});

test("steps act under way, what waits for a new start is said, and the focus stays on a button that works", async () => {
  await visit("#/gatys?v=1&p=cat&n=64&s=1000");
  await onStage();
  assert.equal(await count(driver, "#search-waits"), 0);
  const focused = () => driver.executeScript(() => document.activeElement?.id);
  await until(driver, "the start button", () => driver.executeScript(() => !document.getElementById("run").disabled));
  await driver.executeScript(() => document.getElementById("run").focus());
  await driver.actions().sendKeys("\uE007").perform();
  await until(driver, "the focus on Pause", async () => (await focused()) === "pause");
  await until(driver, "steps", async () => (await step()) >= 2);
  await slide(driver, "seed", 9);
  await until(driver, "the sentence", async () => /Seed/.test(await text(driver, "#search-waits")));
  await slide(driver, "steps", 4);
  await until(driver, "the end", async () => (await jobState(driver)) === "done");
  assert.ok((await step()) < 100, `it ended at ${await step()}`);
  await until(driver, "the focus on Go on", async () => (await focused()) === "continue");
  await slide(driver, "seed", 7);
  await until(driver, "no sentence", async () => (await count(driver, "#search-waits")) === 0);
});

test("leaving for the front page pauses a search, and it is there when the visitor comes back", async () => {
  await visit("#/gatys?v=1&p=cat&n=64&s=1000");
  await onStage();
  await start();
  await until(driver, "steps", async () => (await step()) >= 2);
  await driver.executeScript(() => { location.hash = "#/"; });
  await until(driver, "the front page", () => count(driver, ".doors"));
  await driver.sleep(1500);
  await driver.executeScript(() => { location.hash = "#/gatys"; });
  await until(driver, "the search", async () => (await step()) >= 2 && (await jobState(driver)) === "done");
  const at = await step();
  assert.ok(at < 1000, "it was paused, not finished");
  await driver.sleep(1000);
  assert.equal(await step(), at, "it stands");
  await click("step");
  await until(driver, "one more", async () => (await step()) === at + 1 && (await jobState(driver)) === "done");
});

test("another picture takes away what was made of the one before", async () => {
  await visit("#/gatys?v=1&p=cat&n=64&s=1");
  await onStage();
  await start();
  await jobDone(driver);
  assert.equal(await count(driver, "canvas.painting"), 1);
  await upload(driver, join(vectors, "coffee-style.png"));
  await until(driver, "the bare photograph", async () => (await count(driver, "canvas.painting")) === 0);
  assert.equal(await count(driver, "#search-step"), 0);
  assert.equal(await driver.findElement(By.id("export-png")).isEnabled(), false);
  assert.equal(await driver.findElement(By.id("continue")).isEnabled(), false);
});

test("a texture grows from noise without a picture on the stage", async () => {
  await visit("#/texture?v=1&g=poppies&n=64&s=8&l=3");
  await start();
  await jobDone(driver);
  const { width, height } = await painting();
  assert.deepEqual([width, height], [64, 64]);
  const found = await losses();
  assert.ok(found.at(-1) < found[0] / 2, found.join(" "));
  assert.equal(await count(driver, "#grams [data-gram]"), 3);
});

test("a dream grows what its layer sees", async () => {
  await visit("#/dream?v=1&p=rocket&n=96&s=3&o=2&l=conv3_1");
  await onStage();
  await start();
  await jobDone(driver);
  assert.equal(await step(), 6);
  const found = await losses();
  assert.ok(found[2] > found[0], found.join(" "));
  assert.equal((await painting()).width, 96);
});

test("pointing at a term of the notes lights its controls and its curve", async () => {
  await visit("#/gatys?v=1&p=cat&n=64&s=2");
  await onStage();
  await start();
  await jobDone(driver);
  await until(driver, "the notes", () => count(driver, '.notes span[data-term="content"]'));
  await driver.executeScript(() => document.querySelector('.notes span[data-term="content"]').focus());
  await until(driver, "the controls", () => count(driver, '.panel.lit[data-term="content"]'));
  assert.equal(await count(driver, ".curve.lit"), 1);
});

test("a drawing is repainted while the pen moves and when it is up", async () => {
  await visit("#/stylize?v=1&n=256&y=12");
  await click("open-draw");
  await until(driver, "the pad", () => count(driver, "#pad"));
  const pad = await driver.findElement(By.id("pad"));
  const stroke = (x, y) =>
    driver.actions().move({ origin: pad, x: -x, y: -y }).press().move({ origin: pad, x, y, duration: 300 }).release().perform();
  await stroke(120, 60);
  await jobDone(driver);
  const first = await until(driver, "the full size", async () => {
    const now = await painting();
    return now.width === 256 && (await jobState(driver)) === "done" && now;
  });
  await stroke(-120, 60);
  await until(driver, "another painting", async () => {
    const now = await painting();
    return now.width === 256 && now.rgba.some((value, i) => value !== first.rgba[i]);
  });
  await click("undo");
  await until(driver, "the first again", async () => {
    const now = await painting();
    return now.width === 256 && now.rgba.every((value, i) => value === first.rgba[i]);
  });
});

test("regions take styles of their own, with the keyboard, too", async () => {
  await visit("#/stylize?v=1&p=cat&n=128&y=12");
  await jobDone(driver);
  const plain = await painting();
  await click("open-regions");
  await until(driver, "the pad", () => count(driver, "#pad"));
  await driver.executeScript(() => document.querySelector('[data-brush="3"]').click());
  await driver.executeScript(() => document.getElementById("pad").focus());
  const keys = driver.actions();
  keys.sendKeys(" ");
  for (let i = 0; i < 5; i += 1) keys.sendKeys("\uE012");
  await keys.sendKeys(" ").perform();
  const mixed = await until(driver, "the region", async () => {
    if ((await jobState(driver)) !== "done") return null;
    const now = await painting();
    return now.width === 128 && now.rgba.some((value, i) => value !== plain.rgba[i]) && now;
  });
  // The corner keeps its style; the middle, where the brush went down, does not.
  assert.deepEqual(mixed.rgba.slice(0, 4), plain.rgba.slice(0, 4));
  const middle = (Math.floor(mixed.height / 2) * mixed.width + mixed.width / 2 - 2) * 4;
  assert.notDeepEqual(mixed.rgba.slice(middle, middle + 4), plain.rgba.slice(middle, middle + 4));
  await click("clear");
  await until(driver, "no region", async () => {
    const now = await painting();
    return now.width === 128 && now.rgba.every((value, i) => value === plain.rgba[i]);
  });
});
