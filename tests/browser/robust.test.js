// Bad files, bad weights, a lost worker, no server, sub-paths, and the security policy.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { after, before, test } from "node:test";
import { By, catchWorkers, choose, count, detections, jobDone, jobState, open, root, serve, slide, text, until, upload } from "./browser.js";

const manifest = JSON.parse(readFileSync(join(root, "weights/manifest.json")));
let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "kiln-"));
});
after(() => rmSync(folder, { recursive: true }));

/** Runs `body` with a fresh browser on a site of its own. */
const withSite = (options, browser, body) => async () => {
  const site = await serve(options);
  const driver = await open(browser);
  try {
    await body(driver, site);
  } finally {
    await driver.quit();
    await site.close();
  }
};
const cat = join(root, "tests/vectors/cat-ssd.png");
const visit = async (driver, address) => {
  await driver.get("about:blank");
  await driver.get(address);
  await until(driver, "the page", () => count(driver, "main h1"));
};

/** Rows of mid-grey pixels, each with its filter byte 0. */
const grey = (width, height) =>
  Buffer.concat(Array(height).fill(Buffer.concat([Buffer.of(0), Buffer.alloc(width, 128)])));

function png(width, height, data) {
  const chunk = (kind, body) => {
    const head = Buffer.concat([Buffer.from(kind), body]);
    const out = Buffer.alloc(8);
    out.writeUInt32BE(body.length);
    out.writeUInt32BE(crc32(head), 4);
    return Buffer.concat([out.subarray(0, 4), head, out.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

test(
  "each bad file gets a sentence, and the page goes on",
  withSite({}, {}, async (driver, site) => {
    await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat`);
    await jobDone(driver);
    const whole = readFileSync(cat);
    const damaged = Buffer.from(whole);
    damaged.fill(0x55, 60, whole.length - 60);
    const bad = {
      "zero.png": [Buffer.alloc(0), /empty/],
      "text.png": [Buffer.from("this is a text, not a picture\n"), /not a picture/],
      "damaged.png": [damaged, /damaged/],
      // Valid, and 144 megapixels of grey: a bomb for whoever decodes it first.
      "huge.png": [png(12_000, 12_000, deflateSync(Buffer.alloc(12_001 * 12_000))), /12000 x 12000/],
    };
    for (const [name, [bytes, sentence]] of Object.entries(bad)) {
      writeFileSync(join(folder, name), bytes);
      await choose(driver, join(folder, name));
      await until(driver, `a sentence about ${name}`, async () =>
        sentence.test(`${await text(driver, ".notices")} ${await text(driver, ".status")}`),
      );
      assert.notEqual(await jobState(driver), "running");
      assert.equal(await text(driver, "h1"), "Detect");
      await upload(driver, cat);
      await jobDone(driver);
      assert.equal((await detections(driver))[0].class, "Cat", `after ${name}`);
    }
  }),
);

test(
  "a tiny and a very long picture work",
  withSite({}, {}, async (driver, site) => {
    await visit(driver, `${site.url}?backend=cpu#/detect`);
    for (const [width, height] of [[1, 1], [1, 2000], [6000, 50]]) {
      const name = join(folder, `${width}x${height}.png`);
      writeFileSync(name, png(width, height, deflateSync(grey(width, height))));
      await upload(driver, name);
      await jobDone(driver);
    }
  }),
);

const weights = {
  "weights that differ": [(body) => { body[body.length >> 1] ^= 1; return body; }, /checksum/],
  "weights cut short": [(body) => body.subarray(0, body.length / 2), /cut short/],
  "missing weights": [() => 404, /could not be loaded.*404/],
};
for (const [what, [spoil, sentence]] of Object.entries(weights)) {
  test(
    `${what}: the visitor is told which, and nothing is drawn`,
    withSite(
      { change: (path, body) => (path === "weights/ssd.bpk" ? spoil(body()) : undefined) },
      {},
      async (driver, site) => {
        await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat`);
        await until(driver, "the sentence", async () => sentence.test(await text(driver, ".status")));
        assert.match(await text(driver, ".status"), /"ssd"/);
        assert.equal(await count(driver, ".stage .box"), 0);
        assert.equal(await count(driver, "#detections"), 0);
        // The other lab is not affected.
        await visit(driver, `${site.url}?backend=cpu#/segment?v=1&p=astronaut`);
        await jobDone(driver);
      },
    ),
  );
}

test(
  "a worker that dies in mid-job is replaced and the job done",
  withSite({}, {}, async (driver, site) => {
    await catchWorkers(driver);
    await visit(driver, `${site.url}?backend=cpu#/detect`);
    await until(driver, "the engine", () => count(driver, ".badge[data-backend=cpu]"));
    await upload(driver, cat);
    await until(driver, "the job runs", async () => (await jobState(driver)) === "running");
    // Ended without a word, as a browser short of memory does it.
    await driver.executeScript(() => window.workers.at(-1).terminate());
    await jobDone(driver, 90_000);
    assert.equal((await detections(driver))[0].class, "Cat");
    assert.ok((await driver.executeScript(() => window.workers.length)) >= 2);
  }),
);

test(
  "a worker that panics is replaced and the job done",
  withSite({}, {}, async (driver, site) => {
    await catchWorkers(driver);
    await visit(driver, `${site.url}?backend=cpu#/detect`);
    await until(driver, "the engine", () => count(driver, ".badge[data-backend=cpu]"));
    await upload(driver, cat);
    // What the panic hook posts.
    await driver.executeScript(() => {
      const message = JSON.stringify({ Fatal: { reason: "a test" } });
      window.workers.at(-1).dispatchEvent(new MessageEvent("message", { data: [message] }));
    });
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Cat");
    assert.equal(await driver.executeScript(() => window.workers.length), 2);
  }),
);

test(
  "a refused picture leaves everything as it was",
  withSite({}, {}, async (driver, site) => {
    await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat`);
    await jobDone(driver);
    const damaged = Buffer.from(readFileSync(cat));
    damaged.fill(0x55, 60, damaged.length - 60);
    writeFileSync(join(folder, "damaged.png"), damaged);
    const found = await detections(driver);
    const shown = () => driver.executeScript(() => document.querySelector(".frame > img").src);
    const before = await shown();
    await choose(driver, join(folder, "damaged.png"));
    await until(driver, "the sentence", async () => /damaged/.test(await text(driver, ".notices")));
    assert.equal(await shown(), before);
    assert.deepEqual(await detections(driver), found);
    await slide(driver, "score", 0.1);
    await until(driver, "the sliders act", async () => (await detections(driver)).length > found.length);
  }),
);

test(
  "moving between labs keeps what was set",
  withSite({}, {}, async (driver, site) => {
    await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat&s=0.30`);
    await jobDone(driver);
    await driver.executeScript(() => document.querySelector('nav a[href="#/segment"]').click());
    await until(driver, "the other lab", async () => (await text(driver, "h1")) === "Segment a person");
    await jobDone(driver);
    await driver.executeScript(() => document.querySelector('nav a[href="#/detect"]').click());
    await until(driver, "back", async () => (await text(driver, "h1")) === "Detect");
    await jobDone(driver);
    assert.equal(await driver.executeScript(() => document.getElementById("score").value), "0.3");
    await until(driver, "the address", async () => (await driver.getCurrentUrl()).includes("p=cat&s=0.30"));
  }),
);

test(
  "a worker that cannot be loaded is said, with a way on",
  withSite({ change: (path) => (/^worker-.*\.wasm$/.test(path) ? 404 : undefined) }, {}, async (driver, site) => {
    await visit(driver, `${site.url}#/detect?v=1&p=cat`);
    await until(driver, "the sentence", async () => /engine stopped/.test(await text(driver, ".notices")));
    assert.equal(await text(driver, "h1"), "Detect");
  }),
);

test(
  "after the first visit it works without the server",
  withSite({}, {}, async (driver, site) => {
    await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat`);
    await jobDone(driver);
    await until(driver, "the service worker has everything", () =>
      driver.executeAsyncScript((models, done) => {
        navigator.serviceWorker.ready.then(async () => {
          const names = await caches.keys();
          const weights = names.includes("kiln-weights") && (await (await caches.open("kiln-weights")).keys()).length;
          done(Boolean(navigator.serviceWorker.controller) && names.some((n) => n.startsWith("kiln-site-")) && weights === models);
        });
        // What is large is kept once a lab has used it.
      }, manifest.models.filter((model) => model.bytes <= 12_000_000).length),
    );
    await site.close();
    await driver.get("about:blank");
    await driver.get(`${site.url}?backend=cpu#/detect?v=1&p=coffee`);
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Coffee cup");
    // A lab that was never opened, too.
    await driver.get("about:blank");
    await driver.get(`${site.url}?backend=cpu#/segment?v=1&p=astronaut`);
    await jobDone(driver);
  }),
);

test(
  "it works below a sub-path",
  withSite({ prefix: "/courses/vision/kiln/" }, {}, async (driver, site) => {
    await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat`);
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Cat");
    assert.ok(await count(driver, ".notes article h2"));
  }),
);

test(
  "neither page nor worker may reach another origin",
  withSite({}, {}, async (driver, site) => {
    const other = await serve();
    try {
      await visit(driver, `${site.url}#/detect`);
      const attempt = `fetch("${other.url}icon.svg", { mode: "no-cors" }).then(() => "reached", () => "refused")`;
      assert.equal(await driver.executeAsyncScript(`const done = arguments[0]; ${attempt}.then(done)`), "refused");
      // A worker made as the page makes its own: from a blob, so that it inherits the policy.
      const inWorker = await driver.executeAsyncScript(
        (attempt, done) => {
          const source = `${attempt}.then((answer) => postMessage(answer))`;
          const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
          worker.onmessage = (event) => done(event.data);
          worker.onerror = (event) => done(`error: ${event.message}`);
        },
        attempt,
      );
      assert.equal(inWorker, "refused");
    } finally {
      await other.close();
    }
  }),
);

test(
  "the engine's worker itself is refused a foreign fetch",
  withSite({}, {}, async (driver, site) => {
    const other = await serve();
    try {
      // Put a fetch in front of the page's own worker source, and hear what it says.
      await driver.sendDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", {
        source: `window.Blob = class extends Blob {
          constructor(parts, options) {
            const source = parts?.[0];
            if (typeof source === "string" && source.startsWith("import init")) {
              parts = ['fetch("${other.url}icon.svg", { mode: "no-cors" }).then(() => "reached", () => "refused").then((a) => new BroadcastChannel("policy").postMessage(a));' + source];
            }
            super(parts, options);
          }
        };
        window.policy = [];
        new BroadcastChannel("policy").onmessage = (event) => window.policy.push(event.data);`,
      });
      await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat`);
      await jobDone(driver);
      assert.deepEqual(await driver.executeScript(() => window.policy), ["refused"]);
    } finally {
      await other.close();
    }
  }),
);

test(
  "first paint comes before any weight is fetched",
  withSite({}, {}, async (driver, site) => {
    const fetched = [];
    await visit(driver, `${site.url}#/`);
    assert.equal(await count(driver, ".door"), 6);
    const names = await driver.executeScript(() => performance.getEntriesByType("resource").map((e) => e.name));
    fetched.push(...names.filter((name) => /weights|worker-/.test(name)));
    assert.deepEqual(fetched, [], "the front page needs no engine");
  }),
);
