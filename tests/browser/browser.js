// Opens headless Chromium on the built site; shared by the tests and the screenshots.
import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { Builder, By, logging } from "selenium-webdriver";
import chrome from "selenium-webdriver/chrome.js";

export const root = resolve(import.meta.dirname, "../..");
export const dist = join(root, "dist");
const types = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".jpg": "image/jpeg",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

if (!existsSync(join(dist, "index.html"))) {
  throw new Error("There is no dist/index.html: run `make dist` first.");
}

/**
 * Serves dist/, or the site that KILN_DIST names, below `prefix`, as a plain file server would. `change(path, body)` may return
 * another body, a status, or `{ body, headers }`, for a path below the prefix; or a promise of one, to be
 * slow. `headers` go with every answer. `site.folder` may be changed to another built site.
 */
export async function serve({ prefix = "/", change, port = 0, headers: always = {} } = {}) {
  const site = { folder: process.env.KILN_DIST ?? dist };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    let path = decodeURIComponent(url.pathname);
    if (!path.startsWith(prefix)) return response.writeHead(404).end();
    path = normalize(path.slice(prefix.length) || "index.html");
    const file = join(site.folder, path);
    if (!file.startsWith(site.folder) || !existsSync(file) || !statSync(file).isFile()) {
      return response.writeHead(404).end();
    }
    const headers = { "content-type": types[extname(file)] ?? "application/octet-stream", ...always };
    const changed = await change?.(path, () => readFileSync(file));
    if (typeof changed === "number") return response.writeHead(changed).end();
    if (changed?.headers) return response.writeHead(200, { ...headers, ...changed.headers }).end(changed.body);
    if (changed) return response.writeHead(200, headers).end(changed);
    response.writeHead(200, { ...headers, "content-length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(port, "127.0.0.1", done));
  return Object.assign(site, {
    url: `http://127.0.0.1:${server.address().port}${prefix}`,
    port: server.address().port,
    close: () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  });
}

/** The labs, as their `spec.rs` describe them: one that is added later is known here, too. */
export const labs = readdirSync(join(root, "src/labs"), { recursive: true })
  .filter((path) => /^[^/]+\/spec\.rs$/.test(path))
  .map((path) => readFileSync(join(root, "src/labs", path), "utf8").match(/static LAB: LabSpec = LabSpec \{.*?\n\};/s)?.[0])
  .filter(Boolean)
  .map((spec) => {
    const field = (name) => spec.match(new RegExp(`\\n\\s*${name}: "?(.*?)"?,\\n`))[1];
    const is = (name) => field(name) === "true";
    return {
      name: field("name"),
      empty: `#/${field("name")}`,
      example: `#/${field("name")}?v=1&${field("example")}`,
      usesPicture: is("uses_picture"),
      startsByItself: is("starts_by_itself"),
    };
  });

/** Opens a page of the site anew, so that nothing is left of the one before. */
export async function visit(driver, address) {
  await driver.get("about:blank");
  await driver.get(address);
  await until(driver, address, () => count(driver, "main h1"));
}

/**
 * Waits until a page shows all that it shows without the visitor: the sample of its link on the stage, the
 * run of a lab that starts by itself, the answers of a lab that asks. `started` where the test pressed Start.
 */
export async function shown(driver, fragment, started = false) {
  const lab = labs.find(({ name }) => new RegExp(`^#/${name}(\\?|$)`).test(fragment));
  if (lab?.usesPicture && /[?&]p=/.test(fragment)) {
    // A lab without a stage shows only that the sample was taken.
    await until(driver, `the picture of ${fragment}`, () =>
      driver.executeScript(() =>
        document.querySelector(document.querySelector("main .stage") ? ".frame > img" : ".sample[aria-pressed=true]") !== null),
    );
    if (lab.startsByItself || started) await jobDone(driver);
  } else if (started) {
    await jobDone(driver);
  } else if (lab && !lab.usesPicture && lab.startsByItself) {
    await driver.sleep(500);
    await until(driver, `the answers of ${fragment}`, () =>
      driver.executeScript(() => document.querySelector(".standing")?.dataset.busy !== "true"),
    );
  }
}

/** A fresh browser with an empty profile. */
export async function open({ width = 1280, height = 900, gpu = false, dark = false, language = "en", args = [] } = {}) {
  const options = new chrome.Options();
  options.addArguments(
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    `--window-size=${width},${height}`,
    `--lang=${language}`,
    `--accept-lang=${language}`,
    ...(gpu ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"] : []),
    ...args,
  );
  options.setUserPreferences({ intl: { accept_languages: language } });
  const logs = new logging.Preferences();
  logs.setLevel(logging.Type.BROWSER, logging.Level.ALL);
  options.setLoggingPrefs(logs);
  const driver = await new Builder()
    .forBrowser("chrome")
    .setChromeOptions(options)
    .setChromeService(new chrome.ServiceBuilder(process.env.CHROMEDRIVER ?? "/usr/bin/chromedriver"))
    .build();
  await driver.manage().setTimeouts({ script: 120_000 });
  // A real viewport of that width: a headless window is never narrower than 500 pixels.
  await driver.sendDevToolsCommand("Emulation.setDeviceMetricsOverride", {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: width < 600,
  });
  if (dark) {
    await driver.sendDevToolsCommand("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: "dark" }],
    });
  }
  return driver;
}

/** Waits until `probe` gives something true; says what was waited for otherwise. */
export async function until(driver, what, probe, timeout = 60_000) {
  const end = Date.now() + timeout;
  let last;
  while (Date.now() < end) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error.message;
    }
    await driver.sleep(50);
  }
  const entries = await driver.manage().logs().get(logging.Type.BROWSER);
  const shown = entries.map((entry) => entry.message).join("\n");
  throw new Error(`${what}: not within ${timeout} ms (last: ${last})\n${shown}`);
}

