// The generative labs, in a real browser on the CPU backend.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { By, choose, count, open, root, serve, slide, text, until } from "./browser.js";

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
const pixels = (css = "canvas.sheet") =>
  driver.executeScript((css) => {
    const canvas = document.querySelector(css);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, rgba: [...data] };
  }, css);
const hash = async (css) => createHash("sha256").update(Buffer.from((await pixels(css)).rgba)).digest("hex");
const drawings = () => driver.executeScript(() => Number(document.getElementById("sample-caption")?.dataset.drawings ?? 0));
const drawn = () => until(driver, "a sheet", async () => (await drawings()) > 0);
const file = (name) =>
  until(driver, name, () => {
    const found = readdirSync(downloads).find((file) => file === name);
    return found && readFileSync(join(downloads, found));
  });
const at = () => driver.executeScript(() => Number(document.getElementById("train-step")?.dataset.step ?? -1));

test("a slider redraws, the link restores the picture, and the PNG carries the link", async () => {
  await visit("#/sample?v=1&m=vae-fashion-mnist&s=5");
  await drawn();
  const before = await hash();
  const number = await drawings();
  await slide(driver, "sliders-1", 2);
  await until(driver, "the next sheet", async () => (await drawings()) > number);
  await until(driver, "another picture", async () => (await hash()) !== before);
  // The address follows a slider a moment later.
  const link = await until(driver, "the address", async () => {
    const hash = await driver.executeScript(() => location.hash);
    return /z=2/.test(hash) && hash;
  });
  const moved = await hash();
  await visit(link);
  await drawn();
  assert.equal(await hash(), moved);
  await click("export-png");
  const png = await file("kiln-sample.png");
  assert.ok(png.toString("latin1").includes(link), "the PNG carries the link");
});

test("every view and every network draws", async () => {
  await visit("#/sample?v=1&m=vae-digits");
  await drawn();
  const sizes = { one: [1, 1], neighbours: [5, 5], many: [8, 8], walk: [6, 2], arithmetic: [4, 1] };
  for (const [view, [columns, rows]] of Object.entries(sizes)) {
    await driver.executeScript((view) => document.querySelector(`input[name=view][value=${view}]`).click(), view);
    await until(driver, view, async () => {
      const { width, height } = await pixels();
      return width === columns * 28 && height === rows * 28;
    });
  }
  const models = await driver.executeScript(() => [...document.querySelectorAll("#model option")].map((o) => o.value));
  assert.ok(models.length >= 9, `${models.length} networks`);
  for (const model of models) {
    await visit(`#/sample?v=1&m=${model}`);
    await drawn();
    const { rgba } = await pixels();
    assert.ok(new Set(rgba).size > 10, `${model} draws more than one tone`);
  }
});

test("the lab opens on a seed that was looked at, each network on its own, and a seed that was chosen stays", async () => {
  await visit("#/sample");
  await drawn();
  const seed = () => driver.executeScript(() => document.getElementById("seed").value);
  const take = (model) =>
    driver.executeScript((model) => {
      const select = document.getElementById("model");
      select.value = model;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }, model);
  assert.equal(await seed(), "4");
  await take("gan-avatars");
  await until(driver, "its seed", async () => (await seed()) === "12");
  await slide(driver, "seed", 77);
  await take("vae-avatars");
  await until(driver, "the network", async () => /s=77/.test(await driver.getCurrentUrl()) && !/m=/.test(await driver.getCurrentUrl()));
  assert.equal(await seed(), "77");
  // A link without a seed goes on meaning the first.
  await visit("#/sample?v=1");
  await drawn();
  assert.equal(await seed(), "1");
});

test("the pad moves two sliders, by mouse and by keys", async () => {
  await visit("#/sample?v=1&m=vae-digits&x=2&y=3");
  await drawn();
  const pad = await driver.findElement(By.id("latent-pad"));
  await driver.executeScript((pad) => pad.scrollIntoView({ block: "center" }), pad);
  await driver.actions().move({ origin: pad, x: 40, y: -30 }).press().release().perform();
  const value = (id) => driver.executeScript((id) => Number(document.getElementById(id).value), id);
  await until(driver, "the sliders", async () => (await value("sliders-2")) > 0.3 && (await value("sliders-3")) > 0.3);
  const x = await value("sliders-2");
  await driver.executeScript(() => document.getElementById("latent-pad").focus());
  await driver.actions().sendKeys("\uE014").perform();
  await until(driver, "the key", async () => (await value("sliders-2")) > x);
});

