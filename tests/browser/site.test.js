// What comes between a visitor and the site: servers that are being filled, login pages of networks,
// caches that keep what is broken, new versions under open tabs, browsers and frames that cannot start
// Kiln, translators.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { catchWorkers, count, detections, dist, jobDone, open, root, serve, slide, text, until, visit } from "./browser.js";

let driver;
let folder;
before(async () => {
  driver = await open();
  folder = mkdtempSync(join(tmpdir(), "kiln-"));
});
after(async () => {
  await driver?.quit();
  rmSync(folder, { recursive: true });
});

const detect = "?backend=cpu#/detect?v=1&p=cat";
const login = '<!doctype html><html><head><title>Wi-Fi</title></head><body><form>Please sign in to this network</form></body></html>';
// As many servers do for names that carry a hash: what is broken then stays in the browser's own cache.
const lasting = { "cache-control": "public, max-age=31536000, immutable" };
const lies = {
  "cut short": (body) => ({ body: body.subarray(0, Math.floor(body.length * 0.6)), headers: lasting }),
  "a login page": () => ({ body: login, headers: { ...lasting, "content-type": "text/html" } }),
};
const trouble = () => driver.executeScript(() => document.getElementById("loading")?.dataset.trouble ?? "");
const loading = () => text(driver, "#loading");
const load = async (address) => {
  await driver.get("about:blank");
  await driver.get(address);
};

/** A site that lies about some files as long as `site.lying` says how; each on an origin of its own. */
async function lyingSite(pattern, lie) {
  const site = await serve({
    change: (path, body) => {
      if (site.lying && pattern.test(path)) return lies[site.lying](body());
      return /^(index\.html|sw\.js)$/.test(path) ? undefined : { body: body(), headers: lasting };
    },
  });
  site.lying = lie;
  return site;
}

/** Waits until the service worker keeps everything, and gives the name of its cache. */
const installed = () =>
  until(driver, "the service worker has taken over", () =>
    driver.executeAsyncScript((done) => {
      if (!navigator.serviceWorker.controller) return done("");
      caches.keys().then((names) => done(names.find((name) => name.startsWith("kiln-site-")) ?? ""));
    }),
  );

/** Runs a script in each page before its own, as long as `body` takes. */
async function withScript(source, body) {
  const { identifier } = await driver.sendAndGetDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", { source });
  try {
    await body();
  } finally {
    await driver.sendDevToolsCommand("Page.removeScriptToEvaluateOnNewDocument", { identifier });
  }
}

/** Another version of the site: the same programs with other names. */
function anotherVersion() {
  const other = mkdtempSync(join(folder, "version-"));
  cpSync(dist, other, { recursive: true });
  const names = readdirSync(other);
  const rename = (pattern, name) => {
    const old = names.find((known) => pattern.test(known));
    renameSync(join(other, old), join(other, name));
    return [old, name];
  };
  const renamed = [
    rename(/^boot-.*\.js$/, "boot.js"),
    rename(/^check-.*\.js$/, "check.js"),
    rename(/^app-.*_bg\.wasm$/, "app-0123456789abcdef_bg.wasm"),
    rename(/^app-.*\.js$/, "app-0123456789abcdef.js"),
    rename(/^worker-.*\.js$/, "worker.js"),
    rename(/^worker-.*\.wasm$/, "worker_bg.wasm"),
  ];
  appendFileSync(join(other, "worker.js"), "\n// another version\n");
  const index = join(other, "index.html");
  let html = readFileSync(index, "utf8");
  const placeholders = { "worker.js": "@WORKER@", "worker_bg.wasm": "@WORKER_WASM@" };
  for (const [old, name] of renamed) html = html.replaceAll(`"${old}"`, `"${placeholders[name] ?? name}"`);
  writeFileSync(index, html);
  execFileSync("sh", [join(root, "tools/finish-site.sh")], { env: { ...process.env, TRUNK_STAGING_DIR: other } });
  return other;
}

