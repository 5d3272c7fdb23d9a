// Fashion-MNIST's idx files as packs: node fashion.mjs FOLDER TRAIN_FILE TEST_FILE
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { writePack } from './pack.mjs';

['train', 't10k'].forEach((name, i) => {
  const read = (rest) => gunzipSync(readFileSync(join(process.argv[2], `${name}-${rest}-ubyte.gz`)));
  const [images, labels] = [read('images-idx3'), read('labels-idx1')];
  const count = images.readUInt32BE(4);
  writePack(process.argv[3 + i], {
    height: 28,
    width: 28,
    channels: 1,
    pictures: Array.from({ length: count }, (_, n) => images.subarray(16 + n * 784, 16 + (n + 1) * 784)),
    labels: Array.from({ length: count }, (_, n) => [labels[8 + n]]),
  });
});
