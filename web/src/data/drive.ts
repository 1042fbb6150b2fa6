// The handle features work with: the database of the signed-in account, its sync, and the operations a person can do.
// Every operation is written down first and sent afterwards, so that it is there at once and survives a reload.
import { reactive, shallowReactive, shallowRef } from 'vue';
import { compareNames, freeName } from '@/lib/names';
import type { User } from '@/api/session';
import { DriveDb } from './db';
import { newEntryId, type Op, type OpInput } from './outbox/ops';
import type { Note } from './outbox/send';
import type { Item } from './project';
import * as read from './read';
import { Sync } from './sync/engine';
import { putEntries } from './sync/store';

/** Where an entry is and what it is called. */
export interface Place {
  name: string;
  parent: string;
}
/** An entry that went from one place to another. */
export interface Moved {
  id: string;
  before: Place;
  after: Place;
}

export class Drive {
  readonly db: DriveDb;
  readonly sync: Sync;
  readonly notes: { at: number; note: Note }[] = reactive([]);

  readonly user: User;

  constructor(user: User) {
    // What one is called can change while one is here.
    this.user = shallowReactive({ ...user });
    this.db = opened?.userId === user.id ? opened : new DriveDb(user.id);
    opened = null;
    this.sync = new Sync(this.db, (note) => this.notes.push({ at: Date.now(), note }));
  }

  close(): void {
    this.sync.close();
    this.db.close();
  }

  /** Writes down what was done, to be sent as soon as may be. */
  async queue(inputs: readonly OpInput[]): Promise<void> {
    if (inputs.length === 0) return;
    // It comes a moment after the first list: see `startAfterwards`.
    const { enqueue } = await import('./outbox/enqueue');
    await enqueue(this.db, inputs);
    this.sync.kick();
  }

  async createFolder(parent: Item, wanted: string): Promise<{ id: string; name: string }> {
    const siblings = new Set((await read.children(this.db, parent.id)).map((item) => item.name));
    const temp = newEntryId();
    const name = freeName(wanted, 'folder', (candidate) => siblings.has(candidate));
    await this.queue([
      { kind: 'create-folder', temp, space: parent.space_id, parent: await read.realId(this.db, parent.id), name },
    ]);
    return { id: temp, name };
  }

  async rename(item: Item, name: string): Promise<Moved> {
    await this.queue([{ kind: 'update', entry: item.id, name, before: beforeOf(item) }]);
    const { parent } = beforeOf(item);
    return { id: item.id, before: { name: item.name, parent }, after: { name, parent } };
  }

  /** Moves what is not there already. Clashing names get a number, as on a desktop that does not ask. */
  async move(items: readonly Item[], parent: string): Promise<Moved[]> {
    const target = await read.realId(this.db, parent);
    const names = new Set((await read.children(this.db, target)).map((item) => item.name));
    const moving = items.filter((item) => item.parent_id !== target && item.id !== target);
    const ops: OpInput[] = [];
    const moved: Moved[] = [];
    for (const item of moving) {
      const name = freeName(item.name, item.kind, (candidate) => names.has(candidate));
      names.add(name);
      ops.push({
        kind: 'update',
        entry: item.id,
        parent: target,
        ...(name === item.name ? {} : { name }),
        before: beforeOf(item),
      });
      moved.push({
        id: item.id,
        before: { name: item.name, parent: item.parent_id ?? '' },
        after: { name, parent: target },
      });
    }
    await this.queue(ops);
    return moved;
  }

  async copy(items: readonly Item[], parent: string, suffix?: string): Promise<string[]> {
    const target = await read.realId(this.db, parent);
    const names = new Set((await read.children(this.db, target)).map((item) => item.name));
    const ops: Extract<OpInput, { kind: 'copy' }>[] = [];
    for (const item of [...items].sort((a, b) => compareNames(a.name, b.name))) {
      const wanted = suffix && names.has(item.name) ? withSuffix(item, suffix) : item.name;
      const name = freeName(wanted, item.kind, (candidate) => names.has(candidate));
      names.add(name);
      ops.push({
        kind: 'copy',
        entry: item.id,
        temp: newEntryId(),
        space: item.space_id,
        parent: target,
        name,
        like: { kind: item.kind, size: item.size, content_type: item.content_type },
      });
    }
    await this.queue(ops);
    return ops.map((op) => op.temp);
  }

