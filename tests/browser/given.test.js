// What visitors drop, paste, open and photograph: taken, or answered with a word; and what the stage shows
// is what the network sees.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { after, before, beforeEach, test } from "node:test";
import { choose, count, detections, jobDone, jobState, open, root, serve, text, until, upload, visit as open_page } from "./browser.js";

const cases = join(root, "tests/cases");
const cat = join(root, "public/samples/cat.jpg");
let site;
let driver;
let folder;
before(async () => {
  site = await serve();
  folder = mkdtempSync(join(tmpdir(), "kiln-"));
  driver = await open({ args: ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"] });
  await driver.sendDevToolsCommand("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
});
after(async () => {
  await driver?.quit();
  await site?.close();
  if (folder) rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await driver.get(`${site.url}?backend=cpu`);
  await driver.executeScript(() => localStorage.clear());
});

const visit = (fragment) => open_page(driver, `${site.url}?backend=cpu${fragment}`);
const hash = () => driver.executeScript(() => location.hash);
const notices = () => text(driver, ".notices");
const says = (what, pattern) => until(driver, what, async () => pattern.test(await notices()));

/** Drops or pastes files and text on the element of a selector, as browsers hand them over. */
const give = (kind, { files = [], text = {} }, target = "body") =>
  driver.executeScript(
    (kind, files, text, target) => {
      const data = new DataTransfer();
      for (const [name, type, base64] of files) {
        data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
      }
      for (const [type, value] of Object.entries(text)) data.setData(type, value);
      const options = { bubbles: true, cancelable: true };
      const event =
        kind === "drop"
          ? new DragEvent("drop", { ...options, dataTransfer: data })
          : new ClipboardEvent("paste", { ...options, clipboardData: data });
      document.querySelector(target).dispatchEvent(event);
    },
    kind,
    files,
    text,
    target,
  );
const photograph = ["cat.jpg", "image/jpeg", readFileSync(cat).toString("base64")];
const letter = ["letter.txt", "text/plain", Buffer.from("Dear Kiln").toString("base64")];

for (const kind of ["drop", "paste"]) {
  for (const page of ["#/", "#/models"]) {
    test(`a ${kind} on ${page} goes to a lab`, async () => {
      await visit(page);
      await give(kind, { files: [photograph] });
      await jobDone(driver);
      assert.match(await hash(), /^#\/detect/);
      assert.equal((await detections(driver))[0].class, "Cat");
    });
  }
}

test("from the front page a picture goes to the lab that was last given one", async () => {
  await visit("#/stylize?v=1&p=cat");
  await jobDone(driver);
  await visit("#/");
  await give("drop", { files: [photograph] });
  await until(driver, "the lab", async () => /^#\/stylize/.test(await hash()));
  await jobDone(driver);
});

test("of several files the picture is taken, and it is said", async () => {
  await visit("#/detect");
  await give("drop", { files: [letter, photograph, ["other.jpg", "image/jpeg", photograph[2]]] });
  await jobDone(driver);
  assert.equal((await detections(driver))[0].class, "Cat");
  assert.match(await notices(), /cat\.jpg was taken.*3 files/);
  await give("drop", { files: [letter, letter] });
  await says("that none is a picture", /not a picture/);
  assert.equal((await detections(driver))[0].class, "Cat", "what is there stays");
});

test("what is no picture gets a word each", async () => {
  for (const page of ["#/", "#/models", "#/detect"]) {
    for (const kind of ["drop", "paste"]) {
      await visit(page);
      await give(kind, { text: { "text/uri-list": "https://x.example/cat.jpg", "text/html": '<img src="https://x.example/cat.jpg">' } });
      await says(`an address, ${kind} on ${page}`, /save the picture/);
      await visit(page);
      await give(kind, { text: { "text/plain": "a cat" } });
      await says(`words, ${kind} on ${page}`, /no picture/);
    }
  }
  await visit("#/detect");
  await driver.executeScript(() => {
    DataTransferItem.prototype.webkitGetAsEntry = () => ({ isDirectory: true });
  });
  await give("drop", { files: [["holiday", "", ""]] });
  await says("a folder", /folder/);
});

test("what is pasted where text is written is meant for it", async () => {
  await visit("#/detect");
  await driver.executeScript(() => document.querySelector("main").insertAdjacentHTML("beforeend", '<input id="field" type="text">'));
  await give("paste", { text: { "text/plain": "https://x.example/cat.jpg" } }, "#field");
  await driver.sleep(300);
  assert.equal(await notices(), "");
});

test("a lab that takes no picture says which do; one that takes small ones takes it", async () => {
  await visit("#/train");
  await give("drop", { files: [photograph] });
  await says("the labs", /takes no picture.*Detect/);
  assert.match(await hash(), /^#\/train/);
  await visit("#/encode");
  const taken = () => driver.executeScript(() => document.querySelectorAll("canvas")[0]?.toDataURL());
  await until(driver, "the codes", () => driver.executeScript(() => document.querySelector(".standing")?.dataset.busy === "false"));
  const before = await taken();
  await give("drop", { files: [photograph] });
  await until(driver, "the picture is encoded", async () => (await taken()) !== before);
  assert.equal(await notices(), "");
});

test("formats that the browser decodes are read, others are called by their names", async () => {
  await visit("#/detect");
  await upload(driver, join(cases, "cat.avif"));
  await jobDone(driver);
  assert.equal((await detections(driver))[0].class, "Cat");
  await choose(driver, join(cases, "phone.heic"));
  await says("HEIC", /HEIC/);
  assert.equal((await detections(driver))[0].class, "Cat", "what is there stays");
});

test("of a picture that moves the stage shows the frame that the network saw", async () => {
  await visit("#/detect");
  await upload(driver, join(cases, "three-pictures.gif"));
  await jobDone(driver);
  await says("that it moves", /moves/);
  const shown = () =>
    driver.executeScript(() => {
      const image = document.querySelector(".frame > img");
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL();
    });
  const before = await shown();
  // A canvas gets the first frame of what moves whatever is shown: the element itself tells.
  const screen = async () => (await driver.findElement({ css: ".frame > img" })).takeScreenshot();
  const first = await screen();
  await driver.sleep(2500);
  assert.equal(await screen(), first);
  assert.equal(await shown(), before);
});

test("a cut picture is used as far as it decodes, with a notice", async () => {
  for (const name of ["cut-at-70-percent.jpg", "cut-last-two-bytes.jpg"]) {
    await visit("#/detect");
    await upload(driver, join(cases, name));
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Cat", name);
    assert.match(await notices(), /missing or damaged/, name);
  }
  // A whole one has no notice.
  await upload(driver, cat);
  await jobDone(driver);
  assert.equal(await notices(), "");
});

test("a file is read once, when it is opened", async () => {
  const file = join(folder, "photo.jpg");
  copyFileSync(join(cases, "changed-on-disk-before.jpg"), file);
  await visit("#/detect");
  await upload(driver, file);
  await jobDone(driver);
  const found = await detections(driver);
  assert.ok(found.length > 0);
  writeFileSync(file, readFileSync(join(cases, "changed-on-disk-after.jpg")));
  await driver.executeScript(() => document.getElementById("run").click());
  await driver.sleep(200);
  await jobDone(driver);
  assert.deepEqual(await detections(driver), found);
  await driver.executeScript(() => { location.hash = "#/segment"; });
  await until(driver, "the other lab", async () => /^#\/segment/.test(await hash()));
  await jobDone(driver);
});

const downloaded = (name) =>
  until(driver, name, () => readdirSync(folder).includes(name) && readFileSync(join(folder, name)));
/** Alpha and red of the pixels of an image file, at shares of its sides. */
const pixels = (bytes, places) =>
  driver.executeAsyncScript(
    (base64, places, done) => {
      const blob = new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]);
      createImageBitmap(blob, { premultiplyAlpha: "none" }).then((image) => {
        const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
        context.drawImage(image, 0, 0);
        done(places.map(([x, y]) => [...context.getImageData(x * (image.width - 1), y * (image.height - 1), 1, 1).data]));
      });
    },
    bytes.toString("base64"),
    places,
  );

test("what is transparent is white: on the stage, to the network and in files", async () => {
  const white = (css) => driver.executeScript((css) => getComputedStyle(document.querySelector(css)).backgroundColor, css);
  await visit("#/detect");
  await upload(driver, join(cases, "black-on-transparent.png"));
  await jobDone(driver);
  assert.equal(await white(".frame > img"), "rgb(255, 255, 255)");
  await driver.executeScript(() => document.getElementById("export-png").click());
  const corners = [[0, 0], [1, 0], [0, 1], [1, 1]];
  for (const pixel of await pixels(await downloaded("black-on-transparent-boxes.png"), corners)) {
    assert.deepEqual(pixel, [255, 255, 255, 255]);
  }
  await visit("#/segment?v=1&p=astronaut&e=picture");
  await jobDone(driver);
  await choose(driver, join(cases, "cutout-as-background.webp"), "open-background");
  await until(driver, "the background", () => count(driver, ".layer.cover"));
  assert.equal(await white(".layer.cover"), "rgb(255, 255, 255)");
  // A broken one is refused when it is opened.
  writeFileSync(join(folder, "broken.png"), readFileSync(join(cases, "black-on-transparent.png")).fill(0x55, 40));
  await choose(driver, join(folder, "broken.png"), "open-background");
  await says("that it is broken", /damaged/);
  assert.equal(await count(driver, ".layer.cover"), 1);
});

/** A JPEG that says how the camera was held: EXIF data with the orientation alone. */
const held = (jpeg, orientation) => {
  const tiff = Buffer.from([0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
  const exif = Buffer.concat([Buffer.from("Exif\0\0"), tiff]);
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, exif.length + 2]), exif]);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
};

test("where canvases answer with noise, pictures come from a decoder, turned as the camera was held", async () => {
  const found = async (file) => {
    await visit("#/detect");
    await upload(driver, file);
    await jobDone(driver);
    return detections(driver);
  };
  const files = [cat, ...[3, 6, 5].map((orientation) => {
    const file = join(folder, `held-${orientation}.jpg`);
    writeFileSync(file, held(readFileSync(cat), orientation));
    return file;
  })];
  const truly = [];
  for (const file of files) truly.push(await found(file));
  const { identifier } = await driver.sendAndGetDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", {
    source: `const bare = location.search.includes("bare") ? "delete self.ImageDecoder; " : "";
      const noise = (kind) => "{ const read = " + kind + ".prototype.getImageData; " + kind +
        ".prototype.getImageData = function (...given) { const image = read.apply(this, given); " +
        "image.data.forEach((_, i) => { image.data[i] = Math.random() * 256; }); return image; }; }";
      const Plain = Blob;
      window.Blob = class extends Plain {
        constructor(parts, options) {
          if (String(parts?.[0]).startsWith("import init")) parts = [bare + noise("OffscreenCanvasRenderingContext2D") + parts[0]];
          super(parts, options);
        }
      };`,
  });
  for (const [index, file] of files.entries()) {
    const hidden = await found(file);
    assert.deepEqual(hidden.map((row) => row.class), truly[index].map((row) => row.class), file);
    for (const [i, { box }] of hidden.entries()) {
      box.forEach((side, k) => assert.ok(Math.abs(side - truly[index][i].box[k]) <= 2, `${file}: ${box}`));
    }
  }
  // Without that decoder it is said.
  await open_page(driver, `${site.url}?backend=cpu&bare#/detect`);
  await upload(driver, cat);
  await until(driver, "the sentence", async () => /changes the pixels/.test(await text(driver, ".status")));
  await driver.sendDevToolsCommand("Page.removeScriptToEvaluateOnNewDocument", { identifier });
});

test("each trouble with the camera has its sentence", async () => {
  const troubles = {
    NotAllowedError: /allow it/,
    NotFoundError: /No camera was found/,
    NotReadableError: /another program/,
  };
  for (const [name, sentence] of Object.entries(troubles)) {
    await visit("#/detect");
    await driver.executeScript((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("no", name);
      };
      document.getElementById("open-camera").click();
    }, name);
    await until(driver, name, async () => sentence.test(await text(driver, ".camera")));
    assert.equal(await driver.executeScript(() => document.getElementById("take").disabled), true);
  }
});

