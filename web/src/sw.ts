// The service worker: starts the page without a connection, and signs requests for files that the browser itself makes
// (pictures, media with ranges, downloads), since those cannot carry a header of ours.
import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
  type PrecacheEntry,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { accessToken } from '@/api/session';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: (PrecacheEntry | string)[] };

const assetCache = 'holdfast-assets';
const fileAddress = /^\/api\/v1\/(?:files\/[^/]+(?:\/versions\/[^/]+)?|archive|users\/[^/]+\/picture)$/;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();

registerRoute(
  ({ url, request, sameOrigin }) =>
    sameOrigin && request.method === 'GET' && fileAddress.test(url.pathname) && !request.headers.has('authorization'),
  async ({ request }) => {
    const token = await accessToken();
    const headers = new Headers(request.headers);
    if (token) headers.set('authorization', `Bearer ${token}`);
    return fetch(request.url, { headers, signal: request.signal, credentials: 'same-origin' });
  },
);

registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), {
    // The page of a link is not this one, whoever is signed in.
    denylist: [/^\/api\//, /^\/s\//, /^\/(?:healthz|readyz|metrics)$/],
  }),
);

// Hashed names never change what they hold: keep the heavy lazy pieces from their first use on.
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith('/assets/'),
  async ({ request }) => {
    const cache = await caches.open(assetCache);
    const known = await cache.match(request);
    if (known) return known;
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  },
);

self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