// A file of each kind, and what is said while it is broken.
const files = {
  "boot-": /^boot-/,
  "app-*.js": /^app-.*\.js$/,
  "app-*.wasm": /^app-.*\.wasm$/,
  "worker-*.js": /^worker-.*\.js$/,
  "worker-*.wasm": /^worker-.*\.wasm$/,
};
for (const [name, pattern] of Object.entries(files)) {
  for (const lie of Object.keys(lies)) {
    test(`${name}, ${lie} at the first visit: it is said, and a reload heals it`, async () => {
      const site = await lyingSite(pattern, lie);
      try {
        await load(site.url + detect);
        const said = await until(driver, "a sentence", async () =>
          /worker/.test(name) ? (await text(driver, ".notices")) || "" : (await trouble()) && (await loading()),
        );
        assert.match(said, lie === "a login page" ? /login page/ : /arrived damaged|engine stopped/);
        site.lying = "";
        await driver.navigate().refresh();
        await jobDone(driver);
        assert.equal((await detections(driver))[0].class, "Cat");
      } finally {
        await site.close();
      }
    });

    test(`${name}, ${lie} once: the page heals itself`, async () => {
      const site = await lyingSite(pattern, lie);
      try {
        // A page that is kept from starting anything fills the browser's cache.
        await load(`${site.url}icon.svg`);
        const file = readdirSync(dist).find((file) => pattern.test(file));
        await driver.executeAsyncScript((file, done) => fetch(file).then((answer) => answer.arrayBuffer()).then(() => done(), () => done()), file);
        site.lying = "";
        await load(site.url + detect);
        await jobDone(driver);
      } finally {
        await site.close();
      }
    });
  }
}

test("a style sheet that was cut short is fetched again", async () => {
  const site = await lyingSite(/^style-/, "cut short");
  try {
    await load(`${site.url}icon.svg`);
    const file = readdirSync(dist).find((file) => file.startsWith("style-"));
    await driver.executeAsyncScript((file, done) => fetch(file).then((answer) => answer.text()).then(() => done()), file);
    site.lying = "";
    await visit(driver, site.url);
    await until(driver, "the style", () => driver.executeScript(() => Boolean(document.querySelector("link[rel=stylesheet]").sheet)));
  } finally {
    await site.close();
  }
});

test("the service worker keeps nothing but what was built", async () => {
  const site = await lyingSite(/^(notes|samples)\//, "a login page");
  try {
    await visit(driver, site.url + detect.replace("&p=cat", ""));
    await until(driver, "a sentence in the notes' place", async () => /could not be loaded/.test(await text(driver, ".notes")));
    assert.doesNotMatch(await text(driver, "body"), /sign in/);
    // Nor is it taken for a photograph.
    await driver.executeScript(() => document.querySelector(".sample").click());
    await until(driver, "a sentence about the sample", async () => /login page/.test(await text(driver, "#refused")));
    await until(driver, "the installation failed", async () =>
      driver.executeAsyncScript((done) =>
        navigator.serviceWorker.getRegistration().then((known) => done(!known?.active && !known?.installing)),
      ),
    );
    const everything = () =>
      driver.executeAsyncScript((done) => {
        const all = async () => {
          const list = [];
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const request of await cache.keys()) {
              const bytes = await (await cache.match(request)).arrayBuffer();
              const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
              list.push([new URL(request.url).pathname.slice(1), [...digest].map((b) => b.toString(16).padStart(2, "0")).join("")]);
            }
          }
          return list;
        };
        all().then(done);
      });
    const check = (list) => {
      for (const [file, sha256] of list) {
        const built = readFileSync(join(dist, file || "index.html"));
        assert.equal(sha256, createHash("sha256").update(built).digest("hex"), file);
      }
      return list.map(([file]) => file);
    };
    check(await everything());
    site.lying = "";
    await driver.navigate().refresh();
    await installed();
    await until(driver, "the notes", () => count(driver, ".notes article h2"));
    const kept = check(await everything());
    for (const file of ["", "index.html", "notes/detect.en.html", "samples/cat.jpg"]) assert.ok(kept.includes(file), file);

    // A login page in the site's place is shown as it is, and not kept.
    await site.close();
    const portal = await serve({ port: site.port, change: () => ({ body: login, headers: { "content-type": "text/html" } }) });
    await load(site.url);
    assert.match(await text(driver, "body"), /sign in/);
    await portal.close();
    await load(site.url + detect);
    await jobDone(driver);
    // A server that is out of order is no server.
    const broken = await serve({ port: site.port, change: () => 503 });
    await load(site.url + detect);
    await jobDone(driver);
    await broken.close();
  } finally {
    await site.close().catch(() => {});
  }
});

