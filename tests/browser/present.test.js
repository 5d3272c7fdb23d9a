// A lab on a projector, in a frame of another page, and on the phones of the room: what fits, what a link carries.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import jsqr from "jsqr";
import { PNG } from "pngjs";
import { logging } from "selenium-webdriver";
import { By, count, detections, jobDone, labs, open, serve, shown, text, until, visit } from "./browser.js";

const cat = "#/detect?v=1&p=cat";
let site, driver;
before(async () => {
  site = await serve({ headers: { "access-control-allow-origin": "*" } });
  // A projector of the smaller kind.
  driver = await open({ width: 1280, height: 720 });
});
after(async () => {
  await driver?.quit();
  await site?.close();
});

// A program that has fallen may go on looking well for a while.
afterEach(async () => {
  const entries = await driver.manage().logs().get(logging.Type.BROWSER);
  assert.deepEqual(entries.map(({ message }) => message).filter((message) => /panicked|unreachable/.test(message)), []);
});

const click = (id) => driver.executeScript((id) => document.getElementById(id).click(), id);
const press = (key) => driver.executeScript((key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })), key);
const address = () => driver.getCurrentUrl();
const isSeen = (css) => driver.executeScript((css) => document.querySelector(css)?.checkVisibility({ visibilityProperty: true }) === true, css);

/** Where the lab's picture and the first of its controls end; the first chart, where a lab has no picture. */
const ends = () =>
  driver.executeScript(() => {
    const bottom = (css) => document.querySelector(css)?.getBoundingClientRect().bottom ?? 0;
    const picture = [".family .frame", ".stage .frame", ".stage .sheet", ".embedding", ".plane", ".compared", ".plot"].find((css) => document.querySelector(css));
    return { picture: bottom(picture ?? ".stage"), controls: bottom(".inspector > :first-child"), screen: innerHeight };
  });

for (const present of [false, true]) {
  test(`the picture and its first controls are seen without scrolling${present ? " in a presentation" : ""}`, async () => {
    const missed = [];
    for (const { name, example } of labs) {
      await visit(driver, `${site.url}?backend=cpu${example}${present ? "&present=1" : ""}`);
      await shown(driver, example);
      const { picture, controls, screen } = await ends();
      if (!picture || picture > screen || !controls || controls > screen) missed.push(`${name}: ${picture}, ${controls}`);
    }
    assert.deepEqual(missed, []);
  });
}

test("a presentation shows the lab alone; Escape leads back, and the address says which it is", async () => {
  await visit(driver, `${site.url}?backend=cpu${cat}`);
  await jobDone(driver);
  await click("present");
  for (const css of ["nav", ".intake", ".notes", "footer"]) assert.equal(await isSeen(css), false, css);
  assert.ok(await isSeen(".stage"));
  assert.match(await address(), /&present=1$/);
  assert.equal((await detections(driver))[0].class, "Cat", "the result stays");
  await press("Escape");
  for (const css of ["nav", ".intake", ".notes", "footer"]) assert.ok(await isSeen(css), css);
  assert.doesNotMatch(await address(), /present/);
  assert.equal(await driver.executeScript(() => document.activeElement.id), "present");
  // The button does the same.
  await click("present");
  await click("leave-present");
  assert.ok(await isSeen("nav"));
});

