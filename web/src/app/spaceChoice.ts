// The space that a page is about, where one can choose among one's own and those of teams. It stands in the address.
import { computed } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import type { SpaceRow } from '@/data/db';
import { useDrive } from '@/data/drive';
import { useLive } from '@/data/useLive';
import { i18n } from '@/i18n';

export function useSpaceChoice() {
  const { t } = i18n.global;
  const drive = useDrive();
  const route = useRoute();
  const router = useRouter();
  const own = drive.user.space_id;
  const known = useLive(() => drive.db.spaces.filter((one) => !one.partial).toArray(), [] as SpaceRow[]);
  const nameOf = (one: SpaceRow) => (one.id === own ? t('nav.personal') : one.name);
  /** One's own comes first, those of teams follow by name. */
  const spaces = computed(() =>
    [...known.value].sort((a, b) => Number(b.id === own) - Number(a.id === own) || a.name.localeCompare(b.name)),
  );
  const choices = computed(() => spaces.value.map((one) => ({ id: one.id, label: nameOf(one) })));
  const chosen = computed({
    get: () => spaces.value.find((one) => one.id === route.query.space)?.id ?? own,
    set: (id) => void router.replace({ query: id === own ? {} : { space: id } }),
  });
  const space = computed(() => spaces.value.find((one) => one.id === chosen.value));
  return { choices, chosen, space, nameOf };
}
