// Which entries an operation speaks of, and how it speaks of one by another id.
import type { Op } from './ops';

/** The entries that look different while an operation waits. */
export function touches(op: Op): string[] {
  if ('temp' in op) return [op.temp];
  return 'entries' in op ? op.entries : [op.entry];
}

/** The ids an operation speaks of, and so what it has to wait for. */
export function refersTo(op: Op): string[] {
  switch (op.kind) {
    case 'create-folder':
    case 'create-file':
      return [op.parent];
    case 'update':
      return op.parent ? [op.entry, op.parent] : [op.entry];
    case 'copy':
      return [op.entry, op.parent];
    case 'delete':
    case 'restore':
    case 'describe':
    case 'write':
      return [op.entry];
    case 'tag':
    case 'star':
      return op.entries;
  }
}

/** The same operation with the id that the server has in place of the one made here. */
export function withRealId(op: Op, temp: string, real: string): Op {
  const swap = (id: string) => (id === temp ? real : id);
  switch (op.kind) {
    case 'create-folder':
    case 'create-file':
      return { ...op, parent: swap(op.parent) };
    case 'tag':
    case 'star':
      return { ...op, entries: op.entries.map(swap) };
    case 'describe':
      return { ...op, entry: swap(op.entry) };
    case 'write':
      return { ...op, entry: swap(op.entry), base: { ...op.base, parent: swap(op.base.parent) } };
    case 'update':
      return {
        ...op,
        entry: swap(op.entry),
        ...(op.parent ? { parent: swap(op.parent) } : {}),
        before: { ...op.before, parent: swap(op.before.parent) },
      };
    case 'copy':
      return { ...op, entry: swap(op.entry), parent: swap(op.parent) };
    case 'delete':
      return { ...op, entry: swap(op.entry), before: { ...op.before, parent: swap(op.before.parent) } };
    case 'restore':
      return {
        ...op,
        entry: swap(op.entry),
        was: { ...op.was, id: swap(op.was.id), parent_id: op.was.parent_id ? swap(op.was.parent_id) : null },
      };
  }
}