test("a phone reads the link from the screen, and the frame's link shows the lab alone", async () => {
  await visit(driver, `${site.url}?backend=cpu${cat}&s=0.55&present=1`);
  await jobDone(driver);
  await click("share");
  const link = await driver.executeScript(() => document.getElementById("share-link").value);
  assert.match(link, /#\/detect\?v=1&p=cat&s=0\.55$/, "the whole page, not the presentation");
  const png = PNG.sync.read(Buffer.from(await driver.findElement(By.css("svg.qr")).takeScreenshot(), "base64"));
  assert.equal(jsqr(new Uint8ClampedArray(png.data), png.width, png.height)?.data, link);
  const frame = await driver.executeScript(() => {
    const holder = document.createElement("template");
    holder.innerHTML = document.getElementById("share-embed").value;
    return { src: holder.content.firstChild.src, title: holder.content.firstChild.title };
  });
  assert.deepEqual(frame, { src: `${link}&present=1`, title: "Kiln: Detect" });
  // Escape closes what is open before it ends the presentation.
  await press("Escape");
  assert.match(await address(), /present=1/);
  // A click beside what is open closes it, and one inside does not.
  await (await driver.findElement(By.css("svg.qr"))).click();
  const isOpen = () => driver.executeScript(() => document.querySelector("dialog.share").open);
  assert.ok(await isOpen());
  await driver.actions().move({ x: 8, y: 400 }).click().perform();
  assert.equal(await isOpen(), false);
  await click("share");
  await click("share-close");
  assert.equal(await isOpen(), false);
  await press("Escape");
  assert.doesNotMatch(await address(), /present/);
});

test("the notes are a click away, and each term in them lights its control or its curve, in sight", async () => {
  const dark = [];
  for (const { name, example } of labs) {
    await visit(driver, `${site.url}?backend=cpu${example}`);
    await shown(driver, example);
    await until(driver, `the notes of ${name}`, () => count(driver, ".notes article > p"));
    await click("to-notes");
    assert.ok(await driver.executeScript(() => document.querySelector(".notes summary").getBoundingClientRect().top < innerHeight / 2), name);
    const found = await driver.executeAsyncScript((done) => {
      const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      (async () => {
        const terms = new Map([...document.querySelectorAll(".notes [data-term]")].map((element) => [element.dataset.term, element]));
        const unlit = [];
        for (const [term, element] of terms) {
          element.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
          await frame();
          const lit = [...document.querySelectorAll(".lab-body .lit:not(.notes *)")];
          const isSeen = (element) => {
            const { top, bottom } = element.getBoundingClientRect();
            return top < innerHeight && bottom > 0;
          };
          // What stands above the notes is out of sight while they are read; controls are not.
          const controls = lit.filter((element) => element.closest(".inspector"));
          if (!lit.length || (controls.length && !controls.some(isSeen))) unlit.push(term);
        }
        return { terms: terms.size, unlit };
      })().then(done);
    });
    if (!found.terms) dark.push(`${name}: no term`);
    if (found.unlit.length) dark.push(`${name}: ${found.unlit}`);
  }
  assert.deepEqual(dark, []);
});

test("every formula is read without scrolling on a phone, and its signs are of a mathematics font", async () => {
  const phone = await open({ width: 390, height: 844 });
  try {
    const wide = [];
    for (const { name, empty } of labs) {
      await visit(phone, `${site.url}?backend=cpu${empty}`);
      await until(phone, `the notes of ${name}`, () => count(phone, ".notes article > p"));
      await phone.executeScript(() => document.fonts.ready.then(() => null));
      const found = await phone.executeScript(() =>
        [...document.querySelectorAll('.notes math[display="block"]')].filter((math) => math.scrollWidth > math.clientWidth).map((math) => math.textContent),
      );
      wide.push(...found.map((formula) => `${name}: ${formula}`));
      assert.ok(await phone.executeScript(() => !document.querySelector(".notes math") || document.fonts.check('16px "STIX Two Math"')), name);
    }
    assert.deepEqual(wide, []);
  } finally {
    await phone.quit();
  }
});

for (const sandbox of ["", ' sandbox="allow-scripts"', ' sandbox="allow-scripts allow-same-origin"']) {
  test(`a lab works in a frame${sandbox}, says what the frame takes away, and leads to the whole page`, async () => {
    const src = `${site.url}?backend=cpu${cat}&present=1`.replaceAll("&", "&amp;");
    const host = createServer((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end(`<iframe${sandbox} src="${src}" width="960" height="640"></iframe>`),
    );
    await new Promise((done) => host.listen(0, "127.0.0.1", done));
    try {
      await driver.get(`http://localhost:${host.address().port}/`);
      await driver.switchTo().frame(0);
      await until(driver, "the box", async () => (await detections(driver))[0]?.class === "Cat");
      assert.equal(await isSeen("nav"), false);
      await driver.executeScript(() => document.querySelector("#frame-limits summary").click());
      const limits = await text(driver, "#frame-limits .panel");
      assert.match(limits, /camera/);
      assert.equal(/keeps nothing/.test(limits), sandbox.endsWith('allow-scripts"'));
      const [href, target] = await driver.executeScript(() => {
        const link = document.getElementById("open-whole");
        link.addEventListener("click", (event) => event.preventDefault());
        link.click();
        return [link.href, link.target];
      });
      assert.deepEqual([href, target], [`${site.url}?backend=cpu${cat}`, "_blank"]);
    } finally {
      await driver.switchTo().defaultContent();
      host.close();
      host.closeAllConnections();
    }
  });
}
