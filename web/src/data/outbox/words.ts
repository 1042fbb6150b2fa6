// The waiting changes in words, wherever they are listed.
import { i18n } from '@/i18n';
import type { Op } from './ops';

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
    case 'update':
      return op.name !== undefined && op.parent === undefined
        ? t('sync.op_rename', { from: op.before.name, name: op.name })
        : t('sync.op_move', { name: op.before.name });
  }
}
