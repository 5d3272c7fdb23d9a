// Writes a data set as Kiln reads it (src/data/pack.rs): a header, the labels, the pixels.
import { writeFileSync } from 'node:fs';

/** `pictures`: Uint8Arrays of height x width x channels; `labels`: an array of bytes for each. */
export function writePack(path, { height, width, channels, pictures, labels }) {
  const perPicture = labels[0].length;
  const header = Buffer.alloc(28);
  header.write('KILNDATA', 0, 'latin1');
  [pictures.length, height, width, channels, perPicture].forEach((n, i) => header.writeUInt32LE(n, 8 + 4 * i));
  writeFileSync(path, Buffer.concat([header, Buffer.from(labels.flat()), ...pictures]));
}

/** Numbers from 0 to 1 from a seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
