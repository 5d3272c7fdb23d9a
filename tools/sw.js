// Keeps the site for offline use. tools/finish-site.sh puts the list of files and their hash on
// top, as FILES, WEIGHTS and VERSION. The engine reads weights from the cache of their own.
const CACHE = `kiln-site-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" }))))
      .then(() => self.skipWaiting())
      .then(keepWeights),
  );
});

// The addresses are those of src/engine/web_host.rs. The engine verifies what it reads.
async function keepWeights() {
  const cache = await caches.open("kiln-weights");
  for (const address of WEIGHTS) {
    const url = new URL(address, location.href).href;
    if (!(await cache.match(url))) await cache.add(url).catch(() => null);
  }
}

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith("kiln-site-") && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate") {
    // A new version wins while there is a network.
    event.respondWith(fetch(event.request).catch(() => caches.match("./", { cacheName: CACHE })));
    return;
  }
  if (url.pathname.includes("/weights/")) return;
  event.respondWith(
    caches.match(event.request, { cacheName: CACHE, ignoreSearch: true }).then((found) => found ?? fetch(event.request)),
  );
});
