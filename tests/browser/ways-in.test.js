// Pictures by drag and drop, by paste, and from the camera.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { count, detections, jobDone, open, root, serve, text, until } from "./browser.js";

let site;
let driver;
before(async () => {
  site = await serve();
  driver = await open({ args: ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"] });
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
const cat = readFileSync(join(root, "tests/vectors/cat-ssd.png")).toString("base64");
/** Dispatches an event of the window that carries the cat as a file. */
const bring = (kind) =>
  driver.executeScript(
    (kind, base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], "cat.png", { type: "image/png" }));
      const options = { bubbles: true, cancelable: true };
      window.dispatchEvent(
        kind === "drop"
          ? new DragEvent("drop", { ...options, dataTransfer: data })
          : new ClipboardEvent("paste", { ...options, clipboardData: data }),
      );
    },
    kind,
    cat,
  );

test("a picture dropped on the front page is detected", async () => {
  await visit("#/");
  await bring("drop");
  await jobDone(driver);
  assert.equal((await detections(driver))[0].class, "Cat");
});

test("a pasted picture is detected", async () => {
  await visit("#/detect");
  await bring("paste");
  await jobDone(driver);
  assert.equal((await detections(driver))[0].class, "Cat");
});

test("the camera is asked only after a click, and stopped on leaving", async () => {
  await visit("#/detect");
  await driver.executeScript(() => {
    window.streams = [];
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      window.streams.push(stream);
      return stream;
    };
  });
  assert.equal(await driver.executeScript(() => window.streams.length), 0);
  await driver.executeScript(() => document.getElementById("open-camera").click());
  await until(driver, "a frame", () => driver.executeScript(() => document.querySelector(".camera video")?.videoWidth > 0));
  await driver.executeScript(() => document.querySelector(".camera .button").click());
  await jobDone(driver);
  const live = () => driver.executeScript(() => window.streams.flatMap((s) => s.getTracks()).some((t) => t.readyState === "live"));
  await until(driver, "the camera is off", async () => !(await live()));
  await driver.executeScript(() => document.getElementById("open-camera").click());
  await until(driver, "the camera is on", live);
  await driver.executeScript(() => document.querySelector('nav a[href="#/models"]').click());
  await until(driver, "the camera is off after leaving", async () => !(await live()));
  assert.equal(await text(driver, "h1"), "Models");
});
