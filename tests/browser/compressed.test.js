// What `make dist` leaves beside the site's files for servers that hand out precompressed ones.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { compressed, compressible } from "../../tools/compress.mjs";
import { dist } from "./browser.js";

const ways = { ".br": brotliDecompressSync, ".gz": gunzipSync };

test("each file that shrinks has its compressed copies, and each copy is of what is there", async () => {
  const originals = await compressible(dist);
  for (const ending of ["wasm", "js", "css", "html", "json"]) {
    assert.ok(originals.some(({ file }) => file.endsWith(`.${ending}`)), ending);
  }
  const copies = originals.flatMap(({ file }) => Object.keys(ways).map((ending) => file + ending));
  assert.deepEqual((await compressed(dist)).sort(), copies.sort(), "run `make dist`");
  for (const { file, bytes } of originals) {
    for (const [ending, open] of Object.entries(ways)) {
      const copy = await readFile(file + ending);
      assert.ok(open(copy).equals(bytes), `${file}${ending} is of another file`);
      assert.ok(copy.length < bytes.length, `${file}${ending} is no smaller`);
    }
  }
});

test("the service worker lists no copies", async () => {
  const list = await readFile(join(dist, "sw.js"), "utf8");
  const names = [...list.matchAll(/^ {2}"(.*?)": "[0-9a-f]{64}"/gm)].map(([, name]) => name);
  assert.ok(names.length > 20);
  assert.deepEqual(names.filter((name) => extname(name.split("?")[0]) in ways), []);
});
