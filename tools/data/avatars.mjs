// Draws avatars with known attributes: node avatars.mjs COUNT SEED FILE
// The drawings are "Custom Avatar" by Ashley Seo (CC BY 4.0), put together by DiceBear.
// Labels of each, in this order: hair style, hair colour, skin colour, eyes, mouth, accessory.
import { createAvatar } from '@dicebear/core';
import * as bigSmile from '@dicebear/big-smile';
import { Resvg } from '@resvg/resvg-js';
import { random, writePack } from './pack.mjs';

// The order is that of src/data/avatars.rs.
const HAIR = ['shortHair', 'mohawk', 'wavyBob', 'bowlCutHair', 'curlyBob', 'straightHair', 'braids', 'shavedHead', 'bunHair', 'froBun', 'bangs', 'halfShavedHead', 'curlyShortHair'];
const HAIR_COLORS = ['220f00', '3a1a00', '71472d', 'e2ba87', '605de4', '238d80', 'd56c0c', 'e9b729'];
const SKIN_COLORS = ['ffe4c0', 'f5d7b1', 'efcc9f', 'e2ba87', 'c99c62', 'a47539', '8c5a2b', '643d19'];
const EYES = ['cheery', 'normal', 'confused', 'starstruck', 'winking', 'sleepy', 'sad', 'angry'];
const MOUTHS = ['openedSmile', 'unimpressed', 'gapSmile', 'openSad', 'teethSmile', 'awkwardSmile', 'braces', 'kawaii'];
const ACCESSORIES = [null, 'glasses', 'sunglasses'];

const [count, seed, file] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const next = random(seed);
const pick = (list) => Math.floor(next() * list.length);
const SIZE = 64;
const pictures = [];
const labels = [];
for (let i = 0; i < count; i++) {
  // Two of three wear nothing.
  const accessory = next() < 2 / 3 ? 0 : 1 + Math.floor(next() * 2);
  const label = [pick(HAIR), pick(HAIR_COLORS), pick(SKIN_COLORS), pick(EYES), pick(MOUTHS), accessory];
  const svg = createAvatar(bigSmile, {
    hair: [HAIR[label[0]]],
    hairColor: [HAIR_COLORS[label[1]]],
    skinColor: [SKIN_COLORS[label[2]]],
    eyes: [EYES[label[3]]],
    mouth: [MOUTHS[label[4]]],
    accessories: accessory ? [ACCESSORIES[accessory]] : [],
    accessoriesProbability: accessory ? 100 : 0,
  }).toString();
  // Drawn four times as large and averaged: smoother edges than the renderer's own.
  const large = new Resvg(svg, { fitTo: { mode: 'width', value: 2 * SIZE }, background: '#ffffff' }).render().pixels;
  const small = new Uint8Array(SIZE * SIZE * 3);
  for (let y = 0; y < SIZE; y++)
    for (let x = 0; x < SIZE; x++)
      for (let c = 0; c < 3; c++) {
        const at = (dy, dx) => large[((2 * y + dy) * 2 * SIZE + 2 * x + dx) * 4 + c];
        small[(y * SIZE + x) * 3 + c] = Math.round((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4);
      }
  pictures.push(small);
  labels.push(label);
}
writePack(file, { height: SIZE, width: SIZE, channels: 3, pictures, labels });
