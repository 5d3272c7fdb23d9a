// The cards of the models, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { count, open, serve, text, until } from "./browser.js";

let site;
before(async () => {
  site = await serve();
});
after(async () => site?.close());

const opened = async (how) => {
  const driver = await open(how);
  await driver.get(`${site.url}#/models`);
  await until(driver, "the cards", () => count(driver, ".card"));
  return driver;
};

test("on a phone the cards are a short list, and each opens to its limits and samples", async () => {
  const driver = await opened({ width: 390, height: 844 });
  try {
    const [height, overflows] = await driver.executeScript(() => [
      document.documentElement.scrollHeight,
      document.documentElement.scrollWidth > innerWidth,
    ]);
    assert.ok(height < 4_500, `${height} pixels`);
    assert.ok(!overflows, "nothing sticks out");
    assert.equal(await count(driver, "details.card[open]"), 0);
    assert.match(await text(driver, "#selfie summary"), /Selfie segmentation[^]*0\.2 MB[^]*median IoU/);
    await driver.executeScript(() => document.querySelector("#selfie summary").click());
    await until(driver, "the card", async () => /one person near the camera/.test(await text(driver, "#selfie")));
    // Its picture is fetched when it comes into sight.
    await driver.executeScript(() => {
      document.querySelector("#gan-avatars summary").click();
      document.querySelector("#gan-avatars").scrollIntoView();
    });
    await until(driver, "the samples", () =>
      driver.executeScript(() => document.querySelector("#gan-avatars img").naturalWidth > 0),
    );
  } finally {
    await driver.quit();
  }
});

test("in Chinese the cards are Chinese, but for commands and sources", async () => {
  const driver = await opened({ language: "zh-CN" });
  try {
    await until(driver, "Chinese", async () => /自拍人像分割/.test(await text(driver, "#selfie h3")));
    const parts = await driver.executeScript(() =>
      [...document.querySelectorAll(".card h3, .card dd:nth-of-type(-n + 4)")].map((part) => [part.lang, part.textContent]),
    );
    for (const [lang, words] of parts) {
      assert.equal(lang, "zh");
      assert.match(words, /[\u4e00-\u9fff]|^Apache/, words);
    }
    assert.equal(await driver.executeScript(() => document.querySelector("#ssd dd:nth-of-type(9)").lang), "en");
  } finally {
    await driver.quit();
  }
});
