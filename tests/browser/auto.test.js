// The CPU and WebGPU beside each other, on the software adapter, which ?backend=any takes. Which of the two
// is the faster one there is no matter: tests that need one of them to be say so in what is remembered.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { count, detections, jobDone, open, root, serve, slide, text, until, upload } from "./browser.js";

const SLOW = 400_000;
const cat = join(root, "tests/vectors/cat-ssd.png");

let site;
before(async () => {
  site = await serve();
});
after(() => site?.close());

/** Runs `body` with a browser of its own: what one remembers is not to help another. */
const withBrowser = (options, body) => async () => {
  const driver = await open(options);
  try {
    await body(driver);
  } finally {
    await driver.quit();
  }
};

const visit = async (driver, query, fragment) => {
  await driver.get("about:blank");
  await driver.get(`${site.url}${query}${fragment}`);
  await until(driver, "the page", () => count(driver, "main h1"));
};

const panel = async (driver) => {
  await driver.executeScript(() => (document.querySelector(".badge").open = true));
  return text(driver, ".badge .panel");
};

const isOpen = (driver) => until(driver, "WebGPU beside the CPU", () => count(driver, ".badge #self-check"), SLOW);
const runsOn = (driver, backend) => count(driver, `.badge[data-backend=${backend}]`);

/** Milliseconds of both devices at the network of a lab, once they are known. */
const times = (driver, lab) =>
  until(
    driver,
    `both times of ${lab}`,
    () =>
      driver.executeScript((lab) => {
        const { cpu, gpu } = document.querySelector(`[data-compared=${lab}]:not([data-gpu=""])`)?.dataset ?? {};
        return cpu && [cpu, gpu].map(Number);
      }, lab),
    SLOW,
  );

/** What the page keeps, as { adapter, compared, ... }; with `change`, kept anew. The name of the program stands before. */
const remembered = (driver, change) =>
  driver.executeScript((change) => {
    const text = localStorage.getItem("kiln-times") ?? "{}";
    const at = text.indexOf("{");
    const known = JSON.parse(text.slice(at));
    if (change) localStorage.setItem("kiln-times", text.slice(0, at) + JSON.stringify({ ...known, ...change }));
    return { ...known, version: text.slice(0, at) };
  }, change);

/** Times as of a card, or of none. */
const timed = (lab, workload, [cpu_ms, gpu_ms]) => ({ lab, workload, standing: { Timed: { cpu_ms, gpu_ms } } });

test(
  "the CPU serves at once; both are timed while the visitor reads, and the faster one serves then",
  withBrowser({ gpu: true }, async (driver) => {
    await visit(driver, "?backend=any", "#/segment?v=1&p=astronaut");
    await jobDone(driver);
    assert.equal(await runsOn(driver, "cpu"), 1);
    const covered = await text(driver, "#coverage");
    await until(driver, "WebGPU is prepared", () => count(driver, ".badge[data-comparing]"), SLOW);
    const [cpu, gpu] = await times(driver, "segment");
    assert.ok(cpu > 0 && gpu > 0, `${cpu} and ${gpu} ms`);
    assert.match(await panel(driver), /selfie: on (the CPU|WebGPU)/);
    await until(driver, "nothing is prepared", async () => !(await count(driver, ".badge[data-comparing]")), SLOW);
    const onGpu = /selfie: on WebGPU/.test(await panel(driver));
    await driver.executeScript(() => document.getElementById("run").click());
    await jobDone(driver, SLOW);
    assert.equal(await text(driver, "#coverage"), covered);
    assert.equal(await runsOn(driver, onGpu ? "webgpu" : "cpu"), 1);

    // The next visit knows it, and another version of the program does not.
    const known = await remembered(driver);
    assert.match(known.version, /^worker-[0-9a-f]+\.wasm$/);
    assert.deepEqual(known.compared.map(({ lab, workload }) => [lab, workload]), [["segment", "selfie"]]);
    await remembered(driver, { compared: [timed("segment", "selfie", [1, 2222])] });
    await visit(driver, "?backend=any", "#/segment?v=1");
    assert.deepEqual(await times(driver, "segment"), [1, 2222]);
    assert.equal(await runsOn(driver, "cpu"), 1);
    await driver.executeScript(() => localStorage.setItem("kiln-times", localStorage.getItem("kiln-times").replace("worker-", "worker-x")));
    await visit(driver, "?backend=any", "#/segment?v=1");
    assert.notDeepEqual(await times(driver, "segment"), [1, 2222]);
  }),
);

