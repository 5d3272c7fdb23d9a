// Keeps the site for offline use. tools/finish-site.sh puts on top what was built: VERSION, and the
// SHA-256 of each of FILES and WEIGHTS. Nothing else is ever kept: a server may answer with half a
// file while it is being filled, and a network with its login page. The engine reads weights from the
// cache of their own.
const HERE = registration.scope;
// Another Kiln may stand on the same server.
const CACHE = `kiln-site-${VERSION} ${HERE}`;

/** An answer, if it is what was built. */
async function verified(answer, sha256) {
  if (!answer.ok) return null;
  const bytes = await answer.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === sha256 ? new Response(bytes, { headers: answer.headers }) : null;
}

/** Fetches a file into a cache, the second time past the browser's own. */
async function fetchInto(cache, file, sha256) {
  const address = new URL(file, HERE).href;
  if (await cache.match(address)) return;
  for (const mode of ["no-cache", "reload"]) {
    const right = await verified(await fetch(address, { cache: mode }), sha256);
    if (right) return cache.put(address, right);
  }
  throw new Error(`${file} is not what was built`);
}

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.entries(FILES).map(([file, sha256]) => fetchInto(cache, file, sha256)));
  await self.skipWaiting();
  // The addresses are those of src/engine/web_host.rs.
  const weights = await caches.open("kiln-weights");
  for (const [file, sha256] of Object.entries(WEIGHTS)) await fetchInto(weights, file, sha256).catch(() => null);
}

/**
 * Deletes the versions that no open page was started from. Each page holds a lock by the name of its
 * program (public/boot.js), and needs the worker of the same version until it is closed.
 */
async function tidy() {
  // What a newer version is just keeping is not for this one to judge.
  if (registration.installing || registration.waiting) return;
  const held = (await navigator.locks?.query())?.held ?? [];
  for (const name of await caches.keys()) {
    if (!name.startsWith("kiln-site-")) continue;
    const cache = await caches.open(name);
    // The names of before had no place in them, and another Kiln may be theirs.
    const isOurs = /^kiln-site-\w+$/.test(name) ? await cache.match("./") : name.endsWith(` ${HERE}`);
    if (!isOurs) continue;
    const used = await Promise.all(held.map((lock) => cache.match(lock.name)));
    if (name !== CACHE && !used.some(Boolean)) await caches.delete(name);
  }
}

/** What is kept: of this version, or of one before, for its pages; names carry hashes where it matters. */
const kept = async (request) =>
  (await caches.match(request, { cacheName: CACHE, ignoreSearch: true })) ?? caches.match(request, { ignoreSearch: true });

/** From the network; what was thrown out because it was broken is kept again. */
async function fetched(event, url) {
  const answer = await fetch(event.request);
  const file = `./${url.href.slice(HERE.length).split(/[?#]/)[0]}`;
  if (FILES[file]) {
    const copy = answer.clone();
    const keep = async () => {
      const right = await verified(copy, FILES[file]);
      if (right) await (await caches.open(CACHE)).put(new URL(file, HERE).href, right);
    };
    event.waitUntil(keep().catch(() => null));
  }
  return answer;
}

/** A new version wins while there is a network. Whatever it answers is shown, and not kept. */
async function page(request) {
  const answer = await fetch(request).catch(() => null);
  if (answer && answer.status < 500) return answer;
  return (await caches.match(HERE, { cacheName: CACHE })) ?? answer ?? Response.error();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(tidy().catch(() => null).then(() => self.clients.claim())));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(page(request));
    event.waitUntil(tidy().catch(() => null));
    return;
  }
  // The page asks so for what it found broken.
  const isAnew = request.cache === "reload" || request.cache === "no-store";
  if (isAnew || url.pathname.includes("/weights/")) return;
  event.respondWith(kept(request).catch(() => null).then((found) => found ?? fetched(event, url)));
});
