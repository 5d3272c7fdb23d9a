// WebGPU on the software adapter: slow, so one tiny run of each lab. Fails if no adapter appears.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { count, detections, jobDone, jobState, open, root, serve, slide, startSearch, text, until, upload } from "./browser.js";
import { between, calls, watchWorker } from "./gpu-calls.js";

let site;
let driver;
before(async () => {
  site = await serve();
  driver = await open({ gpu: true });
});
after(async () => {
  await driver?.quit();
  await site?.close();
});

const visit = async (query, fragment) => {
  await driver.get("about:blank");
  await driver.get(`${site.url}${query}${fragment}`);
  await until(driver, "the page", () => count(driver, "main h1"));
};

test("there is a WebGPU adapter to test with", async () => {
  await visit("", "#/");
  const name = await driver.executeAsyncScript((done) =>
    navigator.gpu.requestAdapter().then((a) => done(a ? `${a.info.vendor} ${a.info.architecture}` : null), (e) => done(String(e))),
  );
  assert.match(name ?? "none", /swiftshader/i);
});

test("WebGPU passes the self-check and gives the CPU's boxes", async () => {
  const picture = join(root, "tests/vectors/cat-ssd.png");
  await visit("?backend=webgpu", "#/detect?v=1&s=0.20");
  await until(driver, "WebGPU", () => count(driver, ".badge[data-backend=webgpu]"), 120_000);
  await upload(driver, picture);
  await jobDone(driver, 180_000);
  const gpu = await detections(driver);
  await visit("?backend=cpu", "#/detect?v=1&s=0.20");
  await upload(driver, picture);
  await jobDone(driver);
  assert.ok(gpu.length > 0);
  assert.deepEqual(gpu, await detections(driver));
});

test("WebGPU gives the CPU's matte", async () => {
  const covered = async (backend) => {
    await visit(`?backend=${backend}`, "#/segment?v=1&p=astronaut");
    await jobDone(driver, 180_000);
    assert.equal(await count(driver, `.badge[data-backend=${backend}]`), 1);
    return text(driver, "#coverage");
  };
  assert.equal(await covered("webgpu"), await covered("cpu"));
});

for (const [what, fragment] of [
  ["dream", "#/dream?v=1&p=cat&n=64&s=2&o=1&l=conv2_2"],
  ["style search", "#/gatys?v=1&p=cat&n=64&s=1&i=noise&g=auvers"],
  ["search for what a layer answers to", "#/ascent?v=1&s=224&a=1&m=2&o=expression&x=layer(block5)"],
  ["search for a picture with the same features", "#/inversion?v=1&p=cat&n=64&s=2"],
]) {
  test(`WebGPU takes the CPU's steps in a ${what}`, async () => {
    const losses = async (backend) => {
      await visit(`?backend=${backend}`, fragment);
      await startSearch(driver);
      await jobDone(driver, 240_000);
      assert.equal(await count(driver, `.badge[data-backend=${backend}]`), 1);
      const { losses } = await driver.executeScript(() => ({ ...document.querySelector(".curves").dataset }));
      return losses.split(",").map(Number);
    };
    const cpu = await losses("cpu");
    const gpu = await losses("webgpu");
    assert.equal(gpu.length, 2);
    gpu.forEach((loss, step) => assert.ok(Math.abs(loss - cpu[step]) < 1e-3 * cpu[step], `${gpu} instead of ${cpu}`));
  });
}

for (const [what, fragment, drawing, within = 1] of [
  // A step of its scale is two steps of a colour.
  ["what speaks for a class", "#/explain?v=1&p=cat", "canvas.evidence", 2],
  ["a channel", "#/activations?v=1&p=cat", "#map", 2],
  ["a VAE's picture", "#/sample?v=1&m=vae-digits&s=3&z=1,-0.5", "canvas.sheet"],
  ["a GAN's picture", "#/sample?v=1&m=gan-digits-hinge&s=3", "canvas.sheet"],
  ["a photograph in a style", "#/stylize?v=1&p=cat&n=128", "canvas.painting"],
  ["codes and their reconstructions", "#/encode?v=1&d=digits&i=3", "canvas.sheet"],
]) {
  test(`WebGPU draws ${what} as the CPU does, within ${within} of 255`, async () => {
    const pixels = async (backend) => {
      await visit(`?backend=${backend}`, fragment);
      const read = () =>
        driver.executeScript((css) => {
          const canvas = document.querySelector(css);
          if (!canvas || document.querySelector(".stage.empty")) return null;
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.some((value, i) => i % 4 !== 3 && value > 0) ? [...data] : null;
        }, drawing);
      const found = await until(driver, "the picture", read, 180_000);
      assert.equal(await count(driver, `.badge[data-backend=${backend}]`), 1);
      return found;
    };
    const [gpu, cpu] = [await pixels("webgpu"), await pixels("cpu")];
    assert.equal(gpu.length, cpu.length);
    const largest = gpu.reduce((most, value, i) => Math.max(most, Math.abs(value - cpu[i])), 0);
    assert.ok(largest <= within, `${largest} of 255`);
  });
}

