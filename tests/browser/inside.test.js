// The labs that look into a network, in a real browser on the CPU backend.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { count, jobDone, open, serve, slide, startSearch, text, until } from "./browser.js";

let site;
let driver;

before(async () => {
  site = await serve();
  driver = await open({ args: ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"] });
});
after(async () => {
  await driver?.quit();
  await site?.close();
});

async function visit(fragment) {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu${fragment}`);
  await until(driver, "the page", () => count(driver, "main h1"));
}
const click = (selector) => driver.executeScript((s) => document.querySelector(s).click(), selector);
const read = (selector, key) => driver.executeScript((s, k) => document.querySelector(s)?.dataset[k], selector, key);
/** How many colours a canvas has, and its size. */
const canvas = (selector) =>
  driver.executeScript((s) => {
    const canvas = document.querySelector(s);
    if (!canvas || canvas.offsetParent === null) return null;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    for (let i = 0; i < data.length; i += 4) colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return { width: canvas.width, height: canvas.height, colors: colors.size };
  }, selector);
const losses = async (key) => (await read(".curves", key)).split(",").map(Number);

test("a layer and a channel are chosen by clicking, and the filters of the first layer are coloured", async () => {
  await visit("#/activations?v=1&p=cat");
  await jobDone(driver);
  assert.match(await text(driver, "#classes"), /Egyptian cat/);
  assert.equal(await count(driver, "#layers tbody tr"), 18);
  assert.deepEqual([(await canvas("#map")).width, (await canvas("#map")).height], [43, 28]);
  await click("[data-layer=block11] button");
  await until(driver, "block 11", async () => (await canvas("#map"))?.width === 22);
  await until(driver, "the address", () => driver.executeScript(() => /l=11/.test(location.hash)));
  assert.match(await text(driver, "#sheet h2"), /block11: 112/);
  // In the middle of the sheet.
  const chosen = await driver.executeScript(() => {
    const canvas = document.querySelector("#sheet canvas");
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, pointerId: 1, button: 0 };
    canvas.dispatchEvent(new PointerEvent("pointerdown", at));
    return true;
  });
  assert.ok(chosen);
  await until(driver, "another channel", async () => Number(await read("#sheet .channels", "channel")) > 0);
  const channel = Number(await read("#sheet .channels", "channel"));
  await driver.executeScript(() => {
    const sheet = document.querySelector("#sheet .channels");
    sheet.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  });
  await until(driver, "the one before", async () => Number(await read("#sheet .channels", "channel")) === channel - 1);
  await click("[data-layer=stem] button");
  await until(driver, "the stem", async () => /first layer/.test(await text(driver, "#filters")));
  const filters = await canvas("#filters canvas");
  // 32 kernels of three by three, a pixel between two.
  assert.deepEqual([filters.width, filters.height], [127, 3]);
  assert.ok(filters.colors > 50, `${filters.colors} colours`);
  await click("#find-patches");
  await until(driver, "patches", () => count(driver, ".patches li"));
  assert.ok((await count(driver, ".patches li")) <= 12);
});

test("a digit is written on the blackboard and read, each layer is timed, and sliders end where the network does", async () => {
  await visit("#/activations?v=1&w=lenet-digits&l=17&n=1279");
  await until(driver, "the blackboard", () => count(driver, "#board"));
  // A vertical stroke.
  await driver.executeScript(() => {
    const board = document.getElementById("board");
    board.scrollIntoView({ block: "center" });
    const { left, top, width, height } = board.getBoundingClientRect();
    const send = (type, share, buttons) =>
      board.dispatchEvent(
        new PointerEvent(type, {
          clientX: left + width / 2,
          clientY: top + height * share,
          bubbles: true,
          pointerId: 1,
          isPrimary: true,
          button: 0,
          buttons,
        }),
      );
    send("pointerdown", 0.2, 1);
    for (let share = 0.25; share <= 0.8; share += 0.05) send("pointermove", share, 1);
    send("pointerup", 0.8, 0);
  });
  await until(driver, "the digit", async () => /^\s*1\s/.test((await text(driver, "#classes tbody")) ?? ""));
  assert.equal(await count(driver, "#layers tbody tr"), 4);
  assert.equal(await driver.executeScript(() => document.getElementById("layer").max), "3");
  await click("#measure");
  await until(driver, "times", async () => (await count(driver, "#layers .time")) === 4);
  await click("[data-layer=conv1] button");
  await until(driver, "its filters", async () => (await canvas("#filters canvas"))?.colors > 5);
  assert.equal(await driver.executeScript(() => document.getElementById("channel").max), "15");
  assert.equal(await driver.executeScript(() => document.getElementById("channel").value), "0");
  // Who comes back finds the board as it was.
  const white = () =>
    driver.executeScript(() => {
      const canvas = document.getElementById("board");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let white = 0;
      for (let i = 0; i < data.length; i += 4) white += data[i] > 128 ? 1 : 0;
      return white;
    });
  const before = await white();
  assert.ok(before > 1000, `${before}`);
  await driver.executeScript(() => (location.hash = "#/explain"));
  await until(driver, "another room", async () => (await count(driver, "#board")) === 0);
  await driver.executeScript(() => history.back());
  await until(driver, "the board", () => count(driver, "#board"));
  assert.ok(Math.abs((await white()) - before) < 0.02 * before, "the board was wiped");
  await click("#wipe");
  assert.equal(await white(), 0);
});

test("the camera is classified live, its layer follows, and the picture comes back", async () => {
  await visit("#/activations?v=1&p=cat");
  await jobDone(driver);
  const before = await text(driver, "#classes");
  await click("#live");
  await until(driver, "pictures", async () => Number(await read("#rate", "rate")) > 0);
  assert.notEqual(await text(driver, "#classes"), before);
  await click("[data-layer=block2] button");
  await until(driver, "block 2", async () => /block2:/.test(await text(driver, "#sheet h2")));
  await click("#live");
  await jobDone(driver);
  await until(driver, "the cat", async () => (await text(driver, "#classes")) === before);
});

test("an ascent grows, is kept beside another, and takes expressions", async () => {
  await visit("#/ascent?v=1&s=64&a=1&m=10");
  await startSearch(driver);
  await jobDone(driver);
  const first = await losses("losses");
  assert.ok(first[9] > first[0] + 2, `${first}`);
  assert.ok((await canvas("canvas.painting")).colors > 100);
  await click("#pin");
  await slide(driver, "blur", 1);
  await startSearch(driver);
  await jobDone(driver);
  await click("#pin");
  assert.equal(await count(driver, ".pins li"), 2);
  assert.match(await text(driver, ".pins"), /Blur: 0[^]*Blur: 1/);
  assert.match(await text(driver, "#objective"), /class\(daisy\)/);
  await click("#as-expression");
  await until(driver, "the expression", () => driver.executeScript(() => document.getElementById("expression")?.value === "class(daisy)"));
  await driver.executeScript(() => {
    const field = document.getElementById("expression");
    field.value = "channel(block99, 1)";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await until(driver, "what is wrong", async () => /no layer "block99"/.test(await text(driver, "[data-term=aim]")));
  const shown = await canvas("canvas.painting");
  await startSearch(driver);
  await until(driver, "the sentence", async () => /no layer "block99"/.test(await text(driver, ".status")));
  // The picture that was there stays.
  assert.deepEqual(await canvas("canvas.painting"), shown);
});

test("the cat becomes a goldfish, and the tests say whether it lasts", async () => {
  await visit("#/fooling?v=1&p=cat&c=goldfish&n=128");
  await until(driver, "the tests", () => count(driver, "[data-test=halved]"), 120_000);
  assert.match(await text(driver, "[data-test=before]"), /cat|tabby/);
  assert.match(await text(driver, "[data-test=made]"), /goldfish/);
  assert.match(await text(driver, "#change-size"), /by [0-8]\.\d levels/);
  await driver.executeScript(() => document.querySelector("input[name=show][value=change]").click());
  await until(driver, "the change alone", () =>
    driver.executeScript(() => {
      const canvas = document.querySelector("canvas.painting");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let grey = 0;
      for (let i = 0; i < data.length; i += 4) grey += Math.abs(data[i] - 128) < 100 ? 1 : 0;
      return grey > data.length / 8;
    }),
  );
});

test("a row of layers is rebuilt side by side", async () => {
  await visit("#/inversion?v=1&p=cat&n=64&s=12");
  await until(driver, "the captions", async () => (await count(driver, ".captions li")) === 6, 120_000);
  await jobDone(driver);
  assert.match(await text(driver, ".captions"), /block1[^]*block16/);
  const all = await canvas("canvas.painting");
  assert.deepEqual([all.width, all.height], [3 * 64 + 8, 2 * 43 + 4]);
  const last = await losses("losses");
  assert.ok(last.at(-1) < last[0], `${last}`);
});

test("the map shows all pictures, and the neighbours of one lead on", async () => {
  await visit("#/embedding?v=1&p=cat&n=100");
  await jobDone(driver, 240_000);
  await until(driver, "the map", async () => Number(await read("canvas.embedding", "points")) === 561);
  assert.equal(await read("#told", "step"), "100");
  assert.ok((await canvas("canvas.embedding")).colors > 1000);
  await click("#choose-any");
  await until(driver, "neighbours", async () => (await count(driver, "#near [data-space=features] li")) === 12);
  const next = await read("#near [data-space=pixels] .thumb", "index");
  await click("#near [data-space=pixels] .thumb");
  await until(driver, "the neighbour's", async () => !(await driver.executeScript((n) => [...document.querySelectorAll("#near .thumb")].some((t) => t.dataset.index === n), next)));
  const before = await driver.executeScript(() => document.querySelector("canvas.embedding").toDataURL().length);
  await click("#zoom-in");
  await until(driver, "another view", async () => (await driver.executeScript(() => document.querySelector("canvas.embedding").toDataURL().length)) !== before);
  await driver.executeScript(() => document.querySelector("input[name=method][value=pca]").click());
  await until(driver, "components", async () => /two components/.test(await text(driver, "#divergence")));
  await click("#clear-own");
  await until(driver, "those that ship", async () => Number(await read("canvas.embedding", "points")) === 560);
});