test("what an older service worker kept broken is thrown out", async () => {
  const site = await serve();
  try {
    await visit(driver, site.url + detect);
    const cache = await installed();
    for (const pattern of Object.values(files)) {
      const file = readdirSync(dist).find((file) => pattern.test(file));
      await driver.executeAsyncScript(
        (cache, file, done) => caches.open(cache).then((cache) => cache.put(file, new Response("<html>", { headers: { "content-type": "text/html" } }))).then(done),
        cache,
        file,
      );
      await driver.navigate().refresh();
      await jobDone(driver);
      await until(driver, `${file} is kept again`, () =>
        driver.executeAsyncScript(
          (file, done) => caches.match(file).then((found) => found?.arrayBuffer()).then((bytes) => done((bytes?.byteLength ?? 0) > 100)),
          file,
        ),
      );
    }
  } finally {
    await site.close();
  }
});

/** Ends the worker, as a panic does; the page starts another. */
const loseWorker = () =>
  driver.executeScript(() => {
    const message = JSON.stringify({ Fatal: { reason: "a test" } });
    window.workers.at(-1).dispatchEvent(new MessageEvent("message", { data: [message] }));
  });
/** Runs the lab on the next sample. */
const coffee = async () => {
  await driver.executeScript(() => document.querySelectorAll(".sample")[2].click());
  await until(driver, "the coffee", async () => (await detections(driver))[0]?.class === "Coffee cup");
};

test("an old tab keeps its version until it is closed", async () => {
  const site = await serve();
  try {
    await catchWorkers(driver);
    await visit(driver, site.url + detect);
    await jobDone(driver);
    const old = await installed();
    site.folder = anotherVersion();
    await driver.executeAsyncScript((done) =>
      navigator.serviceWorker.getRegistration().then((known) => {
        navigator.serviceWorker.addEventListener("controllerchange", () => done());
        known.update();
      }),
    );
    await loseWorker();
    await coffee();
    const names = () => driver.executeAsyncScript((done) => caches.keys().then((names) => done(names.filter((name) => name.startsWith("kiln-site-")))));
    assert.equal((await names()).length, 2);
    await driver.navigate().refresh();
    await jobDone(driver);
    await load(site.url + detect);
    await jobDone(driver);
    await until(driver, "the old version is deleted", async () => (await names()).length === 1);
    assert.ok(!(await names()).includes(old));
  } finally {
    await site.close();
  }
});

test("an old tab without a service worker is told of the new version", async () => {
  const site = await serve();
  try {
    await withScript('Object.defineProperty(Navigator.prototype, "serviceWorker", { value: undefined });', async () => {
      await catchWorkers(driver);
      await visit(driver, `${site.url}?backend=cpu#/detect?v=1&p=cat&s=0.30`);
      await jobDone(driver);
      await slide(driver, "score", 0.2);
      await until(driver, "the address", async () => (await driver.getCurrentUrl()).includes("s=0.20"));
      site.folder = anotherVersion();
      await loseWorker();
      await until(driver, "the sentence", async () => /Kiln was updated/.test(await text(driver, "#updated")));
      await driver.executeScript(() => document.querySelector("#updated button").click());
      await until(driver, "the new page", async () => !(await count(driver, "#updated")));
      await jobDone(driver);
      assert.equal(await driver.executeScript(() => document.getElementById("score").value), "0.2");
    });
  } finally {
    await site.close();
  }
});