export const text = (driver, css) => driver.executeScript((s) => document.querySelector(s)?.innerText ?? "", css);
export const count = (driver, css) => driver.executeScript((s) => document.querySelectorAll(s).length, css);

/** idle, running, done or failed. */
export const jobState = (driver) =>
  driver.executeScript(() => document.querySelector(".status")?.dataset.job ?? "");

export const jobDone = (driver, timeout) =>
  until(driver, "the job is done", async () => (await jobState(driver)) === "done", timeout);

/** Starts a lab that takes steps, once its picture is on the stage. */
export async function startSearch(driver) {
  await until(driver, "the start button", () => driver.executeScript(() => document.getElementById("run")?.disabled === false));
  await driver.executeScript(() => document.getElementById("run").click());
  // What a link began by itself may stand there as done: the new search is waited for.
  await until(driver, "that it begins", async () => ["running", "failed"].includes(await jobState(driver)));
}

/** The rows of the table: class, score, box. */
export const detections = (driver) =>
  driver.executeScript(() =>
    [...document.querySelectorAll("#detections tbody tr")].map((row) => {
      const [name, score, box] = [...row.children].map((cell) => cell.innerText.trim());
      return { class: name, score: Number(score), box: box.split(",").map(Number) };
    }),
  );

/** Sets a slider and tells the page, as dragging would. */
export const slide = (driver, id, value) =>
  driver.executeScript(
    (id, value) => {
      const input = document.getElementById(id);
      input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    },
    id,
    value,
  );

const picture = (driver) => driver.executeScript(() => document.querySelector(".frame > img")?.src ?? "");

/** Chooses a file in the dialog's stead. */
export const choose = async (driver, file, id = "open-picture") =>
  (await driver.findElement(By.id(id))).sendKeys(file);

/** Chooses a file that is taken, and waits until it is the one on the stage. */
export async function upload(driver, file) {
  const before = await picture(driver);
  await choose(driver, file);
  await until(driver, `${file} is on the stage`, async () => (await picture(driver)) !== before);
}

/** Keeps every worker that the page starts where the test can reach it. */
export const catchWorkers = (driver) =>
  driver.sendDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", {
    source: `window.workers = []; window.Worker = class extends Worker {
      constructor(...args) { super(...args); window.workers.push(this); }
    };`,
  });

export { By };
