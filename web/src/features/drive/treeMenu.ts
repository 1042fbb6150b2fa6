// What can be done with a folder of the tree; the root of a team's space offers what is about the space.
import { FolderOpen, PencilLine, Share2, Trash2, UsersRound } from '@lucide/vue';
import { useI18n } from 'vue-i18n';
import { useRouter } from 'vue-router';
import type { SpaceRow } from '@/data/db';
import { isUnsent, type Item } from '@/data/project';
import { atLeast } from '@/data/roles';
import { sharing, spaceDialog } from '@/features/share';
import type { MenuEntry, MenuItems } from '@/ui/menu';

export function useTreeMenu(): (item: Item, team: SpaceRow | null) => MenuItems {
  const { t } = useI18n();
  const router = useRouter();
  return (item, team) => {
    const rows: MenuEntry[] = [
      {
        id: 'tree-open',
        label: t('actions.open'),
        icon: FolderOpen,
        run: () => void router.push({ name: 'files', params: { folder: item.id } }),
      },
    ];
    if (team) {
      rows.push(
        {
          id: 'space-members',
          label: t('spaces.members'),
          icon: UsersRound,
          run: () => void (sharing.value = { id: item.id, name: item.name, kind: 'folder', team: true }),
        },
        {
          id: 'space-trash',
          label: t('spaces.trash'),
          icon: Trash2,
          run: () => void router.push({ name: 'trash', query: { space: team.id } }),
        },
      );
      if (atLeast(team.role, 'manager'))
        rows.push({
          id: 'space-rename',
          label: t('spaces.renameAction'),
          icon: PencilLine,
          run: () => void (spaceDialog.value = { id: team.id, name: team.name }),
        });
    } else if (item.parent_id && !isUnsent(item)) {
      rows.push({
        id: 'tree-share',
        label: t('share.action'),
        icon: Share2,
        run: () => void (sharing.value = item),
      });
    }
    return rows;
  };
}
