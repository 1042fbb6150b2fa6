// What others share with this account, which the sync keeps here, and what it shares with others, which the server alone knows.
import { Users } from '@lucide/vue';
import { computed, h, ref, shallowRef, watch, type FunctionalComponent } from 'vue';
import { useI18n } from 'vue-i18n';
import { api, take, type Schemas } from '@/api/client';
import { Problem } from '@/api/problem';
import type { SharedRow } from '@/data/db';
import { useDrive, type Drive } from '@/data/drive';
import { learnPeople, usePeople } from '@/data/people';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { useLive } from '@/data/useLive';
import type { Note } from '@/features/drive';
import { sharing } from '@/features/share';
import { endOfGrant, nameOfSubject } from '@/data/grants';
import { formatAgo, formatFullDate } from '@/lib/format';
import type { Gathered } from './gathered';
import WhoCell from './WhoCell.vue';

export interface Face {
  id: string;
  name: string;
  picture: string | null;
}
/** What is told of one entry, however often it is shared. */
interface Told {
  people: Face[];
  roles: string[];
  at: string | null;
}

function useFaces(drive: Drive) {
  const personOf = usePeople(drive);
  return (one: Omit<Schemas['Subject'], 'picture'> & { picture?: string | null }): Face => ({
    id: one.id ?? one.kind,
    name: nameOfSubject(one),
    picture: one.picture ?? personOf(one.id ?? '')?.picture ?? null,
  });
}
function whoNote(head: () => string, toldOf: (item: Item) => Told | undefined): Note {
  const names = (item: Item) => (toldOf(item)?.people ?? []).map((one) => one.name).join(', ');
  const cell: FunctionalComponent<{ item: Item }> = ({ item }) => h(WhoCell, { people: toldOf(item)?.people ?? [] });
  cell.props = ['item'];
  return { head, text: names, title: names, cell };
}
/** One line for each entry, with everybody and every role once. */
function tell(told: Map<string, Told>, entry: string, face: Face, role: string, at: string | null): void {
  const known = told.get(entry) ?? { people: [], roles: [], at };
  told.set(entry, known);
  if (!known.people.some((one) => one.id === face.id)) known.people.push(face);
  if (!known.roles.includes(role)) known.roles.push(role);
}

export function useSharedWithMe(): Gathered {
  const { t } = useI18n();
  const drive = useDrive();
  const faceOf = useFaces(drive);
  const found = useLive(
    async () => {
      const rows = await drive.db.shared.toArray();
      const view = await read.projection(drive.db);
      const known = await drive.db.entries.bulkGet(rows.map((row) => row.entry_id));
      const items = rows.flatMap((row, at) => view.apply(known[at] ?? row.entry) ?? []);
      return { rows, items: [...new Map(items.map((item) => [item.id, item])).values()] };
    },
    { rows: [] as SharedRow[], items: [] as Item[] },
  );
  const { loaded } = found;
  // Who shares with one is told by name alone.
  watch(
    () => found.value.rows,
    (rows) =>
      void learnPeople(
        drive.db,
        rows.flatMap((row) => row.shared_by.id ?? []),
      ).catch(() => undefined),
  );
  const told = computed(() => {
    const all = new Map<string, Told>();
    for (const { entry_id, role, expires_at, shared_by } of found.value.rows) {
      const words = [t(`people.role_${role}`), endOfGrant({ expires_at })].filter(Boolean).join(' · ');
      tell(all, entry_id, faceOf({ kind: 'user', ...shared_by }), words, null);
    }
    return all;
  });
  const load = () => drive.sync.doubt();
  load();
  const roleText = (item: Item) => told.value.get(item.id)?.roles.join('; ') ?? '';
  return {
    name: 'shared-with-me',
    title: () => t('people.withMe'),
    items: computed(() => (loaded.value ? found.value.items : null)),
    problem: shallowRef(null),
    load,
    notes: {
      who: whoNote(
        () => t('places.sharedBy'),
        (item) => told.value.get(item.id),
      ),
      role: { head: () => t('people.role'), text: roleText, title: roleText },
    },
    fresh: { sort: 'name', columns: ['who', 'role', 'modified', 'size'] },
    empty: () => ({ icon: Users, title: t('people.withMeEmpty'), hint: t('people.withMeEmptyHint') }),
    offline: () => t('people.offline'),
  };
}

const pageSize = 500;
const maxPages = 10;

export function useSharedByMe(): Gathered {
  const { t, locale } = useI18n();
  const drive = useDrive();
  const faceOf = useFaces(drive);
  const rows = shallowRef<readonly Schemas['Shared'][]>([]);
  const problem = shallowRef<Problem | null>(null);
  const asked = ref(false);
  async function ask(): Promise<void> {
    try {
      const items: Schemas['Shared'][] = [];
      let cursor: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const answer = await take(api.GET('/api/v1/shared-by-me', { params: { query: { limit: pageSize, cursor } } }));
        items.push(...answer.items);
        cursor = answer.next_cursor ?? undefined;
        if (!cursor) break;
      }
      rows.value = items;
      problem.value = null;
    } catch (error) {
      problem.value = Problem.of(error);
    }
    asked.value = true;
  }
  const load = () => void ask();
  load();
  // What was changed in the dialog shows when that is closed.
  watch(sharing, (now) => !now && load());
  watch(
    () => drive.sync.state.link,
    (link) => link === 'online' && problem.value && load(),
  );

  const told = computed(() => {
    const all = new Map<string, Told>();
    for (const { entry, grant } of rows.value)
      tell(all, entry.id, faceOf(grant.subject), t(`people.role_${grant.role}`), grant.created_at);
    return all;
  });
  const items = useLive(async () => read.items(drive.db, [...told.value.keys()]), [] as Item[], [told]);
  const { loaded } = items;
  const roleText = (item: Item) => told.value.get(item.id)?.roles.join(' · ') ?? '';
  const atOf = (item: Item) => told.value.get(item.id)?.at ?? null;
  return {
    name: 'shared-by-me',
    title: () => t('people.byMe'),
    items: computed(() => (items.value.length > 0 || (asked.value && loaded.value) ? items.value : null)),
    problem,
    load,
    notes: {
      who: whoNote(
        () => t('places.sharedWith'),
        (item) => told.value.get(item.id),
      ),
      role: { head: () => t('people.role'), text: roleText, title: roleText },
      since: {
        head: () => t('places.since'),
        text: (item) => {
          const at = atOf(item);
          return at ? formatAgo(at, locale.value) : '';
        },
        title: (item) => {
          const at = atOf(item);
          return at ? formatFullDate(at, locale.value) : undefined;
        },
      },
    },
    fresh: { sort: 'name', columns: ['who', 'role', 'since', 'size'] },
    empty: () => ({ icon: Users, title: t('people.byMeEmpty'), hint: t('people.byMeEmptyHint') }),
    offline: () => t('people.offline'),
  };
}