test("weights that a cache keeps broken are fetched past it", async () => {
  const site = await lyingSite(/^weights\/ssd/, "cut short");
  try {
    await load(`${site.url}icon.svg`);
    const { sha256 } = JSON.parse(readFileSync(join(dist, "weights/manifest.json"))).models.find(({ name }) => name === "ssd");
    await driver.executeAsyncScript(
      (address, done) => fetch(address).then((answer) => answer.arrayBuffer()).then(() => done()),
      `weights/ssd.bpk?sha256=${sha256}`,
    );
    site.lying = "";
    await load(site.url + detect);
    await jobDone(driver);
  } finally {
    await site.close();
  }
});

const unable = {
  "no WebAssembly": ["delete window.WebAssembly;", "wasm", /WebAssembly is switched off/],
  "no SIMD": ["WebAssembly.validate = () => false;", "simd", /SIMD/],
  "no modules": ["delete HTMLScriptElement.prototype.noModule;", "old", /too old/],
};
for (const [what, [source, kind, sentence]] of Object.entries(unable)) {
  test(`${what}: it is said`, async () => {
    const site = await serve();
    try {
      await withScript(source, async () => {
        await load(site.url);
        await until(driver, "the sentence", async () => (await trouble()) === kind);
        assert.match(await loading(), sentence);
      });
    } finally {
      await site.close();
    }
  });
}

test("it is said in Chinese", async () => {
  const site = await serve();
  try {
    await withScript('delete window.WebAssembly; Object.defineProperty(navigator, "language", { value: "zh-CN" });', async () => {
      await load(site.url);
      await until(driver, "the sentence", async () => /请为本页面允许/.test(await loading()));
    });
  } finally {
    await site.close();
  }
});

test("a page from a file says that it needs a server", async () => {
  await load(`file://${dist}/index.html`);
  await until(driver, "the sentence", async () => (await trouble()) === "file");
  assert.match(await loading(), /http.server/);
});

for (const [name, pattern] of Object.entries({ "boot.js": /^boot-/, "the program": /^app-.*\.js$/ })) {
  test(`${name} is missing: it is said`, async () => {
    const site = await serve({ change: (path) => (pattern.test(path) ? 404 : undefined) });
    try {
      await load(site.url);
      await until(driver, "the sentence", async () => (await trouble()) === "missing");
      assert.match(await loading(), /missing on its server.*reload/);
    } finally {
      await site.close();
    }
  });
}

test("a page of a version that is gone says so", async () => {
  const index = readFileSync(join(dist, "index.html"));
  const site = await serve({ change: (path) => (path === "index.html" && site.stale ? (site.stale--, index) : undefined) });
  try {
    site.folder = anotherVersion();
    // A cache on the way has the index of before.
    site.stale = 1;
    await load(site.url + detect);
    await until(driver, "the sentence", async () => /Kiln was updated/.test(await loading()));
    await driver.executeScript(() => document.querySelector("#loading button").click());
    await jobDone(driver);
  } finally {
    await site.close();
  }
});

test("without check.js the page starts", async () => {
  const site = await serve({ change: (path) => (/^check-/.test(path) ? 404 : undefined) });
  try {
    await visit(driver, site.url);
    assert.equal(await count(driver, "#loading"), 0);
  } finally {
    await site.close();
  }
});

test("without any script a sentence comes by itself", async () => {
  const site = await serve({ change: (path) => (/^(boot|check)-/.test(path) ? 404 : undefined) });
  try {
    await load(site.url);
    const visible = () => driver.executeScript(() => getComputedStyle(document.getElementById("late")).visibility === "visible");
    assert.equal(await visible(), false, "not at once");
    await until(driver, "the sentence", visible, 20_000);
    assert.match(await loading(), /reload the page/);
  } finally {
    await site.close();
  }
});

test("with JavaScript off the page says so", async () => {
  const site = await serve();
  try {
    await driver.sendDevToolsCommand("Emulation.setScriptExecutionDisabled", { value: true });
    await load(site.url);
    const { result } = await driver.sendAndGetDevToolsCommand("Runtime.evaluate", { expression: "document.body.innerText" });
    assert.match(result.value, /JavaScript is switched off/);
    assert.doesNotMatch(result.value, /not here yet/);
  } finally {
    await driver.sendDevToolsCommand("Emulation.setScriptExecutionDisabled", { value: false });
    await site.close();
  }
});

