// What the first page shows, asked for again and again while somebody looks. Each part is asked for by itself: an account
// may see servers and not spaces, or the other way round, and one refusal takes nothing from the rest.
import { computed, onScopeDispose, ref, shallowRef } from 'vue';
import { api, take, type Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import { useDrive } from '@/data/drive';
import type { Space } from '../spaces/space';
import { warningsOf } from './warnings';

const refreshMs = 5_000;
/** Points of the line of work that waits: about five minutes. */
export const trendRoom = 60;
const shownSpaces = 6;
const pageSize = 1000;

export function useHealth() {
  const { permissions } = useDrive().user;
  const mayNodes = permissions.includes('admin.nodes');
  const mayUsers = permissions.includes('admin.users');
  const nodes = shallowRef<readonly Schemas['Node'][] | null>(null);
  const cluster = shallowRef<Schemas['ClusterView'] | null>(null);
  const queues = shallowRef<readonly Schemas['QueueView'][] | null>(null);
  const spaces = shallowRef<readonly Space[] | null>(null);
  const orphans = ref<number | null>(null);
  const problem = shallowRef<Problem | null>(null);
  /** How much waited, since the page was opened. */
  const waited = shallowRef<readonly number[]>([]);

  async function ask(): Promise<void> {
    const servers = mayNodes
      ? [
          take(api.GET('/api/v1/admin/nodes')).then((answer) => (nodes.value = answer.items)),
          take(api.GET('/api/v1/admin/cluster')).then((answer) => (cluster.value = answer)),
          take(api.GET('/api/v1/admin/queues')).then((answer) => {
            queues.value = answer.items;
            const waiting = answer.items.reduce((sum, queue) => sum + queue.waiting, 0);
            waited.value = [...waited.value, waiting].slice(-trendRoom);
          }),
        ]
      : [];
    const query = { limit: shownSpaces };
    const people = mayUsers
      ? [
          take(api.GET('/api/v1/admin/spaces', { params: { query } })).then((answer) => (spaces.value = answer.items)),
          take(api.GET('/api/v1/admin/spaces', { params: { query: { unmanaged: true, limit: pageSize } } })).then(
            (answer) => (orphans.value = answer.items.length),
          ),
        ]
      : [];
    const done = await Promise.allSettled([...servers, ...people]);
    const failed = done.find((one) => one.status === 'rejected');
    problem.value = failed ? Problem.of(failed.reason) : null;
  }
  void ask();
  const timer = setInterval(() => document.visibilityState === 'visible' && void ask(), refreshMs);
  onScopeDispose(() => clearInterval(timer));

  const ready = computed(() => (mayNodes ? nodes.value && cluster.value && queues.value : spaces.value) !== null);
  const warnings = computed(() =>
    warningsOf({ nodes: nodes.value, cluster: cluster.value, queues: queues.value, orphans: orphans.value }),
  );
  return { nodes, cluster, queues, spaces, problem, waited, ready, warnings, ask };
}
