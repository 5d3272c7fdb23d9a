// What every part of the figures in the browser needs.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { jobDone, jobState, until } from "../tests/browser/browser.js";

export const PEER_LIMIT_MS = 240_000;
export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
export const round = (value) => Math.round(value * 10) / 10;

export async function servePeer() {
  const folder = join(import.meta.dirname, "peer");
  const runtimes = ["onnxruntime-web", "@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm", "@tensorflow/tfjs-backend-webgpu"];
  const folders = [folder, ...runtimes.map((name) => join(folder, "node_modules", name, "dist"))];
  const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer((request, response) => {
    const name = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    const file = folders.map((folder) => join(folder, name)).find((path) => !name.includes("..") && existsSync(path));
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

export const stageMs = (driver, stage) =>
  driver.executeScript((s) => parseFloat(document.querySelector(`tr[data-stage=${s}] td`).textContent), stage);

/** Runs the open lab again and gives the milliseconds of its network. */
export async function again(driver, timeout) {
  await driver.executeScript(() => document.getElementById("run").click());
  await until(driver, "the job starts", async () => (await jobState(driver)) !== "");
  await driver.sleep(30);
  await jobDone(driver, timeout);
  return stageMs(driver, "network");
}
