// The figures of the built site in headless Chromium, beside the peer in the same tab.
// Started by `make bench`; needs dist/ and, in benches/peer/, ssd.onnx, selfie.onnx, efficientnet.onnx, style.onnx and vgg16.bin. Prints
// one JSON object.
import { readdirSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { dist, jobDone, open, serve, startSearch, until } from "../tests/browser/browser.js";
import { PEER_LIMIT_MS, again, median, round, servePeer, stageMs } from "./shared.js";
import { webgpu } from "./webgpu.js";

const ROUNDS = 4;
const RUNS = 6;

/** The lab at `fragment` on the temple: 640 x 427, which SSD stretches to 300 x 300 and the style network sees at 384 x 256. */
async function kiln(driver, site, runs, fragment) {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu${fragment}`);
  // Ready: loaded and warmed up, while a visitor would read. The picture comes afterwards, after a glance at it.
  await until(driver, "the warm-up", () => driver.executeScript(() => document.querySelector("[data-warm]") !== null));
  await driver.sleep(1500);
  const ready = await driver.executeScript(() => {
    const { load, run } = document.querySelector("[data-warm]").dataset;
    return { page_ms: performance.now() - 1500, load_ms: Number(load), warm_run_ms: Number(run) };
  });
  await driver.executeScript(() => document.querySelector("[data-sample=temple]").click());
  await jobDone(driver);
  const first = await stageMs(driver, "network");
  const times = [];
  for (let i = 0; i < runs; i++) times.push(await again(driver));
  return { ready, first, times };
}

/** Fifty jobs: the worker's wasm memory after the fifth and the last; the page's long tasks. */
async function endurance(driver, site) {
  await driver.sendDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", {
    source: `window.longTasks = [];
      new PerformanceObserver((list) => { for (const e of list.getEntries()) longTasks.push([e.startTime, e.duration]); })
        .observe({ type: "longtask", buffered: true });`,
  });
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu#/detect?v=1&p=temple`);
  await jobDone(driver);
  const memory = () =>
    driver.executeScript(() => Number(document.querySelector(".job [data-memory]")?.dataset.memory ?? NaN));
  const since = await driver.executeScript(() => performance.now());
  const memories = [];
  for (let i = 1; i <= 50; i++) {
    await again(driver);
    memories.push(await memory());
  }
  const tasks = await driver.executeScript((t) => window.longTasks.filter(([start]) => start > t).map(([, d]) => d), since);
  return { after_5_mb: memories[4] / 1e6, after_50_mb: memories[49] / 1e6, longest_task_ms: Math.max(0, ...tasks) };
}

/** A style search on the CPU backend: milliseconds of a step, and the engine's memory at the end. */
async function search(driver, site, side, steps) {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu#/gatys?v=1&p=astronaut&g=auvers&n=${side}&s=${steps}`);
  await startSearch(driver);
  await jobDone(driver, 1_800_000);
  return driver.executeScript(() => ({
    step_ms: Number(document.getElementById("search-step").dataset.ms),
    memory_mb: Math.round(Number(document.querySelector(".job [data-memory]").dataset.memory) / 1e6),
  }));
}

/** One step at 192 x 192 beside TensorFlow.js on each of its backends, in the same tab. */
async function searchBeside(site, peer) {
  const driver = await open({ gpu: true });
  await driver.manage().setTimeouts({ script: PEER_LIMIT_MS });
  const ours = [];
  const theirs = {};
  for (let turn = 0; turn < 3; turn += 1) {
    ours.push((await search(driver, site, 192, 8)).step_ms);
    for (const backend of ["wasm", "webgpu", "cpu"]) {
      if (typeof theirs[backend] === "string" || (turn > 0 && backend !== figures.gatys_peer)) continue;
      await driver.get(`${peer.url}gatys.html`);
      await until(driver, "the peer", () => driver.executeScript(() => typeof window.runPeer === "function"));
      const late = `no two steps within ${PEER_LIMIT_MS / 60_000} minutes`;
      const times = await driver.executeScript((b) => window.runPeer(b, 2), backend).catch(() => late);
      // The first step compiles and fills memory.
      theirs[backend] = Array.isArray(times) ? [...(theirs[backend] ?? []), times.at(-1)] : times;
    }
    const able = Object.entries(theirs).filter(([, times]) => Array.isArray(times));
    if (able.length) figures.gatys_peer = able.sort((a, b) => median(a[1]) - median(b[1]))[0][0];
  }
  await driver.quit();
  figures.gatys_step_ms = round(median(ours));
  figures.gatys_peers = Object.fromEntries(
    Object.entries(theirs).map(([name, times]) => [name, Array.isArray(times) ? round(median(times)) : times]),
  );
  figures.gatys_to_peer = Math.round((median(ours) / median(theirs[figures.gatys_peer] ?? [NaN])) * 100) / 100;
}

