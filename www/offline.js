// The service worker of a published page: it keeps every file of one version of the site, and gives
// them out when there is no network. The page itself is fetched anew whenever there is one, so that a
// new version shows at the next visit; other files have names that change with what is in them, or
// belong to the version that the page came with.
const CACHE = "podflow-VERSION_OF_THE_SITE";
const FILES = [/* the site's files */];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("podflow-") && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  const kept = (what) => caches.open(CACHE).then((cache) => cache.match(what, { ignoreSearch: true }));
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(async () => (await kept("index.html")) ?? Response.error()));
  } else {
    event.respondWith(kept(request).then((response) => response ?? fetch(request)));
  }
});
