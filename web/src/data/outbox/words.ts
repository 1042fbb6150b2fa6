// The waiting changes in words, wherever they are listed.
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

/** One change made here, as what was asked for. */
export function describeOp(op: Op): string {
  const { t } = i18n.global;
  switch (op.kind) {
    case 'create-folder':
      return t('sync.op_createFolder', { name: op.name });
    case 'copy':
      return t('sync.op_copy', { name: op.name });
    case 'delete':
      return t('sync.op_delete', { name: op.before.name });
    case 'restore':
      return t('sync.op_restore', { name: op.was.name });
    case 'tag':
      return t(op.on ? 'edits.op_tag' : 'edits.op_untag', { tag: op.tagName, what: several(op) });
    case 'star':
      return t(op.on ? 'edits.op_star' : 'edits.op_unstar', { what: several(op) });
    case 'describe':
      return t(op.description === undefined ? 'edits.op_properties' : 'edits.op_describe', { name: op.before.name });
    case 'write':
      return t('edits.op_write', { name: op.base.name });
    case 'create-file':
      return t('edits.op_createFile', { name: op.name });
    case 'update':
      return op.name !== undefined && op.parent === undefined
        ? t('sync.op_rename', { from: op.before.name, name: op.name })
        : t('sync.op_move', { name: op.before.name });
  }
}
