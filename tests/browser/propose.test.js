// Selective search in a real browser: merges one by one, the boxes of the search, and how many objects they find.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { By, count, jobDone, open, serve, text, until } from "./browser.js";

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

const visit = async (fragment) => {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu${fragment}`);
  await until(driver, "the page", () => count(driver, "main h1"));
};

/** How many colours the regions have, without the lines between them. */
const colors = () =>
  driver.executeScript(() => {
    const canvas = document.getElementById("regions");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    return new Set(pixels.filter((pixel) => pixel >>> 24 < 200)).size;
  });

const slideTo = (id, value) =>
  driver.executeScript(
    (id, value) => {
      const slider = document.getElementById(id);
      slider.value = value;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    },
    id,
    value,
  );

test("regions merge step by step, and the step travels in the link", async () => {
  await visit("#/propose?v=1&p=cat");
  await jobDone(driver);
  await until(driver, "regions", async () => (await colors()) > 20);
  const first = await colors();
  assert.equal(await count(driver, ".moved"), 0);
  await slideTo("merge-step", 30);
  await until(driver, "a merge", () => count(driver, ".moved"));
  assert.equal(await count(driver, ".shape"), 2);
  assert.match(await text(driver, "#merged"), /pixels .* become one region/);
  assert.ok((await colors()) <= first);
  const all = await driver.executeScript(() => Number(document.getElementById("merge-step").max));
  await slideTo("merge-step", all);
  await until(driver, "one region", async () => (await colors()) === 1);
  assert.match(await text(driver, "#merged"), /Regions left: 1\./);
  await until(driver, "the link", async () => (await driver.getCurrentUrl()).includes(`n=${all}`));
});

test("another cut has other segments", async () => {
  const merges = () => driver.executeScript(() => Number(document.getElementById("merge-step")?.max ?? 0));
  await visit("#/propose?v=1&p=cat&k=50");
  await jobDone(driver);
  await until(driver, "merges", merges);
  const fine = await merges();
  await visit("#/propose?v=1&p=cat&k=400");
  await jobDone(driver);
  await until(driver, "merges", merges);
  assert.ok((await merges()) < fine);
});

test("an object that is drawn is found by some box of the search", async () => {
  await visit("#/propose?v=1&p=cat&w=boxes");
  await jobDone(driver);
  await until(driver, "boxes", async () => (await count(driver, ".box.proposal")) > 200);
  const canvas = await driver.findElement(By.id("truth-canvas"));
  await driver.executeScript((element) => element.scrollIntoView({ block: "center" }), canvas);
  const { width, height } = await canvas.getRect();
  const at = (x, y) => ({ origin: canvas, x: Math.round((x - 0.5) * width), y: Math.round((y - 0.5) * height) });
  await driver.actions().move(at(0.01, 0.02)).press().move(at(0.5, 0.5)).move(at(0.85, 0.98)).release().perform();
  await until(driver, "recall", () => count(driver, "#recall-objects tbody tr"));
  assert.match(await text(driver, "#recall"), /100 %/);
  assert.equal(await count(driver, ".box.fits"), 1);
  // One box alone is not the cat's.
  await slideTo("most", 1);
  await until(driver, "one box", async () => (await count(driver, ".box.proposal")) === 1);
  await until(driver, "the link", async () => /t=4(,|%2C)/.test(await driver.getCurrentUrl()));
});

test("a truth belongs to its picture, and a link brings its own", async () => {
  const truth = "4,20,20,850,980";
  await visit(`#/propose?v=1&p=cat&w=boxes&t=${truth}`);
  await jobDone(driver);
  await until(driver, "the truth", () => count(driver, "#truth-canvas .box.truth"));
  // Another picture, while the drawing is not on the page.
  await driver.executeScript(() => document.querySelector('input[name="view"][value="regions"]').click());
  await until(driver, "no drawing", async () => (await count(driver, "#truth-canvas")) === 0);
  await driver.executeScript(() => document.querySelector('[data-sample="coffee"]').click());
  await until(driver, "the other picture", async () => (await driver.getCurrentUrl()).includes("p=coffee"));
  await jobDone(driver);
  await driver.executeScript(() => document.querySelector('input[name="view"][value="boxes"]').click());
  await until(driver, "a drawing", () => count(driver, "#truth-canvas"));
  assert.equal(await count(driver, "#truth-canvas .box.truth"), 0);
  // A link that is opened over it.
  await driver.executeScript((truth) => (location.hash = `#/propose?v=1&p=cat&w=boxes&t=${truth}`), truth);
  await until(driver, "the cat", async () => (await driver.getCurrentUrl()).includes("p=cat"));
  await jobDone(driver);
  await until(driver, "its truth", () => count(driver, "#truth-canvas .box.truth"));
  await driver.sleep(1000); // what follows the picture has followed
  assert.equal(await count(driver, "#truth-canvas .box.truth"), 1);
});

