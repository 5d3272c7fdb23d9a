// What a run asks of WebGPU: its time, the calls, the processor time of the thread that makes them and the
// wait for the GPU, beside the peers' WebGPU backends in the same tab. On whatever adapter Chromium offers: on
// a software one calls and processor time say what they say on a card, times do not.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { jobDone, open, serve, slide, startSearch, until } from "../tests/browser/browser.js";
import { between, calls, watchWorker, watching } from "../tests/browser/gpu-calls.js";
import { PEER_LIMIT_MS, again, median, round } from "./shared.js";

const RUNS = 12;
const LATE = `not within ${PEER_LIMIT_MS / 1000} s`;
/** No further run is begun after that. */
const ENOUGH_MS = 45_000;
/** With these Chromium takes the card of a machine without a display; its software adapter where there is none. */
const FLAGS = [
  "--enable-unsafe-webgpu",
  "--ignore-gpu-blocklist",
  "--use-angle=vulkan",
  "--enable-features=Vulkan,VulkanFromANGLE,DefaultANGLEVulkan",
  "--disable-vulkan-surface",
];
/** Threads of a tab by their purpose, as Linux knows them. */
const WORKER = ({ name }) => name.startsWith("DedicatedWorker");
const PAGE = ({ id, process }) => id === process;

/** The adapter; a card may want two seconds after the start. Null where there is none. */
async function adapterOf(driver) {
  let found = null;
  for (let turn = 0; turn < 6; turn += 1) {
    found = await driver.executeAsyncScript((done) => {
      const told = (a) => done(a && { vendor: a.info.vendor, architecture: a.info.architecture, software: a.info.isFallbackAdapter });
      const asked = navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
      Promise.resolve(asked ?? null).then(told, () => done(null));
    });
    if (found && !found.software) break;
    await driver.sleep(1000);
  }
  return found;
}

/** Nanoseconds that each such thread of a browser's tabs has had a processor so far; empty where there is no /proc. */
function processorTime(browser, wanted) {
  // What has ended meanwhile is empty.
  const read = (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const numbered = (folder) => (existsSync(folder) ? readdirSync(folder).map(Number).filter(Boolean) : []);
  // A name, in brackets, may hold anything; the parent is the second field after it.
  const parents = new Map(numbered("/proc").map((id) => [id, Number(read(`/proc/${id}/stat`).replace(/^.*\) /s, "").split(" ")[1])]));
  const descends = (id) => id === browser || (parents.has(id) && descends(parents.get(id)));
  const isTab = (id) => descends(id) && read(`/proc/${id}/cmdline`).includes("--type=renderer");
  const threads = [...parents.keys()].filter(isTab).flatMap((process) => {
    const folder = `/proc/${process}/task`;
    return numbered(folder).map((id) => ({ id, process, name: read(`${folder}/${id}/comm`), time: read(`${folder}/${id}/schedstat`) }));
  });
  return new Map(threads.filter(wanted).map(({ id, time }) => [id, Number(time.split(" ")[0])]));
}

/** Milliseconds between two of those; NaN where there is no such thread. */
const processorMs = (before, after) =>
  after.size ? [...after].reduce((sum, [id, ns]) => sum + ns - (before.get(id) ?? 0), 0) / 1e6 : NaN;

/** A tab that is watched: of Kiln the worker, of the peers the page. */
class Tab {
  constructor(site, peer) {
    Object.assign(this, { site, peer });
  }

  /** A fresh browser, in the place of the one before if there is one: what hangs ends with it. */
  async open() {
    await this.driver?.quit().catch(() => null);
    this.driver = await open({ args: FLAGS });
    this.browser = (await this.driver.getCapabilities()).get("goog:processID");
    await this.driver.manage().setTimeouts({ script: PEER_LIMIT_MS });
    const source = `if (location.href.startsWith("${this.peer.url}")) ${watching}`;
    await this.driver.sendDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", { source });
    await this.driver.get(this.site.url);
    this.adapter = await adapterOf(this.driver);
  }

  async visit(address) {
    await this.driver.get("about:blank");
    await this.driver.get(address);
  }

  lab(fragment) {
    return this.visit(`${this.site.url}?backend=webgpu${fragment}`);
  }

  until(what, probe) {
    return until(this.driver, what, probe, PEER_LIMIT_MS);
  }

  /** Waits for something that the page shows. */
  shows(what, probe) {
    return this.until(what, () => this.driver.executeScript(probe));
  }

  click(id) {
    return this.driver.executeScript((id) => document.getElementById(id).click(), id);
  }

  data(id, key) {
    return this.driver.executeScript((id, key) => Number(document.getElementById(id)?.dataset[key] ?? -1), id, key);
  }

  /** The milliseconds that `run` gives, as the page or the peer shows them, and what it asks for. */
  async spent(threads, run) {
    const before = await calls(this.driver);
    const processor = processorTime(this.browser, threads);
    const ms = await run();
    const processor_ms = processorMs(processor, processorTime(this.browser, threads));
    return { ms, ...between(before, await calls(this.driver)), processor_ms };
  }
}

/** What several steps asked for, for one of them. */
const each = ({ ms, ...asked }, steps) => ({
  ms,
  ...Object.fromEntries(Object.entries(asked).map(([what, value]) => [what, value / steps])),
});

// Each of these opens a page, runs once, so that shaders are compiled and memory is there, and gives what
// measures a run.