/** Pictures a second while a slider is dragged: each is asked for as soon as the one before is drawn. */
async function sliding(driver, site, model) {
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu#/sample?v=1&m=${model}`);
  const drawings = () => driver.executeScript(() => Number(document.getElementById("sample-caption")?.dataset.drawings ?? 0));
  await until(driver, "the first picture", async () => (await drawings()) > 0);
  return driver.executeAsyncScript((done) => {
    const slider = document.getElementById("sliders-1");
    const count = () => Number(document.getElementById("sample-caption").dataset.drawings);
    const since = performance.now();
    const first = count();
    let turn = 0;
    const timer = setInterval(() => {
      slider.value = 2 * Math.sin(turn++ / 20);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      const seconds = (performance.now() - since) / 1000;
      if (seconds > 4) {
        clearInterval(timer);
        done((count() - first) / seconds);
      }
    }, 0);
  });
}

/** Steps of the pair of a million weights on Fashion-MNIST, batch 32, beside TensorFlow.js. */
async function trainingBeside(site, peer) {
  let driver = await open({ gpu: true });
  await driver.manage().setTimeouts({ script: PEER_LIMIT_MS });
  const at = (key) => driver.executeScript((k) => Number(document.getElementById("train-step")?.dataset[k] ?? -1), key);
  const ours = [];
  const theirs = {};
  const step = async (backend) => {
    if (typeof theirs[backend] === "string") return;
    await driver.get(`${peer.url}dcgan.html`);
    await until(driver, "the peer", () => driver.executeScript(() => typeof window.runPeer === "function"));
    const late = `no two steps within ${PEER_LIMIT_MS / 60_000} minutes`;
    const times = await driver.executeScript((b) => window.runPeer(b, 2), backend).catch(() => late);
    // The first step compiles and fills memory.
    theirs[backend] = Array.isArray(times) ? [...(theirs[backend] ?? []), times.at(-1)] : times;
    console.error(`TensorFlow.js, ${backend}: ${times}`);
  };
  for (let turn = 0; turn < 3; turn += 1) {
    await driver.get("about:blank");
    await driver.get(`${site.url}?backend=cpu#/train?v=1&d=fashion-mnist&o=hinge&z=64&b=32&w=large`);
    await until(driver, "the sheet", () => driver.executeScript(() => document.querySelector("canvas.sheet")?.width > 200));
    await driver.executeScript(() => document.getElementById("train-run").click());
    for (let taken = 2; taken <= 6; taken += 1) {
      await until(driver, "a step", async () => (await at("step")) >= taken, 120_000);
      ours.push(await at("ms"));
    }
    await step("webgpu");
  }
  // Plain JavaScript blocks its tab: last, and in a browser that is ended with it.
  await driver.quit();
  driver = await open();
  await driver.manage().setTimeouts({ script: PEER_LIMIT_MS });
  await step("cpu");
  await driver.quit().catch(() => null);
  const able = Object.entries(theirs).filter(([, times]) => Array.isArray(times));
  const fastest = able.sort((a, b) => median(a[1]) - median(b[1]))[0] ?? ["none", [NaN]];
  figures.gan_step_ms = round(median(ours));
  figures.gan_peers_ms = Object.fromEntries(
    Object.entries(theirs).map(([name, times]) => [name, Array.isArray(times) ? round(median(times)) : times]),
  );
  figures.gan_peer = fastest[0];
  figures.gan_to_peer = Math.round((median(ours) / median(fastest[1])) * 1000) / 1000;
}

