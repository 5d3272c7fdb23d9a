// The programs as the linker left them: constructors run once, not at every call from JavaScript.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { dist } from "./browser.js";

/** Bytes of a module, read from the front (WebAssembly core specification 2.0, chapter 5). */
class Reader {
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, { bytes, at, end });
  }
  byte() {
    return this.bytes[this.at++];
  }
  /** An unsigned LEB128 number. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  text() {
    const length = this.number();
    this.at += length;
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
  limits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }
}

/** By the index of a function: the exports that call it before they do anything else. */
export function firstCalls(bytes) {
  const sections = {};
  const module = new Reader(bytes, 8);
  while (module.at < module.end) {
    const id = module.byte();
    const length = module.number();
    if (id !== 0) sections[id] = new Reader(bytes, module.at, module.at + length);
    module.at += length;
  }
  let imported = 0;
  for (let left = sections[2]?.number() ?? 0; left > 0; left--) {
    const r = sections[2];
    r.text();
    r.text();
    const kind = r.byte();
    if (kind === 0) imported++;
    if (kind === 0 || kind === 4) r.number();
    if (kind === 1) r.byte(), r.limits();
    if (kind === 2) r.limits();
    if (kind === 3) r.byte(), r.byte();
  }
  const bodies = [];
  for (let left = sections[10].number(); left > 0; left--) {
    const length = sections[10].number();
    bodies.push(sections[10].at);
    sections[10].at += length;
  }
  const calls = new Map();
  for (let left = sections[7].number(); left > 0; left--) {
    const name = sections[7].text();
    const kind = sections[7].byte();
    const index = sections[7].number();
    if (kind !== 0 || index < imported) continue;
    const body = new Reader(bytes, bodies[index - imported]);
    for (let groups = body.number(); groups > 0; groups--) body.number(), body.byte();
    if (body.byte() !== 0x10) continue;
    const callee = body.number();
    calls.set(callee, [...(calls.get(callee) ?? []), name]);
  }
  return calls;
}

for (const program of ["app", "worker"]) {
  test(`no function of the ${program}'s that JavaScript calls runs the constructors first`, () => {
    const file = readdirSync(dist).find((name) => name.startsWith(`${program}-`) && name.endsWith(".wasm"));
    const calls = firstCalls(readFileSync(join(dist, file)));
    // Wrapped exports all begin with the same call; a name or two may by chance.
    const shared = [...calls.values()].filter((names) => names.length > 3);
    assert.deepEqual(shared, []);
  });
}