test("there are as many sliders as the latent space has directions, and the pad's axes exchange", async () => {
  await visit("#/sample?v=1&m=vae-digits&x=1&y=2");
  await drawn();
  assert.deepEqual([await count(driver, "#sliders-10"), await count(driver, "#sliders-11")], [1, 0]);
  const value = (id) => driver.executeScript((id) => Number(document.getElementById(id).value), id);
  await slide(driver, "across", 2);
  await until(driver, "the exchange", async () => (await value("across")) === 2 && (await value("down")) === 1);
});

test("what a pointer does on a surface, keys do", async () => {
  await visit("#/divergence?v=1&w=convexity");
  await until(driver, "the surfaces", async () => (await count(driver, ".surface")) === 2);
  const before = await hash(".surface");
  await driver.executeScript(() => document.querySelector(".surface").focus());
  await driver.actions().sendKeys("\uE012\uE012\uE013\uE007").perform();
  await until(driver, "another way down", async () => (await hash(".surface")) !== before);
  await visit("#/train?v=1&d=drawn");
  await until(driver, "the engine", async () => (await at()) === 0 && (await text(driver, "#fact-js")) !== "0");
  const plane = await hash(".plane canvas");
  await driver.executeScript(() => document.querySelector(".plane canvas").focus());
  await driver.actions().sendKeys("\uE012\uE012\uE012\uE007").perform();
  await until(driver, "the points", async () => (await hash(".plane canvas")) !== plane);
});

test("codes, reconstructions, the map and the inversion of a GAN", async () => {
  await visit("#/encode?v=1&d=digits&i=3");
  await until(driver, "the codes", () => count(driver, ".codes tbody tr"));
  await until(driver, "the sheet", async () => (await pixels()).width === 84);
  assert.match(await text(driver, "#error-vae"), /0\.0\d/);
  await visit("#/encode?v=1&d=digits&i=3&w=map");
  await until(driver, "the map", async () => (await count(driver, ".map circle")) === 401);
  await click("tsne");
  await until(driver, "steps of t-SNE", () => driver.executeScript(() => Number(document.getElementById("map-told").dataset.step) >= 20));
  await visit("#/encode?v=1&i=3&w=invert");
  await until(driver, "the picture", async () => (await pixels()).width === 84);
  await click("invert");
  await until(driver, "steps", () => driver.executeScript(() => Number(document.getElementById("invert-step").dataset.step) >= 20));
});

test("what is drawn is encoded", async () => {
  await visit("#/encode?v=1&d=digits");
  await until(driver, "the sheet", async () => (await pixels()).width === 84);
  const before = await hash();
  const board = await driver.findElement(By.id("sketch"));
  await driver.actions().move({ origin: board, x: 0, y: -60 }).press().move({ origin: board, x: 0, y: 60, duration: 200 }).release().perform();
  await until(driver, "the drawing", async () => (await hash()) !== before);
  // The middle column of the first tile is bright.
  const { width, rgba } = await pixels();
  const column = Array.from({ length: 28 }, (_, y) => rgba[(y * width + 14) * 4]);
  assert.ok(Math.max(...column) > 150, `${column}`);
});

test("training on points: the first losses equal the native ones; pause, single steps, begin anew", async () => {
  await visit("#/train?v=1&d=ring&b=64");
  await until(driver, "the plane", () => count(driver, ".plane canvas"));
  await until(driver, "the engine", async () => (await at()) === 0 && (await text(driver, "#fact-js")) !== "0");
  await click("train-run");
  await until(driver, "ten steps", async () => (await at()) >= 10);
  await click("train-run");
  const found = (await driver.executeScript(() => document.getElementById("train-step").dataset.history)).split(",").map(Number);
  const native = readFileSync(join(root, "tests/vectors/ring-gan.csv"), "utf8").trim().split("\n").slice(1);
  native.forEach((line, index) => {
    const expected = Number(line.split(",")[1]);
    assert.ok(Math.abs(found[index] - expected) < 1e-3 * Math.max(1, Math.abs(expected)), `step ${index}: ${found[index]}, natively ${expected}`);
  });
  await until(driver, "it stands", async () => {
    const one = await at();
    await driver.sleep(400);
    return (await at()) === one;
  });
  const stopped = await at();
  await click("step-g");
  await until(driver, "a step of the generator", async () => (await at()) === stopped + 1);
  await click("step-d");
  await driver.sleep(300);
  assert.equal(await at(), stopped + 1);
  await click("train-reset");
  await until(driver, "anew", async () => (await at()) === 0);
});

