// Finds entries away from the page's own thread. Questions of one place take the place of each other; what is found is read
// from the database and sent in pieces.
import { DriveDb } from '@/data/db';
import type { Ask, FromWorker, ToWorker, Who } from '@/data/search/messages';
import { parse } from '@/data/search/query';
import { SearchSource } from '@/data/search/source';

declare const self: DedicatedWorkerGlobalScope;

/** The first piece fills the screen. */
const firstItems = 100;
const moreItems = 500;

let who: Who | null = null;
let source: SearchSource | null = null;
/** The newest question of each place. */
const newest = new Map<string, number>();

const say = (message: FromWorker) => self.postMessage(message);
/** Lets messages that wait be heard. */
const breathe = () =>
  new Promise<void>((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });

async function answer(ask: Ask): Promise<void> {
  const outdated = () => newest.get(ask.slot) !== ask.number;
  await breathe();
  if (outdated() || !source || !who) return;
  const reading = source.ready();
  await (source.complete ? reading : Promise.race([source.usable, reading]));
  const { complete } = source;
  if (outdated()) return;
  const found = source.index.find(parse(ask.text), source.world(Date.now(), who.space, ask.own), ask.order);
  let step = found.next();
  while (!step.done) {
    await breathe();
    if (outdated()) return;
    step = found.next();
  }
  const ids = step.value;
  const shown = ids.slice(0, ask.limit);
  const total = ids.length;
  let from = 0;
  do {
    const to = Math.min(shown.length, from + (from === 0 ? firstItems : moreItems));
    const items = await source.items(shown.slice(from, to));
    if (outdated()) return;
    from = to;
    say({ found: { slot: ask.slot, number: ask.number, items, total, complete, done: from >= shown.length } });
  } while (from < shown.length);
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if ('open' in data) {
    who = data.open;
    source = new SearchSource(new DriveDb(who.id), who.id, () => say({ changed: true }));
    source.ready().then(() => say({ changed: true }), fail);
  } else {
    newest.set(data.ask.slot, data.ask.number);
    answer(data.ask).catch(fail);
  }
};

function fail(error: unknown): void {
  say({ failed: error instanceof Error ? error.message : String(error) });
}
