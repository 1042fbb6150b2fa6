// Changes of tags themselves. Each is one call, however many entries have the tag, and can be taken back.
import { api, take } from '@/api/client';
import { Problem } from '@/api/problem';
import { wordsOf } from '@/app/problems';
import type { Drive } from '@/data/drive';
import { pullTags, type Colour, type Tag } from '@/data/marks';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';

export function problemText(error: unknown): string {
  const { t } = i18n.global;
  const it = error instanceof Problem ? error : Problem.offline(error);
  return it.code === 'name-taken' ? t('tags.taken') : wordsOf(it, t('tags.offline'));
}

/** Does it under an operation's id of our own, tells it, and offers the way back. */
async function change(
  drive: Drive,
  tag: Tag,
  text: string,
  call: (operation: string) => Promise<unknown>,
): Promise<void> {
  const { t } = i18n.global;
  const operation = crypto.randomUUID();
  await call(operation);
  await pullTags(drive.db, tag.space_id);
  const undo = async () => {
    try {
      await take(api.POST('/api/v1/undo', { body: { space_id: tag.space_id, operation_id: operation } }));
      await pullTags(drive.db, tag.space_id);
    } catch (error) {
      toast(problemText(error), { tone: 'danger' });
    }
  };
  toast(text, { action: { label: t('common.undo'), run: () => void undo() } });
}

export const editTag = (drive: Drive, tag: Tag, wanted: { name: string; colour: Colour }) =>
  change(drive, tag, i18n.global.t('tags.edited', { name: wanted.name }), (operation) =>
    take(
      api.PATCH('/api/v1/tags/{id}', {
        params: { path: { id: tag.id }, header: { 'Operation-Id': operation } },
        body: wanted,
      }),
    ),
  );

export const mergeTag = (drive: Drive, tag: Tag, into: Tag) =>
  change(drive, tag, i18n.global.t('tags.merged', { name: tag.name, into: into.name }), (operation) =>
    take(
      api.POST('/api/v1/tags/{id}/merge', {
        params: { path: { id: tag.id }, header: { 'Operation-Id': operation } },
        body: { into: into.id },
      }),
    ),
  );

export const deleteTag = (drive: Drive, tag: Tag) =>
  change(drive, tag, i18n.global.t('tags.deleted', { name: tag.name }), (operation) =>
    take(api.DELETE('/api/v1/tags/{id}', { params: { path: { id: tag.id }, header: { 'Operation-Id': operation } } })),
  );
