// What a person sees: the server's last state with the waiting operations played on top. Nothing here touches a database.
import type { Entry } from './db';
import { isConflict, type Copy, type CreateFile, type CreateFolder, type Op, type Properties } from './outbox/ops';

/** An entry as it is shown; `pending` while an operation on it has not reached the server. */
export interface Item extends Entry {
  pending?: boolean;
  /** Made here, or taken back here from the trash: the server cannot show its bytes yet. */
  made?: boolean;
  /** A change made here met one of somebody else, and a person has to say what is to be. */
  conflict?: boolean;
}

/** What the waiting operations make of an entry. */
type Change = Partial<Pick<Entry, 'name' | 'description' | 'size' | 'modified_at' | 'version_id' | 'blake3'>> & {
  parent?: string;
  tags?: Map<string, boolean>;
  properties?: Record<string, Properties[string] | null>;
};

function changed(entry: Item, { parent, tags, properties, ...rest }: Change): Item {
  const item: Item = { ...entry, ...rest, pending: true };
  if (parent !== undefined) item.parent_id = parent;
  if (tags) {
    const off = (entry.tags ?? []).filter((tag) => tags.get(tag) !== false);
    item.tags = [...new Set([...off, ...[...tags].flatMap(([tag, on]) => (on ? [tag] : []))])];
  }
  if (properties) {
    const now = Object.entries({ ...entry.properties, ...properties });
    item.properties = Object.fromEntries(now.filter((pair): pair is [string, Properties[string]] => pair[1] !== null));
  }
  return item;
}

/** Whether an item was made here and the server has not heard of it. */
export const isUnsent = (item: Pick<Entry, 'revision'>) => item.revision === 0;

export class Projection {
  /** Entries that exist only here so far. */
  private readonly made = new Map<string, Item>();
  private readonly changed = new Map<string, Change>();
  private readonly conflicts = new Set<string>();
  /** Ids of what is deleted here. */
  readonly gone = new Set<string>();

  constructor(ops: readonly Op[]) {
    for (const op of ops) {
      if (op.state !== 'parked') this.play(op);
      else if (isConflict(op) && 'entry' in op) this.conflicts.add(op.entry);
    }
  }

  private play(op: Op): void {
    switch (op.kind) {
      case 'create-folder':
        this.make(op, { kind: 'folder' });
        break;
      case 'copy':
        this.make(op, op.like);
        break;
      case 'create-file':
        this.make(op, { kind: 'file', size: op.size, content_type: op.content_type, version_id: op.id });
        break;
      case 'update':
        this.change(op.entry, {
          ...(op.name === undefined ? {} : { name: op.name }),
          ...(op.parent === undefined ? {} : { parent: op.parent }),
        });
        break;
      case 'tag':
        for (const entry of op.entries)
          this.change(entry, { tags: new Map([...op.merged.map((id) => [id, false] as const), [op.tag, op.on]]) });
        break;
      case 'describe':
        this.change(op.entry, {
          ...(op.description === undefined ? {} : { description: op.description }),
          ...(op.properties ? { properties: op.properties } : {}),
        });
        break;
      case 'write':
        this.change(op.entry, { size: op.size, modified_at: op.at, version_id: op.id, blake3: null });
        break;
      // Favourites are no part of an entry: `read.starred` plays them.
      case 'star':
        break;
      case 'delete':
        this.made.delete(op.entry);
        this.gone.add(op.entry);
        break;
      case 'restore':
        this.gone.delete(op.entry);
        this.made.set(op.entry, { ...op.was, pending: true, made: true });
        break;
    }
  }

  /** An entry that the server has not heard of. */
  private make(op: CreateFolder | Copy | CreateFile, what: Copy['like'] & Pick<Entry, 'version_id'>): void {
    this.made.set(op.temp, {
      id: op.temp,
      space_id: op.space,
      parent_id: op.parent,
      name: op.name,
      ...what,
      revision: 0,
      created_at: op.at,
      modified_at: op.at,
      pending: true,
      made: true,
    });
  }

  private change(id: string, more: Change): void {
    const own = this.made.get(id);
    if (own) {
      this.made.set(id, changed(own, more));
      return;
    }
    const { tags, properties, ...rest } = more;
    const change: Change = { ...this.changed.get(id), ...rest };
    if (tags) change.tags = new Map([...(change.tags ?? []), ...tags]);
    if (properties) change.properties = { ...change.properties, ...properties };
    this.changed.set(id, change);
  }

  /** The entry as it is shown, or null when it is to be gone. */
  apply(entry: Entry): Item | null {
    if (this.gone.has(entry.id)) return null;
    const change = this.changed.get(entry.id);
    const item = change ? changed(entry, change) : entry;
    return this.conflicts.has(entry.id) ? { ...item, conflict: true } : item;
  }

  madeHere(id: string): Item | null {
    return this.made.get(id) ?? null;
  }

  /** Ids of the server's entries that have been moved into a folder here. */
  movedInto(folder: string): string[] {
    return [...this.changed].filter(([id, change]) => change.parent === folder && !this.gone.has(id)).map(([id]) => id);
  }

  /** The children of a folder: `stored` are those the server told, `arrivals` the entries named by `movedInto`. */
  children(folder: string, stored: readonly Entry[], arrivals: readonly Entry[]): Item[] {
    const shown = new Map<string, Item>();
    for (const entry of [...stored, ...arrivals]) {
      const item = this.apply(entry);
      if (item && item.parent_id === folder) shown.set(item.id, item);
    }
    for (const item of this.made.values()) if (item.parent_id === folder) shown.set(item.id, item);
    return [...shown.values()];
  }
}
