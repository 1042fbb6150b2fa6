// Storage servers as lists show them.
import type { Schemas } from '@/api/client';
import { i18n } from '@/i18n';

type Node = Schemas['Node'];

/** In a fixed order. A server that left long ago is history, not state. */
export const shownServers = (nodes: readonly Node[]): Node[] =>
  nodes
    .filter((node) => node.state !== 'removed' || node.part_count > 0)
    .sort((a, b) => a.address.localeCompare(b.address) || a.id.localeCompare(b.id));

/** Those inside the process have no address: they are counted. */
export const nameOf = (node: Node, among: readonly Node[]): string =>
  node.address.replace(/^https?:\/\//, '') || `${i18n.global.t('admin.server')} ${among.indexOf(node) + 1}`;
