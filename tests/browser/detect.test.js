// The detection lab in a real browser, on the CPU backend.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { By, choose, count, detections, jobDone, jobState, open, root, serve, slide, text, until, upload } from "./browser.js";

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

const visit = async (fragment, query = "?backend=cpu") => {
  await driver.get("about:blank");
  await driver.get(`${site.url}${query}${fragment}`);
  await until(driver, "the page", () => count(driver, "main h1"));
};

const overlap = (a, b) => {
  const side = (lo, hi) => Math.max(0, Math.min(a[hi], b[hi]) - Math.max(a[lo], b[lo]));
  const area = (c) => (c[2] - c[0]) * (c[3] - c[1]);
  const both = side(0, 2) * side(1, 3);
  return both / (area(a) + area(b) - both);
};
const classes = { 4: "Person", 8: "Cat", 13: "Coffee cup" };

for (const name of ["cat", "astronaut", "coffee", "photographer"]) {
  test(`an uploaded ${name} gives the reference's boxes`, async () => {
    await visit("#/detect");
    await upload(driver, join(root, `tests/vectors/${name}-ssd.png`));
    await jobDone(driver);
    const found = await detections(driver);
    const reference = JSON.parse(readFileSync(join(root, `tests/vectors/${name}-ssd.json`)));
    assert.equal(found.length, reference.length);
    found.forEach((got, i) => {
      assert.equal(got.class, classes[reference[i].class]);
      // The table shows two digits.
      assert.ok(Math.abs(got.score - reference[i].score) < 0.01 + 0.005, `${got.score} ${reference[i].score}`);
      // ... and whole pixels, so that a box of 300 pixels may lose 1 %.
      assert.ok(overlap(got.box, reference[i].box.map((v) => v * 300)) > 0.98);
    });
  });
}

test("the threshold changes the table without another job", async () => {
  await visit("#/detect?v=1&p=astronaut");
  await jobDone(driver);
  assert.equal((await detections(driver)).length, 1);
  await driver.executeScript(() => {
    window.runs = 0;
    const status = document.querySelector(".status");
    new MutationObserver(() => { if (status.dataset.job === "running") window.runs++; })
      .observe(status, { attributes: true });
  });
  await slide(driver, "score", 0.05);
  await until(driver, "more rows", async () => (await detections(driver)).length > 1);
  const all = (await detections(driver)).length;
  await slide(driver, "iou", 1);
  await until(driver, "rows that were suppressed", async () => (await detections(driver)).length > all);
  await slide(driver, "score", 0.95);
  await until(driver, "the empty table", () => count(driver, "#no-detections"));
  assert.equal(await driver.executeScript(() => window.runs), 0);
  assert.equal(await jobState(driver), "done");
});

test("hovering a row lights its box and the other way round", async () => {
  await visit("#/detect?v=1&p=cat");
  await jobDone(driver);
  const row = await driver.findElement(By.css("#detections tbody tr"));
  await driver.actions().move({ origin: row }).perform();
  await until(driver, "the box lights up", () => count(driver, ".stage .box.lit"));
  await driver.executeScript(() => document.querySelector(".stage .box").focus());
  await until(driver, "the row lights up", () => count(driver, "#detections tr.lit"));
});

test("a link restores settings, sample and result", async () => {
  await visit("#/detect?v=1&p=coffee");
  await jobDone(driver);
  await slide(driver, "score", 0.3);
  await slide(driver, "iou", 0.7);
  await until(driver, "the address", async () => (await driver.getCurrentUrl()).includes("s=0.30&o=0.70"));
  const link = await driver.getCurrentUrl();
  const before = await detections(driver);
  await driver.get("about:blank");
  await driver.get(link);
  await jobDone(driver);
  assert.equal(await driver.executeScript(() => document.getElementById("score").value), "0.3");
  assert.deepEqual(await detections(driver), before);
});

