// Serves dist/ as the gateway is to: hashed files for ever, everything else asked for each time, index.html for pages,
// Brotli where it is taken, and the strict policy. `/api` goes to the server under test; `cut` plays a dead network.
import { createReadStream, existsSync, statSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { Transform } from 'node:stream';
import { extname, join, normalize } from 'node:path';

/** What is tested; another folder than `dist/` lets a build go on meanwhile. */
export const dist = process.env.HOLDFAST_WEB_DIST ?? new URL('../../dist/', import.meta.url).pathname;
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.json': 'application/json',
  '.txt': 'text/plain',
};

export const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types default vue dompurify',
].join('; ');

/** Lets bytes through at a pace. */
const slow = (bytesPerSecond) =>
  new Transform({
    transform(chunk, _encoding, done) {
      setTimeout(() => done(null, chunk), (chunk.length / bytesPerSecond) * 1000);
    },
  });

export function serve(port, apiPort) {
  let server = null;
  let cut = false;
  /** How fast bodies go up; null for as fast as they can. */
  let bytesPerSecond = null;
  /** Sockets that have left HTTP behind. */
  const tunnels = new Set();
  const endAll = () => {
    server?.closeAllConnections();
    for (const tunnel of tunnels) tunnel.destroy();
  };
  const state = {
    /** Loses the answers to changes, and not the changes. */
    deaf: false,
    /** Begins answers to what is read, and never ends them. */
    silent: false,
    get bytesPerSecond() {
      return bytesPerSecond;
    },
    set bytesPerSecond(value) {
      bytesPerSecond = value;
    },
    get cut() {
      return cut;
    },
    /** Cutting ends what is under way too, as pulling the cable does. */
    set cut(value) {
      cut = value;
      if (cut) endAll();
    },
  };
  server = http.createServer((request, response) => {
    if (state.cut) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url, 'http://x');
    if (url.pathname.startsWith('/api/')) {
      const up = http.request(
        { host: '127.0.0.1', port: apiPort, path: request.url, method: request.method, headers: request.headers },
        (answer) => {
          if (state.deaf && request.method !== 'GET') {
            // The server has done it, and nobody hears of it.
            answer.resume();
            answer.on('end', () => request.socket.destroy());
            return;
          }
          response.writeHead(answer.statusCode, answer.headers);
          if (state.silent && request.method === 'GET') {
            response.flushHeaders();
            answer.resume();
            return;
          }
          // An answer that is cut off is cut off for the page too, which would wait for its end otherwise.
          answer.on('error', () => response.destroy());
          answer.pipe(response);
        },
      );
      up.on('error', () => response.destroy());
      // Who goes away is gone for the server too: it keeps what came, and waits for no more.
      response.on('close', () => up.destroy());
      if (bytesPerSecond === null) request.pipe(up);
      else request.pipe(slow(bytesPerSecond)).pipe(up);
      return;
    }
    let path = normalize(join(dist, url.pathname));
    if (!path.startsWith(dist) || !existsSync(path) || !statSync(path).isFile()) {
      if (url.pathname.startsWith('/assets/') || extname(url.pathname)) {
        response.writeHead(404).end();
        return;
      }
      path = join(dist, url.pathname.startsWith('/s/') ? 'share.html' : 'index.html');
    }
    const headers = {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': url.pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    };
    if (String(request.headers['accept-encoding']).includes('br') && existsSync(`${path}.br`)) {
      path += '.br';
      headers['content-encoding'] = 'br';
      headers.vary = 'accept-encoding';
    }
    headers['content-length'] = statSync(path).size;
    response.writeHead(200, headers);
    createReadStream(path).pipe(response);
  });
  server.on('upgrade', (request, socket, head) => {
    if (state.cut || !request.url.startsWith('/api/')) {
      socket.destroy();
      return;
    }
    const up = net.connect(apiPort, '127.0.0.1', () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      up.write(`${lines.join('\r\n')}\r\n\r\n`);
      up.write(head);
      up.pipe(socket).pipe(up);
    });
    tunnels.add(socket);
    for (const [one, other] of [
      [socket, up],
      [up, socket],
    ]) {
      one.on('error', () => other.destroy());
      one.on('close', () => (other.destroy(), tunnels.delete(socket)));
    }
  });
  return new Promise((resolve) =>
    server.listen(port, '127.0.0.1', () =>
      resolve({
        state,
        url: `http://127.0.0.1:${server.address().port}`,
        close: () => {
          endAll();
          server.close();
        },
      }),
    ),
  );
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { url } = await serve(Number(process.env.PORT ?? 7821), Number(process.env.API_PORT ?? 8080));
  console.log(url);
}