test("a preset starts by itself, weights are saved, loaded, and refused where they do not fit", async () => {
  await visit("#/train?v=1&d=ring");
  await until(driver, "the engine", async () => (await text(driver, "#fact-js")) !== "0");
  await click("preset-collapse-cure");
  await until(driver, "twenty steps", async () => (await at()) >= 20);
  assert.match(await driver.executeScript(() => location.hash), /o=lsgan&n=on/);
  await click("train-run");
  await click("train-save");
  const name = "kiln-gan-grid-lsgan-spectral-norm-small-latent-2.bpk";
  const weights = await file(name);
  assert.ok(weights.length > 1000);
  await choose(driver, join(downloads, name), "train-load");
  await until(driver, "loaded", async () => (await at()) === 0);
  assert.equal(await count(driver, ".sentence.bad"), 0);
  const broken = join(downloads, "broken.bpk");
  writeFileSync(broken, weights.subarray(0, 500));
  await choose(driver, broken, "train-load");
  await until(driver, "the sentence", async () => /does not hold the networks/.test(await text(driver, ".sentence.bad")));
  await click("step-g");
  await until(driver, "it goes on", async () => (await at()) === 1);
});

const pick = (name, value) =>
  driver.executeScript((name, value) => document.querySelector(`input[name=${name}][value=${value}]`).click(), name, value);
const ready = () => until(driver, "the engine", async () => !["", "0"].includes(await text(driver, "#fact-js")));

test("whatever shapes a training begins it anew, and what was trained before is gone", async () => {
  await visit("#/train");
  await ready();
  const changes = {
    objective: () => pick("objective", "hinge"),
    "spectral normalisation": () => pick("spectral-norm", "on"),
    latent: () => slide(driver, "latent", 9),
    batch: () => slide(driver, "batch", 64),
    seed: () => slide(driver, "seed", 7),
    data: () => pick("shape", "grid"),
  };
  for (const [name, change] of Object.entries(changes)) {
    await click("step-g");
    await until(driver, `a step before another ${name}`, async () => (await at()) === 1);
    await change();
    await until(driver, `another ${name} begins anew`, async () => (await at()) === 0);
    await ready();
  }
  // Pictures, and Start at once: what runs is what the controls say.
  await slide(driver, "batch", 8);
  await pick("shape", "digits");
  await click("train-run");
  await until(driver, "a sheet of samples", async () => (await pixels()).width === 8 * 28);
  await until(driver, "steps", async () => (await at()) >= 2);
  await pick("shape", "drawn");
  await until(driver, "the plane, with nothing learned", async () => (await at()) === 0 && (await count(driver, ".plane canvas")));
  assert.equal(await text(driver, "#train-run"), "Start");
});

test("a training that could not begin is begun by the next start", async () => {
  let broken = true;
  const other = await serve({ change: (path) => (broken && /fashion-mnist-train/.test(path) ? 503 : undefined) });
  try {
    await driver.get("about:blank");
    await driver.get(`${other.url}?backend=cpu#/train?v=1&d=ring`);
    await ready();
    await slide(driver, "batch", 8);
    await until(driver, "anew", async () => (await at()) === 0);
    await pick("shape", "fashion-mnist");
    await until(driver, "a sentence", () => count(driver, ".sentence.bad"));
    broken = false;
    await click("train-run");
    await until(driver, "a sheet of samples", async () => (await pixels()).width === 8 * 28);
    await until(driver, "steps", async () => (await at()) >= 2);
  } finally {
    await other.close();
  }
});

