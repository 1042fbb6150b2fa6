// What one may do in the open folder, or with items of many: from what this device knows at once, and from the server where that says more.
import { computed, shallowRef, watch, type Ref } from 'vue';
import { api, take } from '@/api/client';
import type { Role } from '@/data/db';
import { useDrive } from '@/data/drive';
import type { Item } from '@/data/project';
import { atLeast, greater, roleOf } from '@/data/roles';
import { useLive } from '@/data/useLive';

export function useRole(folderId: () => string) {
  const drive = useDrive();
  const known = useLive(() => roleOf(drive.db, folderId()), null, [folderId]);
  const told = shallowRef<{ folder: string; role: Role } | null>(null);
  // A role that was given further down is known to the server alone.
  watch(
    [folderId, () => known.value],
    async ([folder, role]) => {
      if (role === null || role === 'manager' || told.value?.folder === folder) return;
      // The server has not heard of a folder that was just made here.
      if (!(await drive.db.entries.get(folder))) return;
      const entry = await take(api.GET('/api/v1/entries/{id}', { params: { path: { id: folder } } })).catch(() => null);
      if (entry) told.value = { folder, role: entry.role as Role };
    },
    { immediate: true },
  );
  const role = computed(() =>
    greater(known.value ?? undefined, told.value?.folder === folderId() ? told.value.role : undefined),
  );
  /** Until it is known nothing is kept from anybody: the server has the last word. */
  const canEdit = computed(() => role.value === undefined || atLeast(role.value, 'editor'));
  return { role, canEdit };
}

/** Whether all of the items may be renamed, moved and deleted, which is for whoever may edit the folder each is in. */
export function useCanEdit(items: Readonly<Ref<readonly Item[]>>): Readonly<Ref<boolean>> {
  const drive = useDrive();
  const parents = computed(() => [...new Set(items.value.map((item) => item.parent_id ?? item.id))]);
  return useLive(
    async () => {
      for (const parent of parents.value) {
        const above = await roleOf(drive.db, parent);
        // Of what is shared alone the folder is not to be seen: the roles on the entries themselves count.
        const inside = items.value.filter((item) => item.parent_id === parent);
        const known = above ? [above] : await Promise.all(inside.map((item) => roleOf(drive.db, item.id)));
        if (known.some((role) => role !== null && !atLeast(role, 'editor'))) return false;
      }
      return true;
    },
    true,
    [parents],
  );
}