test("what is composed is looked for, without a box that is drawn", async () => {
  await visit("#/propose?v=1&p=temple&w=boxes&q=2,300,600,250,0;6,700,650,450,0");
  await jobDone(driver);
  const rows = () => driver.executeScript(() => [...document.querySelectorAll("#recall-objects tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)));
  await until(driver, "both objects", async () => (await rows()).length === 2);
  const found = await rows();
  assert.deepEqual(found.map(([name]) => name), ["Bus", "Horse"]);
  assert.ok(found.every(([, fit]) => Number(fit) > 0), JSON.stringify(found));
  assert.match(await text(driver, "#recall"), /\d+ %/);
  assert.equal(await count(driver, ".box.fits"), 2);
  // The search saw the scene, and so does the visitor: over the stage, and where the truth stands.
  assert.equal(await count(driver, ".frame > img.layer"), 2);
  // Without one of them, there is one to find.
  await driver.executeScript(() => document.querySelectorAll(".placed")[1].focus());
  await driver.actions().sendKeys("\uE017").perform();
  await until(driver, "the bus alone", async () => (await rows()).length === 1);
  await jobDone(driver);
  // Another cut runs the search anew, on the same scene.
  await driver.executeScript(() => document.querySelector('input[name="view"][value="regions"]').click());
  await until(driver, "regions", async () => (await colors()) > 20);
  assert.equal(await count(driver, ".frame > img.layer"), 1);
  await slideTo("k", 400);
  await jobDone(driver);
  await driver.executeScript(() => document.querySelector('input[name="view"][value="boxes"]').click());
  await until(driver, "the bus still", async () => (await rows()).length === 1);
  // Without any, the picture stands as it is.
  await driver.executeScript(() => document.querySelector(".placed").focus());
  await driver.actions().sendKeys("\uE017").perform();
  await until(driver, "the picture alone", async () => (await count(driver, ".frame > img.layer")) === 0);
  assert.equal((await rows()).length, 0);
});

test("a scene is taken from the detectors to the search", async () => {
  await visit("#/compare?v=1&p=temple&f=yolo-v1&k=2,300,600,250,0");
  await jobDone(driver);
  await until(driver, "a link", () => count(driver, "#compose-to"));
  await driver.executeScript(() => document.getElementById("compose-to").click());
  await until(driver, "the search", async () => /#\/propose\?.*q=2,300,600,250,0/.test(decodeURIComponent(await driver.getCurrentUrl())));
  await jobDone(driver);
  await until(driver, "the bus", async () => (await count(driver, "#recall-objects tbody tr")) === 1);
  assert.ok((await count(driver, ".box.proposal")) > 50);
});

test("what is drawn outlives a composition: its undo, and a reload", async () => {
  await visit("#/propose?v=1&p=temple&w=boxes&t=4,350,350,650,650");
  await jobDone(driver);
  const rows = () => count(driver, "#recall-objects tbody tr");
  await until(driver, "what is drawn", async () => (await rows()) === 1);
  const press = (name) => driver.executeScript((name) => [...document.querySelectorAll("button")].find((button) => button.textContent.trim() === name).click(), name);
  await press("Bus");
  await until(driver, "the bus", async () => /q=2/.test(await driver.getCurrentUrl()) && /Bus/.test(await text(driver, "#recall-objects")));
  await driver.executeScript(() => document.getElementById("compose-undo").click());
  await until(driver, "the drawing", async () => /t=4,350,350,650,650/.test(decodeURIComponent(await driver.getCurrentUrl())));
  assert.equal(await rows(), 1);
  // Over a scene a box is drawn, too; the link holds both.
  await press("Bus");
  await until(driver, "the bus again", async () => /Bus/.test(await text(driver, "#recall-objects")));
  await press("Add a box");
  await until(driver, "two objects", async () => (await rows()) === 2);
  await until(driver, "a link with both", async () => decodeURIComponent(await driver.getCurrentUrl()).split("t=")[1]?.includes(";"));
  await driver.navigate().refresh();
  await jobDone(driver);
  await until(driver, "the scene", async () => (await count(driver, ".frame > img.layer")) > 0);
  assert.equal(await rows(), 2);
});
