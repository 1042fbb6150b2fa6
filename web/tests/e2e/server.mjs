// The real server for a test: its own data folder and port, stopped however the program ends.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const adminPassword = 'correct-horse-9';
export const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const binary = process.env.HOLDFAST_BIN ?? new URL('../../../target/debug/holdfast', import.meta.url).pathname;

/** Ends the program with a word about what is missing. */
export function checkTools() {
  const needed = {
    HOLDFAST_BIN: binary,
    CHROMIUM: browserPath,
    'npm run build': new URL('../../dist/index.html', import.meta.url).pathname,
  };
  for (const [what, path] of Object.entries(needed)) {
    if (existsSync(path)) continue;
    console.error(`${what}: there is no ${path}`);
    process.exit(2);
  }
}

export const freePort = () =>
  new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** A server in a folder of its own, with settings as text. `start` may be called again after `stop`; `remove` takes the folder away. */
export async function makeServer({ config = '' } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'holdfast-e2e-'));
  const settings = join(data, 'holdfast.toml');
  writeFileSync(settings, config);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  let child = null;

  /** Starts it and waits until it says that it is ready. */
  async function start() {
    child = spawn(
      binary,
      ['serve', '--config', settings, '--data-dir', join(data, 'data'), '--listen', `127.0.0.1:${port}`],
      {
        env: { ...process.env, HOLDFAST_ADMIN_PASSWORD: adminPassword },
        stdio: 'ignore',
      },
    );
    for (let tries = 0; tries < 150; tries += 1) {
      if (
        await fetch(`${base}/readyz`).then(
          (response) => response.ok,
          () => false,
        )
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the server did not become ready in 15 s');
  }
  const end = (signal) => () =>
    new Promise((resolve) => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', resolve);
      child.kill(signal);
    });
  const stop = end('SIGTERM');
  const kill = end('SIGKILL');
  process.on('exit', () => child?.kill('SIGKILL'));
  return {
    port,
    base,
    database: join(data, 'data', 'holdfast.db'),
    start,
    stop,
    kill,
    remove: () => rmSync(data, { recursive: true, force: true }),
  };
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
