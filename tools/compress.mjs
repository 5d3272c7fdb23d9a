// Leaves a .br and a .gz beside each file of a built site that shrinks by it, for servers that hand out
// precompressed files: `node tools/compress.mjs dist`. Takes about a minute, nearly all of it the engine.
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** What shrinks. Pictures and fonts are compressed already, and weights would lose a tenth. */
const ENDINGS = new Set([".wasm", ".js", ".css", ".html", ".json", ".svg"]);
/** In bytes: what is smaller travels in one packet either way. */
const SMALLEST = 1024;

const WAYS = {
  ".br": (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  ".gz": (bytes) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

/** The files below a folder, by their paths. */
async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The files below a folder that are to have a compressed copy, with their bytes. */
export async function compressible(folder) {
  const found = (await files(folder)).filter((file) => ENDINGS.has(extname(file)));
  const read = await Promise.all(found.map(async (file) => ({ file, bytes: await readFile(file) })));
  return read.filter(({ bytes }) => bytes.length >= SMALLEST);
}

/** The compressed copies below a folder. */
export const compressed = async (folder) => (await files(folder)).filter((file) => extname(file) in WAYS);

async function compress(folder) {
  // A copy of what was there before would be handed out instead of what is there now.
  await Promise.all((await compressed(folder)).map((file) => rm(file)));
  const originals = await compressible(folder);
  const total = { "": 0, ".br": 0, ".gz": 0 };
  await Promise.all(
    originals.flatMap(({ file, bytes }) => {
      total[""] += bytes.length;
      return Object.entries(WAYS).map(async ([ending, way]) => {
        const small = await way(bytes);
        total[ending] += small.length;
        await writeFile(file + ending, small);
      });
    }),
  );
  const kb = (ending) => `${Math.round(total[ending] / 1000)} kB`;
  console.log(`${originals.length} files, ${kb("")}: ${kb(".br")} in brotli, ${kb(".gz")} in gzip`);
}

if (import.meta.url === pathToFileURL(argv[1]).href) await compress(argv[2]);