  async remove(items: readonly Item[]): Promise<void> {
    await this.queue(
      items.map((item) => ({
        kind: 'delete',
        entry: item.id,
        before: { ...beforeOf(item), ...(item.version_id ? { version: item.version_id } : {}) },
      })),
    );
  }

  /** Takes entries out of the trash again. */
  async restore(items: readonly Item[]): Promise<void> {
    const ops = items.map((item): OpInput => {
      const was = { ...item };
      for (const shown of ['pending', 'made', 'conflict'] as const) delete was[shown];
      return { kind: 'restore', entry: item.id, was };
    });
    await this.queue(ops);
  }

  /** Puts entries back to the name and folder they had. */
  async restorePlace(places: readonly (Place & { id: string })[]): Promise<void> {
    const ops: OpInput[] = [];
    for (const place of places) {
      const item = await read.item(this.db, place.id);
      const parent = await read.realId(this.db, place.parent);
      if (!item) continue;
      ops.push({
        kind: 'update',
        entry: item.id,
        ...(item.name === place.name ? {} : { name: place.name }),
        ...(item.parent_id === parent ? {} : { parent }),
        before: beforeOf(item),
      });
    }
    await this.queue(ops);
  }

  async retry(op: Op): Promise<void> {
    await this.db.ops.put({ ...op, state: 'waiting', attempts: 0, notBefore: 0, failure: undefined });
    this.sync.kick();
  }

  /** Returns how to put it back to where it stood in the order. */
  async discard(op: Op): Promise<() => Promise<void>> {
    const { dropMine } = await import('./outbox/conflicts');
    const takeBack = await dropMine(this.db, op);
    return async () => {
      await takeBack();
      this.sync.kick();
    };
  }

  /** What the server told outside a pull, such as the answer to an upload. */
  async learn(...entries: Parameters<typeof putEntries>[1]): Promise<void> {
    await putEntries(this.db, entries);
    this.sync.kick();
  }
}

function beforeOf(item: Item): { name: string; parent: string; revision: number } {
  return { name: item.name, parent: item.parent_id ?? '', revision: item.revision };
}

function withSuffix(item: Item, suffix: string): string {
  const dot = item.kind === 'file' ? item.name.lastIndexOf('.') : -1;
  return dot > 0 ? `${item.name.slice(0, dot)} ${suffix}${item.name.slice(dot)}` : `${item.name} ${suffix}`;
}

const lastKey = 'holdfast.last-account';
/** The database of whoever was here last, opened before it is known whether they still are. */
let opened: DriveDb | null = null;

/** Opening takes a while in which the page is busy with other things: it begins before all of them. */
export function openAhead(): void {
  const last = localStorage.getItem(lastKey);
  if (!last) return;
  opened = new DriveDb(last);
  // Whoever needs it opens it again and hears what is wrong.
  opened.open().catch(() => undefined);
}

/** The drive of the account that is signed in in this tab. */
export const drive = shallowRef<Drive | null>(null);

export function useDrive(): Drive {
  if (!drive.value) throw new Error('the drive is used before anybody signed in');
  return drive.value;
}

export function openDrive(user: User): Drive {
  if (drive.value?.user.id === user.id) return drive.value;
  drive.value?.close();
  drive.value = new Drive(user);
  localStorage.setItem(lastKey, user.id);
  drive.value.sync.start();
  return drive.value;
}

export function closeDrive(): void {
  localStorage.removeItem(lastKey);
  drive.value?.close();
  drive.value = null;
}
