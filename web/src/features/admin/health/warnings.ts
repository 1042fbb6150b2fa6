// What of the installation needs somebody to look at it, the worst first. Pure, from what the server tells.
import type { Schemas } from '@/api/client';

export interface Seen {
  nodes: readonly Schemas['Node'][] | null;
  cluster: Schemas['ClusterView'] | null;
  queues: readonly Schemas['QueueView'][] | null;
  /** Teams' spaces that nobody manages. */
  orphans: number | null;
}
export interface Warning {
  id: string;
  tone: 'danger' | 'warning' | 'note';
  /** Key of the text, below `health`. */
  text: string;
  count: number;
  /** Name of the page that is about it. */
  to: { name: string; query?: Record<string, string> };
}
/** Less than this share of a disk that is free is little, and too little. */
const littleFree = 0.1;
const tooLittleFree = 0.03;
/** Work that could have been done for so long is late. */
const lateSeconds = 600;
const weight = { danger: 0, warning: 1, note: 2 } as const;

export function warningsOf(seen: Seen): Warning[] {
  const servers = { name: 'admin-servers' };
  const jobs = { name: 'admin-jobs' };
  const list: Warning[] = [];
  const add = (id: string, tone: Warning['tone'], count: number, to: Warning['to']) => {
    if (count > 0) list.push({ id, tone, text: `health.warn_${id}`, count, to });
  };
  const inUse = (seen.nodes ?? []).filter((node) => node.state !== 'removed');
  const live = inUse.filter((node) => node.live);
  const freeOf = (node: Schemas['Node']) => (node.total_bytes > 0 ? node.free_bytes / node.total_bytes : 1);
  const { cluster } = seen;

  add('down', 'danger', inUse.length - live.length, servers);
  add('full', 'danger', live.filter((node) => freeOf(node) < tooLittleFree).length, servers);
  add('lost', 'danger', cluster?.repairs.failed ?? 0, servers);
  add(
    'readonly',
    'warning',
    live.filter((node) => node.state === 'active' && !node.writable && freeOf(node) >= tooLittleFree).length,
    servers,
  );
  add(
    'almostFull',
    'warning',
    live.filter((node) => freeOf(node) >= tooLittleFree && freeOf(node) < littleFree).length,
    servers,
  );
  add('damaged', 'warning', cluster?.scrub.damaged ?? 0, servers);
  add(
    'dead',
    'warning',
    (seen.queues ?? []).reduce((sum, queue) => sum + queue.dead, 0),
    jobs,
  );
  add('late', 'warning', (seen.queues ?? []).filter((queue) => queue.lag_seconds > lateSeconds).length, {
    name: 'admin-jobs',
    query: { state: 'waiting' },
  });
  add('orphans', 'warning', seen.orphans ?? 0, { name: 'admin-spaces', query: { unmanaged: '' } });
  add('repairing', 'note', cluster?.repairs.waiting ?? 0, servers);
  add('moving', 'note', cluster && !cluster.moves.settled ? 1 : 0, servers);
  return list.sort((a, b) => weight[a.tone] - weight[b.tone]);
}