test("a link that was escaped as a whole on its way restores the same", async () => {
  await visit(`#${encodeURIComponent("/detect?v=1&p=cat&s=0.30&o=0.70")}`);
  await jobDone(driver);
  assert.deepEqual(
    await driver.executeScript(() => ["score", "iou"].map((id) => document.getElementById(id).value)),
    ["0.3", "0.7"],
  );
});

test("the exports hold the boxes, the JSON as the command line prints them, the PNG with its settings", async () => {
  const downloads = mkdtempSync(join(tmpdir(), "kiln-"));
  try {
    await driver.sendDevToolsCommand("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
    const file = (name) =>
      until(driver, `the file ${name}`, () => readdirSync(downloads).includes(name) && readFileSync(join(downloads, name)));
    await visit("#/detect?v=1&p=cat&s=0.30&o=0.40");
    await jobDone(driver);
    await driver.findElement(By.id("export-json")).click();
    const [entry] = JSON.parse(await file("cat-boxes.json"));
    assert.deepEqual([entry.file, entry.width, entry.height], ["cat.jpg", 451, 300]);
    const rows = await detections(driver);
    assert.equal(entry.detections.length, rows.length);
    entry.detections.forEach((found, i) => {
      assert.equal(found.class, rows[i].class);
      assert.ok(Math.abs(found.score - rows[i].score) <= 0.005 + 1e-6);
      assert.ok(found.box.every((corner, k) => Math.abs(corner - rows[i].box[k]) <= 0.5 + 1e-3));
    });
    await driver.findElement(By.id("export-png")).click();
    const png = await file("cat-boxes.png");
    // The header's width and height, and a pixel on the cat's frame in the class's colour.
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [451, 300]);
    const drawn = await driver.executeAsyncScript((base64, [x0, , , y1], done) => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        canvas.width = image.width;
        canvas.height = image.height;
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        done([...context.getImageData(Math.round(x0) + 1, Math.round(y1 / 2), 1, 1).data]);
      };
      image.src = `data:image/png;base64,${base64}`;
    }, png.toString("base64"), entry.detections[0].box);
    // The browser blends the line's edge with the photograph.
    assert.ok([86, 180, 233, 255].every((value, i) => Math.abs(value - drawn[i]) < 16), `${drawn}`);
    const again = join(downloads, "again.png");
    writeFileSync(again, png);
    await visit("#/segment");
    await choose(driver, again);
    await until(driver, "the detect lab", async () => (await text(driver, "h1")) === "Detect");
    await jobDone(driver);
    assert.deepEqual(
      await driver.executeScript(() => ["score", "iou"].map((id) => document.getElementById(id).value)),
      ["0.3", "0.4"],
    );
  } finally {
    rmSync(downloads, { recursive: true });
  }
});

test("a broken link is read as far as it goes, and says what was dropped", async () => {
  await visit("#/detect?v=1&p=nothing&s=7&zz=1");
  await until(driver, "notices", async () => (await count(driver, ".notices .sentence")) === 2);
  assert.match(await text(driver, ".notices"), /p=nothing/);
  assert.equal(await driver.executeScript(() => document.getElementById("score").value), "0.95");
});

test("every inside view shows what it names", async () => {
  await visit("#/detect?v=1&p=astronaut&w=anchors&m=10");
  await jobDone(driver);
  await until(driver, "100 cells", async () => (await count(driver, ".cell")) === 100);
  await driver.executeScript(() => document.querySelectorAll(".cell")[44].click());
  await until(driver, "six shapes", async () => (await count(driver, ".shape")) === 6);
  await visit("#/detect?v=1&p=astronaut&w=scores");
  await jobDone(driver);
  await until(driver, "23 classes", async () => (await count(driver, "#scores tr")) === 23);
  assert.match(await text(driver, "#scores tr"), /Person/);
  await visit("#/detect?v=1&p=astronaut&w=suppressed&s=0.10&o=0.30");
  await jobDone(driver);
  await until(driver, "suppressed boxes", () => count(driver, "#suppressions li"));
  assert.equal(await count(driver, "#suppressions li"), await count(driver, ".box.gone"));
});