test("the camera takes one picture, once there is one; Escape closes it, and unplugging is said", async () => {
  await visit("#/detect");
  const disabled = await driver.executeScript(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      await new Promise((done) => setTimeout(done, 500));
      return (window.stream = await ask(constraints));
    };
    window.frames = 0;
    const encode = HTMLCanvasElement.prototype.toBlob;
    HTMLCanvasElement.prototype.toBlob = function (...args) {
      window.frames += 1;
      return encode.apply(this, args);
    };
    document.getElementById("open-camera").click();
    return new Promise((done) => setTimeout(() => done(document.getElementById("take").disabled), 100));
  });
  assert.equal(disabled, true, "nothing to take yet");
  const ready = () => until(driver, "a frame", () => driver.executeScript(() => document.getElementById("take")?.disabled === false));
  await ready();
  await driver.executeScript(() => {
    document.getElementById("take").click();
    document.getElementById("take").click();
  });
  await jobDone(driver);
  assert.equal(await driver.executeScript(() => window.frames), 1);
  await driver.executeScript(() => document.getElementById("open-camera").click());
  await ready();
  await driver.executeScript(() => window.stream.getVideoTracks()[0].dispatchEvent(new Event("ended")));
  await until(driver, "that it is gone", async () => /no longer gives a picture/.test(await text(driver, ".camera")));
  await driver.executeScript(() => document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true })));
  await until(driver, "it is closed", async () => (await count(driver, ".camera")) === 0);
  assert.equal(await jobState(driver), "done");
});

