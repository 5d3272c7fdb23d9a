import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { count, jobDone, open, serve, text, until } from "./browser.js";

let site;
let driver;

before(async () => {
  site = await serve();
  driver = await open();
});
after(async () => {
  await driver?.quit();
  await site?.close();
});

async function visit(fragment) {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu${fragment}`);
}

/** Pixels of the map: how many colours there are, and its size. */
const map = () =>
  driver.executeScript(() => {
    const canvas = document.querySelector(".stage canvas.evidence");
    if (!canvas) return null;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    for (let i = 0; i < data.length; i += 4) colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return { width: canvas.width, height: canvas.height, colors: colors.size };
  });

const chosen = () => driver.executeScript(() => document.querySelector("#classes [aria-pressed=true]")?.textContent.trim());

test("the cat is named, and another class is explained by a click", async () => {
  await visit("#/explain?v=1&p=cat");
  await jobDone(driver);
  assert.match(await text(driver, "#classes"), /Egyptian cat[^]*%/);
  assert.equal(await chosen(), "Egyptian cat");
  const shown = await map();
  assert.ok(shown.colors > 10, JSON.stringify(shown));
  // What is not among the classes is said, and nothing changes.
  await driver.executeScript(() => {
    const field = document.querySelector("#class");
    field.value = "unicorn of glass";
    for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
  });
  await until(driver, "the sentence", async () => /unicorn of glass/.test((await text(driver, "#class-unknown")) ?? ""));
  await driver.executeScript(() => document.querySelectorAll("#classes button")[1].click());
  await until(driver, "the other class", async () => (await chosen()) === "tiger cat");
  await until(driver, "the address", () => driver.executeScript(() => /c=tiger(\+|%20)cat/.test(location.hash)));
});

test("a square uncovers the map step by step, and can be stopped", async () => {
  await visit("#/explain?v=1&p=cat&m=occlusion&d=8");
  await until(driver, "a first map", async () => (await map()) !== null);
  const { width, height } = await map();
  assert.ok(width === 43 && height === 28, `${width} x ${height}`);
  await driver.executeScript(() => document.getElementById("cancel").click());
  await until(driver, "the end", () => driver.executeScript(() => document.getElementById("cancel") === null || document.getElementById("cancel").disabled));
  // What was found stays, and another method goes on from there.
  assert.ok((await map()) !== null);
  await driver.executeScript(() => document.querySelector("input[name=method][value=gradient]").click());
  await until(driver, "the gradient's map", async () => (await map())?.width === 337);
});

test("what the map points at is cut out, and saved with a clear ground", async () => {
  await visit("#/explain?v=1&p=coffee");
  await jobDone(driver);
  await driver.executeScript(() => document.getElementById("cut-out").click());
  await until(driver, "the cup", () => count(driver, "#cutout canvas"));
  const share = Number(await driver.executeScript(() => document.getElementById("cutout").dataset.share));
  assert.ok(share > 0.05 && share < 0.5, `${share}`);
  const alphas = await driver.executeScript(() => {
    const canvas = document.querySelector("#cutout canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let opaque = 0;
    for (let i = 3; i < data.length; i += 4) opaque += data[i] > 127 ? 1 : 0;
    return opaque / (data.length / 4);
  });
  assert.ok(Math.abs(alphas - share) < 0.01, `${alphas} and ${share}`);
  // Another method is another map: the cut-out of the last one goes.
  await driver.executeScript(() => document.querySelector("input[name=method][value=gradient]").click());
  await until(driver, "the next map", async () => (await count(driver, "#cutout")) === 0);
});

test("integrated gradients tell what they add up to", async () => {
  await visit("#/explain?v=1&p=coffee&m=integrated&i=128");
  await until(driver, "the sum", () => driver.executeScript(() => document.getElementById("sum") !== null));
  await jobDone(driver);
  const [sum, difference] = (await text(driver, "#sum")).match(/-?\d+\.\d+/g).map(Number);
  assert.ok(Math.abs(sum - difference) < 0.03 * Math.abs(difference), `${sum}, ${difference}`);
});