test("a job can be cancelled, and the page still works", async () => {
  // Weights that take their time leave time to click.
  let release;
  const held = new Promise((go) => (release = go));
  const slow = await serve({ change: (path) => (path === "weights/ssd.bpk" ? held.then(() => undefined) : undefined) });
  const other = await open();
  try {
    await other.get(`${slow.url}?backend=cpu#/detect`);
    await until(other, "the page", () => count(other, "#open-picture"));
    await upload(other, join(root, "tests/vectors/cat-ssd.png"));
    await until(other, "the job runs", async () => (await jobState(other)) === "running");
    await other.executeScript(() => document.getElementById("cancel").click());
    await until(other, "the job ends", async () => (await jobState(other)) === "failed");
    assert.match(await text(other, ".status"), /Cancelled/);
    release();
    await other.sleep(1500);
    assert.equal(await count(other, "#detections"), 0, "a cancelled job draws nothing later");
    await other.findElement(By.id("run")).click();
    await jobDone(other);
    assert.equal((await detections(other))[0].class, "Cat");
  } finally {
    release();
    await other.quit();
    await slow.close();
  }
});

test("the badge says what runs and why", async () => {
  await visit("#/detect?v=1&p=cat");
  await jobDone(driver);
  assert.equal(await count(driver, ".badge[data-backend=cpu]"), 1);
  await driver.findElement(By.css(".badge summary")).click();
  assert.match(await text(driver, ".badge .panel"), /You asked for the CPU/);
});

test("Chinese is chosen by the browser and by the switch", async () => {
  await visit("#/detect");
  await driver.executeScript(() => {
    const select = document.getElementById("language");
    select.value = "zh";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await until(driver, "Chinese", async () => (await text(driver, "h1")) === "检测");
  assert.equal(await driver.executeScript(() => document.documentElement.lang), "zh");
  await driver.navigate().refresh();
  await until(driver, "Chinese after a reload", async () => (await text(driver, "h1")) === "检测");
  await driver.executeScript(() => localStorage.clear());
  const chinese = await open({ language: "zh-CN" });
  try {
    await chinese.get(`${site.url}#/`);
    await until(chinese, "Chinese by itself", async () => /神经网络/.test(await text(chinese, "h1")));
  } finally {
    await chinese.quit();
  }
});

test("a first result is one click away from the front page", async () => {
  await visit("#/", "");
  await driver.findElement(By.id("door-detect")).click();
  await jobDone(driver);
  assert.deepEqual((await detections(driver)).map((row) => row.class), ["Person", "Person", "Person", "Person"]);
});

test("behind the times of a run stands what each layer took, and stays open in the next", async () => {
  await visit("#/detect?v=1&p=cat");
  await jobDone(driver);
  await driver.findElement(By.css("details.times > summary")).click();
  await driver.findElement(By.css("details.layer-times > summary")).click();
  const rows = () =>
    driver.executeScript(() =>
      [...document.querySelectorAll(".layer-times tbody tr")].map((row) => [...row.children].map((cell) => cell.innerText.trim())),
    );
  const layers = await rows();
  // 17 blocks of two or three layers, stem and head, four maps more of two each, two predictions on each of six.
  assert.ok(layers.length > 60, `${layers.length} layers`);
  assert.match(layers[0][0], /^Convolution 3 × 3 \/ 2\s+32 × 150 × 150$/);
  assert.match(layers.at(-1)[0], /^Between the layers/);
  const network = parseFloat(await driver.executeScript(() => document.querySelector("tr[data-stage=network] td").textContent));
  const sum = layers.reduce((sum, row) => sum + Number(row[1]), 0);
  assert.ok(Math.abs(sum - network) < 0.02 * network + 1, `${sum} of ${network} ms`);
  await driver.executeScript(() => document.getElementById("run").click());
  await driver.sleep(100);
  await jobDone(driver);
  assert.equal(await driver.executeScript(() => document.querySelector(".layer-times").checkVisibility() && document.querySelector(".layer-times").open), true);
});
