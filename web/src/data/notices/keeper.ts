// Watches what is worth telling beside the changes of others: what is newly shared, what came through links, the room that
// is left, what could not be saved. All of it is kept by the sync already; here it is only seen that it is new.
// One tab does this for all.
import { liveQuery, type Subscription } from 'dexie';
import { watch } from 'vue';
import { api, take } from '@/api/client';
import type { KeptLink, SeenRow } from '../db';
import type { Drive } from '../drive';
import { isConflict } from '../outbox/ops';
import { pullLinks } from '../links';
import { addNotice, dropNotices, setNotice, type NewNotice } from './store';

/** How often links and jobs, of which nothing else tells, are asked for while the page is looked at. */
const askMs = 120_000;
/** From how much of the room on it is told, and below how much it may be told again. */
const nearlyFull = 0.9;
const roomAgain = 0.85;

type Seen = Record<string, number>;

export class NoticeKeeper {
  private readonly stop = new AbortController();
  private readonly watching: Subscription[] = [];
  private askedAt = -Infinity;
  /** Until this page has met the server for the first time. */
  private readonly pulled: Promise<void>;

  constructor(private readonly drive: Drive) {
    this.pulled = new Promise((resolve) => {
      const unwatch = watch(
        () => drive.sync.state.lastAt !== null,
        (met) => met && resolve(),
        { immediate: true },
      );
      this.stop.signal.addEventListener('abort', unwatch);
    });
    const { locks } = navigator as { locks?: LockManager };
    const alone = () =>
      new Promise<void>((resolve) => {
        this.stop.signal.addEventListener('abort', () => resolve());
        this.start();
      });
    if (locks)
      void locks.request(`${drive.db.name}-notices`, { signal: this.stop.signal }, alone).catch(() => undefined);
    else void alone();
  }

  close(): void {
    this.stop.abort();
    for (const one of this.watching) one.unsubscribe();
  }

  private start(): void {
    if (this.stop.signal.aborted) return;
    const { db } = this.drive;
    this.follow(
      'shared',
      async () => (await db.shared.toArray()).map((row) => [row.id, 1] as const),
      async (id) => {
        const row = await db.shared.get(id);
        if (!row) return null;
        const giver = row.shared_by;
        // More is asked for where it is shown.
        if (giver.id && (giver.display_name || giver.name) && !(await db.people.get(giver.id)))
          await db.people.put({ id: giver.id, name: giver.display_name || giver.name! });
        return {
          kind: 'shared',
          actor: giver.id,
          name: row.entry.name,
          count: 1,
          to: row.entry.kind === 'folder' ? `/files/${row.entry_id}` : '/shared/with-me',
        };
      },
    );
    this.follow(
      'teams',
      async () =>
        (await db.spaces.toArray())
          .filter((space) => space.kind === 'team' && !space.partial)
          .map((space) => [space.id, 1] as const),
      async (id) => {
        const space = await db.spaces.get(id);
        return space && space.owner_id !== this.drive.user.id
          ? { kind: 'team', actor: null, name: space.name, count: 1, to: `/files/${space.root_id}` }
          : null;
      },
    );
    this.follow(
      'links',
      async () =>
        (await db.links.toArray())
          .filter((link) => link.mode === 'upload')
          .map((link) => [link.id, link.uploads] as const),
      async (id, more) => {
        const link = await db.links.get(id);
        return link && more > 0 ? this.dropped(link, more) : null;
      },
      true,
    );
    this.watch(
      async () => (await db.ops.where('state').equals('parked').toArray()).filter((op) => !isConflict(op)).length,
      (count) => this.state('refused', count, { kind: 'refused', actor: null, name: '', count, to: '/files' }),
    );
    this.watch(
      async () => (await db.reviews.count()) + (await db.ops.filter(isConflict).count()),
      (count) => this.state('met', count, { kind: 'met', actor: null, name: '', count, to: '/files' }),
    );
    this.watch(
      () => db.spaces.get(this.drive.user.space_id),
      async (space) => {
        if (!space?.quota_bytes) return;
        const share = space.used_bytes / space.quota_bytes;
        const level = share >= 1 ? 2 : share >= nearlyFull ? 1 : 0;
        const told = (await this.seenOf('quota')).seen.level ?? 0;
        if (level > told)
          await setNotice(db, {
            key: 'quota',
            kind: 'quota',
            at: now(),
            actor: null,
            name: '',
            count: Math.floor(share * 100),
            to: '/settings',
          });
        if (level > told || share < roomAgain) await db.seen.put({ id: 'quota', seen: { level } });
      },
    );
    const ask = () => void this.ask();
    document.addEventListener('visibilitychange', ask, { signal: this.stop.signal });
    const timer = setInterval(ask, askMs);
    this.stop.signal.addEventListener('abort', () => clearInterval(timer));
    ask();
  }