test("WebGPU takes the CPU's steps in training a GAN on points", async () => {
  const losses = async (backend) => {
    await visit(`?backend=${backend}`, "#/train?v=1&d=ring&b=32");
    const step = () => driver.executeScript(() => Number(document.getElementById("train-step")?.dataset.step ?? -1));
    await until(driver, "the plane", async () => (await step()) === 0 && (await text(driver, "#fact-js")) !== "0", 180_000);
    await driver.executeScript(() => document.getElementById("train-run").click());
    await until(driver, "three steps", async () => (await step()) >= 3, 180_000);
    await driver.executeScript(() => document.getElementById("train-run").click());
    assert.equal(await count(driver, `.badge[data-backend=${backend}]`), 1);
    const history = await driver.executeScript(() => document.getElementById("train-step").dataset.history);
    return history.split(",").slice(0, 3).map(Number);
  };
  const [gpu, cpu] = [await losses("webgpu"), await losses("cpu")];
  assert.equal(gpu.length, 3);
  gpu.forEach((loss, i) => assert.ok(Math.abs(loss - cpu[i]) < 1e-3 * Math.max(1, Math.abs(cpu[i])), `${gpu} instead of ${cpu}`));
});

const run = async () => {
  await driver.executeScript(() => document.getElementById("run").click());
  await until(driver, "the run", async () => (await jobState(driver)) === "running");
  await jobDone(driver, 180_000);
};
const drawings = () => driver.executeScript(() => Number(document.getElementById("sample-caption")?.dataset.drawings ?? 0));
const drag = async () => {
  const drawn = await drawings();
  await slide(driver, "sliders-1", 1);
  await until(driver, "the next picture", async () => (await drawings()) > drawn, 180_000);
};
for (const [what, most, fragment, ready, again] of [
  ["a detection", 120, "#/detect?v=1&p=cat", () => jobDone(driver, 180_000), run],
  ["a photograph in a style", 120, "#/stylize?v=1&p=cat&n=128", () => jobDone(driver, 180_000), run],
  ["a picture of 64 x 64", 40, "#/sample?v=1&m=vae-avatars", () => until(driver, "a picture", drawings, 180_000), drag],
]) {
  // Each dispatch costs the worker's processor time, on every adapter.
  test(`${what} takes at most ${most} dispatches`, async () => {
    const watched = await serve({ change: watchWorker });
    try {
      await driver.get("about:blank");
      await driver.get(`${watched.url}?backend=webgpu${fragment}`);
      await ready();
      const before = await calls(driver);
      await again();
      const { dispatches } = between(before, await calls(driver));
      assert.ok(dispatches > 0 && dispatches <= most, `${dispatches} dispatches`);
    } finally {
      await watched.close();
    }
  });
}

test("left to itself, Kiln takes the CPU before a software adapter and says so", async () => {
  await visit("", "#/detect?v=1&p=cat");
  await jobDone(driver);
  await driver.executeScript(() => document.querySelector(".badge summary").click());
  // The CPU does not wait for the adapter.
  await until(driver, "the reason", async () => /software/.test(await text(driver, ".badge .panel")));
  assert.equal(await count(driver, ".badge[data-backend=cpu]"), 1);
});

test("WebGPU that is forced and missing is said, and the CPU is offered", async () => {
  const plain = await open({ args: ["--disable-gpu", "--disable-features=WebGPU", "--disable-blink-features=WebGPU"] });
  try {
    await plain.get(`${site.url}?backend=webgpu#/detect?v=1&p=cat`);
    await until(plain, "the sentence", async () => /WebGPU cannot be used/.test(await text(plain, ".notices")));
    await plain.executeScript(() => document.querySelector(".notices .button").click());
    await jobDone(plain);
    assert.equal((await detections(plain))[0].class, "Cat");
  } finally {
    await plain.quit();
  }
});

test("a GPU that is lost again and again in mid-job is replaced by the CPU, which says so", async () => {
  const lossy = await open({ gpu: true });
  try {
    await lossy.get(`${site.url}?backend=webgpu#/detect`);
    await until(lossy, "WebGPU", () => count(lossy, ".badge[data-backend=webgpu]"), 120_000);
    await upload(lossy, join(root, "tests/vectors/cat-ssd.png"));
    let kills = 0;
    await until(
      lossy,
      "the CPU's result",
      async () => {
        if ((await jobState(lossy)) === "done") return true;
        if (kills < 2 && (await jobState(lossy)) === "running" && (await count(lossy, ".badge[data-backend=webgpu]"))) {
          await until(lossy, "the network runs", async () => /Run the network/.test(await text(lossy, ".status")));
          // Ends the browser's GPU process, and with it every device.
          await lossy.sendDevToolsCommand("Browser.crashGpuProcess");
          kills += 1;
          await until(lossy, "the loss is noticed", async () => !(await count(lossy, ".badge[data-backend=webgpu]")));
        }
        return false;
      },
      180_000,
    );
    assert.equal(kills, 2);
    assert.equal(await count(lossy, ".badge[data-backend=cpu]"), 1);
    await lossy.executeScript(() => document.querySelector(".badge summary").click());
    assert.match(await text(lossy, ".badge .panel"), /GPU was lost/);
    assert.equal((await detections(lossy))[0].class, "Cat");
  } finally {
    await lossy.quit();
  }
});
