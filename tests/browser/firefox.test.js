// Every lab in Firefox, briefly: its example, run, a result, and nothing in the console. Through WebDriver
// BiDi, which Firefox speaks itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import puppeteer from "puppeteer-core";
import { join } from "node:path";
import { labs, root, serve } from "./browser.js";

let site;
let browser;
let page;
const errors = [];
before(async () => {
  site = await serve();
  browser = await launch();
  page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens Firefox with settings of its own. */
const launch = (extraPrefsFirefox = {}) =>
  puppeteer.launch({ browser: "firefox", executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr", headless: true, extraPrefsFirefox });

const state = () => page.evaluate(() => document.querySelector(".status")?.dataset.job ?? "");
const until = async (what, probe, timeout = 60_000) => {
  const end = Date.now() + timeout;
  while (Date.now() < end) {
    if (await probe()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`${what}: not within ${timeout} ms; ${await page.evaluate(() => document.body.innerText.slice(0, 2000))}\n${errors.join("\n")}`);
};

const press = (id) => page.evaluate((id) => document.getElementById(id).click(), id);
const steps = (id) => page.evaluate((id) => Number(document.getElementById(id)?.dataset.step ?? 0), id);

// Where a lab says in numbers or names what it found; a lab without a row is told from its drawings.
const found = {
  detect: ["#detections tbody", /Person/],
  encode: ["#error-ae", /\d/],
  sample: ['#sample-caption:not([data-drawings="0"])', /./],
  scores: ["#fid", /\d/],
  segment: ["#coverage", /\d/],
};
/** Whether something is drawn: a canvas of more than one colour, lines, or a box. */
const drawn = () =>
  page.evaluate(() => {
    const colourful = (canvas) => {
      const context = canvas.width && canvas.height && canvas.getContext("2d");
      const pixels = context && new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      return pixels && pixels.some((pixel) => pixel !== pixels[0]);
    };
    return Boolean([...document.querySelectorAll("main canvas")].some(colourful) || document.querySelector(".stage .box, .family .box, main svg :is(path, polyline)"));
  });

for (const lab of labs) {
  test(`${lab.name} in Firefox`, async () => {
    errors.length = 0;
    const isSearch = !lab.startsByItself;
    await page.goto("about:blank");
    // One small step of a search says as much as a whole one.
    await page.goto(`${site.url}?backend=cpu${lab.example}${isSearch ? "&n=64&s=1" : ""}`);
    await until("the page", () => page.$("main h1"));
    if (isSearch) {
      await until("the start button", () => page.evaluate(() => document.getElementById("run")?.disabled === false));
      await press("run");
      await until("a step", async () => (await state()) === "done" && (await steps("search-step")) >= 1);
    } else if (lab.usesPicture) {
      await until("the job is done", async () => (await state()) === "done");
    } else if (await page.$("#train-run")) {
      await press("train-run");
      await until("three steps", async () => (await steps("train-step")) >= 3);
      await press("train-run");
    }
    const [where, what] = found[lab.name] ?? [];
    if (where) {
      await until(`${where} says ${what}`, async () => what.test(await page.evaluate((where) => document.querySelector(where)?.innerText ?? "", where)));
    }
    await until("something is drawn", drawn);
    assert.deepEqual(errors, []);
  });
}

/** What Firefox finds in a file: the first class of the table and what the page says above it. */
const findsIn = async (page, file) => {
  await page.goto("about:blank");
  await page.goto(`${site.url}?backend=cpu#/detect`);
  await until("the page", () => page.$("main h1"));
  await (await page.$("#open-picture")).uploadFile(file);
  const state = () => page.evaluate(() => document.querySelector(".status")?.dataset.job ?? "");
  await until("an end", async () => /done|failed/.test(await state()));
  return page.evaluate(() => ({
    rows: [...document.querySelectorAll("#detections tbody tr")].map((row) => row.innerText),
    status: document.querySelector(".status").innerText,
    notices: document.querySelector(".notices").innerText,
  }));
};

test("a cut file is used in Firefox, too, with a notice", async () => {
  for (const name of ["cut-at-70-percent.jpg", "cut-last-two-bytes.jpg"]) {
    const { rows, notices } = await findsIn(page, join(root, "tests/cases", name));
    assert.match(rows[0] ?? "", /Cat/, name);
    assert.match(notices, /missing or damaged/, name);
  }
});

test("where canvases answer with noise and no other decoder is there, it is said instead of guessed", async () => {
  const hiding = await launch({ "privacy.resistFingerprinting": true });
  try {
    const hidden = await findsIn(await hiding.newPage(), join(root, "public/samples/cat.jpg"));
    assert.deepEqual(hidden.rows, []);
    assert.match(hidden.status, /changes the pixels.*allow this page/);
    assert.match(hidden.notices, /adds noise/);
  } finally {
    await hiding.close();
  }
});