  private watch<T>(query: () => Promise<T>, hear: (value: T) => Promise<void>): void {
    // One after the other, however fast they come.
    let running = Promise.resolve();
    this.watching.push(
      liveQuery(query).subscribe({
        next: (value) => {
          running = running
            .then(() => (this.stop.signal.aborted ? undefined : hear(value)))
            .catch((error: unknown) => console.warn('a notice could not be made', error));
        },
        error: (error: unknown) => console.error('notices are not made any more', error),
      }),
    );
  }

  private async seenOf(id: string): Promise<SeenRow> {
    return (await this.drive.db.seen.get(id)) ?? { id, seen: {} };
  }

  /**
   * Tells of what has a higher number than it had when it was last seen. What is there when a device first looks is no
   * news; nor, with `counted`, is a thing that is new itself: only what is counted of it later.
   */
  private follow(
    id: string,
    query: () => Promise<(readonly [string, number])[]>,
    tell: (thing: string, more: number) => Promise<Omit<NewNotice, 'key' | 'at'> | null>,
    counted = false,
  ): void {
    const { db } = this.drive;
    this.watch(query, async () => {
      // Before the first pull there is nothing here that could be compared, and what was read before it is old by then.
      await this.pulled;
      if (this.stop.signal.aborted) return;
      const things = await query();
      const known = await db.seen.get(id);
      const seen: Seen = Object.fromEntries(things);
      const same = known && JSON.stringify(known.seen) === JSON.stringify(seen);
      if (same) return;
      await db.seen.put({ id, seen });
      if (!known) return;
      for (const [thing, number] of things) {
        const before = known.seen[thing];
        if (before === undefined ? counted : number <= before) continue;
        const notice = await tell(thing, number - (before ?? 0));
        if (notice) await addNotice(db, { ...notice, key: `${id}:${thing}`, at: now() });
      }
    });
  }

  /** Something that is so for a time: told while it is, and taken back when it is over. */
  private async state(key: string, count: number, notice: Omit<NewNotice, 'key' | 'at'>): Promise<void> {
    const { db } = this.drive;
    const told = (await this.seenOf(key)).seen.count ?? 0;
    if (count === 0 && told > 0) await dropNotices(db, key);
    if (count > told) await setNotice(db, { ...notice, key, at: now() });
    if (count !== told) await db.seen.put({ id: key, seen: { count } });
  }

  private async dropped(link: KeptLink, more: number): Promise<Omit<NewNotice, 'key' | 'at'>> {
    const params = { params: { path: { id: link.id }, query: { limit: Math.min(100, more) } } };
    const events = await take(api.GET('/api/v1/links/{id}/events', params)).catch(() => null);
    const visitors = new Set(
      ((events as { items?: { kind: string; visitor: string | null }[] } | null)?.items ?? [])
        .filter((event) => event.kind === 'uploaded')
        .map((event) => event.visitor),
    );
    const [visitor] = visitors;
    const name = link.name || link.entry_name || '';
    return {
      kind: 'dropped',
      actor: null,
      name: visitors.size === 1 && visitor ? `${name}\n${visitor}` : name,
      count: more,
      to: `/files/${link.entry_id}`,
    };
  }

  private async ask(): Promise<void> {
    const { db, sync, user } = this.drive;
    if (document.visibilityState !== 'visible' || sync.state.link !== 'online') return;
    if (performance.now() - this.askedAt < askMs / 2) return;
    this.askedAt = performance.now();
    await pullLinks(db).catch(() => undefined);
    if (!user.permissions.includes('admin.nodes')) return;
    const queues = await take(api.GET('/api/v1/admin/queues')).catch(() => null);
    if (!queues || this.stop.signal.aborted) return;
    const count = queues.items.reduce((sum, queue) => sum + queue.dead, 0);
    await this.state('job', count, { kind: 'job', actor: null, name: '', count, to: '/admin/jobs' });
  }
}

const now = () => new Date().toISOString();