/** A PNG as Kiln exports it: with a link inside. */
const exported = (link) => {
  const png = readFileSync(join(root, "tests/vectors/cat-ssd.png"));
  const chunk = Buffer.concat([Buffer.from("tEXt"), Buffer.from(`Kiln\0${link}`)]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(chunk.length - 4);
  ends.writeUInt32BE(crc32(chunk), 4);
  const bytes = Buffer.concat([png.subarray(0, 33), ends.subarray(0, 4), chunk, ends.subarray(4), png.subarray(33)]);
  return ["exported.png", "image/png", bytes.toString("base64")];
};

test("a PNG that Kiln exported goes to its lab, wherever it is dropped", async () => {
  // A lab without a picture on the stage: the file is its own result, and no photograph for others.
  await visit("#/detect?v=1&p=coffee");
  await jobDone(driver);
  await give("drop", { files: [exported("#/sample?v=1&s=7")] });
  await until(driver, "the lab and its settings", async () => /^#\/sample\?v=1&s=7$/.test(await hash()));
  await driver.executeScript(() => { location.hash = "#/detect"; });
  await until(driver, "the photograph of before", async () => /p=coffee/.test(await hash()));
  // From labs that take none, and from one that takes small ones.
  for (const page of ["#/train", "#/encode", "#/"]) {
    await visit(page);
    await give("drop", { files: [exported("#/detect?v=1&s=0.35")] });
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Cat", page);
    await until(driver, "its settings", async () => /^#\/detect\?v=1&s=0\.35$/.test(await hash()));
    assert.equal(await notices(), "", page);
  }
});

test("what is no picture is called so where no picture is taken, too; a texture takes one as its example", async () => {
  await visit("#/train");
  await give("paste", { text: { "text/plain": "words" } });
  await says("that there is none", /no picture in what/);
  await give("drop", { files: [letter] });
  await says("what the file is", /not a picture/);
  await visit("#/texture");
  await give("drop", { files: [photograph] });
  await until(driver, "the example", async () => /g=own/.test(await hash()));
  assert.equal(await notices(), "");
});

test("settings are read out of a PNG that an editor saved, and a word is said where they are not", async () => {
  await visit("#/stylize");
  await upload(driver, join(cases, "settings-resaved-compressed.png"));
  await jobDone(driver);
  assert.match(await hash(), /^#\/detect\?v=1.*&s=0\.3/);
  assert.equal(await notices(), "");
  await visit("#/stylize");
  await upload(driver, join(cases, "settings-newer-version.png"));
  await jobDone(driver);
  assert.match(await hash(), /^#\/detect\?v=1.*&s=0\.3/);
  assert.match(await notices(), /newer Kiln/);
  // The text behind the keyword does not fit its checksum any more.
  const damaged = readFileSync(join(cases, "settings-newer-version.png"));
  damaged[damaged.indexOf("detect")] = 0x58;
  writeFileSync(join(folder, "damaged.png"), damaged);
  await visit("#/detect");
  await upload(driver, join(folder, "damaged.png"));
  await jobDone(driver);
  assert.match(await notices(), /settings of Kiln inside this PNG are damaged/);
  copyFileSync(join(root, "tests/vectors/cat-ssd.png"), join(folder, "cat-boxes.png"));
  await upload(driver, join(folder, "cat-boxes.png"));
  await jobDone(driver);
  assert.match(await notices(), /its settings are gone/);
});
