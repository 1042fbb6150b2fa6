// Taking files and folders along: one file as it is, all else as one archive that the server makes while it sends it.
import { archiveSize, downloadArchive, downloadFile } from '@/api/files';
import { tellProblem } from '@/app/problems';
import { keptFile } from '@/data/keep';
import { isUnsent, type Item } from '@/data/project';
import { i18n } from '@/i18n';
import { formatSize } from '@/lib/format';
import { downloadBlob } from '@/platform/web';
import { toast } from '@/ui/toasts';

/** More do not fit into an address that every proxy lets through. */
export const mostInArchive = 200;

type Taken = Pick<Item, 'id' | 'name' | 'kind' | 'version_id'>;

async function takeFile(file: Taken): Promise<void> {
  const bytes = await keptFile(file);
  if (bytes) downloadBlob(bytes, file.name);
  else await downloadFile(file.id, file.name);
}

/** `folder` is taken instead where all that is in it was chosen, however much that is. */
export async function download(
  items: readonly (Taken & Pick<Item, 'revision'>)[],
  folder: Taken | null = null,
): Promise<void> {
  const { t, locale } = i18n.global;
  const there = items.filter((item) => !isUnsent(item));
  const [only] = there;
  if (!only) return;
  try {
    if (there.length === 1 && only.kind === 'file') {
      await takeFile(only);
      toast(t('toasts.downloading'));
      return;
    }
    const chosen = there.length > mostInArchive && folder ? [folder] : there;
    if (chosen.length > mostInArchive) {
      toast(t('toasts.tooManyToDownload', { count: mostInArchive }), { tone: 'danger' });
      return;
    }
    const ids = chosen.map((item) => item.id);
    // The browser's own download tells nobody of a refusal, so it is asked for before.
    const size = await archiveSize(ids);
    await downloadArchive(ids, chosen.length === 1 ? `${chosen[0]!.name}.zip` : 'files.zip');
    toast(t('toasts.downloadingZip', { size: formatSize(size, locale.value) }));
  } catch (error) {
    void tellProblem(error, t('toasts.downloadOffline'));
  }
}