/** A page that holds Kiln in a sandboxed frame, as courses' platforms do. */
async function framed(site, body) {
  const host = createServer((_, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end(`<iframe sandbox="allow-scripts" width="1200" height="800" src="${site.url}${detect.replace("&", "&amp;")}"></iframe>`),
  );
  await new Promise((done) => host.listen(0, "127.0.0.1", done));
  try {
    await load(`http://127.0.0.1:${host.address().port}/`);
    await driver.switchTo().frame(0);
    await body();
  } finally {
    await driver.switchTo().defaultContent();
    host.close();
    host.closeAllConnections();
    await site.close();
  }
}

test("in a sandboxed frame it works where the server answers everybody", async () => {
  await framed(await serve({ headers: { "access-control-allow-origin": "*" } }), async () => {
    await jobDone(driver);
    assert.equal((await detections(driver))[0].class, "Cat");
    assert.ok(await driver.executeScript(() => Boolean(document.querySelector("link[rel=stylesheet]").sheet)), "the style");
  });
});

test("in a sandboxed frame it says what is wrong where the server does not", async () => {
  await framed(await serve(), async () => {
    await until(driver, "the sentence", async () => (await trouble()) === "sandbox");
    assert.match(await loading(), /a tab of its own/);
  });
});

test("a page that is translated in spite of its wish goes on", async () => {
  const site = await serve();
  try {
    await visit(driver, site.url + detect);
    await jobDone(driver);
    assert.equal(await driver.executeScript(() => document.documentElement.translate), false);
    await driver.manage().logs().get("browser");
    // What translators do: each text is taken out, and elements with another text put in its place.
    await driver.executeScript(() => {
      const wrap = (node) => {
        if (!node.parentNode || /SCRIPT|STYLE|FONT/.test(node.parentNode.nodeName) || !node.data.trim()) return;
        const outer = document.createElement("font");
        outer.append(document.createElement("font"));
        outer.firstChild.append(`${node.data}*`);
        node.replaceWith(outer);
      };
      const all = (root) => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        const texts = [];
        while (walker.nextNode()) texts.push(walker.currentNode);
        texts.forEach(wrap);
      };
      all(document.body);
      new MutationObserver((records) => {
        for (const node of records.flatMap((record) => [...record.addedNodes])) {
          if (node.nodeType === Node.TEXT_NODE) wrap(node);
          else if (node.nodeName !== "FONT") all(node);
        }
      }).observe(document.body, { childList: true, subtree: true });
    });
    assert.match(await text(driver, "h1"), /Detect\*/);
    await driver.executeScript(() => document.querySelectorAll(".sample")[2].click());
    await until(driver, "the coffee", async () => /Coffee cup/.test(await text(driver, "#detections")));
    await slide(driver, "score", 0.1);
    await until(driver, "the number of the slider", async () => /0\.10\*/.test(await text(driver, "output[for=score]")));
    await driver.executeScript(() => document.querySelector('nav a[href="#/segment"]').click());
    await until(driver, "the other lab", async () => /Segment/.test(await text(driver, "h1")));
    await jobDone(driver);
    await driver.executeScript(() => document.querySelector('nav a[href="#/detect"]').click());
    await until(driver, "back", async () => /Detect/.test(await text(driver, "h1")));
    await driver.executeScript(() => {
      const select = document.getElementById("language");
      select.value = "zh";
      select.dispatchEvent(new Event("change", { bubbles: true }));
    });
    await until(driver, "the other language", async () => /检测/.test(await text(driver, "h1")));
    assert.equal(await driver.executeScript(() => document.documentElement.lang), "zh");
    const entries = (await driver.manage().logs().get("browser")).filter(({ level }) => level.name === "SEVERE");
    assert.deepEqual(entries.map(({ message }) => message), []);
  } finally {
    await driver.executeScript(() => localStorage.clear());
    await site.close();
  }
});
