// What can still be done about a change that met another one: the way out that the rule did not take.
import type { Drive } from '@/data/drive';
import type { Sent } from '@/data/db';
import type { OpInput } from '@/data/outbox/ops';
import * as read from '@/data/read';

/** `run` says whether there was something to do it to. */
export type OtherWay = { run: () => Promise<boolean> } & (
  { kind: 'rename'; name: string } | { kind: 'remove' } | { kind: 'restore' }
);

export function otherWay(drive: Drive, { op, entry, note }: Sent): OtherWay | null {
  if (note?.code === 'renamed-too' && entry)
    return {
      kind: 'rename',
      name: note.theirs,
      run: async () => {
        const item = await read.item(drive.db, entry.id);
        if (item) await drive.rename(item, note.theirs);
        return item !== null;
      },
    };
  if (note?.code === 'kept-edited' && entry)
    return {
      kind: 'remove',
      run: async () => {
        const item = await read.item(drive.db, entry.id);
        if (item) await drive.remove([item]);
        return item !== null;
      },
    };
  // Only what lies in the trash can be had back; the change that found nothing is made to it then.
  if (note?.code === 'gone' && note.was) {
    const { was } = note;
    return {
      kind: 'restore',
      run: async () => {
        await drive.queue([{ kind: 'restore', entry: was.id, was }, ...againFor(op, was.id)]);
        return true;
      },
    };
  }
  return null;
}

/** The change as it was asked for, for the one entry that is back. */
function againFor(op: Sent['op'], id: string): OpInput[] {
  if (op.kind === 'tag' || op.kind === 'star') return [inputOf({ ...op, entries: [id] })];
  return op.kind === 'update' || op.kind === 'describe' ? [inputOf(op)] : [];
}

/** Without what belongs to its first way to the server. */
function inputOf(op: Sent['op']): OpInput {
  const input: Partial<Sent['op']> = { ...op };
  for (const key of ['seq', 'id', 'at', 'state', 'attempts', 'notBefore', 'failure'] as const) delete input[key];
  return input as OpInput;
}
