// The networks' own numbers in the browser, before any decoding, against the reference's.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { catchWorkers, count, jobDone, open, root, serve, until, upload } from "./browser.js";

// As natively (tests/parity.rs): sums run in another order. Scores are at most 1/4 as far apart as logits.
const TOLERANCE = 1e-3;
const PHOTOGRAPHS = ["cat", "astronaut", "coffee", "photographer"];
const vectors = join(root, "tests/vectors");

let site;
let driver;
before(async () => {
  site = await serve();
  driver = await open();
  await catchWorkers(driver);
});
after(async () => {
  await driver?.quit();
  await site?.close();
});

/** Asks the worker for the numbers of its last run, with the settings that the page asked with. */
const raw = async () => {
  const base64 = await driver.executeAsyncScript((done) => {
    // A number that the page never gives.
    const id = 4_000_000_000;
    const worker = window.workers.at(-1);
    worker.addEventListener("message", function hear({ data: [text, , ...files] }) {
      const { Reply, Failed } = JSON.parse(text);
      if (Failed?.id === id) return done(`failed: ${text}`);
      if (Reply?.id !== id) return;
      worker.removeEventListener("message", hear);
      let binary = "";
      for (const byte of files[Reply.files.indexOf("raw")]) binary += String.fromCharCode(byte);
      done(btoa(binary));
    });
    worker.postMessage([JSON.stringify({ Call: { ...window.asked, id, files: [] } }), '"Raw"']);
  });
  assert.doesNotMatch(base64, /^failed/);
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

const run = async (lab, picture) => {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu#/${lab}`);
  await until(driver, "the page", () => count(driver, "#open-picture"));
  await driver.executeScript(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (parts, ...rest) {
      window.asked = JSON.parse(parts[0]).Call ?? window.asked;
      return post.call(this, parts, ...rest);
    };
  });
  await upload(driver, join(vectors, picture));
  await jobDone(driver);
  return raw();
};

const furthest = (a, b) => {
  assert.equal(a.length, b.length);
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index])), 0);
};

for (const name of PHOTOGRAPHS) {
  test(`SSD's raw outputs for ${name} equal LiteRT's`, async () => {
    const file = readFileSync(join(vectors, `${name}-ssd.bin`));
    const expected = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
    const boxes = 1917 * 4;
    for (let i = boxes; i < expected.length; i += 1) expected[i] = 1 / (1 + Math.exp(-expected[i]));
    const got = await run("detect", `${name}-ssd.png`);
    const encodings = furthest(got.slice(0, boxes), expected.slice(0, boxes));
    const scores = furthest(got.slice(boxes), expected.slice(boxes));
    assert.ok(encodings < TOLERANCE, `encodings differ by ${encodings}`);
    assert.ok(scores < TOLERANCE / 4, `scores differ by ${scores}`);
  });

  test(`the matte's raw values for ${name} equal LiteRT's`, async () => {
    const file = readFileSync(join(vectors, `${name}-selfie.bin`));
    const expected = Float32Array.from({ length: file.length / 2 }, (_, i) => file.readUInt16LE(2 * i) / 65535);
    const difference = furthest(await run("segment", `${name}-selfie.png`), expected);
    assert.ok(difference < TOLERANCE, `the matte differs by ${difference}`);
  });
}
