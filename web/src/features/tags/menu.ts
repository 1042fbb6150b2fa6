// What can be done to a tag itself, as rows of a menu.
import { Combine, PencilLine, Trash2 } from '@lucide/vue';
import type { Tag } from '@/data/marks';
import { i18n } from '@/i18n';
import type { MenuItems } from '@/ui/menu';
import { tagTask } from '.';

export function tagMenu(tag: Tag, mergeable: boolean): MenuItems {
  const { t } = i18n.global;
  return [
    {
      id: 'tag-edit',
      label: t('tags.edit'),
      icon: PencilLine,
      run: () => void (tagTask.value = { what: 'edit', tag }),
    },
    ...(mergeable
      ? [
          {
            id: 'tag-merge',
            label: t('tags.merge'),
            icon: Combine,
            run: () => void (tagTask.value = { what: 'merge', tag }),
          },
        ]
      : []),
    'separator',
    {
      id: 'tag-delete',
      label: t('tags.remove'),
      icon: Trash2,
      danger: true,
      run: () => void (tagTask.value = { what: 'delete', tag }),
    },
  ];
}