test("a fix is drawn over what it cures, on the same axes; it goes on from there, and says what happened", async () => {
  await visit("#/train");
  await ready();
  const curves = () =>
    driver.executeScript(() => {
      const chart = document.getElementById("chart-gradient");
      const ends = [...chart.querySelectorAll(".axis")].map((end) => Number(end.innerText));
      const last = (line) => Number(line.getAttribute("points").split(" ").at(-1).split(",")[1]);
      const find = (css) => [...chart.querySelectorAll(css)].map(last)[0];
      return { top: ends[0], bottom: ends[1], before: find(".curve[stroke-dasharray]"), now: find(".curve:not([stroke-dasharray])") };
    });
  await click("preset-vanishing");
  assert.equal(await count(driver, ".guide li"), 3);
  await until(driver, "what happened", () => text(driver, "#outcome"));
  assert.equal(await at(), 100);
  assert.equal((await curves()).before, null);
  await click("preset-vanishing-cure");
  await until(driver, "what happened with the fix", async () => /Minimax had .* this is .* times as much/.test(await text(driver, "#outcome")));
  const { top, bottom, before, now } = await curves();
  assert.ok(top / bottom >= 1000, `from ${bottom} to ${top}`);
  assert.ok(before > now + 30, `on one axis: ${before} below ${now}`);
  await click("preset-vanishing-release");
  await until(driver, "G goes on from there", async () => (await at()) > 100);
  await until(driver, "modes", async () => Number((await text(driver, "#fact-modes"))[0]) > 0);
  assert.match(await driver.executeScript(() => location.hash), /rg=0.01/);
});

test("training on pictures draws samples", async () => {
  await visit("#/train?v=1&d=digits&b=16&z=16");
  await until(driver, "the sheet", async () => (await pixels()).width === 8 * 28);
  const before = await hash();
  await click("train-run");
  await until(driver, "steps", async () => (await at()) >= 3);
  assert.notEqual(await hash(), before);
});

test("what is edited and compared follows its settings", async () => {
  // A canvas that nothing was drawn on is 300 pixels wide.
  const drawn = (css) => until(driver, css, async () => (await pixels(css)).width !== 300);
  const changes = async (css, id, value) => {
    await drawn(css);
    const before = await hash(css);
    await slide(driver, id, value);
    await until(driver, `another picture by ${id}`, async () => (await hash(css)) !== before);
  };
  await visit("#/encode?v=1&d=digits&w=edit");
  await changes(".hero-column > section:last-child canvas.sheet", "sliders-1", 3);
  await visit("#/encode?v=1&w=versus");
  await changes(".versus canvas.sheet", "seed", 42);
});

test("divergences: disjoint boxes are stuck at log 2, and the game is worth 2 JS less log 4", async () => {
  await visit("#/divergence?v=1&k=box&b=-1.5,0,1.5");
  await until(driver, "the table", () => count(driver, "#divergences [data-value]"));
  const value = (name) => driver.executeScript((n) => Number(document.querySelector(`[data-divergence=${n}]`).dataset.value), name);
  assert.ok(Math.abs((await value("JensenShannon")) - Math.LN2) < 1e-9);
  assert.equal(await count(driver, "#stuck"), 1);
  await slide(driver, "bump-0", 2);
  await until(driver, "they overlap", async () => (await value("JensenShannon")) < 0.69);
  assert.equal(await count(driver, "#stuck"), 0);
  const js = await value("JensenShannon");
  assert.ok(Math.abs((await value("Gan")) - (2 * js - Math.log(4))) < 1e-9);
  await visit("#/divergence?v=1&w=convexity&c=two-valleys");
  await until(driver, "the verdict", async () => /falls below/.test(await text(driver, "#verdict")));
  await visit("#/divergence?v=1&w=lipschitz&l=step");
  await until(driver, "the verdict", async () => /leaves the cone/.test(await text(driver, "#lip-verdict")));
});

test("scores: the test set has distance 0, and blurring it raises it", async () => {
  await visit("#/scores?v=1");
  const fid = () => driver.executeScript(() => Number(document.getElementById("fid")?.dataset.value ?? NaN));
  await until(driver, "the scores", async () => (await fid()) >= 0);
  assert.ok((await fid()) < 0.01);
  await slide(driver, "blur", 1.5);
  await until(driver, "the harm", async () => (await fid()) > 5);
});

test("scores: of few pictures the distance of one half of the data to the other is large", async () => {
  await visit("#/scores?v=1&m=train-set");
  const fid = () => driver.executeScript(() => Number(document.getElementById("fid")?.dataset.value ?? NaN));
  await until(driver, "the scores", async () => (await fid()) >= 0);
  const many = await fid();
  await slide(driver, "pictures", 100);
  await until(driver, "the bias", async () => (await fid()) > 3 * many);
});