test(
  "a lab moves to WebGPU with a run that begins anew, and what goes on stays where it began",
  withBrowser({ gpu: true }, async (driver) => {
    // A first visit to learn the adapter's name, from a lab that is quickly compared.
    await visit(driver, "?backend=any", "#/sample?v=1&m=vae-digits");
    await times(driver, "sample");
    await remembered(driver, { compared: [timed("detect", "SSD (Open Images)", [1e6, 1])] });

    await visit(driver, "?backend=any", "#/detect?v=1&s=0.20");
    await upload(driver, cat);
    await jobDone(driver);
    assert.equal(await runsOn(driver, "cpu"), 1);
    const cpu = await detections(driver);
    assert.ok(cpu.length > 0);
    await times(driver, "detect");
    // The boxes on the page are the CPU's: their threshold is changed there.
    await slide(driver, "score", 0.95);
    await until(driver, "fewer boxes", async () => (await detections(driver)).length < cpu.length);
    assert.equal(await runsOn(driver, "cpu"), 1);
    await slide(driver, "score", 0.2);
    await until(driver, "all boxes", async () => (await detections(driver)).length === cpu.length);
    await driver.executeScript(() => document.getElementById("run").click());
    await until(driver, "WebGPU runs it", () => runsOn(driver, "webgpu"), SLOW);
    await jobDone(driver, SLOW);
    assert.deepEqual(await detections(driver), cpu);
    assert.match(await panel(driver), /SSD \(Open Images\): on WebGPU/);
    await slide(driver, "score", 0.95);
    await until(driver, "fewer boxes", async () => (await detections(driver)).length < cpu.length);
    assert.equal(await runsOn(driver, "webgpu"), 1);
    // The badge tells of the lab in view.
    await driver.executeScript(() => (location.hash = "#/dream"));
    await until(driver, "the other lab's badge", () => runsOn(driver, "cpu"));
  }),
);

test(
  "a search that began on the CPU goes on there while WebGPU is the faster one; the next begins on WebGPU",
  withBrowser({ gpu: true }, async (driver) => {
    await visit(driver, "?backend=any", "#/sample?v=1&m=vae-digits");
    await times(driver, "sample");
    await remembered(driver, { compared: [timed("dream", "vgg16, 64 px", [1e6, 1])] });
    const step = () => driver.executeScript(() => Number(document.getElementById("search-step")?.dataset.step ?? -1));
    const press = (id) => driver.executeScript((id) => document.getElementById(id).click(), id);
    const losses = () => driver.executeScript(() => document.querySelector(".curves").dataset.losses.split(",").map(Number));

    await visit(driver, "?backend=any", "#/dream?v=1&p=cat&n=64&s=2&o=1&l=conv2_2");
    // A link's search begins by itself.
    await jobDone(driver);
    const cpu = await losses();
    assert.equal(await runsOn(driver, "cpu"), 1);
    await times(driver, "dream");
    await press("step");
    await until(driver, "a third step", async () => (await step()) === 3);
    assert.equal(await runsOn(driver, "cpu"), 1);
    await press("run");
    await until(driver, "WebGPU runs it", () => runsOn(driver, "webgpu"), SLOW);
    await jobDone(driver, SLOW);
    const gpu = await losses();
    assert.equal(gpu.length, cpu.length);
    gpu.forEach((loss, at) => assert.ok(Math.abs(loss - cpu[at]) < 1e-3 * cpu[at], `${gpu} instead of ${cpu}`));
    await press("step");
    await until(driver, "a third step", async () => (await step()) === 3, SLOW);
    assert.equal(await runsOn(driver, "webgpu"), 1);
  }),
);

/** An adapter that never comes, in the worker as the page makes it. */
const noAnswer = (driver) =>
  driver.sendDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", {
    source: `window.Blob = class extends Blob {
      constructor(parts, options) {
        const source = parts?.[0];
        if (typeof source === "string" && source.startsWith("import init")) {
          parts = ['Object.defineProperty(navigator, "gpu", { value: { requestAdapter: () => new Promise(() => {}) } });' + source];
        }
        super(parts, options);
      }
    };`,
  });

test(
  "an adapter that never comes keeps nobody waiting, and is said",
  withBrowser({}, async (driver) => {
    await noAnswer(driver);
    await visit(driver, "", "#/detect?v=1&p=cat");
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Cat");
    await until(driver, "the reason", async () => /did not answer/.test(await panel(driver)));
    assert.equal(await runsOn(driver, "cpu"), 1);
    await visit(driver, "?backend=webgpu", "#/detect");
    await until(driver, "the sentence", async () => /does not answer/.test(await text(driver, ".notices")));
  }),
);

test(
  "a GPU that is lost beside the CPU takes nothing with it",
  withBrowser({ gpu: true }, async (driver) => {
    await visit(driver, "?backend=any", "#/detect?v=1&s=0.20");
    await upload(driver, cat);
    await jobDone(driver);
    const found = await detections(driver);
    await isOpen(driver);
    // Ends the browser's GPU process, and with it every device.
    await driver.sendDevToolsCommand("Browser.crashGpuProcess");
    await until(driver, "the reason", async () => /GPU was lost/.test(await panel(driver)), SLOW);
    assert.equal(await runsOn(driver, "cpu"), 1);
    // What the CPU found is still there to go on with.
    assert.deepEqual(await detections(driver), found);
    await slide(driver, "score", 0.95);
    await until(driver, "fewer boxes", async () => (await detections(driver)).length < found.length);
  }),
);
