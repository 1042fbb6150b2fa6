// What a person sees: the server's last state with the waiting operations played on top. Nothing here touches a database.
import type { Entry } from './db';
import type { Op } from './outbox/ops';

/** An entry as it is shown; `pending` while an operation on it has not reached the server. */
export interface Item extends Entry {
  pending?: boolean;
}

/** Whether an item was made here and the server has not heard of it. */
export const isUnsent = (item: Pick<Entry, 'revision'>) => item.revision === 0;

export class Projection {
  /** Entries that exist only here so far. */
  private readonly made = new Map<string, Item>();
  private readonly changed = new Map<string, { name?: string; parent?: string }>();
  /** Ids of what is deleted here. */
  readonly gone = new Set<string>();

  constructor(ops: readonly Op[]) {
    for (const op of ops) {
      if (op.state === 'parked') continue;
      this.play(op);
    }
  }

  private play(op: Op): void {
    switch (op.kind) {
      case 'create-folder':
        this.made.set(op.temp, {
          id: op.temp,
          space_id: op.space,
          parent_id: op.parent,
          name: op.name,
          kind: 'folder',
          revision: 0,
          created_at: op.at,
          modified_at: op.at,
          pending: true,
        });
        break;
      case 'copy':
        this.made.set(op.temp, {
          id: op.temp,
          space_id: op.space,
          parent_id: op.parent,
          name: op.name,
          ...op.like,
          revision: 0,
          created_at: op.at,
          modified_at: op.at,
          pending: true,
        });
        break;
      case 'update': {
        const own = this.made.get(op.entry);
        if (own) {
          if (op.name !== undefined) own.name = op.name;
          if (op.parent !== undefined) own.parent_id = op.parent;
        } else {
          const change = this.changed.get(op.entry) ?? {};
          if (op.name !== undefined) change.name = op.name;
          if (op.parent !== undefined) change.parent = op.parent;
          this.changed.set(op.entry, change);
        }
        break;
      }
      case 'delete':
        this.made.delete(op.entry);
        this.gone.add(op.entry);
        break;
      case 'restore':
        this.gone.delete(op.entry);
        this.made.set(op.entry, { ...op.was, pending: true });
        break;
    }
  }

  /** The entry as it is shown, or null when it is to be gone. */
  apply(entry: Entry): Item | null {
    if (this.gone.has(entry.id)) return null;
    const change = this.changed.get(entry.id);
    if (!change) return entry;
    return { ...entry, name: change.name ?? entry.name, parent_id: change.parent ?? entry.parent_id, pending: true };
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