/** The families of detectors on one photograph whose longer side is scaled to 320: milliseconds of each stage, medians. */
async function detectors(site) {
  const driver = await open({ args: [] });
  await driver.get(`${site.url}?backend=cpu#/compare?v=1&p=astronaut&f=overfeat,r-cnn,sppnet,fast-rcnn,faster-rcnn,ssd-voc,yolo-v1,anchor-free`);
  await jobDone(driver, 120_000);
  const runs = [];
  for (let i = 0; i < RUNS * 2; i += 1) {
    await again(driver, 120_000);
    runs.push(await driver.executeScript(() =>
      Object.fromEntries([...document.querySelectorAll("#costs tbody tr")].map((row, number) => {
        const parts = [...document.querySelectorAll(".times .stages")[number].children];
        const times = parts.map((part) => [part.dataset.stage, Number(part.dataset.ms)]);
        return [row.dataset.family, Object.fromEntries(times)];
      }))));
  }
  figures.detectors_ms = Object.fromEntries(Object.keys(runs[0]).map((family) => {
    const stages = Object.keys(runs[0][family]);
    const times = stages.map((stage) => [stage, round(median(runs.map((run) => run[family][stage])))]);
    const total = runs.map((run) => Object.values(run[family]).reduce((sum, ms) => sum + ms));
    return [family, { ...Object.fromEntries(times), total: round(median(total)) }];
  }));
  // R-CNN is as slow as its method: 200 boxes, each through the network by itself.
  await driver.get("about:blank");
  await driver.get(`${site.url}?backend=cpu#/detect?v=1&p=astronaut&f=r-cnn&n=200`);
  await jobDone(driver, 120_000);
  const crops = [];
  for (let i = 0; i < 3; i += 1) {
    await again(driver, 120_000);
    crops.push(await stageMs(driver, "network"));
  }
  figures.r_cnn_200_boxes_ms = round(median(crops));
  await driver.quit();
}

/**
 * What looking into a network takes: one way back beside the way there, a map of 14 x 14 covered places beside as many
 * passes, t-SNE of 1,000 pictures, and the camera.
 */
