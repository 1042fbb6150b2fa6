// Changes in words, wherever they are listed: as what is asked for while they wait, and as what was done.
import { i18n } from '@/i18n';
import '@/i18n/edits';
import type { Op } from './ops';

/** What an operation on many is about: the name of the first, and how many more. */
function several({ entries, name }: { entries: readonly string[]; name: string }): string {
  const { t } = i18n.global;
  return entries.length === 1
    ? t('edits.one', { name })
    : t('edits.several', { name, count: entries.length - 1 }, entries.length - 1);
}

/** The text that tells of an operation, by its key, and what stands in it. */
function partsOf(op: Op) {
  switch (op.kind) {
    case 'create-folder':
      return { key: 'createFolder', values: { name: op.name } } as const;
    case 'copy':
      return { key: 'copy', values: { name: op.name } } as const;
    case 'delete':
      return { key: 'delete', values: { name: op.before.name } } as const;
    case 'restore':
      return { key: 'restore', values: { name: op.was.name } } as const;
    case 'tag':
      return { key: op.on ? 'tag' : 'untag', values: { tag: op.tagName, what: several(op) } } as const;
    case 'star':
      return { key: op.on ? 'star' : 'unstar', values: { what: several(op) } } as const;
    case 'describe':
      return {
        key: op.description === undefined ? 'properties' : 'describe',
        values: { name: op.before.name },
      } as const;
    case 'write':
      return { key: 'write', values: { name: op.base.name } } as const;
    case 'create-file':
      return { key: 'createFile', values: { name: op.name } } as const;
    case 'update':
      return op.name !== undefined && op.parent === undefined
        ? ({ key: 'rename', values: { from: op.before.name, name: op.name } } as const)
        : ({ key: 'move', values: { name: op.before.name } } as const);
  }
}

/** One change made here, as what was asked for. */
export function describeOp(op: Op): string {
  const { key, values } = partsOf(op);
  return i18n.global.t(`edits.op_${key}`, values);
}

/** One change made here that has been carried out, or met another. */
export function describeDone(op: Op): string {
  const { key, values } = partsOf(op);
  return i18n.global.t(`edits.did_${key}`, values);
}