async function network(tab, fragment) {
  await tab.lab(fragment);
  await tab.shows("the warm-up", () => document.querySelector("[data-warm]") !== null);
  await tab.driver.executeScript(() => document.querySelector("[data-sample=temple]").click());
  await jobDone(tab.driver, PEER_LIMIT_MS);
  return () => tab.spent(WORKER, () => again(tab.driver, PEER_LIMIT_MS));
}

async function sample(tab, fragment) {
  await tab.lab(fragment);
  const drawings = () => tab.data("sample-caption", "drawings");
  await tab.until("the first picture", async () => (await drawings()) > 0);
  let at = 0;
  const run = async () => {
    const drawn = await drawings();
    at = 1 - at;
    await slide(tab.driver, "sliders-1", at);
    await tab.until("the next picture", async () => (await drawings()) > drawn);
    return tab.data("sample-caption", "ms");
  };
  await run();
  return () => tab.spent(WORKER, run);
}

async function search(tab, fragment) {
  // A step at 192 takes a software adapter minutes; a smaller one asks for the same calls.
  const [size, steps] = tab.adapter.software ? [64, 2] : [192, 12];
  // L-BFGS goes by its last ten steps, each of which costs calls: what is measured comes after them.
  await tab.lab(`${fragment}&n=${size}&s=11`);
  const done = async () => {
    await tab.driver.sleep(100);
    await jobDone(tab.driver, PEER_LIMIT_MS);
    return tab.data("search-step", "ms");
  };
  const press = async (id) => {
    await tab.click(id);
    return done();
  };
  await startSearch(tab.driver);
  await done();
  await slide(tab.driver, "steps", steps);
  // Going on weighs the present picture once more and shows it: one step taken from several leaves steps.
  return async () => {
    const one = await tab.spent(WORKER, () => press("step"));
    const several = await tab.spent(WORKER, () => press("continue"));
    return { size, ...each(between(one, several), steps - 1), ms: several.ms };
  };
}

/** Steps with their share of the sheet that each answer brings; the milliseconds are without it. */
async function training(tab, fragment) {
  await tab.lab(fragment);
  await tab.shows("the sheet", () => document.querySelector("canvas.sheet")?.width > 200);
  const step = () => tab.data("train-step", "step");
  const busy = () => tab.driver.executeScript(() => document.querySelector(".standing").dataset.busy === "true");
  const run = async () => {
    const from = await step();
    // Started and paused: one answer.
    await tab.click("train-run");
    await tab.click("train-run");
    await tab.until("a step", async () => (await step()) > from && !(await busy()));
    return tab.data("train-step", "ms");
  };
  await run();
  return async () => {
    const from = await step();
    const row = await tab.spent(WORKER, run);
    return each(row, (await step()) - from);
  };
}

async function theirs(tab, name, ...args) {
  await tab.visit(`${tab.peer.url}${name}`);
  await tab.shows("the peer", () => typeof window.runPeer === "function");
  const run = async (runs) => {
    const times = await tab.driver.executeScript((args) => window.runPeer(...args), [...args, runs]);
    if (!Array.isArray(times)) throw new Error(times);
    return times[0];
  };
  await run(0);
  // What is asked for is known before the answer is there: it is told of a run that did not end, too.
  const late = (error) => {
    if (error.name !== "ScriptTimeoutError") throw error;
    return LATE;
  };
  const first = await tab.spent(PAGE, () => run(1).catch(late));
  return first.ms === LATE ? () => first : () => tab.spent(PAGE, () => run(1));
}

/** Medians of the runs; or why there are none. */
async function measured(tab, [begin, ...args]) {
  try {
    const run = await begin(tab, ...args);
    const end = Date.now() + ENOUGH_MS;
    const rows = [];
    do rows.push(await run());
    while (rows.length < RUNS && Date.now() < end && rows[0].ms !== LATE);
    const [first] = rows;
    if (first.ms === LATE) await tab.open();
    const of = (what) => (first[what] === LATE ? LATE : round(median(rows.map((row) => row[what]))));
    return { runs: rows.length, ...Object.fromEntries(Object.keys(first).map((what) => [what, of(what)])) };
  } catch (error) {
    await tab.open();
    return error.name === "ScriptTimeoutError" ? LATE : error.message.slice(0, 400);
  }
}

/** The figures of every case, on Kiln and on the peer that has it. */
export async function webgpu(peer) {
  const site = await serve({ change: watchWorker });
  const tab = new Tab(site, peer);
  await tab.open();
  const cases = {
    ssd: { kiln: [network, "#/detect?v=1"], "onnxruntime-web": [theirs, "?ssd&webgpu"] },
    style: { kiln: [network, "#/stylize?v=1&n=384"], "onnxruntime-web": [theirs, "?style&webgpu"] },
    sample_64: { kiln: [sample, "#/sample?v=1&m=vae-avatars"] },
    gatys_step: {
      kiln: [search, "#/gatys?v=1&p=astronaut&g=auvers"],
      "TensorFlow.js": [theirs, "gatys.html", "webgpu"],
    },
    gan_step: {
      kiln: [training, "#/train?v=1&d=fashion-mnist&o=hinge&z=64&b=32&w=large"],
      "TensorFlow.js": [theirs, "dcgan.html", "webgpu"],
    },
  };
  const found = { adapter: tab.adapter ?? "none" };
  for (const [name, beside] of tab.adapter ? Object.entries(cases) : []) {
    found[name] = {};
    for (const [whose, begin] of Object.entries(beside)) {
      found[name][whose] = await measured(tab, begin);
      console.error(`WebGPU, ${name}, ${whose}: ${JSON.stringify(found[name][whose])}`);
    }
  }
  await tab.driver.quit();
  await site.close();
  return found;
}