async function looking(site, peer) {
  const driver = await open({ args: ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"] });
  const visit = async (fragment) => {
    await driver.get("about:blank");
    await driver.get(`${site.url}?backend=cpu${fragment}`);
  };
  // The astronaut is square: 224 x 224, without layers that are noted in between.
  const stages = { network: [], postprocess: [] };
  await visit("#/explain?v=1&p=astronaut&m=gradient");
  await jobDone(driver);
  for (let i = 0; i < RUNS * 2; i += 1) {
    await again(driver);
    for (const [stage, times] of Object.entries(stages)) times.push(await stageMs(driver, stage));
  }
  figures.gradient_forward_ms = round(median(stages.network));
  figures.gradient_ms = round(median(stages.postprocess));
  figures.gradient_to_forward = Math.round((median(stages.postprocess) / median(stages.network)) * 100) / 100;
  const occlusion = [];
  await visit("#/explain?v=1&p=astronaut&m=occlusion&d=16");
  await jobDone(driver, 120_000);
  for (let i = 0; i < 3; i += 1) {
    await again(driver, 120_000);
    occlusion.push(await stageMs(driver, "postprocess"));
  }
  figures.occlusion_196_ms = round(median(occlusion));
  figures.occlusion_to_196_forwards = Math.round((median(occlusion) / (196 * median(stages.network))) * 100) / 100;
  await visit("#/embedding?v=1");
  await jobDone(driver, 240_000);
  figures.embedding_560_ms = await driver.executeScript(() => Math.round(performance.now()));
  // 440 more of the visitor's, to make a thousand: noise in as many colours.
  await driver.executeScript(() => {
    const data = new DataTransfer();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const context = canvas.getContext("2d");
    for (let i = 0; i < 440; i += 1) {
      for (let k = 0; k < 30; k += 1) {
        context.fillStyle = `hsl(${(i * 37 + k * 11) % 360} 80% ${20 + ((i + k * 7) % 60)}%)`;
        context.fillRect((k * 29 + i * 5) % 64, (k * 17 + i * 13) % 64, 8 + (i % 20), 8 + (k % 20));
      }
      const bytes = Uint8Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), (c) => c.charCodeAt(0));
      data.items.add(new File([bytes], `${i}.png`, { type: "image/png" }));
    }
    const input = document.getElementById("add-pictures");
    input.files = data.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await until(driver, "a thousand", () => driver.executeScript(() => document.querySelector("canvas.embedding")?.dataset.points === "1000"), 240_000);
  await jobDone(driver, 240_000);
  // Laid out anew with everything known: 500 steps and what goes before them.
  const since = Date.now();
  await driver.executeScript(() => document.querySelector("input[name=metric][value=euclid]").click());
  await driver.sleep(200);
  await jobDone(driver, 240_000);
  figures.tsne_1000_ms = Date.now() - since;
  await visit("#/activations?v=1&p=cat");
  await jobDone(driver);
  await driver.executeScript(() => document.getElementById("live").click());
  await driver.sleep(8000);
  figures.camera_per_s = Number(await driver.executeScript(() => document.getElementById("rate").dataset.rate));
  await driver.quit();
  // Each in a browser of its own: plain JavaScript blocks its tab.
  const theirs = {};
  for (const backend of ["wasm", "webgpu", "cpu"]) {
    const beside = await open({ gpu: backend === "webgpu" });
    await beside.manage().setTimeouts({ script: PEER_LIMIT_MS });
    await beside.get(`${peer.url}gradient.html`);
    await until(beside, "the peer", () => beside.executeScript(() => typeof window.runPeer === "function"));
    const late = `no four gradients within ${PEER_LIMIT_MS / 60_000} minutes`;
    const times = await beside.executeScript((b) => window.runPeer(b, 4), backend).catch(() => late);
    // The first compiles and fills memory.
    theirs[backend] = Array.isArray(times) ? round(median(times.slice(1))) : times;
    await beside.quit().catch(() => null);
  }
  figures.gradient_peers_ms = theirs;
  const fastest = Math.min(...Object.values(theirs).filter((time) => typeof time === "number"));
  // Theirs is both ways.
  figures.gradient_to_peer = Math.round(((figures.gradient_forward_ms + figures.gradient_ms) / fastest) * 100) / 100;
}

const files = readdirSync(dist);
const size = (pattern) =>
  execFileSync("gzip", ["-9", "-c", join(dist, files.find((f) => pattern.test(f)))], { maxBuffer: 1 << 26 }).length;
const site = await serve();
const peer = await servePeer();
const driver = await open();
const figures = { machine: process.env.KILN_MACHINE ?? "unnamed" };
figures.page_wasm_gzip_kb = round(size(/^app-.*\.wasm$/) / 1000);
figures.worker_wasm_gzip_kb = round(size(/^worker-.*\.wasm$/) / 1000);

/** Alternating runs of a lab and of the peer on the same graph, in the same tab. */
async function beside(name, fragment) {
  const ours = [];
  const theirs = [];
  const firsts = [];
  for (let i = 0; i < ROUNDS; i++) {
    const run = await kiln(driver, site, RUNS, fragment);
    ours.push(...run.times);
    firsts.push(run.first);
    figures[`${name}_ready`] ??= run.ready;
    await driver.get(`${peer.url}?${name}`);
    await until(driver, "the peer", () => driver.executeScript(() => typeof window.runPeer === "function"));
    await driver.executeScript(() => window.runPeer(2));
    theirs.push(...(await driver.executeScript((n) => window.runPeer(n), RUNS)));
  }
  figures[`${name}_network_ms`] = round(median(ours));
  figures[`${name}_peer_ms`] = round(median(theirs));
  figures[`${name}_to_peer`] = Math.round((median(ours) / median(theirs)) * 100) / 100;
  figures[`${name}_first_run_ms`] = round(median(firsts));
  figures[`${name}_first_to_steady`] = Math.round((median(firsts) / median(ours)) * 100) / 100;
}
// KILN_BENCH names the parts that are wanted, all of them without it.
const wanted = process.env.KILN_BENCH?.split(",");
const parts = {
  ssd: () => beside("ssd", "#/detect?v=1"),
  selfie: () => beside("selfie", "#/segment?v=1"),
  efficientnet: () => beside("efficientnet", "#/explain?v=1"),
  looking: () => looking(site, peer),
  detectors: () => detectors(site),
  style: () => beside("style", "#/stylize?v=1&n=384"),
  endurance: async () => Object.assign(figures, await endurance(driver, site)),
  paint: async () => {
    await driver.get(site.url);
    await until(driver, "the first paint", () =>
      driver.executeScript(() => performance.getEntriesByName("first-contentful-paint").length > 0),
    );
    figures.first_paint = await driver.executeScript(() =>
      Math.round(performance.getEntriesByName("first-contentful-paint")[0].startTime),
    );
  },
  sliders: async () => {
    figures.slider_64_per_s = round(await sliding(driver, site, "vae-avatars"));
    figures.slider_28_per_s = round(await sliding(driver, site, "vae-fashion-mnist"));
  },
  search: () => searchBeside(site, peer),
  training: () => trainingBeside(site, peer),
  webgpu: async () => (figures.webgpu = await webgpu(peer)),
  memory: async () => (figures.gatys_200_steps_256 = await search(driver, site, 256, 200)),
};
const unknown = wanted?.find((name) => !(name in parts));
if (unknown) throw new Error(`KILN_BENCH knows ${Object.keys(parts).join(", ")}, not ${unknown}.`);
for (const [name, measure] of Object.entries(parts)) {
  if (!wanted || wanted.includes(name)) await measure();
}
console.log(JSON.stringify(figures, null, 1));
await driver.quit();
await site.close();
peer.close();
process.exit(0);
